import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../servers/processes.ts';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd, pathsOf } from '../support/log-reading.ts';
import { type Scope, World } from '../support/world.ts';

/** Every way in which a secret can be gone at the origin, and what becomes of it at the destination. */
describe.runIf(runRealServers)('deletes', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  /** A secret `a` of two versions and one `kept`, copied. */
  async function copied(): Promise<Scope> {
    const scope = await world.scope();
    for (const n of [1, 2]) await world.origin.put(scope.path('a'), { n });
    await world.origin.put(scope.path('kept'), { n: 'kept' });
    await scope.sync();
    return scope;
  }

  it('however it went at the origin, the latest version at the destination is soft-deleted, and can be undeleted', async () => {
    const scope = await world.scope();
    const ways: Record<string, (path: string) => Promise<void>> = {
      'soft-deleted': (path) => world.origin.softDelete(path),
      'current version destroyed': (path) => world.origin.destroy(path, [2]),
      'all versions destroyed': (path) => world.origin.destroy(path, [1, 2]),
      'metadata deleted': (path) => world.origin.destroyMetadata(path),
    };
    const paths = Object.keys(ways).map((key) => scope.path(key));
    for (const n of [1, 2]) {
      for (const path of [...paths, scope.path('kept')]) await world.origin.put(path, { n });
      await scope.sync();
    }
    for (const [key, remove] of Object.entries(ways)) await remove(scope.path(key));
    const run = await scope.sync();
    expect(pathsOf(run, 'path.delete')).toEqual(paths.toSorted());
    expect(countsOf(run)).toEqual({ delete: paths.length });
    expect(await world.destination.values(scope.mount)).toEqual({ [scope.path('kept')]: { n: 2 } });
    for (const path of paths) {
      expect(await world.destination.metadata(path), path).toMatchObject({
        current_version: 2,
        versions: {
          1: { deletion_time: '', destroyed: false },
          2: { deletion_time: expect.stringContaining('T'), destroyed: false },
        },
      });
      await world.destination.undelete(path, [2]);
      expect(await world.destination.get(path), path).toEqual({ data: { n: 2 }, version: 2 });
    }
    // What was undeleted by hand stays: it is in nobody's sync info any more.
    expect(cycleEnd(await scope.sync()).result).toBe('noop');
    expect(Object.keys(await world.destination.values(scope.mount))).toHaveLength(paths.length + 1);
  });

  it('an older version destroyed changes nothing, and a delete is made once, not again in each cycle', async () => {
    const scope = await copied();
    await world.origin.destroy(scope.path('a'), [1]);
    expect(cycleEnd(await scope.sync()).result).toBe('noop');
    await world.origin.softDelete(scope.path('a'));
    await scope.sync();
    const before = await world.destination.history(scope.mount);
    expect(cycleEnd(await scope.sync()).result).toBe('noop');
    expect(await world.destination.history(scope.mount)).toEqual(before);
  });

  it('what was never a copy is not touched: deleted before the first copy, or only ever at the destination', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('deleted before'), { n: 1 });
    await world.origin.softDelete(scope.path('deleted before'));
    await world.origin.put(scope.path('a'), { n: 1 });
    await world.destination.put(scope.path('own'), { n: 1 });
    await scope.sync();
    const everything = { top: { guards: { allowEmptyOrigin: true } } };
    await world.origin.softDelete(scope.path('a'));
    await scope.originOnce(everything);
    expect(countsOf(await scope.destinationOnce(everything))).toEqual({ delete: 1 });
    expect(await world.destination.paths(scope.mount)).toEqual([scope.path('a'), scope.path('own')]);
    expect(await world.destination.values(scope.mount)).toEqual({ [scope.path('own')]: { n: 1 } });
  });

  it('a published delete is not made when the origin has the secret again (R4)', async () => {
    const scope = await copied();
    await world.origin.softDelete(scope.path('a'));
    await scope.originOnce();
    await world.origin.undelete(scope.path('a'), [2]);
    const run = await scope.destinationOnce();
    expect(pathsOf(run, 'path.skip')).toEqual([scope.path('a')]);
    expect(countsOf(run)).toEqual({});
    expect(await world.destination.versionOf(scope.path('a'))).toBe(1);
    expect(cycleEnd(await scope.sync()).result).toBe('noop');
    expect(await world.destination.get(scope.path('a'))).toEqual({ data: { n: 2 }, version: 1 });
  });

  it('a secret that is gone since the origin published it is not copied, and no path fails (defect B11)', async () => {
    const scope = await copied();
    await world.origin.put(scope.path('a'), { n: 3 });
    await world.origin.put(scope.path('new'), { n: 3 });
    await scope.originOnce();
    await world.origin.softDelete(scope.path('a'));
    await world.origin.destroyMetadata(scope.path('new'));
    const run = await scope.destinationOnce();
    expect(pathsOf(run, 'path.skip')).toEqual([scope.path('a'), scope.path('new')]);
    expect(countsOf(run)).toEqual({});
    expect(await world.destination.get(scope.path('a'))).toEqual({ data: { n: 2 }, version: 1 });
    expect(countsOf(await scope.sync())).toEqual({ delete: 1 });
  });

  it('ignoreDeletes: the secret stays, and an idle pair rewrites nothing (defect A7)', async () => {
    const scope = await copied();
    const top = { ignoreDeletes: true };
    await world.origin.softDelete(scope.path('a'));
    await scope.originOnce();
    const info = await scope.syncInfo('destination');
    for (let cycle = 0; cycle < 2; cycle += 1) {
      const run = await scope.destinationOnce({ top });
      expect(cycleEnd(run).result).toBe('noop');
      expect(await scope.syncInfo('destination')).toEqual(info);
    }
    expect(await world.destination.get(scope.path('a'))).toEqual({ data: { n: 2 }, version: 1 });
    // Without it the delete that was left is made.
    expect(countsOf(await scope.destinationOnce())).toEqual({ delete: 1 });
  });

  it('delete_version_after: live and copied until its time has come, then deleted (defect B3)', async () => {
    const scope = await world.scope();
    const path = scope.path('short-lived');
    await world.origin.put(scope.path('kept'), { n: 'kept' });
    await scope.sync();
    await world.origin.writeMetadata(path, { delete_version_after: '6s' });
    await world.origin.put(path, { n: 1 });
    expect(countsOf(await scope.sync())).toEqual({ add: 1 });
    expect(await world.destination.get(path)).toEqual({ data: { n: 1 }, version: 1 });
    expect(await world.destination.metadata(path)).toMatchObject({ delete_version_after: '0s' });

    await waitFor(async () => (await world.origin.get(path)) === undefined);
    expect(countsOf(await scope.sync())).toEqual({ delete: 1 });
    expect(await world.destination.get(path)).toBeUndefined();

    await world.origin.put(path, { n: 2 });
    expect(countsOf(await scope.sync())).toEqual({ add: 1 });
    expect(await world.destination.get(path)).toEqual({ data: { n: 2 }, version: 2 });
  });
});
