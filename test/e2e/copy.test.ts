import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd, pathsOf } from '../support/log-reading.ts';
import { World } from '../support/world.ts';

/** The main job on real servers, the program as a process: what is at the origin comes to the destination, once. */
describe.runIf(runRealServers)('copying', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  it('first copy: the current version of each secret arrives, as version 1', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('app/db'), { nested: { list: [1, 'two', null, true, {}] } });
    await world.origin.put(scope.path('app'), { leaf: 'and folder' });
    for (const n of [1, 2, 3]) await world.origin.put(scope.path('a'), { n });
    expect(countsOf(await scope.sync())).toEqual({ add: 3 });
    const values = await world.origin.values(scope.mount);
    expect(await world.destination.all(scope.mount)).toEqual(
      new Map(Object.entries(values).map(([path, data]) => [path, { data, version: 1 }])),
    );
  });

  it('nothing changed: no new version anywhere, sync info not rewritten', async () => {
    const scope = await world.scope();
    for (let i = 0; i < 20; i += 1) await world.origin.put(scope.path(`k${i}`), { i });
    await scope.sync();
    const before = await scope.everything();
    const infos = [await scope.syncInfo('origin'), await scope.syncInfo('destination')];
    const origin = await scope.originOnce();
    const destination = await scope.destinationOnce();
    expect([cycleEnd(origin).result, cycleEnd(destination).result]).toEqual(['noop', 'noop']);
    expect([await scope.syncInfo('origin'), await scope.syncInfo('destination')]).toEqual(infos);
    const after = await scope.everything();
    expect({ origin: after.origin, destination: after.destination }).toEqual({
      origin: before.origin,
      destination: before.destination,
    });
  });

  it('an empty origin: an empty index is published, and the destination follows it', async () => {
    const scope = await world.scope();
    await scope.sync();
    const infos = [await scope.syncInfo('origin'), await scope.syncInfo('destination')];
    expect(infos[1]?.get('index')?.value).toBe(infos[0]?.get('index')?.value);
    expect(cycleEnd(await scope.sync()).result).toBe('noop');
    expect([await scope.syncInfo('origin'), await scope.syncInfo('destination')]).toEqual(infos);
  });

  it('updates and adds: one more version of what changed, what is new, and nothing else', async () => {
    const scope = await world.scope();
    for (const key of ['a', 'b', 'c']) await world.origin.put(scope.path(key), { key });
    await scope.sync();
    await world.origin.put(scope.path('b'), { key: 'changed' });
    await world.origin.put(scope.path('b'), { key: 'changed twice' });
    await world.origin.put(scope.path('new/deep/d'), { key: 'new' });
    const run = await scope.sync();
    expect(pathsOf(run, 'path.update')).toEqual([scope.path('b')]);
    expect(pathsOf(run, 'path.add')).toEqual([scope.path('new/deep/d')]);
    expect(countsOf(run)).toEqual({ add: 1, update: 1 });
    expect(await world.destination.all(scope.mount)).toEqual(
      new Map([
        [scope.path('a'), { data: { key: 'a' }, version: 1 }],
        [scope.path('b'), { data: { key: 'changed twice' }, version: 2 }],
        [scope.path('c'), { data: { key: 'c' }, version: 1 }],
        [scope.path('new/deep/d'), { data: { key: 'new' }, version: 1 }],
      ]),
    );
  });

  it('a new version with an equal value at the origin makes no new version at the destination (R6)', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 1 });
    await scope.sync();
    await world.destination.put(scope.path('a'), { n: 2 });
    await world.origin.put(scope.path('a'), { n: 2 });
    expect(countsOf(await scope.sync())).toEqual({ recorded: 1 });
    expect(await world.destination.versionOf(scope.path('a'))).toBe(2);
    expect(cycleEnd(await scope.destinationOnce()).result).toBe('noop');
  });

  it('only buckets that changed are written (R11)', async () => {
    const scope = await world.scope();
    for (let i = 0; i < 30; i += 1) await world.origin.put(scope.path(`k${i}`), { i });
    const as = { top: { numBuckets: 8 } };
    await scope.originOnce(as);
    await scope.destinationOnce();
    const before = [await scope.syncInfo('origin'), await scope.syncInfo('destination')];
    await world.origin.put(scope.path('k7'), { i: 'changed' });
    await scope.originOnce(as);
    await scope.destinationOnce();
    const after = [await scope.syncInfo('origin'), await scope.syncInfo('destination')];
    for (const [side, info] of after.entries()) {
      const rewritten = [...info].filter(
        ([key, { modifyIndex }]) => before[side]?.get(key)?.modifyIndex !== modifyIndex,
      );
      const [bucket, ...others] = rewritten.map(([key]) => key).filter((key) => key !== 'index');
      expect(others).toEqual([]);
      expect(info.get(bucket ?? '')?.value).toContain(scope.path('k7'));
    }
  });

  it('below the sync path: sync info as the Go program writes it, the status of each node, and nothing else', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 1 });
    await scope.sync();
    const keys = [...(await world.consul.dump(scope.syncPath)).keys()];
    expect(keys.map((key) => key.slice(scope.syncPath.length)).sort()).toEqual([
      'destination/0',
      'destination/index',
      'nodes/destination-destination',
      'nodes/origin-origin',
      'origin/0',
      'origin/index',
    ]);
    const updateTime = (await world.origin.metadata(scope.path('a')))?.updated_time;
    const insight = { version: 1, updateTime, type: 'kvV2' };
    const bucket = async (side: 'origin' | 'destination') =>
      JSON.parse((await scope.syncInfo(side)).get('0')?.value ?? '');
    expect(await bucket('origin')).toEqual({ [scope.path('a')]: insight });
    // `dv` is the version written here; Go nodes ignore it.
    expect(await bucket('destination')).toEqual({ [scope.path('a')]: { ...insight, dv: 1 } });
    expect(await scope.status('origin')).toMatchObject({
      role: 'origin',
      health: 'Healthy',
      sync: 'InSync',
      result: 'success',
      counts: { paths: 1, failed: 0 },
    });
    expect(await scope.status('destination')).toMatchObject({
      role: 'destination',
      result: 'success',
      counts: { paths: 1, added: 1, updated: 0, deleted: 0, failed: 0 },
    });
  });
});
