import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../servers/processes.ts';
import { runRealServers } from '../servers/real-servers.ts';
import { startInterceptingProxy } from '../support/intercepting-proxy.ts';
import type { LogEntry } from '../support/vsync-process.ts';
import { type Scope, World } from '../support/world.ts';

/** What starts the cycles of a daemon, and what keeps it up. */
describe.runIf(runRealServers)('daemons', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  const ended = (entry: LogEntry) => entry.event === 'cycle.end';
  const endedBy = (trigger: string) => (entry: LogEntry) => ended(entry) && entry.trigger === trigger;
  /** No cycle comes by itself within a test. */
  const rarely = { tick: '1h' };

  async function arrives(scope: Scope, key: string, value: unknown): Promise<void> {
    const there = async () => {
      const found = await world.destination.get(scope.path(key));
      return JSON.stringify(found?.data) === JSON.stringify(value);
    };
    await waitFor(there, 30_000);
  }

  it('tick: what changes at the origin arrives, with no command given', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 1 });
    const origin = await scope.start('origin', { block: { tick: '300ms' } });
    // The watch is off, so that it is the tick that does it.
    const destination = await scope.start('destination', { block: { tick: '300ms', watch: false } });
    await arrives(scope, 'a', { n: 1 });
    await world.origin.put(scope.path('a'), { n: 2 });
    await arrives(scope, 'a', { n: 2 });
    await world.origin.put(scope.path('b'), {});
    await arrives(scope, 'b', {});
    await world.origin.softDelete(scope.path('a'));
    await waitFor(async () => (await world.destination.get(scope.path('a'))) === undefined);
    for (const daemon of [origin, destination]) {
      expect(daemon.log.filter(ended)[0]?.trigger).toBe('startup');
      expect(daemon.log.some(endedBy('tick'))).toBe(true);
      expect((await daemon.stop()).code).toBe(0);
    }
  });

  it('watch: the destination wakes when the origin publishes, whenever that is for the first time', async () => {
    const scope = await world.scope();
    const daemon = await scope.start('destination', { block: rarely });
    const first = await daemon.untilEntry(ended);
    expect(first['error.id']).toBe('ORIGIN_INFO_MISSING');
    await world.origin.put(scope.path('a'), { n: 1 });
    await scope.originOnce();
    await arrives(scope, 'a', { n: 1 });
    await world.origin.put(scope.path('a'), { n: 2 });
    await scope.originOnce();
    await daemon.untilEntry((entry) => endedBy('watch')(entry) && entry.update === 1);
    const woken = () => daemon.log.filter(endedBy('watch')).length;
    const before = woken();
    // Nothing is published that was there already, so nobody is woken by it.
    await scope.originOnce();
    await world.origin.put(scope.path('b'), {});
    await scope.originOnce();
    await daemon.untilEntry((entry) => endedBy('watch')(entry) && entry.add === 1 && entry.paths === 2);
    expect(woken()).toBe(before + 1);
    expect((await daemon.stop()).code).toBe(0);
  });

  it('cron: a six-field expression in a time zone', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 1 });
    const daemon = await scope.start('origin', {
      args: ['--cron', '*/1 * * * * *', '--timezone', 'Europe/Berlin'],
    });
    await daemon.untilEntry(endedBy('startup'));
    await world.origin.put(scope.path('b'), {});
    await daemon.untilEntry((entry) => endedBy('cron')(entry) && entry.paths === 2);
    expect((await daemon.stop()).code).toBe(0);
  });

  it('runOnStart false: the first cycle waits for its time', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 1 });
    const daemon = await scope.start('origin', { block: { cron: '* * * * * *', runOnStart: false } });
    expect((await daemon.untilEntry(ended)).trigger).toBe('cron');
    await daemon.stop();
  });

  it('SIGUSR2 runs a cycle now', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 1 });
    const origin = await scope.start('origin', { block: rarely });
    await origin.untilEntry(ended);
    await world.origin.put(scope.path('b'), {});
    origin.kill('SIGUSR2');
    expect(await origin.untilEntry(endedBy('manual'))).toMatchObject({ result: 'success', paths: 2 });
    const destination = await scope.start('destination', { block: { ...rarely, watch: false } });
    await destination.untilEntry(ended);
    destination.kill('SIGUSR2');
    expect(await destination.untilEntry(endedBy('manual'))).toMatchObject({ result: 'noop' });
    await origin.stop();
    await destination.stop();
  });

  it('an idle pair reads the index and nothing more, and writes its status only (R11)', async () => {
    const scope = await world.scope();
    for (let i = 0; i < 20; i += 1) await world.origin.put(scope.path(`k${i}`), { i });
    await scope.sync();
    const consul = await startInterceptingProxy(world.consul.address);
    const vault = await startInterceptingProxy(world.destination.address);
    const daemon = await scope.start('destination', {
      block: {
        tick: '200ms',
        watch: false,
        consul: { address: consul.address },
        vault: { address: vault.address, token: world.destination.token },
      },
      top: { origin: scope.originBlock({ consul: { address: consul.address } }) },
    });
    await daemon.untilEntry(endedBy('startup'));
    const [asked, askedVault] = [consul.requests.length, vault.requests.length];
    for (let cycles = 0; cycles < 3; cycles += 1) await daemon.untilEntry(endedBy('tick'), daemon.log.length);
    await daemon.stop();
    const keys = consul.requests.slice(asked).map((line) => line.replace(`/v1/kv/${scope.syncPath}`, ''));
    // Two a cycle: the origin's index, and a transaction that reads its own index and writes its status.
    expect([...new Set(keys)].sort()).toEqual(['GET origin/index', 'PUT /v1/txn']);
    expect(vault.requests.slice(askedVault)).toEqual([]);
    await consul.stop();
    await vault.stop();
  });

  it('what is left alone in each cycle is said once (R13)', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 1 });
    await world.destination.put(scope.path('a'), { n: 'by hand' });
    await scope.originOnce();
    const block = { onConflict: 'skip', tick: '200ms', watch: false };
    const daemon = await scope.start('destination', { block });
    for (let cycles = 0; cycles < 3; cycles += 1) await daemon.untilEntry(ended, daemon.log.length);
    const { log } = await daemon.stop();
    expect(log.filter(({ event }) => event === 'path.skip')).toHaveLength(1);
  });

  // They wait for something most of the time, so they do it together.
  describe.concurrent('through trouble', () => {
    it('an origin whose sync info is deleted or spoiled while it runs publishes it again', async () => {
      const scope = await world.scope();
      await world.origin.put(scope.path('a'), { n: 1 });
      const daemon = await scope.start('origin', { block: { tick: '200ms' } });
      await daemon.untilEntry(ended);
      const published = (await scope.syncInfo('origin')).get('0')?.value;
      await world.consul.delete(`${scope.syncPath}origin/`);
      await waitFor(async () => (await scope.syncInfo('origin')).get('0')?.value === published);
      await world.consul.put(`${scope.syncPath}origin/0`, '{}');
      await waitFor(async () => (await scope.syncInfo('origin')).get('0')?.value === published);
      expect((await daemon.stop()).code).toBe(0);
    });

    it('a daemon that cannot reach its servers yet waits for them; with startupTimeout it gives up with 69', async () => {
      const scope = await world.scope();
      const nobody = { vault: { address: 'http://127.0.0.1:1', token: 'any-token' } };
      const top = { retry: { base: '10ms' } };
      const waiting = await scope.start('origin', { block: nobody, top });
      await waiting.untilEntry((entry) => entry['error.id'] === 'VAULT_UNREACHABLE');
      expect((await waiting.stop()).code).toBe(0);
      const limited = await scope.start('origin', {
        block: nobody,
        top: { ...top, startupTimeout: '100ms' },
      });
      expect((await limited.finished).code).toBe(69);
    });

    it.each([
      {
        name: 'a 404 page of a load balancer without a backend',
        status: 404,
        body: '<html>404 page not found</html>',
      },
      { name: 'a login page', status: 200, body: '<html>please log in</html>' },
      { name: 'a sealed Vault', status: 503, body: '{"errors":["Vault is sealed"]}' },
    ])(
      '$name in place of Vault for a while: cycles fail, nothing is lost, the daemon goes on',
      async ({ status, body }) => {
        const scope = await world.scope();
        await world.origin.put(scope.path('a'), { n: 1 });
        const proxy = await startInterceptingProxy(world.origin.address);
        const daemon = await scope.start('origin', {
          block: {
            tick: '200ms',
            vault: { address: proxy.address, token: world.origin.token, maxRetries: 0 },
          },
        });
        await daemon.untilEntry(ended);
        const published = await scope.syncInfo('origin');
        proxy.intercept(() => ({ status, body }));
        await daemon.untilEntry(({ result }) => result === 'failed');
        const asked = proxy.requests.length;
        await waitFor(() => proxy.requests.length > asked + 2);
        expect(await scope.syncInfo('origin')).toEqual(published);
        await world.origin.put(scope.path('b'), {});
        proxy.intercept(() => undefined);
        await daemon.untilEntry((entry) => ended(entry) && entry.paths === 2);
        expect((await daemon.stop()).code).toBe(0);
        await proxy.stop();
      },
    );

    it('a token file that gets a new token while the old one is revoked: the daemon goes on', async () => {
      const scope = await world.scope();
      const rules = `path "${scope.mount}metadata/*" { capabilities = ["list","read"] }`;
      const file = join(world.dir, `${scope.id}-token`);
      const [first, second] = [
        await world.origin.tokenFor(`${scope.id}-file`, rules),
        await world.origin.tokenFor(`${scope.id}-file`, rules),
      ];
      await writeFile(file, first);
      await world.origin.put(scope.path('a'), { n: 1 });
      const vault = { address: world.origin.address, token_file: file };
      const daemon = await scope.start('origin', { block: { vault, tick: '200ms' } });
      await daemon.untilEntry(ended);
      await writeFile(file, second);
      await world.origin.call('POST', 'auth/token/revoke', { token: first });
      await world.origin.put(scope.path('b'), {});
      await daemon.untilEntry((entry) => ended(entry) && entry.paths === 2);
      expect((await daemon.stop()).code).toBe(0);
    });

    it('an AppRole token at the end of its lifetime is replaced by a new login (defect C6)', async () => {
      const scope = await world.scope();
      const rules = `path "${scope.mount}metadata/*" { capabilities = ["list","read"] }`;
      const approle = await world.origin.appRoleFor(`${scope.id}-short`, rules, {
        token_ttl: '6s',
        token_max_ttl: '6s',
      });
      await world.origin.put(scope.path('a'), { n: 1 });
      const vault = { address: world.origin.address, approle };
      const daemon = await scope.start('origin', { block: { vault, tick: '300ms' } });
      // The second one is after the end of the first token.
      for (let logins = 0; logins < 2; logins += 1)
        await daemon.untilEntry(({ event }) => event === 'token.replaced', daemon.log.length);
      await world.origin.put(scope.path('b'), {});
      await daemon.untilEntry((entry) => ended(entry) && entry.paths === 2);
      const { code, log } = await daemon.stop();
      expect(code).toBe(0);
      expect(log.filter(({ result }) => result === 'failed')).toEqual([]);
    });
  });
});
