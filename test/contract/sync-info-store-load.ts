import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StoredIndex } from '../../src/cycle/ports.ts';
import { bucketJson, emptyBucketHash } from '../../src/sync/bucket.ts';
import { type ConsulKind, type ConsulTarget, callScope } from './consul-client-target.ts';
import { changesOf, infoOf, insight, path, type TestStore, testStore } from './sync-info-store-target.ts';

/** Loading: nothing is given out that is not verified, and nothing that cannot be read counts as empty (R5). */
export function loadFacts(kind: ConsulKind): void {
  let target: ConsulTarget;
  let store: TestStore;
  beforeAll(async () => {
    target = await kind.start();
  });
  afterAll(() => target?.stop());
  afterEach(() => store.close());

  const patience = [500, 1000, 2000, 4000];

  /** A store with 40 paths in 4 buckets. */
  async function filled(): Promise<StoredIndex> {
    store = testStore(target);
    return store.put(changesOf(infoOf(40, 4)));
  }
  const put = (name: string | number, value: string) => target.api.put(`${store.prefix}${name}`, value);

  describe('buckets', () => {
    it('are read only as far as they are asked for', async () => {
      const stored = await filled();
      target.dev?.requests.reset();
      const loaded = await store.loadBuckets(stored, [3, 1], callScope());
      if (loaded.kind !== 'verified') throw new Error(loaded.kind);
      expect([...loaded.buckets.keys()].sort()).toEqual([1, 3]);
      if (target.dev !== undefined)
        expect(Object.fromEntries(target.dev.requests.counts)).toEqual({ 'GET kv': 2 });
      expect(await store.loadBuckets(stored, [], callScope())).toEqual({
        kind: 'verified',
        buckets: new Map(),
      });
      expect(store.waits).toEqual([]);
    });

    it('in another spelling of the same insights are accepted, unknown fields left out', async () => {
      const stored = await filled();
      const text = (await store.dump()).get('2')?.value as string;
      const spelled = Object.entries(JSON.parse(text) as Record<string, object>).reverse();
      await put(
        2,
        JSON.stringify(
          Object.fromEntries(spelled.map(([name, each]) => [name, { later: 1, ...each, x: [] }])),
          null,
          1,
        ),
      );
      const loaded = await store.loadBuckets(stored, [2], callScope());
      if (loaded.kind !== 'verified') throw new Error(loaded.kind);
      expect(bucketJson(loaded.buckets.get(2) ?? new Map())).toBe(text);
    });

    const damages: { name: string; damage: (text: string) => Promise<void> | void }[] = [
      { name: 'missing', damage: async () => target.api.delete(`${store.prefix}2`) },
      { name: 'empty text', damage: () => put(2, '') },
      { name: 'an empty bucket', damage: () => put(2, '{}') },
      { name: 'no JSON', damage: () => put(2, 'garbage') },
      { name: 'cut off', damage: (text) => put(2, text.slice(0, -5)) },
      { name: 'null', damage: () => put(2, 'null') },
      { name: 'a list', damage: () => put(2, '[]') },
      { name: 'entries that are no insights', damage: () => put(2, '{"secret/data/a":{"version":"1"}}') },
      { name: 'another bucket', damage: async () => put(2, (await store.dump()).get('1')?.value as string) },
      {
        name: 'with one path more',
        damage: (text) =>
          put(2, text.replace(/^\{/, '{"secret/data/foreign":{"version":1,"updateTime":"t","type":"kvV2"},')),
      },
      { name: 'with another version', damage: (text) => put(2, text.replace('"version":1', '"version":2')) },
    ];
    it.each(damages)('$name: read again, five times in all, then SYNC_INFO_CORRUPT', async ({ damage }) => {
      const stored = await filled();
      await damage((await store.dump()).get('2')?.value as string);
      await expect(store.loadBuckets(stored, [0, 1, 2, 3], callScope())).rejects.toMatchObject({
        code: 'SYNC_INFO_CORRUPT',
        class: 'transient',
        message: expect.stringContaining(
          `bucket 2 of 4 does not match the hash in ${store.prefix}index (read 5 times)`,
        ),
      });
      expect(store.waits).toEqual(patience);
    });

    it.each(damages)('$name, and right again while it waits: verified', async ({ damage }) => {
      const stored = await filled();
      const text = (await store.dump()).get('2')?.value as string;
      await damage(text);
      store.onWait = async (ms) => {
        if (ms === 1000) await put(2, text);
      };
      const loaded = await store.loadBuckets(stored, [2, 3], callScope());
      expect(loaded.kind).toBe('verified');
      expect(store.waits).toEqual([500, 1000]);
    });

    it('asks again for the bad ones only', async () => {
      const stored = await filled();
      await put(2, 'garbage');
      target.dev?.requests.reset();
      await expect(store.loadBuckets(stored, [0, 1, 2, 3], callScope())).rejects.toThrow('corrupt');
      const asked = target.dev?.requests.lines.map((line) => line.split('%2F').at(-1));
      if (asked !== undefined) {
        expect(asked.sort()).toEqual(
          ['0', '1', '2', '2', '2', '2', '2', 'index', 'index', 'index', 'index', '3'].sort(),
        );
      }
    });

    it('of an index that has changed meanwhile are not waited for: compare again with the new one', async () => {
      const stored = await filled();
      const next = await store.other().put(changesOf(infoOf(40, 4, 2), stored), stored);
      expect(await store.loadBuckets(stored, [0, 1, 2, 3], callScope())).toEqual({
        kind: 'moved',
        stored: next,
      });
      expect(store.waits, 'looked at the index after the first wait').toEqual([500]);
    });

    it('of an index that is gone meanwhile: compare again with nothing', async () => {
      const stored = await filled();
      await target.api.delete(store.prefix);
      expect(await store.loadBuckets(stored, [0], callScope())).toEqual({ kind: 'moved', stored: undefined });
    });

    it('of an index that is unchanged are still good when other buckets have changed', async () => {
      const stored = await filled();
      await put(0, 'garbage');
      expect((await store.loadBuckets(stored, [1, 2, 3], callScope())).kind).toBe('verified');
    });

    it('are not waited for once the signal is aborted', async () => {
      const stored = await filled();
      await put(2, 'garbage');
      const stop = new AbortController();
      store.onWait = () => stop.abort(new Error('the cycle ends'));
      await expect(store.loadBuckets(stored, [2], callScope(stop.signal))).rejects.toThrow('the cycle ends');
      expect(store.waits).toEqual([500]);
    });

    it('that are empty match the hash of nothing', async () => {
      store = testStore(target);
      const info = infoOf(1, 2);
      const stored = await store.put(changesOf(info));
      const empty = stored.index.indexOf(emptyBucketHash);
      const loaded = await store.loadBuckets(stored, [empty], callScope());
      expect(loaded).toEqual({ kind: 'verified', buckets: new Map([[empty, new Map()]]) });
    });
  });

  describe('an index', () => {
    const hash = 'ab'.repeat(32);
    it.each([
      { name: 'empty text', text: '' },
      { name: 'no JSON', text: 'garbage' },
      { name: 'cut off', text: `["${hash}"` },
      { name: 'an object', text: '{}' },
      { name: 'null', text: 'null' },
      { name: 'a text', text: `"${hash}"` },
      { name: 'no bucket at all', text: '[]' },
      { name: 'a short hash', text: `["${hash.slice(1)}"]` },
      { name: 'a hash in capitals', text: `["${hash.toUpperCase()}"]` },
      { name: 'null among hashes', text: `["${hash}",null]` },
    ])('that is $name is corrupt, never empty; who owns it can write over it', async ({ text }) => {
      await filled();
      await put('index', text);
      const corrupt = { code: 'SYNC_INFO_CORRUPT', message: expect.stringContaining(`${store.prefix}index`) };
      await expect(store.loadIndex(callScope())).rejects.toMatchObject(corrupt);
      const own = await store.loadOwnIndex(callScope());
      expect(own).toMatchObject({ index: [], corrupt });
      const again = await store.put(changesOf(infoOf(40, 4, 2)), {
        index: [],
        modifyIndex: own?.modifyIndex ?? 0,
      });
      expect(await store.loadIndex(callScope())).toEqual(again);
      expect((await store.verified()).get(path(1))).toEqual(insight(2));
    });

    it('that becomes corrupt during a wait is an error, not "moved"', async () => {
      const stored = await filled();
      await put(2, 'garbage');
      store.onWait = () => put('index', 'garbage');
      await expect(store.loadBuckets(stored, [2], callScope())).rejects.toMatchObject({
        code: 'SYNC_INFO_CORRUPT',
      });
    });

    it('with white space, as other programs may write it, is read', async () => {
      const stored = await filled();
      await put('index', `${JSON.stringify(stored.index, null, 2)}\n`);
      expect((await store.loadIndex(callScope()))?.index).toEqual(stored.index);
    });
  });
}
