import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { DestinationCycle, type DestinationCycleOptions } from '../../src/cycle/destination-cycle.ts';
import type { CallScope, SecretState } from '../../src/cycle/ports.ts';
import { bucketIdOf, indexJson } from '../../src/sync/bucket.ts';
import { defaultGuards } from '../../src/sync/delete-guard.ts';
import type { DataPath } from '../../src/sync/mount-path.ts';
import { buildPlan } from '../../src/sync/plan.ts';
import { SecretValue } from '../../src/sync/secret-value.ts';
import { SyncInfo } from '../../src/sync/sync-info.ts';
import { compileTransform } from '../../src/sync/transform.ts';
import { at, cycleDefaults, FakeStore, FakeVault, failure, runOnce, secret } from './fakes.ts';

/** Guards of a destination that show only where something else is odd as well: found by taking each of them out. */

const conflict = { onConflict: 'fail' } as const;

function destination(over: Partial<DestinationCycleOptions> & { readonly from?: FakeVault } = {}) {
  const origin = over.from ?? new FakeVault();
  const originStore = new FakeStore();
  const vault = (over.vault as FakeVault | undefined) ?? new FakeVault();
  const store = new FakeStore();
  const cycle = new DestinationCycle({
    originStore,
    store,
    origin,
    vault,
    ...cycleDefaults,
    ...over,
  });
  /** What an origin would publish now. */
  const publish = async (numBuckets = 4) => {
    const info = SyncInfo.empty(numBuckets);
    for (const path of origin.keys.keys()) {
      const insight = await origin.readInsight(secret, path.slice('secret/data/'.length));
      if (insight !== undefined) info.put(path, insight);
    }
    const { index, buckets } = info.reindex([]);
    for (const { id, json } of buckets) originStore.set(String(id), json());
    originStore.set('index', indexJson(index));
  };
  return {
    origin,
    originStore,
    vault,
    store,
    publish,
    follow: (options?: Parameters<typeof runOnce>[1]) => runOnce((run) => cycle.run(run), options),
  };
}

describe('R4: deletes', () => {
  it('are measured by all paths, not by those of the buckets that had to be read', async () => {
    const { origin, vault, publish, follow } = destination();
    const keys = Array.from({ length: 160 }, (_, i) => `k${i}`);
    for (const key of keys) origin.put(key, { key });
    await publish();
    await follow();
    // Most of one bucket, 25 of about 40; the limit is 50 of 160.
    const gone = keys.filter((key) => bucketIdOf(at(key), 4) === 0).slice(0, 25);
    expect(gone).toHaveLength(25);
    for (const key of gone) origin.delete(key);
    await publish();
    expect(await follow()).toMatchObject({ result: 'success', counts: { changes: { deleted: 25 } } });
    expect(Object.keys(vault.all())).toHaveLength(135);
  });

  it('of a path that is the origin’s own, in one Vault, are forgotten, not made', () => {
    const task = {
      kind: 'delete',
      path: at('a'),
      from: { version: 1, updateTime: '', type: 'kvV2' },
      reason: 'deleted_in_origin',
    } as const;
    const plan = buildPlan({
      tasks: [task],
      targetOf: (path) => ({ path, rule: undefined }),
      originPaths: [],
      targetProblem: () => undefined,
      isOriginPath: (path) => path === at('a'),
      ignoreDeletes: false,
      guard: { settings: defaultGuards, destinationPaths: 1, originIsEmpty: false, approvedSets: [] },
    });
    expect(plan).toMatchObject({ deletes: [], held: [], drops: [{ path: at('a') }] });
  });

  it('that are ignored are looked at once; what comes afterwards is copied', async () => {
    const { origin, vault, publish, follow } = destination({ ignoreDeletes: true });
    for (const key of ['a', 'b']) origin.put(key, { key });
    await publish();
    await follow();
    origin.delete('a');
    await publish();
    for (let cycles = 0; cycles < 2; cycles += 1) expect(await follow()).toMatchObject({ result: 'noop' });
    origin.put('b', { key: 'changed' });
    await publish();
    expect(await follow()).toMatchObject({ result: 'success', counts: { changes: { updated: 1 } } });
    expect(vault.value('b')).toEqual({ key: 'changed' });
  });
});

describe('R6: what is recorded', () => {
  it('is what was published, also when the origin has moved on since', async () => {
    const { origin, originStore, store, publish, follow } = destination();
    origin.put('a', { n: 1 });
    await publish();
    origin.put('a', { n: 2 });
    expect(await follow()).toMatchObject({ result: 'success' });
    expect(store.insights().a).toEqual(originStore.insights().a);
    expect(store.texts.get('index')).toBe(originStore.texts.get('index'));
  });

  it('is nothing for a secret that is gone at the origin by then', async () => {
    const { origin, vault, store, publish, follow } = destination();
    for (const key of ['a', 'b']) origin.put(key, { key });
    await publish();
    origin.delete('a');
    await follow();
    expect(Object.keys(store.insights())).toEqual(['b']);
    expect(vault.all()).toEqual({ b: { key: 'b' } });
  });

  it('is found by comparing when a bucket of the own info is spoiled', async () => {
    const { origin, vault, store, publish, follow } = destination();
    for (const key of ['a', 'b', 'c']) origin.put(key, { key });
    await publish(1);
    await follow();
    origin.put('a', { key: 'changed' });
    await publish(1);
    store.set('0', 'garbage');
    expect(await follow()).toMatchObject({ counts: { changes: { recorded: 2, deleted: 0 } } });
    expect(vault.all()).toEqual(origin.all());
    expect(['a', 'b', 'c'].map((key) => vault.versions(key))).toEqual([2, 1, 1]);
    expect(store.consistent()).toBe(true);
  });

  it('is a value that is equal but for its spelling, without a write', () => {
    const value = (text: string) => new SecretValue(text);
    expect(value('{"a":1e3,"b":[1.0]}').sameAs(value('{"b": [1], "a": 1000}'))).toBe(true);
    expect(value('{"a":1}').sameAs(value('{"a":"1"}'))).toBe(false);
    expect(value('{"a":1}').sameAs(value('{"a":1,"b":null}'))).toBe(false);
  });
});

describe('R7: a target that another path takes over', () => {
  it('holds our own version, however its first copy ends', async () => {
    const transforms = [
      compileTransform({
        name: 'both',
        from: '^secret/data/(old|new)/(?P<key>.+)$',
        to: 'secret/data/all/key',
      }),
    ];
    const { origin, vault, publish, follow } = destination({ transforms, ...conflict });
    origin.put('old/a', { n: 1 });
    await publish();
    await follow();
    origin.delete('old/a');
    origin.put('new/a', { n: 2 });
    await publish();
    origin.failures.plan(`read ${at('new/a')}`, failure.forbidden(), 1);
    expect(await follow()).toMatchObject({ result: 'partial' });
    expect(await follow()).toMatchObject({ result: 'success', failedPaths: new Map() });
    expect(vault.all()).toEqual({ 'all/a': { n: 2 } });
    expect(vault.versions('all/a')).toBe(2);
  });
});

describe('R8: a write', () => {
  it('that is refused for a reason of its own is not repeated', async () => {
    const { origin, vault, publish, follow } = destination();
    origin.put('a', { n: 1 });
    await publish();
    vault.failures.plan(`refuse ${at('a')}`, failure.casRefused());
    expect(await follow()).toMatchObject({ result: 'partial' });
    expect(vault.calls.filter((call) => call.startsWith('write'))).toHaveLength(1);
  });

  it('that is under way when the cycle stops is finished and recorded (R10)', async () => {
    let stopping: AbortSignal | undefined;
    class Origin extends FakeVault {
      override async readSecret(path: DataPath, scope?: CallScope): Promise<SecretState> {
        stopping = scope?.signal;
        return super.readSecret(path);
      }
    }
    class Slow extends FakeVault {
      override async writeSecret(path: DataPath, value: SecretValue, cas: number, scope?: CallScope) {
        if (stopping?.aborted === false) await once(stopping, 'abort');
        scope?.signal.throwIfAborted();
        return super.writeSecret(path, value, cas);
      }
    }
    const { origin, store, publish, follow } = destination({ from: new Origin(), vault: new Slow() });
    origin.put('a', { n: 1 });
    await publish();
    expect(await follow({ timeoutMs: 20 })).toMatchObject({ result: 'timeout' });
    expect(store.insights()).toMatchObject({ a: { version: 1, dv: 1 } });
  });
});

it('R1: an answer of a standby that lags behind is not copied', async () => {
  let lags = false;
  class Standby extends FakeVault {
    override async readSecret(path: DataPath): Promise<SecretState> {
      if (!lags) return super.readSecret(path);
      const [first] = this.keys.get(path) ?? [];
      const { createdTime = '', value = '' } = first ?? {};
      return { kind: 'live', version: 1, createdTime, value: new SecretValue(value) };
    }
  }
  const { origin, vault, publish, follow } = destination({ from: new Standby() });
  for (const n of [1, 2]) origin.put('a', { n });
  await publish();
  await follow();
  origin.put('a', { n: 3 });
  await publish();
  lags = true;
  const run = await follow();
  expect([...run.failedPaths.values()].map(({ code }) => code)).toEqual(['ORIGIN_STALE']);
  expect(vault.value('a')).toEqual({ n: 2 });
});
