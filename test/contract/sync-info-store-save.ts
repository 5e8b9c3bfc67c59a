import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StoredIndex } from '../../src/cycle/ports.ts';
import { emptyBucketHash } from '../../src/sync/bucket.ts';
import { SyncInfo } from '../../src/sync/sync-info.ts';
import { type ConsulKind, type ConsulTarget, callScope } from './consul-client-target.ts';
import {
  batchOf,
  changesOf,
  completed,
  infoOf,
  infoOfSize,
  insight,
  path,
  type TestStore,
  testStore,
} from './sync-info-store-target.ts';

/** Saving: what is stored afterwards, at what cost, and what is never overwritten. */
export function saveFacts(kind: ConsulKind): void {
  let target: ConsulTarget;
  const stores: TestStore[] = [];
  beforeAll(async () => {
    target = await kind.start();
  });
  afterAll(() => target?.stop());
  // Their idle connections count against the 200 that a Consul allows.
  afterEach(() => {
    for (const store of stores.splice(0)) store.close();
  });
  const fresh = () => {
    const store = testStore(target);
    stores.push(store);
    return store;
  };

  /** How many requests of each kind a call made; on a real server it is only run. */
  async function counted<T>(
    call: () => Promise<T>,
  ): Promise<{ result: T; counts: Record<string, number> | undefined }> {
    target.dev?.requests.reset();
    const result = await call();
    return { result, counts: target.dev && Object.fromEntries(target.dev.requests.counts) };
  }
  const expectCounts = (counts: Record<string, number> | undefined, expected: Record<string, number>) => {
    if (counts !== undefined) expect(counts).toEqual(expected);
  };

  describe('a round trip', () => {
    it('loads nothing where nothing was saved', async () => {
      const store = fresh();
      expect(await store.loadIndex(callScope())).toBeUndefined();
      expect(await store.loadOwnIndex(callScope())).toBeUndefined();
    });

    it('gives back index and buckets, and the ModifyIndex of the index', async () => {
      const store = fresh();
      const info = infoOf(100, 8);
      const changes = changesOf(info);
      const { result: stored, counts } = await counted(() => store.put(changes));
      expectCounts(counts, { 'PUT txn': 1 });
      expect(stored.index).toEqual(changes.index);
      expect(stored.modifyIndex).toBe((await store.dump()).get('index')?.modifyIndex);
      expect(await store.loadIndex(callScope())).toEqual(stored);
      expect(await store.loadOwnIndex(callScope())).toEqual(stored);
      const loaded = await store.verified();
      expect([...loaded.paths()].sort()).toEqual([...info.paths()].sort());
      expect(loaded.get(path(7))).toEqual(insight());
    });

    it('keeps names and fields as they are', async () => {
      const store = fresh();
      const info = SyncInfo.empty(2);
      const names = ['ü/日本', 'a b', 'a"b', 'a\\b', '<&>', '\u2028', '__proto__', '🎉', 'constructor'];
      for (const [i, name] of names.entries()) info.put(path(name), insight(i + 1, { dv: i + 10 }));
      await store.put(changesOf(info));
      const loaded = await store.verified();
      expect(names.map((name) => loaded.get(path(name)))).toEqual(
        names.map((_, i) => insight(i + 1, { dv: i + 10 })),
      );
    });

    it('of empty info stores an index and empty buckets', async () => {
      const store = fresh();
      const stored = await store.put(changesOf(SyncInfo.empty(4)));
      expect(stored.index).toEqual(new Array(4).fill(emptyBucketHash));
      expect([...(await store.dump())].map(([name, { value }]) => `${name} ${value.slice(0, 4)}`)).toEqual([
        '0 {}',
        '1 {}',
        '2 {}',
        '3 {}',
        'index ["52',
      ]);
      expect((await store.verified()).size).toBe(0);
    });
  });

  describe('a later save', () => {
    it('writes the changed buckets only, and nothing else changes', async () => {
      const store = fresh();
      const first = await store.put(changesOf(infoOf(100, 8)));
      const before = await store.dump();
      const info = infoOf(100, 8);
      info.put(path(7), insight(2));
      const changes = changesOf(info, first);
      expect(changes.buckets).toHaveLength(1);
      const { result: second, counts } = await counted(() => store.put(changes, first));
      expectCounts(counts, { 'PUT txn': 1 });
      const after = await store.dump();
      const changed = [...after].filter(
        ([name, { modifyIndex }]) => before.get(name)?.modifyIndex !== modifyIndex,
      );
      expect(changed.map(([name]) => name)).toEqual([`${info.bucketId(path(7))}`, 'index']);
      expect(second.modifyIndex).toBeGreaterThan(first.modifyIndex);
      expect((await store.verified()).get(path(7))).toEqual(insight(2));
    });

    it('that changes no hash, as a destination’s dv, keeps the index', async () => {
      const store = fresh();
      const info = infoOf(20, 2);
      const first = await store.put(batchOf(info));
      info.put(path(7), insight(1, { dv: 3 }));
      const second = await store.put(batchOf(info), first);
      expect(second).toEqual(first);
      expect((await store.verified()).get(path(7))).toEqual(insight(1, { dv: 3 }));
      info.put(path(7), insight(2));
      await store.put(batchOf(info), second);
      expect((await store.verified()).get(path(7))).toEqual(insight(2));
    });

    it.each([
      { name: 'small', from: 8, to: 4 },
      { name: 'small to one', from: 16, to: 1 },
      { name: 'large to small', from: 100, to: 4 },
      { name: 'large to large', from: 200, to: 100 },
    ])('with fewer buckets deletes the surplus ones: $name', async ({ from, to }) => {
      const store = fresh();
      const first = await store.put(changesOf(infoOf(300, from)));
      const second = await store.put(changesOf(infoOf(300, to), first), first);
      expect((await store.dump()).size, 'buckets and index').toBe(to + 1);
      expect((await store.verified()).size).toBe(300);
      expect(await store.mark(callScope()), 'deleted before the index was written').toBe(
        `${second.modifyIndex}`,
      );
    });

    it('with more buckets has all of them', async () => {
      const store = fresh();
      const first = await store.put(changesOf(infoOf(300, 4)));
      await store.put(changesOf(infoOf(300, 100), first), first);
      expect((await store.dump()).size).toBe(101);
      expect((await store.verified()).size).toBe(300);
    });

    it('over an index that is no index, or whose buckets are lost, stores all anew', async () => {
      const store = fresh();
      await store.put(changesOf(infoOf(300, 100)));
      await target.api.put(`${store.prefix}index`, 'not an index');
      const own = await store.loadOwnIndex(callScope());
      expect(own?.corrupt).toMatchObject({ code: 'SYNC_INFO_CORRUPT' });
      const previous = { index: [], modifyIndex: own?.modifyIndex as number };
      for (const numBuckets of [100, 4]) {
        const store2 = numBuckets === 100 ? store : store.other();
        const stored = await store2.loadOwnIndex(callScope());
        await store2.put(changesOf(infoOf(300, numBuckets)), {
          ...previous,
          modifyIndex: stored?.modifyIndex as number,
        });
        expect((await store.verified()).size).toBe(300);
      }
    });
  });

  describe('a large save', () => {
    it('of more than 64 buckets is claimed, written in batches, and the index comes last', async () => {
      const store = fresh();
      const first = await store.put(changesOf(infoOf(2000, 300)));
      expect((await store.verified()).size).toBe(2000);
      const { result: second, counts } = await counted(() =>
        store.put(changesOf(infoOf(2000, 300, 2), first), first),
      );
      if (counts !== undefined) {
        // A claim, 300 buckets by 63, and the index; the claim keeps the index as it was read.
        expect(counts).toEqual({ 'GET kv': 1, 'PUT txn': 1 + Math.ceil(300 / 63) + 1 });
      }
      const dump = await store.dump();
      const highest = Math.max(...[...dump.values()].map(({ modifyIndex }) => modifyIndex));
      expect(dump.get('index')?.modifyIndex).toBe(highest);
      expect(second.modifyIndex).toBe(highest);
      expect((await store.verified()).get(path(7))).toEqual(insight(2));
    });

    it('of more than 512 KiB in few buckets is stored', async () => {
      const store = fresh();
      const info = SyncInfo.empty(4);
      const names = new Set<number>();
      // One path of 300 KB for each bucket.
      for (let i = 0; names.size < 4; i += 1) {
        const long = path(`${i}`.padEnd(300_000, 'x'));
        if (names.has(info.bucketId(long))) continue;
        names.add(info.bucketId(long));
        info.put(long, insight());
      }
      const first = await store.put(changesOf(info));
      expect((await store.verified()).size).toBe(4);
      const again = SyncInfo.empty(4);
      for (const each of info.paths()) again.put(each, insight(2));
      await store.put(changesOf(again, first), first);
      expect((await store.verified()).get([...info.paths()][0] as never)).toEqual(insight(2));
    });

    it.each([400_000, 450_000, 524_000, 524_288])('of a bucket of %i bytes is stored', async (bytes) => {
      const store = fresh();
      const first = await store.put(changesOf(infoOfSize(bytes)));
      expect(Buffer.byteLength((await store.dump()).get('0')?.value ?? '')).toBe(bytes);
      await store.verified();
      const second = await store.put(changesOf(infoOfSize(bytes, 1, 'y'), first), first);
      expect(second.modifyIndex).toBeGreaterThan(first.modifyIndex);
      await store.verified();
      expect(await store.mark(callScope())).toBe(`${second.modifyIndex}`);
    });

    it('of a bucket over the limit is refused, and nothing is written', async () => {
      const store = fresh();
      const info = () => infoOfSize(524_289, 100);
      await expect(store.put(changesOf(info()))).rejects.toMatchObject({
        code: 'CONSUL_VALUE_TOO_LARGE',
        class: 'fatal',
        message: expect.stringContaining('524289 bytes'),
        hint: expect.stringContaining('numBuckets: 400'),
      });
      expect(await store.dump()).toEqual(new Map());
      const first = await store.put(changesOf(infoOf(10, 100)));
      const before = await store.dump();
      await expect(store.put(changesOf(info(), first), first)).rejects.toMatchObject({
        code: 'CONSUL_VALUE_TOO_LARGE',
      });
      expect(await store.dump()).toEqual(before);
    });

    it('of 6,000 buckets, whose index does not fit a transaction, is stored and saved over', async () => {
      const store = fresh();
      const some = [0, 1, 2999, 5999];
      const first = await store.put(changesOf(infoOf(6000, 6000)));
      expect(await store.loadBuckets(first, some, callScope())).toMatchObject({ kind: 'verified' });
      const second = await store.put(changesOf(infoOf(6000, 6000, 2), first), first);
      expect(second.modifyIndex).toBeGreaterThan(first.modifyIndex);
      expect(await store.loadBuckets(second, some, callScope())).toMatchObject({ kind: 'verified' });
      expect(await store.mark(callScope())).toBe(`${second.modifyIndex}`);
      await expect(store.put(changesOf(infoOf(10, 6000, 3), first), first)).rejects.toMatchObject({
        code: 'SYNC_INFO_CONFLICT',
      });
      expect(await store.mark(callScope()), 'nothing was overwritten').toBe(`${second.modifyIndex}`);
    });

    it('of so many buckets that no key holds the index is refused, and nothing is written', async () => {
      const store = fresh();
      const index = new Array(8000).fill(emptyBucketHash);
      const buckets = [{ id: 0, json: () => '{}' }];
      await expect(store.put(completed({ index, buckets }))).rejects.toMatchObject({
        code: 'CONSUL_VALUE_TOO_LARGE',
      });
      expect(await store.dump()).toEqual(new Map());
    });
  });

  describe('another writer', () => {
    const sizes = [
      { name: 'a small save', paths: 50, buckets: 4 },
      { name: 'a large save', paths: 150, buckets: 100 },
    ];

    it.each(sizes)(
      '$name over info that someone else has saved is refused, and nothing is overwritten',
      async ({ paths, buckets }) => {
        const store = fresh();
        const first = await store.put(changesOf(infoOf(paths, buckets)));
        await store.other().put(changesOf(infoOf(paths, buckets, 2), first), first);
        const before = await store.dump();
        await expect(store.put(changesOf(infoOf(paths, buckets, 3), first), first)).rejects.toMatchObject({
          code: 'SYNC_INFO_CONFLICT',
          class: 'transient',
        });
        expect(await store.dump()).toEqual(before);
      },
    );

    it.each(sizes)(
      '$name where someone else was first is refused, and nothing is overwritten',
      async ({ paths, buckets }) => {
        const store = fresh();
        await store.other().put(changesOf(infoOf(paths, buckets, 2)));
        const before = await store.dump();
        await expect(store.put(changesOf(infoOf(paths, buckets, 3)))).rejects.toMatchObject({
          code: 'SYNC_INFO_CONFLICT',
        });
        expect(await store.dump()).toEqual(before);
      },
    );

    it.each(sizes)('$name over info that someone has deleted is refused', async ({ paths, buckets }) => {
      const store = fresh();
      const first = await store.put(changesOf(infoOf(paths, buckets)));
      await target.api.delete(store.prefix);
      await expect(store.put(changesOf(infoOf(paths, buckets, 3), first), first)).rejects.toMatchObject({
        code: 'SYNC_INFO_CONFLICT',
      });
      expect(await store.dump()).toEqual(new Map());
    });

    it.each([
      { name: 'two small saves', paths: 50, buckets: 4, first: true },
      { name: 'two small saves of nothing before', paths: 50, buckets: 4, first: false },
      { name: 'two large saves', paths: 150, buckets: 100, first: true },
      { name: 'two large saves of nothing before', paths: 150, buckets: 100, first: false },
      { name: 'a small and a large save', paths: 150, buckets: 100, first: true, small: true },
    ])('$name at once: one wins, and what is stored verifies', async ({ paths, buckets, first, small }) => {
      for (let round = 0; round < 3; round += 1) {
        const store = fresh();
        const stored: StoredIndex | undefined = first
          ? await store.put(changesOf(infoOf(paths, buckets)))
          : undefined;
        const [a, b] = [infoOf(paths, buckets, 2), infoOf(small ? 3 : paths, small ? 4 : buckets, 3)];
        const results = await Promise.allSettled([
          store.put(changesOf(a, stored), stored),
          store.other().put(changesOf(b, stored), stored),
        ]);
        const won = results.filter((each) => each.status === 'fulfilled');
        const lost = results.filter((each) => each.status === 'rejected');
        expect(won).toHaveLength(1);
        expect(lost.map(({ reason }) => reason.code)).toEqual(['SYNC_INFO_CONFLICT']);
        const version = results[0]?.status === 'fulfilled' ? 2 : 3;
        expect((await store.verified()).get(path(1))?.version).toBe(version);
        expect((await store.loadIndex(callScope()))?.modifyIndex).toBe(won[0]?.value.modifyIndex);
        store.close();
      }
    });
  });

  describe('an abort', () => {
    it.each([
      { name: 'a small save', buckets: 4 },
      { name: 'a large save', buckets: 90 },
    ])('before $name writes nothing', async ({ buckets }) => {
      const store = fresh();
      const reason = new Error('stopped');
      await expect(
        store.save(changesOf(infoOf(50, buckets)), undefined, callScope(AbortSignal.abort(reason))),
      ).rejects.toBe(reason);
      expect(await store.dump()).toEqual(new Map());
    });
  });

  describe('with ACLs', () => {
    const reader = '22222222-0000-4000-8000-000000000000';
    const writer = '33333333-0000-4000-8000-000000000000';

    it.each([
      { name: 'a small save', buckets: 4 },
      { name: 'a large save', buckets: 90 },
    ])('$name without the right to write is forbidden, not a conflict', async ({ buckets }) => {
      const secured = await kind.withAcl([
        { token: reader, rules: [{ prefix: 'vsync', policy: 'read' }] },
        { token: writer, rules: [{ prefix: 'vsync', policy: 'write' }] },
      ]);
      const there = { ...target, address: secured.address, dev: undefined };
      const [may, mayNot] = [
        testStore(there, 'vsync/origin/', { token: writer }),
        testStore(there, 'vsync/origin/', { token: reader }),
      ];
      try {
        const forbidden = { code: 'CONSUL_FORBIDDEN', class: 'fatal', status: 403 };
        await expect(mayNot.put(changesOf(infoOf(50, buckets)))).rejects.toMatchObject(forbidden);
        const first = await may.put(changesOf(infoOf(50, buckets)));
        await expect(mayNot.put(changesOf(infoOf(50, buckets, 2), first), first)).rejects.toMatchObject(
          forbidden,
        );
        expect((await may.verified()).get(path(1))).toEqual(insight(1));
      } finally {
        may.close();
        mayNot.close();
        await secured.stop();
      }
    });
  });
}
