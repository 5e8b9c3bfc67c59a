import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/dev/consul/clock.ts';
import { type DevConsul, startDevConsul } from '../../src/dev/consul/dev-consul.ts';
import type { FaultAction, FaultRequest } from '../../src/dev/consul/faults.ts';
import { ConsulApi } from '../support/consul-api.ts';
import { type ConsulTarget, callScope } from './consul-client-target.ts';
import {
  batchOf,
  changesOf,
  infoOf,
  infoOfSize,
  insight,
  path,
  type TestStore,
  testStore,
} from './sync-info-store-target.ts';

/** Saves while the network and Consul fail in the middle: saved once, never half, and no conflict with oneself (R8). */
export function faultFacts(): void {
  let consul: DevConsul;
  let clock: ManualClock;
  let target: ConsulTarget;
  let store: TestStore;
  beforeEach(async () => {
    clock = new ManualClock();
    consul = await startDevConsul({ clock });
    target = {
      address: consul.address,
      api: new ConsulApi(consul.address),
      dev: consul,
      stop: () => consul.close(),
    };
    store = testStore(target);
  });
  afterEach(async () => {
    store.close();
    await consul.close();
  });

  const eof = { status: 500, body: 'rpc error making call: EOF' };
  const unclear: { name: string; action: FaultAction }[] = [
    { name: 'the reply is dropped after the effect', action: { kind: 'dropReply' } },
    { name: 'the reply is cut after the effect', action: { kind: 'cutAfterBytes', bytes: 3 } },
    { name: '500 after the effect', action: { kind: 'answerAfterEffect', answer: eof } },
    { name: '500 without an effect', action: { kind: 'answer', answer: eof } },
    { name: 'a reset without an effect', action: { kind: 'reset' } },
    {
      name: "a proxy's 200 after the effect",
      action: { kind: 'answerAfterEffect', answer: { status: 200, body: '<html>' } },
    },
    {
      name: "a proxy's 409 without an effect",
      action: { kind: 'answer', answer: { status: 409, body: '<html>' } },
    },
  ];
  type Step = (request: FaultRequest) => boolean;
  const isTxn = ({ path: asked }: FaultRequest) => asked === 'txn';
  const writesIndex: Step = (request) => isTxn(request) && /"Verb":"cas"[^}]*index"/.test(request.body);
  const claims: Step = (request) => isTxn(request) && request.body.includes('"Flags"');
  const writesBatch: Step = (request) => isTxn(request) && !writesIndex(request) && !claims(request);
  const puts =
    (name: string): Step =>
    ({ method, path: asked }) =>
      method === 'PUT' && asked.endsWith(`origin/${name}`);

  const putsBucket = puts('0');

  const writers: { name: string; step: Step; info: (version: number) => ReturnType<typeof infoOf> }[] = [
    { name: 'a small save', step: writesIndex, info: (version) => infoOf(40, 4, version) },
    { name: 'the claim of a large save', step: claims, info: (version) => infoOf(120, 90, version) },
    { name: 'a batch of a large save', step: writesBatch, info: (version) => infoOf(120, 90, version) },
    {
      name: 'the index of a large save',
      step: (request) => writesIndex(request) && !claims(request),
      info: (version) => infoOf(120, 90, version),
    },
    {
      name: 'a bucket too large for a transaction',
      step: putsBucket,
      info: (version) => infoOfSize(450_000, 1, `${version}`),
    },
  ];

  describe.each(writers)('$name', ({ step, info }) => {
    // A 409 is an answer to a transaction only.
    const possible = unclear.filter(({ name }) => step !== putsBucket || !name.includes('409'));
    it.each(possible)('where nothing was: $name', async ({ action }) => {
      const fault = consul.faults.add({ match: step, times: 1, action });
      const stored = await store.put(changesOf(info(1)));
      expect(fault.hits).toBe(1);
      expect(await store.loadIndex(callScope())).toEqual(stored);
      await store.verified();
    });

    it.each(possible)('over something: $name', async ({ action }) => {
      const first = await store.put(changesOf(info(1)));
      const fault = consul.faults.add({ match: step, times: 1, action });
      const stored = await store.put(changesOf(info(2), first), first);
      expect(fault.hits).toBe(1);
      expect(stored.modifyIndex).toBeGreaterThan(first.modifyIndex);
      expect(await store.loadIndex(callScope())).toEqual(stored);
      await store.verified();
      expect(await store.mark(callScope()), 'the index was written once, and last').toBe(
        `${stored.modifyIndex}`,
      );
    });

    it('that never succeeds leaves the index as it was, and is no conflict', async () => {
      const first = await store.put(changesOf(info(1)));
      const before = (await store.dump()).get('index')?.value;
      consul.faults.add({ match: step, action: { kind: 'answer', answer: eof } });
      await expect(store.put(changesOf(info(2), first), first)).rejects.toMatchObject({
        code: 'CONSUL_UNAVAILABLE',
      });
      expect((await store.dump()).get('index')?.value).toBe(before);
    });

    it.each([
      { name: 'that comes late, while it is tried again', early: false },
      { name: 'that comes late, just before it is tried again', early: true },
    ])('$name, is saved once', async ({ early }) => {
      const first = await store.put(changesOf(info(1)));
      const impatient = store.other({ requestTimeoutMs: 400, retry: { retries: 5, baseMs: 0, maxMs: 0 } });
      let seen = 0;
      consul.faults.add({
        match: (request) => {
          if (!step(request)) return false;
          seen += 1;
          if (seen === 2 && early) clock.advance(1000);
          return seen === 1;
        },
        times: 1,
        action: { kind: 'delay', ms: 1000 },
      });
      const stored = await impatient.put(changesOf(info(2), first), first);
      clock.advance(1000);
      expect(seen).toBeGreaterThan(0);
      expect((await store.loadIndex(callScope()))?.index).toEqual(stored.index);
      await store.verified();
    });
  });

  it('an index that stays the same, as with a destination’s dv, is no conflict when the reply is dropped', async () => {
    const info = infoOf(20, 2);
    const first = await store.put(batchOf(info));
    info.put(path(7), insight(1, { dv: 3 }));
    consul.faults.add({ match: writesIndex, times: 1, action: { kind: 'dropReply' } });
    expect(await store.put(batchOf(info), first)).toEqual(first);
    expect((await store.verified()).get(path(7))).toEqual(insight(1, { dv: 3 }));
  });

  it('an index too large for a transaction is saved once when the reply to its PUT is dropped', async () => {
    const first = await store.put(changesOf(infoOf(10, 6000)));
    for (const times of [1, 2]) {
      // The claim, then the index itself.
      consul.faults.add({ match: puts('index'), times, action: { kind: 'dropReply' } });
    }
    const second = await store.put(changesOf(infoOf(10, 6000, 2), first), first);
    expect(await store.loadIndex(callScope())).toEqual(second);
    expect(await store.mark(callScope())).toBe(`${second.modifyIndex}`);
  });

  it('someone else’s save after an unclear failure is a conflict, and stays', async () => {
    const first = await store.put(changesOf(infoOf(40, 4)));
    const other = store.other();
    let others: Promise<unknown> | undefined;
    consul.faults.add({
      match: (request) => {
        if (!writesIndex(request) || others !== undefined) return false;
        others = other.put(changesOf(infoOf(40, 4, 3), first), first);
        return true;
      },
      times: 1,
      action: { kind: 'delay', ms: 1000 },
    });
    const impatient = store.other({ requestTimeoutMs: 400, retry: { retries: 5, baseMs: 0, maxMs: 0 } });
    await expect(impatient.put(changesOf(infoOf(40, 4, 2), first), first)).rejects.toMatchObject({
      code: 'SYNC_INFO_CONFLICT',
    });
    await others;
    clock.advance(1000);
    expect((await store.verified()).get(path(1))).toEqual(insight(3));
  });

  describe('the claim of a large save', () => {
    /** The values that the index had, in order. */
    function watchIndex(): string[] {
      const seen: string[] = [];
      consul.faults.add({
        match: (request) => {
          for (const [, value = ''] of request.body.matchAll(/"Key":"[^"]*index"[^}]*"Value":"([^"]*)"/g)) {
            seen.push(Buffer.from(value, 'base64').toString());
          }
          for (const [, value = ''] of request.body.matchAll(/"Value":"([^"]*)"[^}]*"Key":"[^"]*index"/g)) {
            seen.push(Buffer.from(value, 'base64').toString());
          }
          return false;
        },
        action: { kind: 'reset' },
      });
      return seen;
    }

    it.each([
      { name: 'an index', text: (index: string) => index },
      {
        name: 'an index that another program spells in its own way',
        text: (index: string) => `${index.replaceAll(',', ',\n ')}\n`,
      },
      { name: 'an index that is none', text: () => 'garbage' },
    ])(
      'leaves $name as it is, to the byte, until the new one comes: never "no buckets at all"',
      async ({ text }) => {
        await store.put(changesOf(infoOf(120, 90)));
        const before = text((await store.dump()).get('index')?.value as string);
        await target.api.put(`${store.prefix}index`, before);
        const own = await store.loadOwnIndex(callScope());
        const previous = {
          index: own?.corrupt ? [] : (own?.index ?? []),
          modifyIndex: own?.modifyIndex ?? 0,
        };
        const seen = watchIndex();
        const stored = await store.put(changesOf(infoOf(120, 90, 2), previous), previous);
        expect(seen).toEqual([before, JSON.stringify(stored.index)]);
      },
    );

    it('of two processes that both find nothing: who writes the index has written all buckets', async () => {
      // The first one writes its buckets, then the second one all of its own; then both write their index, the first one first.
      const other = store.other();
      let secondBegun: Promise<unknown> | undefined;
      let held = 0;
      consul.faults.add({
        match: (request) => {
          if (!writesIndex(request) || claims(request)) return false;
          held += 1;
          secondBegun ??= other.put(changesOf(infoOf(120, 90, 2))).catch((error: unknown) => error);
          return true;
        },
        action: { kind: 'delay', ms: 1000 },
      });
      const saving = store.put(changesOf(infoOf(120, 90, 1))).catch((error: unknown) => error);
      await expect.poll(() => held, { timeout: 10_000 }).toBe(2);
      clock.advance(1000);
      const results = [await saving, await secondBegun];
      const lost = results.filter((result) => result instanceof Error);
      expect(lost).toEqual([expect.objectContaining({ code: 'SYNC_INFO_CONFLICT' })]);
      const version = results[0] instanceof Error ? 2 : 1;
      expect((await store.verified()).get(path(1))).toEqual(insight(version));
    });

    it('that was left by a crash does not keep others out', async () => {
      const first = await store.put(changesOf(infoOf(120, 90)));
      consul.faults.add({ match: writesBatch, action: { kind: 'reset' } });
      await expect(store.put(changesOf(infoOf(120, 90, 2), first), first)).rejects.toMatchObject({
        code: 'CONSUL_UNREACHABLE',
      });
      consul.faults.clear();
      const other = store.other();
      const own = await other.loadOwnIndex(callScope());
      await other.put(changesOf(infoOf(120, 90, 3), { index: [], modifyIndex: 0 }), own);
      expect((await store.verified()).get(path(1))).toEqual(insight(3));
    });

    it('that was left by a crash of a first save does not keep others out', async () => {
      consul.faults.add({ match: writesBatch, action: { kind: 'reset' } });
      await expect(store.put(changesOf(infoOf(120, 90)))).rejects.toMatchObject({
        code: 'CONSUL_UNREACHABLE',
      });
      consul.faults.clear();
      expect(await store.loadIndex(callScope())).toBeUndefined();
      await store.other().put(changesOf(infoOf(120, 90, 3)));
      expect((await store.verified()).get(path(1))).toEqual(insight(3));
    });

    it('keeps a large bucket that comes late from hitting what another process has saved meanwhile', async () => {
      const first = await store.put(changesOf(infoOfSize(450_000, 1, 'a')));
      const impatient = store.other({ requestTimeoutMs: 1000 });
      let hits = 0;
      consul.faults.add({
        match: (request) => puts('0')(request) && hits++ < 1,
        action: { kind: 'delay', ms: 1000 },
      });
      const losing = impatient
        .put(changesOf(infoOfSize(450_000, 1, 'b'), first), first)
        .catch((error: unknown) => error);
      await expect.poll(() => hits, { timeout: 10_000 }).toBe(1);
      // The other one begins with what the first one has claimed.
      const other = store.other();
      const claimed = await other.loadOwnIndex(callScope());
      const third = await other.put(changesOf(infoOfSize(450_000, 1, 'c'), claimed), claimed);
      clock.advance(1000);
      expect(await losing).toMatchObject({ code: 'SYNC_INFO_CONFLICT' });
      expect((await store.loadIndex(callScope()))?.index).toEqual(third.index);
      await store.verified();
    });
  });

  it('a reader during large saves sees verified info or "moved", never a mixture', async () => {
    let stored = await store.put(changesOf(infoOf(120, 90)));
    const reader = store.other();
    let saving = true;
    let reads = 0;
    const reading = (async () => {
      while (saving) {
        const index = await reader.loadIndex(callScope());
        if (index === undefined) throw new Error('no index');
        const loaded = await reader.loadBuckets(index, [...index.index.keys()], callScope());
        if (loaded.kind === 'verified') {
          const versions = new Set(
            [...loaded.buckets.values()].flatMap((bucket) =>
              [...bucket.values()].map(({ version }) => version),
            ),
          );
          expect(versions.size).toBe(1);
        }
        reads += 1;
      }
    })();
    // Its waits end at once, so it may give up where a real one would still wait.
    const outcome = reading.catch((error: unknown) => error);
    for (let version = 2; version < 8; version += 1) {
      stored = await store.put(changesOf(infoOf(120, 90, version), stored), stored);
    }
    saving = false;
    const error = await outcome;
    if (error !== undefined) expect(error).toMatchObject({ code: 'SYNC_INFO_CORRUPT' });
    expect(reads + (error === undefined ? 0 : 1)).toBeGreaterThan(0);
    expect((await store.verified()).get(path(1))).toEqual(insight(7));
  });

  it('a delete that Consul has forgotten shows in the mark: what is missing counts', async () => {
    const { modifyIndex } = await store.put(changesOf(infoOf(40, 4)));
    for (const name of ['3', 'index']) {
      const text = (await store.dump()).get(name)?.value as string;
      await (await target.api.call('DELETE', `kv/${store.prefix}${name}`)).text();
      // After 15 minutes a real one answers with the index of before the delete.
      const forgotten = consul.faults.add({
        match: { method: 'GET' },
        action: { kind: 'indexBackwards', index: modifyIndex },
      });
      expect(await store.mark(callScope())).not.toBe(`${modifyIndex}`);
      forgotten.remove();
      await target.api.put(`${store.prefix}${name}`, text);
    }
  });
}
