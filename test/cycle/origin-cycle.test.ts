import { describe, expect, it } from 'vitest';
import { chooseNumBuckets, OriginCycle, type OriginCycleOptions } from '../../src/cycle/origin-cycle.ts';
import { defaultGuards, deleteSetHash } from '../../src/sync/delete-guard.ts';
import { pathFilter } from '../../src/sync/path-filter.ts';
import { at, FakeStore, FakeVault, failure, runOnce, secret } from './fakes.ts';

function origin(over: Partial<OriginCycleOptions> = {}) {
  const vault = new FakeVault();
  const store = new FakeStore();
  const cycle = new OriginCycle({
    vault,
    store,
    mounts: [secret],
    filter: pathFilter([], []),
    numWorkers: 3,
    numBuckets: undefined,
    maxFailedPaths: 0.1,
    guards: defaultGuards,
    approvedSets: async () => [],
    ...over,
  });
  return {
    vault,
    store,
    cycle,
    run: (options?: Parameters<typeof runOnce>[1]) =>
      runOnce((run) => cycle.run(run), { drainStops: true, ...options }),
  };
}

const fill = (vault: FakeVault, count: number) => {
  for (let i = 0; i < count; i += 1) vault.put(`app${i % 3}/k${i}`, { i });
};

describe('an origin cycle', () => {
  it('lists, reads metadata, and saves buckets first and the index last; never a value, never a write to Vault', async () => {
    const { vault, store, run } = origin();
    vault.put('a', 1);
    vault.put('app/b', 2);
    const outcome = await run();
    expect(outcome).toMatchObject({ result: 'success', counts: { paths: 2, failed: 0 } });
    expect(vault.calls).toEqual([
      'mount secret/',
      'list secret/',
      `insight ${at('a')}`,
      'list secret/app/',
      `insight ${at('app/b')}`,
      'mount secret/',
    ]);
    expect(store.calls.filter((call) => call.startsWith('save'))).toEqual(['save:0', 'save:index']);
    expect(store.insights()).toMatchObject({ a: { version: 1, type: 'kvV2' }, 'app/b': { version: 1 } });
  });

  it('R11: nothing changed, nothing written, and nothing read but the mark', async () => {
    const { vault, store, run } = origin();
    fill(vault, 20);
    await run();
    store.calls.length = 0;
    expect(await run()).toMatchObject({ result: 'noop' });
    expect(store.calls).toEqual(['mark']);
  });

  it('R11: writes only the buckets that changed', async () => {
    const { vault, store, run } = origin({ numBuckets: 16 });
    fill(vault, 100);
    await run();
    store.calls.length = 0;
    vault.put('app0/k0', { changed: true });
    await run();
    expect(store.calls.filter((call) => call.startsWith('save'))).toHaveLength(2);
    expect(store.consistent()).toBe(true);
  });

  it('leaves out deleted secrets', async () => {
    const { vault, store, run } = origin();
    vault.put('a', 1);
    vault.put('b', 1);
    vault.delete('b');
    expect((await run()).counts.paths).toBe(1);
    expect(Object.keys(store.insights())).toEqual(['a']);
  });
});

describe('R1: nothing is saved unless the scan is complete', () => {
  it('not when it is stopped by a signal', async () => {
    const { vault, store, run } = origin();
    fill(vault, 50);
    const stop = new AbortController();
    vault.before = (call) => {
      if (call === `insight ${at('app1/k4')}`) stop.abort();
    };
    expect(await run({ draining: stop.signal })).toMatchObject({
      result: 'aborted',
      error: { code: 'INTERRUPTED' },
    });
    expect(store.texts.size).toBe(0);
  });

  it('not when it takes too long', async () => {
    const { vault, store, run } = origin();
    fill(vault, 5);
    vault.before = (call) =>
      call.startsWith('insight') ? new Promise((resolve) => setTimeout(resolve, 60)) : undefined;
    expect(await run({ timeoutMs: 20 })).toMatchObject({
      result: 'timeout',
      error: { code: 'CYCLE_TIMEOUT', exitCode: 75 },
    });
    expect(store.texts.size).toBe(0);
  });

  it('not when a server is lost in the middle', async () => {
    const { vault, store, run } = origin();
    fill(vault, 50);
    vault.failures.plan(`insight ${at('app1/k4')}`, failure.unreachable());
    expect(await run()).toMatchObject({ result: 'failed', error: { code: 'VAULT_UNREACHABLE' } });
    expect(store.texts.size).toBe(0);
  });

  it('R9: and a failed cycle leaves nothing behind', async () => {
    const { vault, store, run } = origin();
    fill(vault, 20);
    vault.failures.plan('list secret/app1/', failure.unreachable(), 1);
    expect((await run()).result).toBe('failed');
    expect((await run()).result).toBe('success');
    expect(Object.keys(store.insights())).toHaveLength(20);
  });
});

describe('R2: a path that could not be read is carried forward', () => {
  it('keeps its previous insight; the others are published', async () => {
    const { vault, store, run } = origin();
    fill(vault, 20);
    await run();
    const before = store.insights();
    vault.put('app0/k0', 'new');
    vault.put('app1/k1', 'new');
    vault.failures.plan(`insight ${at('app0/k0')}`, failure.forbidden());
    const outcome = await run();
    expect(outcome.result).toBe('partial');
    expect([...outcome.failedPaths.keys()]).toEqual([at('app0/k0')]);
    expect(store.insights()['app0/k0']).toEqual(before['app0/k0']);
    expect(store.insights()['app1/k1']?.version).toBe(2);
  });

  it('one never seen before is left out, and reported', async () => {
    const { vault, store, run } = origin();
    fill(vault, 20);
    await run();
    vault.put('new', 1);
    vault.failures.plan(`insight ${at('new')}`, failure.forbidden());
    const outcome = await run();
    expect(outcome.events).toContainEqual(expect.objectContaining({ kind: 'path.error', path: at('new') }));
    expect(store.insights().new).toBeUndefined();
    expect(Object.keys(store.insights())).toHaveLength(20);
  });

  it.each([
    { failed: 10, of: 200, result: 'partial' },
    { failed: 20, of: 200, result: 'partial' },
    { failed: 21, of: 200, result: 'failed' },
    { failed: 40, of: 200, result: 'failed' },
    { failed: 1, of: 3, result: 'partial' },
    { failed: 2, of: 3, result: 'failed' },
  ])('$failed of $of unreadable: $result', async ({ failed, of, result }) => {
    const { vault, store, run } = origin();
    fill(vault, of);
    await run();
    const before = [...store.texts];
    vault.put('app0/k0', 'new');
    for (let i = of - failed; i < of; i += 1)
      vault.failures.plan(`insight ${at(`app${i % 3}/k${i}`)}`, failure.broken());
    const outcome = await run();
    expect(outcome.result).toBe(result);
    if (result === 'failed') {
      expect(outcome.error).toMatchObject({ code: 'TOO_MANY_FAILED_PATHS' });
      expect([...store.texts]).toEqual(before);
    } else {
      expect(Object.keys(store.insights())).toHaveLength(of);
    }
  });
});

describe('R3: a folder that could not be listed fails the cycle', () => {
  it.each(['forbidden', 'broken', 'unreachable'] as const)('%s', async (kind) => {
    const { vault, store, run } = origin();
    fill(vault, 20);
    await run();
    const before = [...store.texts];
    // The Vault side turns every failure of a list into one that stops the cycle (test/contract).
    vault.failures.plan('list secret/app1/', failure[kind]().as('transient'));
    expect((await run()).result).toBe('failed');
    expect([...store.texts]).toEqual(before);
  });

  it('and so does a mount that was made anew during the scan', async () => {
    const { vault, store, run } = origin();
    fill(vault, 20);
    vault.before = (call) => {
      if (call === 'list secret/app1/') vault.mountId = 'mount-2';
    };
    expect(await run()).toMatchObject({ result: 'failed', error: { code: 'VAULT_LIST_UNKNOWN' } });
    expect(store.texts.size).toBe(0);
  });
});

describe('R4: an origin without paths publishes nothing over its non-empty info', () => {
  const emptied = async (over: Partial<OriginCycleOptions> = {}) => {
    const world = origin(over);
    fill(world.vault, 20);
    await world.run();
    world.vault.keys.clear();
    return { ...world, before: [...world.store.texts] };
  };

  it('is held', async () => {
    const { store, run, before } = await emptied();
    const outcome = await run();
    expect(outcome).toMatchObject({
      result: 'held',
      error: { code: 'ORIGIN_EMPTY', exitCode: 4 },
      held: { deletes: 20 },
    });
    expect([...store.texts]).toEqual(before);
  });

  it('unless it is allowed', async () => {
    const { store, run } = await emptied({ guards: { ...defaultGuards, allowEmptyOrigin: true } });
    expect((await run()).result).toBe('success');
    expect(store.insights()).toEqual({});
  });

  it('or exactly this set was approved', async () => {
    const paths = Array.from({ length: 20 }, (_, i) => at(`app${i % 3}/k${i}`));
    const approved = await emptied({ approvedSets: async () => [deleteSetHash(paths)] });
    expect((await approved.run()).result).toBe('success');
    const other = await emptied({ approvedSets: async () => [deleteSetHash(paths.slice(1))] });
    expect((await other.run()).result).toBe('held');
  });

  it('an origin that never had any publishes its empty info', async () => {
    const { store, run } = origin();
    expect((await run()).result).toBe('success');
    expect(store.insights()).toEqual({});
    expect((await run()).result).toBe('noop');
  });
});

describe('R5: the own sync info is verified', () => {
  it.each([
    { name: 'missing', text: undefined },
    { name: 'garbage', text: 'garbage' },
    { name: 'of another generation', text: '{}' },
  ])('a bucket that is $name is found in the next cycle and published anew', async ({ text }) => {
    const { vault, store, run } = origin({ numBuckets: 4 });
    fill(vault, 20);
    await run();
    store.set('2', text);
    const outcome = await run();
    expect(outcome.result).toBe('success');
    expect(outcome.events).toContainEqual(expect.objectContaining({ kind: 'note', level: 'warn' }));
    expect(store.consistent()).toBe(true);
    expect((await run()).result).toBe('noop');
  });

  it('an index that is garbage is written anew', async () => {
    const { vault, store, run } = origin({ numBuckets: 4 });
    fill(vault, 20);
    await run();
    store.set('index', 'garbage');
    expect((await run()).result).toBe('success');
    expect(store.consistent()).toBe(true);
  });

  it('an index that is gone is published anew', async () => {
    const { vault, store, run } = origin();
    fill(vault, 20);
    await run();
    for (const key of [...store.texts.keys()]) store.set(key, undefined);
    store.indexModifyIndex = 0;
    const outcome = await run();
    expect(outcome).toMatchObject({ result: 'success' });
    expect(outcome.events).toContainEqual(expect.objectContaining({ kind: 'note', level: 'warn' }));
  });

  it('without usable info no path may fail: nothing could be carried forward', async () => {
    const { vault, store, run } = origin();
    fill(vault, 20);
    await run();
    store.set('0', 'garbage');
    vault.failures.plan(`insight ${at('app0/k0')}`, failure.forbidden());
    expect(await run()).toMatchObject({ result: 'failed', error: { code: 'TOO_MANY_FAILED_PATHS' } });
    expect(store.texts.get('0')).toBe('garbage');
  });

  it('another process that published meanwhile is not overwritten', async () => {
    const { vault, store, run } = origin();
    fill(vault, 20);
    await run();
    vault.put('new', 1);
    vault.before = (call) => {
      if (call === 'list secret/app1/')
        store.publish({ theirs: { version: 9, updateTime: 'T', type: 'kvV2' } });
    };
    expect(await run()).toMatchObject({ result: 'failed', error: { code: 'SYNC_INFO_CONFLICT' } });
    expect(Object.keys(store.insights())).toEqual(['theirs']);
  });
});

describe('the number of buckets', () => {
  it.each([
    [0, 1],
    [1, 1],
    [300, 1],
    [400, 2],
    [1000, 4],
    [10_000, 32],
    [1_000_000, 4096],
    [5_000_000, 4096],
  ])('for %i paths on a fresh sync path is %i', (paths, buckets) => {
    expect(chooseNumBuckets(paths)).toBe(buckets);
  });

  it('stays as published', async () => {
    const { vault, store, run } = origin();
    store.publish({}, 5);
    fill(vault, 20);
    await run();
    expect(JSON.parse(store.texts.get('index') ?? '')).toHaveLength(5);
  });

  it('is what is configured, also over another one', async () => {
    const { vault, store, run } = origin({ numBuckets: 3 });
    store.publish({}, 5);
    fill(vault, 20);
    await run();
    expect(JSON.parse(store.texts.get('index') ?? '')).toHaveLength(3);
    expect(Object.keys(store.insights())).toHaveLength(20);
  });
});

describe('filters', () => {
  it('lists only folders where something may match', async () => {
    const { vault, store, run } = origin({ filter: pathFilter(['secret/app1/**'], ['secret/app1/k4']) });
    fill(vault, 20);
    await run();
    expect(vault.calls.filter((call) => call.startsWith('list'))).toEqual(['list secret/app1/']);
    expect(Object.keys(store.insights())).not.toContain('app1/k4');
    expect(Object.keys(store.insights())).toContain('app1/k7');
  });
});
