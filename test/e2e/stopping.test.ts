import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../servers/processes.ts';
import { runRealServers } from '../servers/real-servers.ts';
import { type InterceptingProxy, startInterceptingProxy } from '../support/intercepting-proxy.ts';
import { countsOf, cycleEnd, errorIds } from '../support/log-reading.ts';
import { type RunningVsync, runVsync, startVsync } from '../support/vsync-process.ts';
import { expectCode, type Role, type RunAs, type Scope, World } from '../support/world.ts';

/** Signals and time limits: what is under way is finished or dropped as a whole, and finished work is never lost. */
describe.runIf(runRealServers)('stopping', () => {
  let world: World;
  let silent: Server;
  beforeAll(async () => {
    world = await World.start();
    // Takes connections and never answers.
    silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
  });
  afterAll(async () => {
    await world?.stop();
    silent.close();
  });

  const ended = ({ event }: { event?: string }) => event === 'cycle.end';
  const silentVault = () => ({
    address: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    token: 'any-token',
  });

  /** Ends within seconds, long before `shutdownTimeout` (25 s). */
  async function endsSoon(process: RunningVsync): Promise<number | null> {
    const before = Date.now();
    const { code } = await process.finished;
    expect(Date.now() - before).toBeLessThan(10_000);
    return code;
  }

  it.each<{ role: Role; signal: NodeJS.Signals }>([
    { role: 'origin', signal: 'SIGTERM' },
    { role: 'origin', signal: 'SIGINT' },
    { role: 'destination', signal: 'SIGTERM' },
    { role: 'destination', signal: 'SIGINT' },
  ])('$signal ends an idle $role daemon with 0', async ({ role, signal }) => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), {});
    await scope.originOnce();
    const daemon = await scope.start(role, { block: { tick: '1h' } });
    await daemon.untilEntry(ended);
    daemon.kill(signal);
    expect(await endsSoon(daemon)).toBe(0);
  });

  it.each<{ name: string; role: Role; args: string[]; signal: NodeJS.Signals; code: number }>([
    { name: 'a one-shot origin', role: 'origin', args: ['--once'], signal: 'SIGINT', code: 130 },
    { name: 'a one-shot destination', role: 'destination', args: ['--once'], signal: 'SIGTERM', code: 143 },
    { name: 'a dry run', role: 'destination', args: ['--dry-run'], signal: 'SIGINT', code: 130 },
    { name: 'a daemon that starts', role: 'origin', args: [], signal: 'SIGTERM', code: 0 },
  ])('$signal ends $name that waits for a server with $code', async ({ role, args, signal, code }) => {
    const scope = await world.scope();
    const connected = once(silent, 'connection');
    const process = await scope.start(role, {
      args,
      block: { vault: silentVault() },
      top: role === 'destination' ? { origin: scope.originBlock({ vault: silentVault() }) } : {},
    });
    await connected;
    process.kill(signal);
    expect(await endsSoon(process)).toBe(code);
    expect(await world.consul.dump(scope.syncPath)).toEqual(new Map());
  });

  it('an origin in the middle of a scan: nothing is published', async () => {
    const scope = await world.scope();
    for (const key of ['a', 'b', 'c']) await world.origin.put(scope.path(key), {});
    await scope.originOnce();
    const before = await scope.syncInfo('origin');
    await world.origin.softDelete(scope.path('a'));
    const proxy = await startInterceptingProxy(world.origin.address);
    proxy.intercept((request) => (request.endsWith('/metadata/b') ? 'hold' : undefined));
    const vault = { address: proxy.address, token: world.origin.token };
    const process = await scope.start('origin', { args: ['--once'], block: { vault } });
    await waitFor(() => proxy.requests.some((request) => request.endsWith('/metadata/b')));
    process.kill('SIGTERM');
    expect(await endsSoon(process)).toBe(143);
    const { log } = await process.finished;
    // Stopping is no error.
    expect(log.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
    expect(cycleEnd({ log }).result).toBe('aborted');
    expect(await scope.syncInfo('origin')).toEqual(before);
    await proxy.stop();
  });

  /** A first copy of 20 secrets by one worker, whose write of `k10` does not come back; the ones before it are done. */
  async function stuckCopy(
    run: RunAs = {},
  ): Promise<{ scope: Scope; process: RunningVsync; proxy: InterceptingProxy }> {
    const scope = await world.scope();
    for (let i = 10; i < 30; i += 1) await world.origin.put(scope.path(`k${i}`), { i });
    await scope.originOnce();
    const proxy = await startInterceptingProxy(world.destination.address);
    let writes = 0;
    proxy.intercept((request) => {
      if (request.startsWith('POST') && request.includes(`${scope.mount}data/`)) writes += 1;
      return writes > 10 ? 'hold' : undefined;
    });
    const vault = { address: proxy.address, token: world.destination.token };
    const process = await scope.start('destination', { ...run, block: { vault, numWorkers: 1, tick: '1h' } });
    await waitFor(() => writes > 10);
    return { scope, process, proxy };
  }

  it('the second signal ends at once, in the middle of a write; the next run repeats no write', async () => {
    const { scope, process, proxy } = await stuckCopy({ args: ['--once'] });
    process.kill('SIGINT');
    await process.untilEntry(({ signal }) => signal === 'SIGINT');
    expect(process.child.exitCode).toBeNull();
    process.kill('SIGTERM');
    expect(await endsSoon(process)).toBe(130);
    await proxy.stop();
    expect(countsOf(await scope.destinationOnce())).toEqual({ add: 10, recorded: 10 });
    for (const path of await world.destination.paths(scope.mount))
      expect(await world.destination.versionOf(path), path).toBe(1);
  });

  it('shutdownTimeout: what does not end by then is given up', async () => {
    const { process, proxy } = await stuckCopy({ top: { shutdownTimeout: '200ms' } });
    process.kill('SIGTERM');
    expect(await endsSoon(process)).toBe(143);
    // The watchdog says what it was waiting for.
    const { log } = await process.finished;
    expect(errorIds({ log })).toEqual(['SHUTDOWN_TIMEOUT']);
    const end = log.find((entry) => entry['error.id'] === 'SHUTDOWN_TIMEOUT');
    expect(end?.['error.why']).toMatch(/still open: .*TCP/);
    await proxy.stop();
  });

  it.each([{ flags: [] }, { flags: ['--json'] }])(
    'shutdownTimeout of a command: it is ended, and says what it was waiting for, $flags',
    async ({ flags }) => {
      const scope = await world.scope();
      await world.origin.put(scope.path('a'), {});
      await scope.originOnce();
      const proxy = await startInterceptingProxy(world.destination.address);
      const vault = { address: proxy.address, token: world.destination.token };
      const file = await scope.destinationConfig({ vault }, { shutdownTimeout: '200ms' });
      const plan = join(world.dir, `${scope.id}-plan.json`);
      expectCode(await runVsync(['plan', '-c', file, '--out', plan]), 0);
      proxy.intercept((request) =>
        request.startsWith('POST') && request.includes('/data/') ? 'hold' : undefined,
      );
      const process = startVsync(['apply', plan, '-c', file, '--yes', ...flags]);
      await waitFor(() =>
        proxy.requests.some((request) => request.startsWith('POST') && request.includes('/data/')),
      );
      process.kill('SIGTERM');
      expect(await endsSoon(process)).toBe(143);
      const { stderr } = await process.finished;
      expect(stderr).toMatch(/not ended within 0\.2 s/);
      expect(stderr).toMatch(/still open: .*TCP/);
      expect(stderr).toContain('SHUTDOWN_TIMEOUT');
      await proxy.stop();
    },
  );

  it.each([
    { command: 'plan' },
    { command: 'check' },
    { command: 'check --deep' },
    { command: 'doctor' },
    { command: 'status' },
    { command: 'approve' },
    { command: 'sync-info show' },
    { command: 'sync-info verify' },
    { command: 'sync-info export' },
  ])('SIGINT ends vsync $command that waits for its servers', async ({ command }) => {
    const scope = await world.scope();
    const address = silentVault().address;
    const both = { vault: silentVault(), consul: { address } };
    const file = await scope.destinationConfig(both, { origin: scope.originBlock(both) });
    const connected = once(silent, 'connection');
    const process = startVsync([...command.split(' '), '-c', file]);
    await connected;
    process.kill('SIGINT');
    expect(await endsSoon(process)).toBe(130);
  });

  it('writes under way are finished and recorded when the first signal comes (R10)', async () => {
    const scope = await world.scope();
    const count = 400;
    const keys = Array.from({ length: count }, (_, i) => `k${i}`);
    await Promise.all(keys.map((key) => world.origin.put(scope.path(key), { key })));
    await scope.originOnce();
    const process = await scope.start('destination', {
      args: ['--once'],
      block: { numWorkers: 2, batchSize: 1000 },
    });
    await process.untilEntry(({ event }) => event === 'path.add');
    process.kill('SIGTERM');
    const { code, log } = await process.finished;
    const added = log.filter(({ event }) => event === 'path.add').length;
    expect(code).toBe(143);
    expect(added).toBeLessThan(count);
    expect(errorIds({ log })).toEqual([]);
    // All of it is recorded: nothing is left to be compared, and no secret is written twice.
    expect(countsOf(await scope.destinationOnce())).toEqual({ add: count - added });
    expect(await world.destination.all(scope.mount)).toEqual(await world.origin.all(scope.mount));
  });

  it('timeout of an origin: the cycle is dropped, nothing is published, exit 75', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), {});
    await scope.originOnce();
    const before = await scope.syncInfo('origin');
    await world.origin.put(scope.path('b'), {});
    const proxy = await startInterceptingProxy(world.origin.address);
    proxy.intercept((request) => (request.endsWith('/metadata/b') ? 'hold' : undefined));
    const vault = { address: proxy.address, token: world.origin.token };
    const run = await scope.originOnce({ block: { vault, timeout: '500ms' }, code: 75 });
    expect(errorIds(run)).toEqual(['CYCLE_TIMEOUT']);
    expect(cycleEnd(run).result).toBe('timeout');
    expect(await scope.syncInfo('origin')).toEqual(before);
    await proxy.stop();
  });

  it('timeout of a destination: what was copied is recorded, the next cycle goes on from there (R10, defect C2)', async () => {
    const scope = await world.scope();
    for (let i = 10; i < 30; i += 1) await world.origin.put(scope.path(`k${i}`), { i });
    await scope.originOnce();
    const proxy = await startInterceptingProxy(world.origin.address);
    let reads = 0;
    proxy.intercept((request) => {
      if (request.includes(`${scope.mount}data/k`)) reads += 1;
      return reads > 12 ? 'hold' : undefined;
    });
    const vault = { address: proxy.address, token: world.origin.token };
    const run = await scope.destinationOnce({
      block: { numWorkers: 1, timeout: '2s' },
      top: { origin: scope.originBlock({ vault }) },
      code: 75,
    });
    expect(errorIds(run)).toEqual(['CYCLE_TIMEOUT']);
    expect(countsOf(run)).toEqual({ add: 12 });
    expect(countsOf(await scope.destinationOnce())).toEqual({ add: 8 });
    await proxy.stop();
  });
});
