import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd, errorIds, pathsOf } from '../support/log-reading.ts';
import { World } from '../support/world.ts';

/** Several mounts, and mounts with names that look like parts of a path. */
describe.runIf(runRealServers)('mounts', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  it('two mounts, one of them with a folder in its name', async () => {
    const scope = await world.scope(['secret/', 'team/kv/']);
    for (const mount of scope.mounts)
      for (const key of ['a', 'team/kv/a', 'deep/er/b'])
        await world.origin.put(`${mount}data/${key}`, { mount, key });
    expect(countsOf(await scope.sync())).toEqual({ add: 6 });
    for (const mount of scope.mounts)
      expect(await world.destination.all(mount), mount).toEqual(await world.origin.all(mount));
    await world.origin.put(`${scope.mounts[1]}data/a`, { n: 2 });
    await world.origin.softDelete(`${scope.mounts[0]}data/a`);
    expect(countsOf(await scope.sync())).toEqual({ update: 1, delete: 1 });
    for (const mount of scope.mounts)
      expect(await world.destination.values(mount), mount).toEqual(await world.origin.values(mount));
  });

  it('mounts with data, metadata, and the like in their names (defect B6)', async () => {
    const scope = await world.scope([
      'x/data/y/',
      'team/metadata-x/',
      'metadata/kv/',
      'data/',
      'kv/metadata/',
    ]);
    for (const mount of scope.mounts)
      for (const key of ['a', 'data/b', 'metadata/c'])
        await world.origin.put(`${mount}data/${key}`, { mount, key });
    expect(countsOf(await scope.sync())).toEqual({ add: 15 });
    for (const mount of scope.mounts)
      expect(await world.destination.all(mount), mount).toEqual(await world.origin.all(mount));
    expect(cycleEnd(await scope.sync()).result).toBe('noop');
    for (const mount of scope.mounts) await world.origin.softDelete(`${mount}data/data/b`);
    expect(countsOf(await scope.sync())).toEqual({ delete: 5 });
    for (const mount of scope.mounts)
      expect(await world.destination.values(mount), mount).toEqual(await world.origin.values(mount));
  });

  it('a mount that the origin publishes no more: its secrets stay, since the origin still has them (R4)', async () => {
    const scope = await world.scope(['one/', 'two/']);
    for (const mount of scope.mounts) await world.origin.put(`${mount}data/a`, { mount });
    await scope.originOnce({ block: { mounts: [scope.mounts[0]] } });
    expect(pathsOf(await scope.destinationOnce(), 'path.add')).toEqual([`${scope.mounts[0]}data/a`]);
    await scope.originOnce({ block: { mounts: [scope.mounts[1]] } });
    const run = await scope.destinationOnce();
    expect(pathsOf(run, 'path.add')).toEqual([`${scope.mounts[1]}data/a`]);
    expect(pathsOf(run, 'path.skip')).toEqual([`${scope.mounts[0]}data/a`]);
    expect(await world.destination.values(scope.mounts[0] as string)).not.toEqual({});
  });

  it('a mount that vanishes at the origin publishes nothing, and its secrets stay at the destination (R3, defect A3)', async () => {
    const scope = await world.scope(['one/', 'two/']);
    for (const mount of scope.mounts) await world.origin.put(`${mount}data/a`, { mount });
    await scope.sync();
    const info = await scope.syncInfo('origin');
    await world.origin.unmount(scope.mounts[0] as string);
    const origin = await scope.originOnce({ code: 78 });
    expect(errorIds(origin)).toEqual(['MOUNT_MISSING']);
    expect(await scope.syncInfo('origin')).toEqual(info);
    // A destination checks the mounts that its configuration names, too.
    expect(errorIds(await scope.destinationOnce({ code: 78 }))).toEqual(['MOUNT_MISSING']);
    for (const mount of scope.mounts)
      expect(await world.destination.values(mount)).toEqual({ [`${mount}data/a`]: { mount } });
  });

  it('include and exclude: what an origin does not publish and what a destination does not take', async () => {
    const scope = await world.scope();
    for (const key of ['app/a', 'app/tmp/b', 'ops/c', 'd']) await world.origin.put(scope.path(key), { key });
    await scope.originOnce({ block: { include: [`${scope.mount}{app,ops}/**`], exclude: ['**/tmp/**'] } });
    const taken = { block: { exclude: [`${scope.mount}ops/*`] } };
    expect(pathsOf(await scope.destinationOnce(taken), 'path.add')).toEqual([scope.path('app/a')]);
    expect(cycleEnd(await scope.destinationOnce(taken)).result).toBe('noop');
    expect(pathsOf(await scope.destinationOnce(), 'path.add')).toEqual([scope.path('ops/c')]);
  });

  it('without destination.mounts and origin.mounts a destination goes by what is published', async () => {
    const scope = await world.scope(['secret/', 'team/kv/']);
    for (const mount of scope.mounts) await world.origin.put(`${mount}data/a`, { mount });
    await scope.originOnce();
    const origin = { ...scope.originBlock(), mounts: undefined };
    const run = await scope.destinationOnce({ block: { mounts: undefined }, top: { origin } });
    expect(countsOf(run)).toEqual({ add: 2 });
    for (const mount of scope.mounts)
      expect(await world.destination.all(mount)).toEqual(await world.origin.all(mount));
  });
});
