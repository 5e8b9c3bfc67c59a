import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../servers/processes.ts';
import { runRealServers } from '../servers/real-servers.ts';
import { startInterceptingProxy } from '../support/intercepting-proxy.ts';
import { errorIds } from '../support/log-reading.ts';
import { type LogEntry, type RunningVsync, startVsync } from '../support/vsync-process.ts';
import { type Json, type Role, type Scope, World } from '../support/world.ts';
import { authority, hasOpenssl, type KeyPair } from '../vault/certificates.ts';

/** SIGHUP: the configuration is read anew and takes over between two cycles if it is good; else the one in use stays. */
describe.runIf(runRealServers)('SIGHUP', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  const ended = (entry: LogEntry) => entry.event === 'cycle.end';
  const reloaded = (entry: LogEntry) => entry.event === 'config.reload';
  const refused = (entry: LogEntry) => entry.event === 'config.reload_failed';

  interface Reloadable {
    readonly daemon: RunningVsync;
    /** Writes the file anew, sends SIGHUP and waits for what becomes of it. */
    readonly change: (becomes: (entry: LogEntry) => boolean, block: Json, top?: Json) => Promise<LogEntry>;
  }

  async function start(scope: Scope, role: Role, block: Json, top: Json = {}): Promise<Reloadable> {
    const content = (own: Json, more: Json) =>
      role === 'origin' ? scope.originConfig(own, more) : scope.destinationConfig(own, more);
    const file = await content(block, top);
    const daemon = startVsync([role, '--config', file, '--log.type', 'json']);
    await daemon.untilEntry(ended);
    return {
      daemon,
      change: async (becomes, own, more = {}) => {
        await writeFile(file, await readFile(await content(own, more)));
        const after = daemon.log.length;
        daemon.kill('SIGHUP');
        return daemon.untilEntry(becomes, after);
      },
    };
  }

  it('an origin: another mount is published, another tick counts, and nothing is started anew', async () => {
    const scope = await world.scope(['one/', 'two/']);
    const [one, two] = scope.mounts as [string, string];
    for (const mount of [one, two]) await world.origin.put(`${mount}data/a`, {});
    const { daemon, change } = await start(scope, 'origin', { mounts: [one], tick: '1h' });
    await change(reloaded, { mounts: [one, two], tick: '200ms' });
    await daemon.untilEntry((entry) => ended(entry) && entry.paths === 2);
    await daemon.untilEntry((entry) => ended(entry) && entry.trigger === 'tick');
    expect((await daemon.stop()).code).toBe(0);
    expect(daemon.log.filter(({ message }) => message.startsWith('vsync '))).toHaveLength(1);
  });

  it('a destination: other transforms, and the watch goes on', async () => {
    const scope = await world.scope(['from/', 'to/']);
    const [from, to] = scope.mounts as [string, string];
    const origin = { mounts: [from] };
    await world.origin.put(`${from}data/a`, { n: 1 });
    await scope.originOnce({ block: origin });
    const top = { origin: scope.originBlock(origin) };
    const { daemon, change } = await start(scope, 'destination', { mounts: [from], tick: '1h' }, top);
    const transforms = [{ name: 'move', from: `${from}data/(?P<key>.*)`, to: `${to}data/key` }];
    await change(reloaded, { mounts: [to], tick: '1h', transforms }, top);
    await world.origin.put(`${from}data/b`, { n: 2 });
    await scope.originOnce({ block: origin });
    await daemon.untilEntry((entry) => entry.event === 'path.add' && entry.path === `${from}data/b`);
    expect((await daemon.stop()).code).toBe(0);
    expect(await world.destination.values(to)).toEqual({ [`${to}data/b`]: { n: 2 } });
  });

  it.each<{ name: string; block: (scope: Scope) => Json; id: string; says: RegExp }>([
    {
      name: 'a value that is none',
      block: () => ({ tick: '10' }),
      id: 'CONFIG_BAD_VALUE',
      says: /origin\.tick/,
    },
    { name: 'no mounts', block: () => ({ mounts: [] }), id: 'CONFIG_BAD_VALUE', says: /origin\.mounts/ },
    {
      name: 'a mount that is not there',
      block: () => ({ mounts: ['nowhere/'] }),
      id: 'MOUNT_MISSING',
      says: /nowhere/,
    },
    {
      name: 'a token that is not accepted',
      block: () => ({ vault: { address: world.origin.address, token: 'hvs.none' } }),
      id: 'TOKEN_EXPIRED',
      says: /not accepted/,
    },
    {
      name: 'another Vault',
      block: () => ({ vault: { address: world.destination.address, token: world.destination.token } }),
      id: 'CONFIG_CONFLICT',
      says: /^origin\.vault\.address changed: that needs a restart$/,
    },
    {
      name: 'another sync path and Consul',
      block: () => ({ syncPath: 'elsewhere/', consul: { address: 'http://127.0.0.1:1' } }),
      id: 'CONFIG_CONFLICT',
      says: /^origin\.consul\.address, origin\.syncPath changed/,
    },
  ])('$name: refused, and the daemon goes on as it was', async ({ block, id, says }) => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), {});
    const good = { tick: '200ms' };
    const { daemon, change } = await start(scope, 'origin', good);
    const entry = await change(refused, { ...good, ...block(scope) });
    expect(entry).toMatchObject({ level: 'error', 'error.id': id });
    const texts = daemon.log
      .filter(({ level }) => level === 'error')
      .map((each) => `${each.message}\n${each.error}`);
    expect(
      texts
        .join('\n')
        .split('\n')
        .some((line) => says.test(line)),
      texts.join('\n'),
    ).toBe(true);
    await world.origin.put(scope.path('b'), {});
    await daemon.untilEntry((each) => ended(each) && each.paths === 2);
    // And a good one is taken up afterwards.
    await change(reloaded, { ...good, numWorkers: 2 });
    await daemon.untilEntry(ended, daemon.log.length);
    expect((await daemon.stop()).code).toBe(0);
    expect(await world.consul.dump('elsewhere/')).toEqual(new Map());
  });

  it('another token in the configuration, while the old one is revoked', async () => {
    const scope = await world.scope();
    const rules = `path "${scope.mount}metadata/*" { capabilities = ["list","read"] }`;
    const login = async (name: string) => ({
      address: world.origin.address,
      token: await world.origin.tokenFor(`${scope.id}-${name}`, rules),
    });
    const [first, second] = [await login('first'), await login('second')];
    await world.origin.put(scope.path('a'), {});
    const { daemon, change } = await start(scope, 'origin', { vault: first, tick: '1h' });
    await change(reloaded, { vault: second, tick: '1h' });
    await daemon.untilEntry(
      (entry) => ended(entry) && entry.trigger === 'startup',
      daemon.log.findIndex(reloaded),
    );
    await world.origin.call('POST', 'auth/token/revoke', { token: first.token });
    await world.origin.put(scope.path('b'), {});
    daemon.kill('SIGUSR2');
    expect(await daemon.untilEntry((entry) => ended(entry) && entry.paths === 2)).toMatchObject({
      result: 'success',
    });
    const { code, stderr } = await daemon.stop();
    expect(code).toBe(0);
    expect(stderr).not.toContain(second.token);
  });

  it.runIf(hasOpenssl)('files of TLS are read again: another authority', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), {});
    const authorities = [authority('first'), authority('second')] as const;
    const [first, second] = authorities.map((ca) => ca.issue('vault', 'IP:127.0.0.1')) as [KeyPair, KeyPair];
    const proxy = await startInterceptingProxy(world.origin.address);
    const front = createServer(first, (incoming, outgoing) => {
      const { method, url, headers } = incoming;
      const onward = request(`${proxy.address}${url}`, { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(onward);
    }).listen(0, '127.0.0.1');
    await once(front, 'listening');
    const file = join(world.dir, `${scope.id}-ca.pem`);
    await writeFile(file, authorities[0].cert);
    const vault = {
      address: `https://127.0.0.1:${(front.address() as AddressInfo).port}`,
      token: world.origin.token,
      tls: { ca_cert: file },
    };
    const block = { vault, tick: '200ms' };
    const { daemon, change } = await start(scope, 'origin', block);
    front.setSecureContext(second);
    front.closeAllConnections();
    await daemon.untilEntry((entry) => entry['error.id'] === 'VAULT_UNREACHABLE');
    // The new authority is not in the file yet.
    await change(refused, block);
    await writeFile(file, authorities[1].cert);
    await change(reloaded, block);
    await world.origin.put(scope.path('b'), {});
    await daemon.untilEntry((entry) => ended(entry) && entry.paths === 2);
    expect((await daemon.stop()).code).toBe(0);
    front.closeAllConnections();
    front.close();
    await proxy.stop();
    for (const ca of authorities) ca.close();
  });

  it('in the middle of a cycle: that one ends first, as it was begun', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), {});
    const proxy = await startInterceptingProxy(world.origin.address);
    const vault = { address: proxy.address, token: world.origin.token, requestTimeout: '2s' };
    const { daemon, change } = await start(scope, 'origin', { vault, tick: '1h' });
    let held = 0;
    proxy.intercept((request) => {
      if (!request.endsWith('/metadata/a') || held > 0) return undefined;
      held += 1;
      return 'hold';
    });
    daemon.kill('SIGUSR2');
    await waitFor(() => held > 0);
    await change(reloaded, { vault, tick: '2h' });
    const manual = daemon.log.findIndex((entry) => ended(entry) && entry.trigger === 'manual');
    expect(manual).toBeGreaterThan(0);
    expect(manual).toBeLessThan(daemon.log.findIndex(reloaded));
    expect(daemon.log[manual]).toMatchObject({ result: 'noop' });
    expect((await daemon.stop()).code).toBe(0);
    await proxy.stop();
  });

  it('again and again, and a signal to end while one is read: it ends as ever', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), {});
    const proxy = await startInterceptingProxy(world.origin.address);
    const vault = { address: proxy.address, token: world.origin.token };
    const { daemon, change } = await start(scope, 'origin', { vault, tick: '1h' });
    for (let times = 0; times < 10; times += 1) await change(reloaded, { vault, tick: `${times + 1}h` });
    for (let times = 0; times < 10; times += 1) daemon.kill('SIGHUP');
    await daemon.untilEntry(reloaded, daemon.log.length);
    proxy.intercept(() => 'hold');
    const asked = proxy.requests.length;
    daemon.kill('SIGHUP');
    await waitFor(() => proxy.requests.length > asked);
    const { code, log } = await daemon.stop();
    expect(code).toBe(0);
    expect(errorIds({ log })).toEqual([]);
    await proxy.stop();
  });

  it('before the first cycle: what could not be reached is, with the corrected configuration', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), {});
    const file = join(world.dir, `${scope.id}-token`);
    await writeFile(file, 'hvs.any');
    // Not there yet: a 503 is waited for, with pauses that grow.
    const proxy = await startInterceptingProxy(world.origin.address);
    proxy.intercept(() => ({ status: 503, body: '{"errors":["Vault is sealed"]}' }));
    const vault = { address: proxy.address, token_file: file, maxRetries: 0 };
    const config = await scope.originConfig({ vault, tick: '1h' }, { retry: { base: '1s', max: '2s' } });
    const daemon = startVsync(['origin', '--config', config, '--log.type', 'json']);
    await daemon.untilEntry((entry) => entry['error.id'] === 'VAULT_SEALED');
    daemon.kill('SIGHUP');
    await daemon.untilEntry(refused);
    await writeFile(file, world.origin.token);
    proxy.intercept(() => undefined);
    daemon.kill('SIGHUP');
    await daemon.untilEntry((entry) => ended(entry) && entry.result === 'success');
    expect((await daemon.stop()).code).toBe(0);
    await proxy.stop();
  });

  it('a one-shot takes no notice', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), {});
    const proxy = await startInterceptingProxy(world.origin.address);
    let held = false;
    proxy.intercept((request) => {
      if (held || !request.endsWith('/metadata/a')) return undefined;
      held = true;
      return 'hold';
    });
    const vault = { address: proxy.address, token: world.origin.token, requestTimeout: '2s' };
    const running = await scope.start('origin', { args: ['--once'], block: { vault } });
    await waitFor(() => held);
    running.kill('SIGHUP');
    expect((await running.finished).code).toBe(0);
    await proxy.stop();
  });
});
