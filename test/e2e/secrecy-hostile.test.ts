import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { Canaries } from '../support/canaries.ts';
import { EchoingServer, echoNames } from '../support/echoing-server.ts';
import { errorIds } from '../support/log-reading.ts';
import { type Finished, runVsync } from '../support/vsync-process.ts';
import { type Json, type Scope, World } from '../support/world.ts';

/**
 * R12 with servers that repeat in their failures what they were told and what was read: no credential, value or key name gets from there
 * into an error, a log, a status in Consul, or anything else.
 */
describe.runIf(runRealServers)('secrecy (R12) with servers that echo', () => {
  const canaries = new Canaries();
  let world: World;
  let proxies: Readonly<Record<'origin' | 'destination' | 'consul', EchoingServer>>;
  beforeAll(async () => {
    world = await World.start();
    proxies = {
      origin: await EchoingServer.start(world.origin.address),
      destination: await EchoingServer.start(world.destination.address),
      consul: await EchoingServer.start(world.consul.address),
    };
  });
  afterAll(async () => {
    await Promise.all(Object.values(proxies ?? {}).map((proxy) => proxy.stop()));
    await world?.stop();
  });

  const loud = { DEBUG: '*', NODE_DEBUG: '*', NODE_OPTIONS: '--trace-uncaught --trace-warnings' };

  /** A pair whose every server is behind a proxy; the origin's Vault is logged in to by AppRole. */
  async function pair(): Promise<{ scope: Scope; file: string; origin: string }> {
    const scope = await world.scope();
    const { origin, destination } = world;
    const all = `path "${scope.mount}*" { capabilities = ["create","update","read","delete","list"] }`;
    const role = await origin.appRoleFor(`role-${scope.id}`, all);
    const token = await destination.tokenFor(`policy-${scope.id}`, all, { no_default_policy: false });
    canaries.add('role_id', role.role_id);
    canaries.add('secret_id', role.secret_id);
    canaries.add('token', token);
    const ofSide = (side: 'origin' | 'destination', vault: Json): Json => ({
      vault: { address: proxies[side].address, ...vault },
      consul: { address: proxies.consul.address, dc: 'dc1', token: canaries.make('Consul token') },
    });
    const top = { retry: { base: '1ms', max: '1ms', attempts: 2 }, log: { level: 'trace', type: 'json' } };
    const originBlock = scope.originBlock(ofSide('origin', { approle: role }));
    const destinationBlock = scope.destinationBlock(ofSide('destination', { token }));
    return {
      scope,
      file: await scope.config('pair', { ...top, origin: originBlock, destination: destinationBlock }),
      origin: await scope.config('origin', { ...top, origin: originBlock }),
    };
  }

  async function searched(args: readonly string[]): Promise<Finished> {
    const run = await runVsync(args, { env: loud, cwd: world.dir });
    expect(canaries.find(run.stdout + run.stderr), `vsync ${args.join(' ')}`).toEqual([]);
    for (const [key, { value }] of await world.consul.dump())
      expect(canaries.find(`${key}\n${value}`), key).toEqual([]);
    return run;
  }

  function quiet(): void {
    for (const proxy of Object.values(proxies)) {
      proxy.choose = () => undefined;
      proxy.echoed.clear();
    }
  }

  it.each(echoNames)('%s, to everything that one server is asked', async (name) => {
    const { file, origin } = await pair();
    for (const [at, args] of [
      ['origin', ['origin', '--once', '-c', origin]],
      ['destination', ['doctor', '--json', '-c', file]],
      ['consul', ['destination', '--once', '-c', file]],
    ] as const) {
      quiet();
      proxies[at].choose = () => name;
      const { code, stderr } = await searched(args);
      expect(code, `${at}: ${stderr.slice(-2_000)}`).not.toBe(0);
      expect(proxies[at].echoed.get(name)).toBeGreaterThan(0);
    }
    quiet();
  });

  it.each(echoNames)('%s, to what is asked for single secrets', async (name) => {
    const { scope, file } = await pair();
    for (const [key, times] of [
      ['short', 1],
      ['long', 3_000],
    ] as const) {
      const text = canaries.make(`${key} value`, { odd: true });
      // The long one comes in pieces over the wire.
      await world.origin.put(scope.path(key), {
        [canaries.make('name in a secret')]: `${text} `.repeat(times),
      });
    }
    await world.origin.put(scope.path('good'), { n: 1 });
    await scope.originOnce();
    for (const side of ['origin', 'destination'] as const) {
      quiet();
      proxies[side].choose = (request) => (/\/data\/(short|long)$/.test(request) ? name : undefined);
      const run = await searched(['destination', '--once', '-c', file]);
      expect(run.code, run.stderr.slice(-2_000)).not.toBe(0);
      expect(errorIds(run)).not.toEqual([]);
      expect(proxies[side].echoed.get(name)).toBeGreaterThan(0);
    }
    await searched(['check', '--deep', '--repair', '--json', '-c', file]);
    quiet();
    // And once all is well again, all of it comes through.
    expect((await searched(['destination', '--once', '-c', file])).code).toBe(0);
    expect(await world.destination.values(scope.mount)).toEqual(await world.origin.values(scope.mount));
  });
});
