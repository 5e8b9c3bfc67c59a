import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFaultProxy } from '../faults/fault-proxy.ts';
import { type RealVault, runRealServers, startVault } from '../servers/real-servers.ts';
import { VaultApi } from '../support/vault-api.ts';
import { runVsync, startVsync } from '../support/vsync-process.ts';
import { expectCode, type Scope, World } from '../support/world.ts';

/** Several destinations in one process, on real servers: each by itself, the origin read once for all of them. */
describe.runIf(runRealServers)('a list of destinations', () => {
  let world: World;
  let second: RealVault;
  let third: VaultApi;
  beforeAll(async () => {
    [world, second] = await Promise.all([World.start(), startVault()]);
    third = new VaultApi(second.address, second.rootToken);
  });
  afterAll(async () => {
    await Promise.all([world?.stop(), second?.stop()]);
  });

  const consul = () => ({ address: world.consul.address });
  const at = (name: string, vault: VaultApi, scope: Scope, more: Record<string, unknown> = {}) => ({
    name,
    vault: { address: vault.address, token: vault.token },
    syncPath: `${scope.id}-${name}/`,
    ...more,
  });

  async function filled(secrets: number): Promise<Scope> {
    const scope = await world.scope();
    await third.mount(scope.mount);
    for (let i = 0; i < secrets; i += 1) await world.origin.put(scope.path(`k${i}`), { i });
    await scope.originOnce();
    return scope;
  }

  it('is served by one process, and each secret is read once at the origin', async () => {
    const scope = await filled(40);
    const proxy = await startFaultProxy(world.origin.address);
    try {
      const file = await scope.config('fleet', {
        origin: { ...scope.originBlock(), vault: { address: proxy.address, token: world.origin.token } },
        destination: { consul: consul(), numWorkers: 4 },
        destinations: [at('two', world.destination, scope), at('three', third, scope)],
      });
      expectCode(await runVsync(['destination', '--config', file, '--once']), 0);
      const values = await world.origin.all(scope.mount);
      expect(await world.destination.all(scope.mount)).toEqual(values);
      expect(await third.all(scope.mount)).toEqual(values);
      const reads = proxy.requests.filter((request) => request.startsWith(`GET /v1/${scope.mount}data/`));
      expect(reads).toHaveLength(40);
    } finally {
      await proxy.close();
    }
  });

  it('is not held up by one that cannot be reached; the worst exit code counts', async () => {
    const scope = await filled(5);
    const file = await scope.config('fleet', {
      origin: scope.originBlock(),
      destination: { consul: consul() },
      retry: { base: '10ms', max: '20ms' },
      destinations: [
        at('dead', new VaultApi('http://127.0.0.1:9', 'none'), scope),
        at('two', world.destination, scope),
      ],
    });
    expectCode(await runVsync(['destination', '--config', file, '--once']), 69);
    expect((await world.destination.all(scope.mount)).size).toBe(5);
  });

  it('as a daemon copies to all when the origin publishes, and ends with 0', async () => {
    const scope = await filled(3);
    const file = await scope.config('fleet', {
      origin: scope.originBlock(),
      destination: { consul: consul(), tick: '1h' },
      destinations: [at('two', world.destination, scope), at('three', third, scope)],
    });
    const daemon = startVsync(['destination', '--config', file]);
    await daemon.untilLogged(/completed sync cycle.*node=two/);
    await daemon.untilLogged(/completed sync cycle.*node=three/);
    await world.origin.put(scope.path('new'), { n: 1 });
    const before = daemon.stderr.length;
    await scope.originOnce();
    await daemon.untilLogged(/secret added.*node=two/, before);
    await daemon.untilLogged(/secret added.*node=three/, before);
    expectCode(await daemon.stop(), 0);
    expect(daemon.stderr).toMatch(/node=three/);
  });

  it('one of it is chosen with --node, where a command needs one', async () => {
    const scope = await filled(2);
    const file = await scope.config('fleet', {
      origin: scope.originBlock(),
      destination: { consul: consul() },
      destinations: [at('two', world.destination, scope), at('three', third, scope)],
    });
    const plan = await runVsync(['plan', '--config', file]);
    expect([plan.code, plan.stderr]).toEqual([64, expect.stringContaining('--node two')]);
    expectCode(await runVsync(['plan', '--config', file, '--node', 'three']), 0);
    expectCode(await runVsync(['destination', '--config', file, '--node', 'three', '--once']), 0);
    expect([(await world.destination.all(scope.mount)).size, (await third.all(scope.mount)).size]).toEqual([
      0, 2,
    ]);
    expectCode(await runVsync(['destination', '--config', file, '--node', 'nobody', '--once']), 64);
  });
});
