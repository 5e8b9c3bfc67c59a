import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRealServers, startVault } from '../servers/real-servers.ts';
import { countsOf, cycleEnd, errorIds } from '../support/log-reading.ts';
import { VaultApi } from '../support/vault-api.ts';
import type { Finished } from '../support/vsync-process.ts';
import { type Scope, World } from '../support/world.ts';

/**
 * A secret that comes back: undeleted, written again, with its history or without. The cases share their cycles: each has a key of
 * its own, written and copied (as version 1 of the destination); then `first` is done and copied, then `second`.
 */

interface Case {
  readonly name: string;
  /** Versions at the origin when the secret is copied first: their values are {n: 1}, {n: 2}, ... */
  readonly versions: number;
  readonly first: (path: string) => Promise<unknown>;
  readonly second?: (path: string) => Promise<unknown>;
  /** What is done for it at the destination in the two cycles. */
  readonly events: readonly [string | undefined, string | undefined];
  readonly destination: { readonly data: unknown; readonly version: number };
}

describe.runIf(runRealServers)('recreate', () => {
  let world: World;
  let scope: Scope;
  let runs: readonly Finished[];

  const writeAnew = async (path: string, ...values: unknown[]) => {
    await world.origin.destroyMetadata(path);
    for (const value of values) await world.origin.put(path, value);
  };
  const softDelete = (path: string) => world.origin.softDelete(path);

  const cases: readonly Case[] = [
    {
      name: 'metadata deleted and written anew: the same version at a later time is an update',
      versions: 1,
      first: (path) => writeAnew(path, { n: 'anew' }),
      events: ['path.update', undefined],
      destination: { data: { n: 'anew' }, version: 2 },
    },
    {
      name: 'metadata deleted and written anew to a lower version: an update too',
      versions: 3,
      first: (path) => writeAnew(path, { n: 'anew' }, { n: 'anew, again' }),
      events: ['path.update', undefined],
      destination: { data: { n: 'anew, again' }, version: 2 },
    },
    {
      name: 'metadata deleted and written anew with the value it had: recorded, no new version (R6)',
      versions: 2,
      first: (path) => writeAnew(path, { n: 2 }),
      events: ['path.update', undefined],
      destination: { data: { n: 2 }, version: 1 },
    },
    {
      name: 'metadata deleted, that copied, then written anew',
      versions: 2,
      first: (path) => world.origin.destroyMetadata(path),
      second: (path) => world.origin.put(path, { n: 'anew' }),
      events: ['path.delete', 'path.add'],
      destination: { data: { n: 'anew' }, version: 2 },
    },
    {
      name: 'undeleted: comes back over the soft-deleted key of the destination as its next version',
      versions: 2,
      first: softDelete,
      second: (path) => world.origin.undelete(path, [2]),
      events: ['path.delete', 'path.add'],
      destination: { data: { n: 2 }, version: 2 },
    },
    {
      name: 'deleted and written again',
      versions: 2,
      first: softDelete,
      second: (path) => world.origin.put(path, { n: 3 }),
      events: ['path.delete', 'path.add'],
      destination: { data: { n: 3 }, version: 2 },
    },
    {
      name: 'undeleted, and the version at the destination was destroyed',
      versions: 1,
      first: softDelete,
      second: async (path) => {
        await world.destination.destroy(path, [1]);
        await world.origin.undelete(path, [1]);
      },
      events: ['path.delete', 'path.add'],
      destination: { data: { n: 1 }, version: 2 },
    },
    {
      name: 'undeleted, and all metadata at the destination was deleted: version 1 again',
      versions: 1,
      first: softDelete,
      second: async (path) => {
        await world.destination.destroyMetadata(path);
        await world.origin.undelete(path, [1]);
      },
      events: ['path.delete', 'path.add'],
      destination: { data: { n: 1 }, version: 1 },
    },
    {
      name: 'undeleted at both ends: recorded, no new version (R6)',
      versions: 1,
      first: softDelete,
      second: async (path) => {
        await world.destination.undelete(path, [1]);
        await world.origin.undelete(path, [1]);
      },
      events: ['path.delete', 'path.add'],
      destination: { data: { n: 1 }, version: 1 },
    },
    {
      name: 'undeleted before the delete was published: nothing happens',
      versions: 1,
      first: async (path) => {
        await world.origin.softDelete(path);
        await world.origin.undelete(path, [1]);
      },
      events: [undefined, undefined],
      destination: { data: { n: 1 }, version: 1 },
    },
  ];
  const pathOf = (index: number) => scope.path(`case ${index}`);

  beforeAll(async () => {
    world = await World.start();
    scope = await world.scope();
    const sync = async () => {
      await scope.originOnce();
      return scope.destinationOnce({ top: { guards: { enabled: false } } });
    };
    for (const [index, { versions }] of cases.entries())
      for (let n = 1; n <= versions; n += 1) await world.origin.put(pathOf(index), { n });
    await sync();
    for (const [index, { first }] of cases.entries()) await first(pathOf(index));
    const afterFirst = await sync();
    for (const [index, { second }] of cases.entries()) await second?.(pathOf(index));
    runs = [afterFirst, await sync()];
  });
  afterAll(() => world?.stop());

  it.each(cases.map((each, index) => ({ ...each, index })))(
    '$name',
    async ({ index, events, destination }) => {
      const path = pathOf(index);
      const seen = runs.map(({ log }) => log.find((entry) => entry.path === path)?.event);
      expect(seen).toEqual(events);
      expect(await world.destination.get(path)).toEqual(destination);
    },
  );

  it('none of them was taken for a write of somebody else', () => {
    expect(runs.flatMap((run) => errorIds(run))).toEqual([]);
  });

  it('afterwards both are in sync', async () => {
    expect(cycleEnd(await scope.sync()).result).toBe('noop');
    expect(await world.destination.values(scope.mount)).toEqual(await world.origin.values(scope.mount));
  });

  it('a mount made anew at the origin: its secrets are updated where they differ', async () => {
    const other = await world.scope();
    await world.origin.put(other.path('a'), { n: 1 });
    await world.origin.put(other.path('b'), { n: 1 });
    await other.sync();
    await world.origin.unmount(other.mount);
    await world.origin.mount(other.mount);
    await world.origin.put(other.path('a'), { n: 'other' });
    await world.origin.put(other.path('b'), { n: 1 });
    await other.sync();
    expect(await world.destination.all(other.mount)).toEqual(
      new Map([
        [other.path('a'), { data: { n: 'other' }, version: 2 }],
        [other.path('b'), { data: { n: 1 }, version: 1 }],
      ]),
    );
  });

  it('an origin restored from a snapshot: a lower version with an older time is repaired (defect B4)', async () => {
    const restored = await world.scope();
    // A Vault that has what the origin had at the time of the snapshot.
    const server = await startVault();
    const snapshot = new VaultApi(server.address, server.rootToken);
    try {
      await snapshot.mount(restored.mount);
      for (const vault of [snapshot, world.origin])
        for (const key of ['a', 'b']) await vault.put(restored.path(key), { n: 1 });
      await world.origin.put(restored.path('a'), { n: 2 });
      await world.origin.put(restored.path('c'), { n: 2 });
      await restored.sync();
      const vault = { address: server.address, token: server.rootToken };
      await restored.originOnce({ block: { vault } });
      const run = await restored.destinationOnce({ top: { origin: restored.originBlock({ vault }) } });
      expect(countsOf(run)).toEqual({ update: 1, recorded: 1, delete: 1 });
      expect(await world.destination.all(restored.mount)).toEqual(
        new Map([
          [restored.path('a'), { data: { n: 1 }, version: 2 }],
          [restored.path('b'), { data: { n: 1 }, version: 1 }],
        ]),
      );
    } finally {
      await server.stop();
    }
  });
});
