import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RealVault, runRealServers, startVault } from '../servers/real-servers.ts';
import { countsOf, cycleEnd } from '../support/log-reading.ts';
import { VaultApi } from '../support/vault-api.ts';
import { type RunAs, type Scope, World } from '../support/world.ts';

/** One origin, two destinations with their own Vault and their own sync path. */
describe.runIf(runRealServers)('fan-out', () => {
  let world: World;
  let server: RealVault;
  let other: VaultApi;
  let scope: Scope;
  let there: RunAs;

  beforeAll(async () => {
    [world, server] = await Promise.all([World.start(), startVault()]);
    other = new VaultApi(server.address, server.rootToken);
    scope = await world.scope();
    await other.mount(scope.mount);
    there = {
      block: { vault: { address: other.address, token: other.token }, syncPath: `vsync-${scope.id}-there/` },
      top: { name: 'there' },
    };
    for (let i = 0; i < 10; i += 1) await world.origin.put(scope.path(`k${i}`), { i });
    await scope.originOnce();
  });
  afterAll(() => Promise.all([world?.stop(), server?.stop()]));

  it('each destination gets everything, whenever it comes', async () => {
    expect(countsOf(await scope.destinationOnce())).toEqual({ add: 10 });
    expect(await other.paths(scope.mount)).toEqual([]);
    expect(countsOf(await scope.destinationOnce(there))).toEqual({ add: 10 });
    for (const vault of [world.destination, other])
      expect(await vault.all(scope.mount)).toEqual(await world.origin.all(scope.mount));
  });

  it('one that falls behind catches up with all it missed, at its own pace', async () => {
    await world.origin.put(scope.path('k1'), { i: 'changed' });
    await scope.sync();
    await world.origin.softDelete(scope.path('k2'));
    await world.origin.put(scope.path('new'), {});
    await scope.sync();
    expect(countsOf(await scope.destinationOnce(there))).toEqual({ add: 1, update: 1, delete: 1 });
    for (const vault of [world.destination, other])
      expect(await vault.values(scope.mount)).toEqual(await world.origin.values(scope.mount));
    expect(await other.versionOf(scope.path('k1'))).toBe(2);
    for (const as of [{}, there]) expect(cycleEnd(await scope.destinationOnce(as)).result).toBe('noop');
  });

  it('each keeps its sync info and its status at its own sync path', async () => {
    const keys = [...(await world.consul.dump(`vsync-${scope.id}-there/`)).keys()];
    expect(keys.map((key) => key.slice(key.indexOf('/') + 1)).sort()).toEqual([
      'destination/0',
      'destination/index',
      'nodes/destination-there',
    ]);
    expect(await scope.status('destination')).toMatchObject({ name: 'destination', sync: 'InSync' });
  });

  it('both wake when the origin publishes, and one that fails does not hold up the other', async () => {
    const block = { tick: '1h' };
    const daemons = await Promise.all([
      scope.start('destination', { block }),
      scope.start('destination', { ...there, block: { ...there.block, ...block } }),
    ]);
    for (const daemon of daemons) await daemon.untilEntry(({ event }) => event === 'cycle.end');
    await other.unmount(scope.mount);
    await world.origin.put(scope.path('last'), { n: 1 });
    await scope.originOnce();
    await daemons[0]?.untilEntry(({ event, path }) => event === 'path.add' && path === scope.path('last'));
    for (const daemon of daemons) await daemon.stop();
    expect((await world.destination.get(scope.path('last')))?.data).toEqual({ n: 1 });
  });
});
