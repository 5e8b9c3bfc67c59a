import { describe, expect } from 'vitest';
import { waitFor } from '../servers/processes.ts';
import { runRealServers, startStoredVault } from '../servers/real-servers.ts';
import { cycleEnd, errorIds } from '../support/log-reading.ts';
import type { RunningVsync } from '../support/vsync-process.ts';
import type { Json, Role } from '../support/world.ts';
import { answers, type FaultAction, type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { it, type Pair, type PairRun } from './pair.ts';
import { dataOf, metadataOf } from './requests.ts';

/** Servers that are gone, sealed, slow or busy: a daemon lives on and heals by itself, a one-shot says what it is (R1, R9). */
describe.runIf(runRealServers).concurrent('an outage', { timeout: 300_000 }, () => {
  type Server = 'originVault' | 'destinationVault' | 'originConsul' | 'destinationConsul';

  interface Outage {
    readonly server: Server;
    readonly what: string;
    /** `undefined`: connections are refused. */
    readonly action?: FaultAction;
    readonly id: string;
  }

  const refused = { what: 'refuses connections' } as const;
  const silent = { what: 'does not answer', action: { kind: 'blackHole' } } as const;
  const sealed = { what: 'is sealed', action: answers.sealed, id: 'VAULT_SEALED' } as const;
  const noLeader = { what: 'has no leader', action: answers.noLeader, id: 'CONSUL_UNAVAILABLE' } as const;
  const vault = { id: 'VAULT_UNREACHABLE' } as const;
  const consul = { id: 'CONSUL_UNREACHABLE' } as const;
  const outages: readonly Outage[] = [
    { server: 'originVault', ...refused, ...vault },
    { server: 'originVault', ...silent, ...vault },
    { server: 'originVault', ...sealed },
    { server: 'destinationVault', ...refused, ...vault },
    { server: 'destinationVault', ...silent, ...vault },
    { server: 'destinationVault', ...sealed },
    { server: 'originConsul', ...refused, ...consul },
    { server: 'originConsul', ...silent, ...consul },
    { server: 'originConsul', ...noLeader },
    { server: 'destinationConsul', ...refused, ...consul },
    { server: 'destinationConsul', ...silent, ...consul },
    { server: 'destinationConsul', ...noLeader },
  ];

  const impatient = { vault: { requestTimeout: '300ms' }, consul: { requestTimeout: '300ms' } };
  const as: PairRun = {
    block: impatient,
    origin: impatient,
    top: { retry: { base: '5ms', max: '50ms' } },
  };
  const daemon = (more: Json = {}): PairRun => ({ ...as, ...more, block: { ...impatient, tick: '150ms' } });

  async function begin(proxy: FaultProxy, { action }: Outage): Promise<void> {
    if (action === undefined) await proxy.down();
    else proxy.add({ path: /./, action });
  }

  async function end(proxy: FaultProxy, { action }: Outage): Promise<void> {
    if (action === undefined) await proxy.up();
    proxy.clear();
  }

  const roleOf = ({ server }: Outage): Role => (server.startsWith('origin') ? 'origin' : 'destination');
  const failed = (id: string) => (entry: Json) => entry.result === 'failed' && entry['error.id'] === id;

  async function expectHealed(pair: Pair, daemons: readonly RunningVsync[]): Promise<void> {
    await waitFor(async () => (await pair.versions()).b === 1 && (await pair.versions()).a === 2);
    for (const each of daemons) {
      await each.untilEntry(({ result }) => result === 'success' || result === 'noop', each.log.length);
      expect((await each.stop()).code).toBe(0);
    }
    await pair.expectCopied(['b'], ['a']);
    expect(await pair.versions()).toEqual({ a: 2, b: 1 });
    expect((await pair.info('destination')).index).toBe((await pair.info('origin')).index);
  }

  it.for(outages)(
    'R9: $server $what for a while: the daemons live on, nothing is lost, and it heals by itself',
    async (outage, { pair }) => {
      const proxy = pair[outage.server];
      await pair.fill(['a']);
      const daemons = [await pair.start('origin', daemon()), await pair.start('destination', daemon())];
      await waitFor(async () => (await pair.versions()).a === 1);
      const hit = daemons[roleOf(outage) === 'origin' ? 0 : 1] as RunningVsync;
      await begin(proxy, outage);
      await pair.change('a');
      await pair.fill(['b']);
      await hit.untilEntry(failed(outage.id));
      await end(proxy, outage);
      await expectHealed(pair, daemons);
    },
  );

  it.for(outages)(
    'R1: $server $what, and a one-shot: exit 69 with its error id, nothing is written',
    async (outage, { pair }) => {
      const role = roleOf(outage);
      await pair.fill(['a', 'b']);
      if (role === 'destination') await pair.originOnce();
      await begin(pair[outage.server], outage);
      const run = await pair.once(role, { ...as, code: 69 });
      await end(pair[outage.server], outage);
      expect(errorIds(run)).toEqual([outage.id]);
      expect([await pair.info(role), await pair.copied()]).toEqual([{}, {}]);
    },
  );

  it.for(['origin', 'destination'] as const)(
    'R9: the Vault of the %s is really sealed, and unsealed again: the daemons go on by themselves',
    async (side, { pair, onTestFinished }) => {
      const { world, scope } = pair;
      const stored = await startStoredVault();
      onTestFinished(() => stored.stop());
      const vault = { address: stored.address, token: stored.rootToken };
      const headers = { 'X-Vault-Token': stored.rootToken };
      const call = (method: string, path: string, body?: unknown) =>
        fetch(`${stored.address}/v1/${path}`, { method, headers, body: JSON.stringify(body) });
      const mount = scope.mount.slice(0, -1);
      await call('POST', `sys/mounts/${mount}`, { type: 'kv', options: { version: '2' } });
      await waitFor(async () => (await call('GET', `${mount}/config`)).ok);
      const put = async (key: string, n: number) => {
        if (side === 'destination') await world.origin.put(scope.path(key), { n });
        else await call('POST', `${mount}/data/${key}`, { data: { n } });
      };
      const copied = async (key: string) => {
        if (side === 'origin') return (await world.destination.get(scope.path(key)))?.data;
        const answer = await call('GET', `${mount}/data/${key}`);
        return answer.ok ? ((await answer.json()) as { data: { data: unknown } }).data.data : undefined;
      };
      const is = (key: string, n: number) => async () =>
        JSON.stringify(await copied(key)) === JSON.stringify({ n });

      await put('a', 1);
      const block = { ...impatient, tick: '150ms' };
      const atOrigin = side === 'origin' ? { vault } : {};
      const origin = await pair.start('origin', { ...as, block: { ...block, ...atOrigin } });
      const destination = await pair.start('destination', {
        ...as,
        origin: { ...impatient, ...atOrigin },
        block: { ...block, ...(side === 'destination' && { vault }) },
      });
      await waitFor(is('a', 1));
      await stored.seal();
      if (side === 'destination') await put('a', 2);
      const hit = side === 'origin' ? origin : destination;
      await hit.untilEntry(failed('VAULT_SEALED'));
      await stored.unseal();
      await waitFor(async () => (await call('GET', 'sys/health')).ok);
      await put('a', 3);
      await put('b', 1);
      await waitFor(is('a', 3));
      await waitFor(is('b', 1));
      for (const each of [origin, destination]) expect((await each.stop()).code).toBe(0);
    },
  );

  describe.concurrent('that is a limit of the rate', () => {
    const patient = { top: { retry: { base: '1ms', max: '10s' } } };
    /** Date headers have whole seconds. */
    const inTwoSeconds = () => new Date(Math.ceil(Date.now() / 1000) * 1000 + 2000).toUTCString();

    it.for([
      { name: 'Retry-After in seconds', answer: () => answers.rateLimitedFor(1), atLeastMs: 1000 },
      {
        name: 'Retry-After as a date',
        answer: () => answers.rateLimitedFor(inTwoSeconds()),
        atLeastMs: 1000,
      },
      { name: 'no Retry-After', answer: () => answers.rateLimited, atLeastMs: 0 },
    ])('R8: a 429 to a write, with $name: it is made once, not before that', async (given, { pair }) => {
      await pair.fill(['a', 'b']);
      await pair.originOnce();
      let at = Number.NaN;
      const note = () => {
        at = performance.now();
      };
      const hit = pair.destinationVault.add({
        method: 'POST',
        path: dataOf('b'),
        times: 1,
        onHit: note,
        // Made when it is hit, for the sake of the date.
        get action() {
          return given.answer();
        },
      });
      expect(errorIds(await pair.destinationOnce(patient))).toEqual([]);
      expect(hit.hits()).toBe(1);
      const writes = pair.destinationVault.seen.filter(
        ({ method, path }) => method === 'POST' && dataOf('b').test(path),
      );
      expect(writes.map(({ status }) => status)).toEqual([429, 200]);
      expect((writes[1]?.at ?? 0) - at).toBeGreaterThanOrEqual(given.atLeastMs);
      await pair.expectCopied(['a', 'b']);
      expect(await pair.versions()).toEqual({ a: 1, b: 1 });
    });

    it('R4: a 429 each time is no reason to delete or to publish: a one-shot ends with 3', async ({
      pair,
    }) => {
      await pair.fill(['a', 'b']);
      await pair.sync();
      await pair.softDelete('b');
      await pair.originOnce();
      pair.originVault.add({ path: dataOf('b'), action: answers.rateLimited });
      const run = await pair.destinationOnce({ ...as, code: 3 });
      expect(errorIds(run)).toEqual(['RATE_LIMITED']);
      await pair.expectCopied(['a', 'b']);
    });
  });

  describe.concurrent('that is a standby', () => {
    /** A node that forwards nothing: it names the active one, and says what the cluster announces. */
    async function standby(pair: Pair, announced: string, to: string): Promise<FaultProxy> {
      const node = await startFaultProxy(pair.world.destination.address);
      const leader = JSON.stringify({ ha_enabled: true, is_self: false, leader_address: announced });
      node.add({ path: /^\/v1\/sys\/leader/, action: { kind: 'answer', status: 200, body: leader } });
      node.add({ path: /./, action: { kind: 'redirect', to } });
      return node;
    }

    it('R14: a 307 is followed to the announced leader, with method and body; nothing is written twice', async ({
      pair,
    }) => {
      const leader = pair.destinationVault;
      const node = await standby(pair, leader.address, leader.address);
      await pair.fill(['a', 'b']);
      await pair.originOnce();
      expect(errorIds(await pair.destinationOnce({ block: { vault: { address: node.address } } }))).toEqual(
        [],
      );
      await pair.expectCopied(['a', 'b']);
      expect(await pair.versions()).toEqual({ a: 1, b: 1 });
      expect(
        leader.requests.filter((line) => line.startsWith('POST') && line.includes('/data/')),
      ).toHaveLength(2);
      await node.close();
    });

    it('R12: a 307 to anyone else is not followed: no token goes there, exit 69', async ({ pair }) => {
      const stranger = await startFaultProxy(pair.world.destination.address);
      const node = await standby(pair, pair.destinationVault.address, stranger.address);
      await pair.fill(['a']);
      await pair.originOnce();
      const run = await pair.destinationOnce({ block: { vault: { address: node.address } }, code: 69 });
      expect(errorIds(run)).toEqual(['VAULT_REDIRECT']);
      expect(stranger.requests).toEqual([]);
      expect(await pair.copied()).toEqual({});
      await node.close();
      await stranger.close();
    });
  });

  describe.concurrent('that is slowness', () => {
    const soon = { block: { vault: { requestTimeout: '400ms' }, consul: { requestTimeout: '400ms' } } };

    it('R8: writes that the server does only after the time limit: made once, whichever comes first', async ({
      pair,
    }) => {
      await pair.fill(['a', 'b']);
      await pair.sync();
      await pair.change('b');
      await pair.fill(['c']);
      await pair.originOnce();
      let arrived = 0;
      pair.destinationVault.onReply(({ method, path }) => {
        if (method === 'POST' && dataOf().test(path)) arrived += 1;
      });
      const late = { kind: 'late', ms: 700 } as const;
      const hits = ['b', 'c'].map((key) =>
        pair.destinationVault.add({ method: 'POST', path: dataOf(key), times: 1, action: late }),
      );
      expect(errorIds(await pair.destinationOnce(soon))).toEqual([]);
      expect(hits.map(({ hits: of }) => of())).toEqual([1, 1]);
      // Each of them reaches the server twice.
      await waitFor(() => arrived === 4);
      await pair.expectCopied(['a', 'c'], ['b']);
      expect(await pair.versions()).toEqual({ a: 1, b: 2, c: 1 });
      expect(cycleEnd(await pair.destinationOnce()).result).toBe('noop');
    });

    it('R2: answers that are slow but within the time limit fail nothing', async ({ pair }) => {
      await pair.fill(['a', 'b', 'c']);
      for (const proxy of pair.proxies) proxy.add({ path: /./, action: { kind: 'delay', ms: 100 } });
      expect(errorIds(await pair.originOnce())).toEqual([]);
      expect(errorIds(await pair.destinationOnce())).toEqual([]);
      await pair.expectCopied(['a', 'b', 'c']);
      expect(pair.originVault.seen.some(({ path }) => metadataOf('c').test(path))).toBe(true);
    });
  });
});
