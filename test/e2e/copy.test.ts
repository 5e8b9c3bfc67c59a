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

  it('first copy: every value arrives, as version 1', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { user: 'u', password: 'p' });
    await world.origin.put(scope.path('app/db'), { nested: { list: [1, 'two', null, true, {}] } });
    await world.origin.put(scope.path('app'), { leaf: 'and folder' });
    expect(countsOf(await scope.sync())).toEqual({ add: 3 });
    expect(await world.destination.all(scope.mount)).toEqual(await world.origin.all(scope.mount));
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

  it('a first copy takes each secret at its current version, older ones are not copied', async () => {
    const scope = await world.scope();
    for (const n of [1, 2, 3]) await world.origin.put(scope.path('a'), { n });
    await scope.sync();
    expect(await world.destination.get(scope.path('a'))).toEqual({ data: { n: 3 }, version: 1 });
  });

  it('update: one more version of the secret that changed, none of the others', async () => {
    const scope = await world.scope();
    for (const key of ['a', 'b', 'c']) await world.origin.put(scope.path(key), { key });
    await scope.sync();
    await world.origin.put(scope.path('b'), { key: 'changed' });
    await world.origin.put(scope.path('b'), { key: 'changed twice' });
    const run = await scope.sync();
    expect(pathsOf(run, 'path.update')).toEqual([scope.path('b')]);
    expect(countsOf(run)).toEqual({ update: 1 });
    expect(await world.destination.get(scope.path('b'))).toEqual({
      data: { key: 'changed twice' },
      version: 2,
    });
    for (const key of ['a', 'c']) expect(await world.destination.versionOf(scope.path(key))).toBe(1);
  });

  it('add: a new secret is copied, the others are left alone', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 1 });
    await scope.sync();
    await world.origin.put(scope.path('new/deep/b'), { n: 2 });
    const run = await scope.sync();
    expect(pathsOf(run, 'path.add')).toEqual([scope.path('new/deep/b')]);
    expect(await world.destination.all(scope.mount)).toEqual(await world.origin.all(scope.mount));
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

  it("each node's status is below <syncPath>nodes/, and nothing else is outside of the two trees", async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 1 });
    await scope.sync();
    const keys = [...(await world.consul.dump(scope.syncPath)).keys()].map((key) =>
      key.slice(scope.syncPath.length),
    );
    expect(keys.sort()).toEqual([
      'destination/0',
      'destination/index',
      'nodes/destination-destination',
      'nodes/origin-origin',
      'origin/0',
      'origin/index',
    ]);
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

  it('the sync info is what the Go program writes: no key but version, updateTime, type, and dv at the destination', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 1 });
    await scope.sync();
    const updateTime = (await world.origin.metadata(scope.path('a')))?.updated_time;
    const insight = { version: 1, updateTime, type: 'kvV2' };
    const bucket = async (side: 'origin' | 'destination') =>
      JSON.parse((await scope.syncInfo(side)).get('0')?.value ?? '');
    expect(await bucket('origin')).toEqual({ [scope.path('a')]: insight });
    expect(await bucket('destination')).toEqual({ [scope.path('a')]: { ...insight, dv: 1 } });
  });
});
