import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { DestinationCycle, type DestinationCycleOptions } from '../../src/cycle/destination-cycle.ts';
import { OriginCycle } from '../../src/cycle/origin-cycle.ts';
import { defaultGuards, deleteSetHash, shortSet } from '../../src/sync/delete-guard.ts';
import type { Mount } from '../../src/sync/mount-path.ts';
import { pathFilter } from '../../src/sync/path-filter.ts';
import { compileTransform } from '../../src/sync/transform.ts';
import { at, cycleDefaults, FakeStore, FakeVault, failure, open, runOnce, secret } from './fakes.ts';

/** An origin that publishes, and a destination that follows. */
function pair(over: Partial<DestinationCycleOptions> = {}) {
  const origin = new FakeVault();
  const originStore = new FakeStore();
  const vault = new FakeVault();
  const store = new FakeStore();
  const publisher = new OriginCycle({
    vault: origin,
    store: originStore,
    mounts: [secret],
    filter: open,
    numWorkers: 3,
    numBuckets: 4,
    maxFailedPaths: 0.1,
    guards: { ...defaultGuards, allowEmptyOrigin: true },
    approvedSets: async () => [],
  });
  const options: DestinationCycleOptions = {
    originStore,
    store,
    origin,
    vault,
    ...cycleDefaults,
    ...over,
  };
  const cycle = new DestinationCycle(options);
  return {
    origin,
    originStore,
    vault,
    store,
    options,
    publish: () => runOnce((run) => publisher.run(run)),
    follow: (runOptions?: Parameters<typeof runOnce>[1]) => runOnce((run) => cycle.run(run), runOptions),
    /** A process of its own: nothing remembered. */
    restarted: () => runOnce((run) => new DestinationCycle(options).run(run)),
    fill: (count: number) => {
      for (let i = 0; i < count; i += 1) origin.put(`app${i % 3}/k${i}`, { i });
    },
  };
}

/** Publishes and follows once, and clears the lists of calls. */
async function copied(count: number, over: Partial<DestinationCycleOptions> = {}) {
  const world = pair(over);
  world.fill(count);
  await world.publish();
  await world.follow();
  for (const each of [world.origin, world.vault, world.store, world.originStore]) each.calls.length = 0;
  return world;
}

const writes = (vault: FakeVault) => vault.calls.filter((call) => /^(write|delete) /.test(call));

describe('a destination cycle', () => {
  it('copies what is missing: one read and one write a secret, then saves', async () => {
    const { origin, vault, store, publish, follow, fill } = pair();
    fill(10);
    await publish();
    origin.calls.length = 0;
    expect(await follow()).toMatchObject({
      result: 'success',
      counts: { changes: { added: 10, updated: 0, deleted: 0 } },
    });
    expect(vault.all()).toEqual(origin.all());
    expect(origin.calls.filter((call) => call.startsWith('read'))).toHaveLength(10);
    expect(vault.calls.filter((call) => call.startsWith('read'))).toHaveLength(0);
    expect(writes(vault)).toHaveLength(10);
    expect(store.consistent()).toBe(true);
  });

  it("records the origin's insights and the version it wrote", async () => {
    const { originStore, store } = await copied(3);
    const published = originStore.insights();
    expect(store.insights()).toEqual(
      Object.fromEntries(Object.entries(published).map(([key, insight]) => [key, { ...insight, dv: 1 }])),
    );
    expect(store.texts.get('index')).toBe(originStore.texts.get('index'));
  });

  it('R11: nothing changed costs two reads of an index and nothing else', async () => {
    const { origin, originStore, vault, store, follow } = await copied(20);
    expect(await follow()).toMatchObject({ result: 'noop' });
    expect(originStore.calls).toEqual(['load:index']);
    expect(store.calls).toEqual(['confirm']);
    expect([...origin.calls, ...vault.calls]).toEqual([]);
  });

  it('R11: tells its status with the request that confirms, and says so', async () => {
    const heartbeat = async () => ({ key: 'vsync/nodes/me', value: 'fine' });
    const { store, follow } = await copied(3, { heartbeat });
    expect(await follow()).toMatchObject({ result: 'noop', told: true });
    expect(store.told).toEqual([await heartbeat()]);
  });

  it('R9: an own info that somebody else wrote is not taken for confirmed', async () => {
    const { origin, vault, store, follow } = await copied(20);
    store.publish({});
    expect(await follow()).toMatchObject({
      result: 'success',
      counts: { changes: { added: 0, recorded: 20 } },
    });
    expect(store.calls).toContain('confirm');
    expect(Object.keys(store.insights())).toHaveLength(20);
    expect(vault.all()).toEqual(origin.all());
  });

  it('updates with one read and one write: the version for the check-and-set is its own record', async () => {
    const { origin, vault, publish, follow } = await copied(20);
    origin.put('app0/k0', 'new');
    await publish();
    origin.calls.length = 0;
    expect(await follow()).toMatchObject({ counts: { changes: { updated: 1 } } });
    expect(origin.calls).toEqual([`read ${at('app0/k0')}`]);
    expect(vault.calls.filter((call) => !call.startsWith('mountOf'))).toEqual([
      `write ${at('app0/k0')} cas=1`,
    ]);
    expect(vault.value('app0/k0')).toBe('new');
  });

  it('reads and writes only the buckets that differ', async () => {
    const { origin, originStore, store, publish, follow } = await copied(40);
    origin.put('app0/k0', 'new');
    await publish();
    originStore.calls.length = 0;
    await follow();
    expect(originStore.calls.filter((call) => /^load:\d/.test(call))).toHaveLength(1);
    expect(store.calls.filter((call) => /^(load|save):\d/.test(call))).toHaveLength(2);
  });

  it('deletes what is gone: one confirming read and one delete', async () => {
    const { origin, vault, store, publish, follow } = await copied(20);
    origin.delete('app0/k0');
    await publish();
    origin.calls.length = 0;
    expect(await follow()).toMatchObject({ counts: { changes: { deleted: 1 } } });
    expect(origin.calls).toEqual([`read ${at('app0/k0')}`]);
    expect(writes(vault)).toEqual([`delete ${at('app0/k0')}`]);
    expect(store.insights()['app0/k0']).toBeUndefined();
  });

  it('writes over a soft-deleted key when the origin has it again', async () => {
    const { origin, vault, publish, follow } = await copied(20);
    origin.delete('app0/k0');
    await publish();
    await follow();
    origin.put('app0/k0', 'back');
    await publish();
    expect(await follow()).toMatchObject({ result: 'success' });
    expect(vault.value('app0/k0')).toBe('back');
    expect(vault.versions('app0/k0')).toBe(2);
  });

  it('repairs a secret that was recreated with a lower version', async () => {
    const { origin, vault, publish, follow } = await copied(2);
    origin.put('app0/k0', 'v2');
    await publish();
    await follow();
    origin.forget('app0/k0');
    origin.put('app0/k0', 'again');
    await publish();
    expect(await follow()).toMatchObject({ counts: { changes: { updated: 1 } } });
    expect(vault.value('app0/k0')).toBe('again');
  });

  it('waits for an origin that has not published', async () => {
    const { follow } = pair();
    expect(await follow()).toMatchObject({
      result: 'failed',
      error: { code: 'ORIGIN_INFO_MISSING', exitCode: 69 },
    });
  });

  it('adopts the number of buckets without rewriting a secret', async () => {
    const { origin, originStore, vault, store, publish, follow } = await copied(20);
    originStore.publish(originStore.insights(), 7);
    expect(await follow()).toMatchObject({ result: 'noop' });
    expect(writes(vault)).toEqual([]);
    expect(JSON.parse(store.texts.get('index') ?? '')).toHaveLength(7);
    expect(store.consistent()).toBe(true);
    expect(Object.keys(store.insights())).toHaveLength(20);
    expect([origin.keys.size, (await publish()).result]).toEqual([20, 'success']);
  });

  it('leaves a secret alone that is gone at the origin by the time it is read', async () => {
    const { origin, vault, publish, follow, fill } = pair();
    fill(3);
    await publish();
    origin.delete('app0/k0');
    origin.forget('app1/k1');
    const outcome = await follow();
    expect(outcome.failedPaths.size).toBe(0);
    expect(Object.keys(vault.all())).toEqual(['app2/k2']);
  });
});

describe('R4: deletes', () => {
  it('are held above the limit; adds and updates are made', async () => {
    const { origin, vault, publish, follow } = await copied(40);
    for (let i = 0; i < 30; i += 1) origin.delete(`app${i % 3}/k${i}`);
    origin.put('new', 1);
    await publish();
    const outcome = await follow();
    expect(outcome).toMatchObject({
      result: 'held',
      error: { code: 'DELETES_HELD', exitCode: 4 },
      held: { deletes: 30, limit: 20, paths: 40 },
    });
    expect(vault.value('new')).toBe(1);
    expect(Object.keys(vault.all())).toHaveLength(41);
  });

  it('are made when exactly this set is approved, and held again when it changes', async () => {
    let approved: string[] = [];
    const { origin, vault, publish, follow } = await copied(40, { approvedSets: async () => approved });
    for (let i = 0; i < 30; i += 1) origin.delete(`app${i % 3}/k${i}`);
    await publish();
    approved = [shortSet((await follow()).held?.set ?? '')];
    origin.delete('app1/k31');
    await publish();
    expect((await follow()).result).toBe('held');
    origin.put('app1/k31', 'back');
    await publish();
    expect(await follow()).toMatchObject({ result: 'success', counts: { changes: { deleted: 30 } } });
    expect(Object.keys(vault.all())).toHaveLength(10);
  });

  it('are held for an origin without paths, however few they are', async () => {
    const { origin, vault, publish, follow } = await copied(3);
    origin.keys.clear();
    await publish();
    expect(await follow()).toMatchObject({ result: 'held', error: { code: 'ORIGIN_EMPTY' } });
    expect(Object.keys(vault.all())).toHaveLength(3);
  });

  it('are made for an empty origin that is allowed, inside the other guard', async () => {
    const { origin, vault, publish, follow } = await copied(3, {
      guards: { ...defaultGuards, allowEmptyOrigin: true },
    });
    origin.keys.clear();
    await publish();
    expect(await follow()).toMatchObject({ result: 'success' });
    expect(vault.all()).toEqual({});
  });

  it('are not made when the origin has the secret after all', async () => {
    const { origin, originStore, vault, store, follow } = await copied(20);
    const { 'app0/k0': _gone, ...rest } = originStore.insights();
    originStore.publish(rest, 4);
    const outcome = await follow();
    expect(outcome.events).toContainEqual(
      expect.objectContaining({ kind: 'path.skip', path: at('app0/k0') }),
    );
    expect(vault.value('app0/k0')).toEqual(origin.value('app0/k0'));
    expect(store.insights()['app0/k0']).toBeDefined();
  });

  it.each(['forbidden', 'broken'] as const)(
    'are not made when the origin cannot confirm: %s',
    async (kind) => {
      const { origin, vault, store, publish, follow } = await copied(20);
      origin.delete('app0/k0');
      await publish();
      origin.failures.plan(`read ${at('app0/k0')}`, failure[kind]());
      expect((await follow()).failedPaths.size).toBe(1);
      expect(vault.value('app0/k0')).toEqual({ i: 0 });
      expect(store.insights()['app0/k0']).toBeDefined();
    },
  );

  it('wait when anything failed for a passing reason, and not for a reason of its own', async () => {
    for (const [kind, deleted] of [
      ['broken', 0],
      ['forbidden', 1],
    ] as const) {
      const { origin, vault, publish, follow } = await copied(20);
      origin.delete('app0/k0');
      origin.put('app1/k1', 'new');
      await publish();
      origin.failures.plan(`read ${at('app1/k1')}`, failure[kind]());
      expect((await follow()).counts.changes?.deleted, kind).toBe(deleted);
      expect(vault.value('app0/k0') === undefined, kind).toBe(deleted === 1);
    }
  });

  it('are not made with ignoreDeletes; the entries stay, and cost nothing from then on', async () => {
    const { origin, originStore, vault, store, publish, follow } = await copied(20, { ignoreDeletes: true });
    origin.delete('app0/k0');
    await publish();
    expect((await follow()).result).toBe('noop');
    expect(vault.value('app0/k0')).toEqual({ i: 0 });
    expect(store.insights()['app0/k0']).toBeDefined();
    for (const each of [originStore, store]) each.calls.length = 0;
    expect((await follow()).result).toBe('noop');
    expect([originStore.calls, store.calls]).toEqual([['load:index'], ['confirm']]);
  });
});

describe('R5: never compare what is not verified', () => {
  it.each([undefined, 'garbage', '{}'])(
    "the origin's bucket is %j: nothing is compared or deleted",
    async (text) => {
      const { origin, originStore, vault, store, publish, follow } = await copied(20);
      origin.put('app0/k0', 'new');
      await publish();
      const before = [...store.texts];
      for (const id of ['0', '1', '2', '3']) originStore.set(id, text);
      expect(await follow()).toMatchObject({
        result: 'failed',
        error: { code: 'SYNC_INFO_CORRUPT', exitCode: 65 },
      });
      expect(writes(vault)).toEqual([]);
      expect([...store.texts]).toEqual(before);
    },
  );

  it('a writer between its writes is waited for: the comparison begins anew with its index', async () => {
    const { origin, originStore, vault, publish, follow } = await copied(20);
    origin.put('app0/k0', 'new');
    await publish();
    const newer = new Map(originStore.texts);
    const load = originStore.loadBuckets.bind(originStore);
    let first = true;
    originStore.loadBuckets = async (stored, ids) => {
      if (first) {
        first = false;
        originStore.set('index', newer.get('index'));
        return { kind: 'moved', stored: await originStore.loadIndex() };
      }
      return load(stored, ids);
    };
    expect((await follow()).result).toBe('success');
    expect(vault.value('app0/k0')).toBe('new');
  });
});

describe('R6: write only what differs', () => {
  it.each([
    {
      name: 'all of it',
      lose: (store: FakeStore) => {
        store.texts.clear();
        store.indexModifyIndex = 0;
      },
    },
    { name: 'a bucket', lose: (store: FakeStore) => store.set('1', undefined) },
    { name: 'the sense of a bucket', lose: (store: FakeStore) => store.set('1', 'garbage') },
    { name: 'the sense of the index', lose: (store: FakeStore) => store.set('index', 'garbage') },
  ])('the own info lost $name: no new version, no delete', async ({ lose }) => {
    const { origin, originStore, vault, store, publish, restarted } = await copied(40);
    lose(store);
    origin.put('app0/k0', 'new');
    await publish();
    const outcome = await restarted();
    expect(outcome.result).toBe('success');
    expect(vault.all()).toEqual(origin.all());
    expect(Object.keys(vault.all()).filter((key) => vault.versions(key) > 1)).toEqual(['app0/k0']);
    expect(vault.calls.filter((call) => call.startsWith('delete'))).toEqual([]);
    expect(store.texts.get('index')).toBe(originStore.texts.get('index'));
  });

  it('a value that is equal already is recorded, not written', async () => {
    const { origin, vault, store, publish, follow } = pair();
    origin.put('a', { same: 1 });
    vault.put('a', { same: 1 });
    await publish();
    expect(await follow()).toMatchObject({ counts: { changes: { added: 0, recorded: 1 } } });
    expect(vault.versions('a')).toBe(1);
    expect(store.insights().a).toMatchObject({ version: 1, dv: 1 });
  });

  it('a value that was newer than its insight makes no second version when the insight follows', async () => {
    const { origin, vault, publish, follow } = pair();
    origin.put('a', 'one');
    await publish();
    origin.put('a', 'two');
    await follow();
    expect(vault.value('a')).toBe('two');
    await publish();
    expect(await follow()).toMatchObject({ counts: { changes: { updated: 0, recorded: 1 } } });
    expect(vault.versions('a')).toBe(1);
  });

  it('a touched time without a new value (OpenBao moves it with metadata) makes no new version', async () => {
    const { originStore, vault, follow } = await copied(3);
    const insights = originStore.insights();
    originStore.publish(
      {
        ...insights,
        'app0/k0': { version: 1, type: 'kvV2', updateTime: '2027-01-01T00:00:00Z' },
      },
      4,
    );
    expect(await follow()).toMatchObject({ counts: { changes: { updated: 0, recorded: 1 } } });
    expect(vault.versions('app0/k0')).toBe(1);
  });
});

describe('R7: every write is a check-and-set', () => {
  const edited = async (onConflict: DestinationCycleOptions['onConflict']) => {
    const world = await copied(5, { onConflict });
    world.vault.put('app0/k0', 'by hand');
    world.origin.put('app0/k0', 'new');
    await world.publish();
    return { ...world, outcome: await world.follow() };
  };

  it('overwrite: writes over it with the version it found, and says so', async () => {
    const { vault, outcome } = await edited('overwrite');
    expect(outcome.result).toBe('success');
    expect(outcome.events).toContainEqual(
      expect.objectContaining({ kind: 'path.conflict', path: at('app0/k0'), version: 2 }),
    );
    expect(vault.value('app0/k0')).toBe('new');
    expect(vault.calls).toContain(`write ${at('app0/k0')} cas=2`);
  });

  it('skip: keeps it, and reports it', async () => {
    const { vault, store, outcome } = await edited('skip');
    expect(outcome.events).toContainEqual(
      expect.objectContaining({ kind: 'path.skip', path: at('app0/k0') }),
    );
    expect(vault.value('app0/k0')).toBe('by hand');
    expect(store.insights()['app0/k0']?.version).toBe(1);
  });

  it('fail: keeps it, and the path fails', async () => {
    const { vault, outcome } = await edited('fail');
    expect(outcome).toMatchObject({ result: 'partial' });
    expect(outcome.failedPaths.get(at('app0/k0'))).toMatchObject({ code: 'DEST_EDITED' });
    expect(vault.value('app0/k0')).toBe('by hand');
  });

  it('an edit that says the same as the origin is no conflict', async () => {
    const { origin, vault, publish, follow } = await copied(5, { onConflict: 'fail' });
    vault.put('app0/k0', 'same');
    origin.put('app0/k0', 'same');
    await publish();
    expect(await follow()).toMatchObject({ result: 'success', counts: { changes: { recorded: 1 } } });
    expect(vault.versions('app0/k0')).toBe(2);
  });

  it.each(['overwrite', 'skip', 'fail'] as const)(
    "our own write that could not be recorded is nobody else's, although the origin has moved on (%s)",
    async (onConflict) => {
      const { origin, vault, store, publish, follow } = await copied(5, { onConflict });
      for (const key of ['app0/k0', 'new']) origin.put(key, 'unrecorded');
      await publish();
      store.failures.plan('save', failure.unreachable());
      await follow();
      store.failures.clear();
      for (const key of ['app0/k0', 'new']) origin.put(key, 'newest');
      await publish();
      const outcome = await follow();
      expect(outcome).toMatchObject({ result: 'success', counts: { changes: { added: 1, updated: 1 } } });
      expect(outcome.events.filter(({ kind }) => kind === 'path.conflict')).toEqual([]);
      expect([vault.value('app0/k0'), vault.versions('app0/k0')]).toEqual(['newest', 3]);
      expect([vault.value('new'), vault.versions('new')]).toEqual(['newest', 2]);
    },
  );

  it("a value that the origin had before the recorded one is somebody else's: a restore by hand", async () => {
    const { origin, vault, publish, follow } = await copied(5, { onConflict: 'skip' });
    origin.put('app0/k0', 'second');
    await publish();
    await follow();
    vault.put('app0/k0', { i: 0 });
    origin.put('app0/k0', 'third');
    await publish();
    origin.calls.length = 0;
    expect((await follow()).events).toContainEqual(
      expect.objectContaining({ kind: 'path.skip', path: at('app0/k0') }),
    );
    expect(origin.calls).toEqual([`read ${at('app0/k0')}`]);
  });

  it('to find that out ten versions of the origin are read at most', async () => {
    const { origin, vault, publish, follow } = await copied(5, { onConflict: 'skip' });
    vault.put('new', 'by hand');
    for (let i = 0; i < 30; i += 1) origin.put('new', { i });
    await publish();
    origin.calls.length = 0;
    await follow();
    const versions = origin.calls.filter((call) => call.includes(' version '));
    expect(versions).toEqual(Array.from({ length: 10 }, (_, i) => `read ${at('new')} version ${29 - i}`));
    expect(vault.value('new')).toBe('by hand');
  });

  it('a write in the very moment before ours is seen', async () => {
    const { origin, vault, publish, follow } = await copied(5);
    origin.put('app0/k0', 'new');
    await publish();
    let raced = false;
    vault.before = (call) => {
      if (call !== `write ${at('app0/k0')}` || raced) return;
      raced = true;
      vault.put('app0/k0', 'raced');
    };
    expect((await follow()).result).toBe('success');
    expect(vault.versions('app0/k0')).toBe(3);
    expect(vault.value('app0/k0')).toBe('new');
  });

  it('a write that is refused for a reason of its own fails that path only', async () => {
    const { origin, vault, publish, follow } = await copied(5);
    origin.put('app0/k0', 'new');
    origin.put('app1/k1', 'new');
    await publish();
    vault.failures.plan(`refuse ${at('app0/k0')}`, failure.casRefused());
    const outcome = await follow();
    expect([...outcome.failedPaths.keys()]).toEqual([at('app0/k0')]);
    expect(vault.value('app1/k1')).toBe('new');
  });
});

describe('R8: an unclear failure is resolved by reading', () => {
  it.each(['add', 'update'] as const)('%s: the reply was lost after the write', async (kind) => {
    const { origin, vault, store, publish, follow } = await copied(3);
    const key = kind === 'add' ? 'new' : 'app0/k0';
    origin.put(key, 'value');
    await publish();
    vault.failures.plan(`write ${at(key)}`, failure.unclear(), 1);
    expect((await follow()).result).toBe('success');
    expect(vault.versions(key)).toBe(kind === 'add' ? 1 : 2);
    expect(store.insights()[key]?.dv).toBe(vault.versions(key));
  });

  it.each(['add', 'update'] as const)('%s: the request was lost before the write', async (kind) => {
    const { origin, vault, publish, follow } = await copied(3);
    const key = kind === 'add' ? 'new' : 'app0/k0';
    origin.put(key, 'value');
    await publish();
    vault.failures.plan(`refuse ${at(key)}`, failure.unclear(), 1);
    expect((await follow()).result).toBe('success');
    expect(vault.value(key)).toBe('value');
    expect(vault.versions(key)).toBe(kind === 'add' ? 1 : 2);
  });

  it('delete: the reply was lost after the delete', async () => {
    const { origin, vault, store, publish, follow } = await copied(3);
    origin.delete('app0/k0');
    await publish();
    vault.failures.plan(`delete ${at('app0/k0')}`, failure.unclear(), 1);
    expect((await follow()).counts.changes?.deleted).toBe(1);
    expect(store.insights()['app0/k0']).toBeUndefined();
    expect(writes(vault)).toEqual([`delete ${at('app0/k0')}`]);
  });

  it('delete: the request was lost before the delete, and is made again', async () => {
    const { origin, vault, store, publish, follow } = await copied(3);
    origin.delete('app0/k0');
    await publish();
    vault.failures.plan(`refuse ${at('app0/k0')}`, failure.unclear(), 2);
    expect((await follow()).counts.changes?.deleted).toBe(1);
    expect(store.insights()['app0/k0']).toBeUndefined();
    expect(writes(vault)).toEqual(Array(3).fill(`delete ${at('app0/k0')}`));
  });

  it('delete: lost, and another version is there by now: it is left alone', async () => {
    const { origin, vault, publish, follow } = await copied(3);
    origin.delete('app0/k0');
    await publish();
    vault.failures.plan(`refuse ${at('app0/k0')}`, failure.unclear(), 1);
    vault.before = (call) => {
      if (call === `read ${at('app0/k0')}`) vault.put('app0/k0', 'by hand');
    };
    expect((await follow()).result).toBe('failed');
    expect(vault.value('app0/k0')).toBe('by hand');
  });
});

describe('R10: progress is kept', () => {
  /** Copies 40 secrets, 100 ms each, in batches of 10; how often was saved, if a save takes this long? */
  async function saves(saveMs: number): Promise<number> {
    let now = 0;
    const clock = { ...systemClock, monotonic: () => now };
    const { store, vault, publish, follow, fill } = pair({ batchSize: 10, numWorkers: 1, clock });
    fill(40);
    await publish();
    vault.before = (call) => {
      if (call.startsWith('write')) now += 100;
    };
    const save = store.save.bind(store);
    store.save = (...given) => {
      now += saveMs;
      return save(...given);
    };
    await follow();
    expect(Object.keys(store.insights())).toHaveLength(40);
    expect(store.consistent()).toBe(true);
    return store.calls.filter((call) => call === 'save:index').length;
  }

  it('saves after each batch', async () => {
    expect(await saves(0)).toBeGreaterThanOrEqual(4);
  });

  it('but not more often than it can in a twentieth of the time: copies do not wait for a large info', async () => {
    expect(await saves(100)).toBe(3);
    expect(await saves(10_000)).toBe(2);
  });

  it('what is written is recorded when the cycle is stopped by a lost server', async () => {
    const { origin, vault, store, publish, follow, restarted, fill } = pair({ numWorkers: 1 });
    fill(40);
    await publish();
    origin.failures.plan(`read ${at('app2/k20')}`, failure.unreachable());
    expect((await follow()).result).toBe('failed');
    const done = Object.keys(vault.all());
    expect(Object.keys(store.insights()).sort()).toEqual(done.sort());
    expect(done.length).toBeGreaterThan(0);
    origin.failures.clear();
    await restarted();
    expect(vault.all()).toEqual(origin.all());
    expect(Object.keys(vault.all()).filter((key) => vault.versions(key) !== 1)).toEqual([]);
  });

  it('and when a signal asks for the end: in-flight writes finish, nothing new is begun', async () => {
    const { vault, store, publish, follow, fill } = pair({ numWorkers: 2 });
    fill(40);
    await publish();
    const stop = new AbortController();
    vault.before = (call) => {
      if (call.startsWith('write') && Object.keys(vault.all()).length === 5) stop.abort();
    };
    const outcome = await follow({ draining: stop.signal });
    expect(outcome).toMatchObject({ result: 'aborted', error: { code: 'INTERRUPTED' } });
    const done = Object.keys(vault.all());
    expect(done.length).toBeLessThan(10);
    expect(Object.keys(store.insights()).sort()).toEqual(done.sort());
  });

  it('a failed save stops the cycle, and the next one repeats no write', async () => {
    const { vault, store, publish, follow, restarted, fill } = pair({ batchSize: 5, numWorkers: 1 });
    fill(40);
    await publish();
    store.failures.plan('save', failure.unreachable(), 1);
    expect((await follow()).result).toBe('failed');
    expect((await restarted()).result).toBe('success');
    expect(Object.keys(vault.all()).filter((key) => vault.versions(key) !== 1)).toEqual([]);
  });
});

describe('two processes with the same configuration', () => {
  it('make no second version, and no torn info', async () => {
    const { origin, vault, store, publish, options, fill } = pair({ batchSize: 10 });
    fill(60);
    await publish();
    const both = await Promise.all(
      [1, 2].map(() => runOnce((run) => new DestinationCycle(options).run(run))),
    );
    expect(both.map(({ result }) => result)).toContain('failed');
    expect(both.map(({ error }) => error?.code)).toContain('SYNC_INFO_CONFLICT');
    expect(store.consistent()).toBe(true);
    await runOnce((run) => new DestinationCycle(options).run(run));
    expect(vault.all()).toEqual(origin.all());
    expect(Object.keys(vault.all()).filter((key) => vault.versions(key) !== 1)).toEqual([]);
  });
});

describe('transforms', () => {
  const toOther = compileTransform({
    name: 'move',
    from: '^secret/(?P<d>data)/app0/(?P<k>.+)$',
    to: 'other/d/moved/k',
  });

  it('write to the target, and record under the path of the origin', async () => {
    const { vault, store } = await copied(6, { transforms: [toOther] });
    expect([...vault.keys.keys()].sort()).toContain('other/data/moved/k0');
    expect(Object.keys(store.insights())).toContain('app0/k0');
  });

  it('a delete whose target another live path owns only drops the entry (A6)', async () => {
    const rename = compileTransform({
      name: 'many',
      from: '^secret/data/(?P<v>app0|app1)/(?P<k>k)[0-9]$',
      to: 'other/data/k',
    });
    const { origin, vault, store, publish, follow } = pair({ transforms: [rename] });
    origin.put('app0/k1', 'old');
    await publish();
    await follow();
    origin.delete('app0/k1');
    origin.put('app1/k2', 'new');
    await publish();
    expect((await follow()).result).toBe('success');
    expect([...vault.keys.values()].map((versions) => versions.at(-1))).toEqual([
      expect.objectContaining({ value: '"new"', deleted: false }),
    ]);
    expect(Object.keys(store.insights())).toEqual(['app1/k2']);
  });

  it('two paths that meet are both skipped and reported; the others are copied', async () => {
    const meet = compileTransform({
      name: 'meet',
      from: '^secret/data/(?P<v>app0|app1)/',
      to: 'other/data/one',
    });
    const { vault, publish, follow, fill } = pair({ transforms: [meet] });
    fill(3);
    await publish();
    const outcome = await follow();
    expect(outcome.result).toBe('partial');
    expect([...outcome.failedPaths.values()].map(({ code }) => code)).toEqual([
      'TRANSFORM_COLLISION',
      'TRANSFORM_COLLISION',
    ]);
    expect(Object.keys(vault.all())).toEqual(['app2/k2']);
  });

  it.each([
    { name: 'no mount', to: 'nowhere/k', code: 'TRANSFORM_BAD_TARGET' },
    { name: 'a KV v1 mount', to: 'v1/data/k', code: 'TRANSFORM_BAD_TARGET' },
    { name: 'a path that is no path', to: 'other/data/k/../x', code: 'PATH_NOT_ADDRESSABLE' },
  ])('a target on $name fails that path', async ({ to, code }) => {
    const bad = compileTransform({ name: 'bad', from: '^secret/data/app0/(?P<k>.+)$', to });
    const { vault, publish, follow, fill } = pair({ transforms: [bad] });
    fill(3);
    await publish();
    const outcome = await follow();
    expect([...outcome.failedPaths.values()].map((error) => error.code)).toEqual([code]);
    expect(Object.keys(vault.all()).sort()).toEqual(['app1/k1', 'app2/k2']);
  });

  it('in one Vault nothing is written onto the origin, nor deleted there (B8, R14)', async () => {
    const { origin, vault, publish, follow, fill } = pair({ sameVault: true });
    fill(3);
    await publish();
    const outcome = await follow();
    expect([...outcome.failedPaths.values()].map(({ code }) => code)).toEqual([
      'TRANSFORM_LOOP',
      'TRANSFORM_LOOP',
      'TRANSFORM_LOOP',
    ]);
    expect(writes(vault)).toEqual([]);
    expect(Object.keys(origin.all())).toHaveLength(3);
  });

  it('in one Vault another mount by a transform is fine', async () => {
    const loop = compileTransform({ name: 'loop', from: '^secret/(?P<d>data)/(?P<k>.+)$', to: 'other/d/k' });
    const { vault, publish, follow, fill } = pair({
      sameVault: true,
      transforms: [loop],
      originMounts: ['secret/' as Mount],
    });
    fill(3);
    await publish();
    expect((await follow()).result).toBe('success');
    expect([...vault.keys.keys()].every((path) => path.startsWith('other/data/'))).toBe(true);
  });
});

describe('filters', () => {
  it('what is filtered out is neither copied nor, when the filter comes later, deleted', async () => {
    const { origin, vault, publish, follow } = await copied(6, {
      filter: pathFilter([], ['secret/app0/**']),
    });
    expect(Object.keys(vault.all()).some((key) => key.startsWith('app0'))).toBe(false);
    origin.delete('app1/k1');
    await publish();
    await follow();
    expect(vault.value('app1/k1')).toBeUndefined();
  });
});

it('names exactly the held paths', async () => {
  const { origin, publish, follow } = await copied(40);
  const gone = Array.from({ length: 30 }, (_, i) => `app${i % 3}/k${i}`);
  for (const key of gone) origin.delete(key);
  await publish();
  expect((await follow()).held?.set).toBe(deleteSetHash(gone.map(at)));
});

describe('what is left alone', () => {
  it('is looked at again after a while, and costs nothing until then', async () => {
    let now = 0;
    const clock = { now: () => now, monotonic: () => now, sleep: async () => {} };
    const { origin, originStore, vault, follow } = await copied(20, { clock });
    // The origin publishes it no more, but has it: as after a mount was taken off its list.
    const { 'app0/k0': _left, ...rest } = originStore.insights();
    originStore.publish(rest, 4);
    await follow();
    origin.calls.length = 0;
    await follow();
    expect(origin.calls).toEqual([]);
    now = 10 * 60_000;
    origin.delete('app0/k0');
    expect(await follow()).toMatchObject({ counts: { changes: { deleted: 1 } } });
    expect(vault.value('app0/k0')).toBeUndefined();
  });
});

it('reports targets outside destination.mounts, and writes them as the Go program did', async () => {
  const move = compileTransform({
    name: 'move',
    from: '^secret/(?P<d>data)/app0/(?P<k>.+)$',
    to: 'other/d/k',
  });
  const { vault, publish, follow, fill } = pair({ transforms: [move], destinationMounts: [secret] });
  fill(6);
  await publish();
  const outcome = await follow();
  expect(outcome.result).toBe('success');
  expect(outcome.events).toContainEqual(
    expect.objectContaining({
      kind: 'note',
      level: 'warn',
      message: expect.stringContaining('2 of the targets lie outside'),
    }),
  );
  expect([...vault.keys.keys()].filter((path) => path.startsWith('other/'))).toHaveLength(2);
});
