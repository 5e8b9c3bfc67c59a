import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd, errorIds, pathsOf } from '../support/log-reading.ts';
import { type Json, type RunAs, type Scope, World } from '../support/world.ts';

/** Origin and destination are one Vault: copied to another mount, and never onto the origin itself. */
describe.runIf(runRealServers)('loopback', () => {
  let world: World;
  let scope: Scope;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  /** `src/` with the secrets `a` and `folder/b`, published, and `copy/` beside it. */
  async function published(): Promise<void> {
    scope = await world.scope(['src/', 'copy/']);
    await world.origin.put(scope.path('a'), { n: 1 });
    await world.origin.put(scope.path('folder/b'), { n: 1 });
    await publish();
  }

  async function publish(): Promise<void> {
    await scope.originOnce({ block: { mounts: [scope.mount] } });
  }

  /** A destination that is the origin's own Vault. */
  function inTheSameVault(transforms: Json[], origin: Json = { mounts: [scope.mount] }): RunAs {
    const { address, token } = world.origin;
    return {
      block: { vault: { address, token }, mounts: undefined, transforms },
      top: { origin: { ...scope.originBlock(), ...origin } },
    };
  }

  function toCopy(): Json[] {
    const [src, copy] = scope.mounts;
    return [{ name: 'copy', from: `^${src}(?P<kind>data)/(?P<key>.+)$`, to: `${copy}kind/key` }];
  }

  it('to another mount by a transform: copied, updated, deleted, and the origin is only read (R14)', async () => {
    await published();
    const origin = await world.origin.history(scope.mount);
    const copy = scope.mounts[1] as string;
    expect(countsOf(await scope.destinationOnce(inTheSameVault(toCopy())))).toEqual({ add: 2 });
    expect(await world.origin.values(copy)).toEqual({
      [`${copy}data/a`]: { n: 1 },
      [`${copy}data/folder/b`]: { n: 1 },
    });
    expect(await world.origin.history(scope.mount)).toEqual(origin);
    await world.origin.put(scope.path('a'), { n: 2 });
    await world.origin.softDelete(scope.path('folder/b'));
    await publish();
    expect(countsOf(await scope.destinationOnce(inTheSameVault(toCopy())))).toEqual({ update: 1, delete: 1 });
    expect(await world.origin.all(copy)).toEqual(
      new Map([[`${copy}data/a`, { data: { n: 2 }, version: 2 }]]),
    );
    expect(cycleEnd(await scope.destinationOnce(inTheSameVault(toCopy()))).result).toBe('noop');
    expect(await world.origin.versionOf(scope.path('a'))).toBe(2);
  });

  it.each<{ name: string; origin?: Json; address?: string }>([
    { name: 'with origin.mounts' },
    { name: 'with other origin.mounts than are published', origin: { mounts: ['secret/'] } },
    { name: 'by another name of the same Vault', address: 'localhost' },
  ])('onto itself: refused, and nothing is written ($name)', async ({ origin, address = '127.0.0.1' }) => {
    await published();
    const before = await scope.everything();
    const as = inTheSameVault([], origin);
    const vault = {
      address: world.origin.address.replace('127.0.0.1', address),
      token: world.origin.token,
    };
    const run = await scope.destinationOnce({ ...as, block: { ...as.block, vault }, code: 3 });
    expect(errorIds(run)).toEqual(['TRANSFORM_LOOP']);
    expect(pathsOf(run, 'path.error')).toEqual([scope.path('a'), scope.path('folder/b')]);
    expect((await scope.everything()).origin).toEqual(before.origin);
    expect(countsOf(run)).toEqual({ failed: 2 });
  });

  it('without origin.mounts nothing tells what is the origin: refused before anything is read', async () => {
    await published();
    const before = await scope.everything();
    const as = inTheSameVault(toCopy(), { mounts: undefined });
    expect(errorIds(await scope.destinationOnce({ ...as, code: 78 }))).toEqual(['CONFIG_MISSING_VALUE']);
    expect(await scope.everything()).toEqual(before);
  });

  it('onto another path of the origin: refused, whether that path exists or not', async () => {
    await published();
    const before = await world.origin.history(scope.mount);
    const rules = [
      { name: 'exists', from: `^${scope.mount}data/(?P<key>a)$`, to: `${scope.mount}data/folder/b` },
      { name: 'is new', from: `^${scope.mount}data/folder/(?P<key>.+)$`, to: `${scope.mount}data/other/key` },
    ];
    const run = await scope.destinationOnce({ ...inTheSameVault(rules), code: 3 });
    expect(errorIds(run)).toEqual(['TRANSFORM_LOOP']);
    expect(pathsOf(run, 'path.error')).toEqual([scope.path('a'), scope.path('folder/b')]);
    expect(await world.origin.history(scope.mount)).toEqual(before);
  });

  it('paths that fall through the transforms are refused, the others are copied (defect B8)', async () => {
    await published();
    const copy = scope.mounts[1] as string;
    const rules = [
      { name: 'folder', from: `^${scope.mount}data/folder/(?P<key>.+)$`, to: `${copy}data/key` },
    ];
    const run = await scope.destinationOnce({ ...inTheSameVault(rules), code: 3 });
    expect(countsOf(run)).toEqual({ add: 1, failed: 1 });
    expect(pathsOf(run, 'path.error')).toEqual([scope.path('a')]);
    expect(await world.origin.versionOf(scope.path('a'))).toBe(1);
    expect(await world.origin.values(copy)).toEqual({ [`${copy}data/b`]: { n: 1 } });
  });

  it('what a transform moved away is not deleted at the origin when the transform is taken out', async () => {
    await published();
    await scope.destinationOnce(inTheSameVault(toCopy()));
    await world.origin.softDelete(scope.path('a'));
    await publish();
    const before = await world.origin.history(scope.mount);
    await scope.destinationOnce(inTheSameVault([]));
    expect(await world.origin.history(scope.mount)).toEqual(before);
  });
});
