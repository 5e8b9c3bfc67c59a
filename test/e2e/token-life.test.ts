import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { startInterceptingProxy } from '../support/intercepting-proxy.ts';
import { cycleEnd, errorIds, pathsOf } from '../support/log-reading.ts';
import type { VaultApi } from '../support/vault-api.ts';
import type { LogEntry, RunningVsync } from '../support/vsync-process.ts';
import { type Json, type Scope, World } from '../support/world.ts';

/** Tokens that live for seconds, and what becomes of processes and data when they end. Most of it is waiting, so it is done together. */
describe.runIf(runRealServers)('the life of tokens', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
    // Once for all: tests that run together would mount the method twice.
    for (const vault of [world.origin, world.destination])
      await vault.appRoleFor('any', 'path "none/*" { capabilities = ["read"] }');
  });
  afterAll(() => world?.stop());

  const ended = (entry: LogEntry) => entry.event === 'cycle.end';
  const succeeded = (entry: LogEntry) =>
    ended(entry) && (entry.result === 'success' || entry.result === 'noop');
  const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1000));

  const scans = (mount: string) => `path "${mount}metadata/*" { capabilities = ["list","read"] }`;
  const reads = (mount: string) => `path "${mount}data/*" { capabilities = ["read"] }`;
  const writes = (mount: string) =>
    `path "${mount}data/*" { capabilities = ["create","update","read","delete"] }`;

  let made = 0;
  const policyName = (scope: Scope) => {
    made += 1;
    return `${scope.id}-life-${made}`;
  };
  /** A token with the `default` policy, so that it may look itself up and renew itself. */
  const token = (vault: VaultApi, scope: Scope, rules: string, options: Json) =>
    vault.tokenFor(policyName(scope), rules, options);
  const appRole = (vault: VaultApi, scope: Scope, rules: string, options: Json) =>
    vault.appRoleFor(policyName(scope), rules, options);

  /** What the log holds that is neither progress nor good news. */
  const troubles = ({ log }: RunningVsync) =>
    log
      .filter(({ level }) => level === 'warn' || level === 'error')
      .map(({ message, error }) => `${message}: ${error}`);

  describe.concurrent('kept', () => {
    it.each<{ name: string; options: Json; event: string; login: 'token' | 'approle' }>([
      { name: 'a renewable token', login: 'token', options: { ttl: '6s' }, event: 'token.renewed' },
      { name: 'a periodic token', login: 'token', options: { period: '6s' }, event: 'token.renewed' },
      {
        name: 'an orphan with a long maximum',
        login: 'token',
        options: { ttl: '6s', explicit_max_ttl: '1h', no_parent: true },
        event: 'token.renewed',
      },
      {
        name: 'AppRole, renewed',
        login: 'approle',
        options: { token_ttl: '6s', token_max_ttl: '1h' },
        event: 'token.renewed',
      },
      {
        name: 'AppRole, periodic',
        login: 'approle',
        options: { token_period: '6s' },
        event: 'token.renewed',
      },
      {
        name: 'AppRole with a maximum of two lifetimes',
        login: 'approle',
        options: { token_ttl: '4s', token_max_ttl: '8s' },
        event: 'token.replaced',
      },
      {
        name: 'AppRole with batch tokens',
        login: 'approle',
        options: { token_type: 'batch', token_ttl: '6s', token_max_ttl: '12s' },
        event: 'token.replaced',
      },
    ])('$name: origin and destination work on after three lifetimes', async ({ login, options, event }) => {
      const scope = await world.scope();
      const { mount } = scope;
      const grant = async (vault: VaultApi, rules: string): Promise<Json> => ({
        vault: {
          address: vault.address,
          ...(login === 'token'
            ? { token: await token(vault, scope, rules, options) }
            : { approle: await appRole(vault, scope, rules, options) }),
        },
      });
      await world.origin.put(scope.path('before'), { n: 1 });
      const origin = await scope.start('origin', {
        block: { ...(await grant(world.origin, scans(mount))), tick: '300ms' },
      });
      const destination = await scope.start('destination', {
        block: { ...(await grant(world.destination, writes(mount))), tick: '1s' },
        top: { origin: scope.originBlock(await grant(world.origin, reads(mount))) },
      });
      await destination.untilEntry(({ event: happened }) => happened === 'path.add');
      await seconds(18.5);
      await world.origin.put(scope.path('after'), { n: 2 });
      await destination.untilEntry(({ path }) => path === scope.path('after'));
      for (const daemon of [origin, destination]) {
        const kept = daemon.log.filter((entry) => entry.event === event);
        expect(kept.length).toBeGreaterThanOrEqual(2);
        expect((await daemon.stop()).code).toBe(0);
      }
      // Not one request was refused because a token had ended. The destination may start before anything is published.
      expect(troubles(origin)).toEqual([]);
      expect(errorIds(destination).filter((id) => id !== 'ORIGIN_INFO_MISSING')).toEqual([]);
      expect(
        destination.log.filter(({ side, event: happened }) => side === 'origin' && happened === event),
      ).not.toEqual([]);
      expect(await world.destination.values(mount)).toEqual(await world.origin.values(mount));
    });

    it('AppRole, its token revoked again and again: the next request logs in anew, no cycle fails', async () => {
      const scope = await world.scope();
      const name = policyName(scope);
      const approle = await world.origin.appRoleFor(name, scans(scope.mount), { token_ttl: '1h' });
      await world.origin.put(scope.path('a'), { n: 1 });
      const daemon = await scope.start('origin', {
        block: { vault: { address: world.origin.address, approle }, tick: '200ms' },
      });
      await daemon.untilEntry(ended);
      for (let times = 1; times <= 2; times += 1) {
        // A token that was just looked up is trusted for five seconds.
        await seconds(5.2);
        expect(await revokeAll(world.origin, name)).toBeGreaterThan(0);
        await world.origin.put(scope.path(`after ${times}`), {});
        await daemon.untilEntry((entry) => ended(entry) && entry.paths === 1 + times);
      }
      expect((await daemon.stop()).code).toBe(0);
      expect(daemon.log.filter(({ result }) => result === 'failed')).toEqual([]);
    });

    it('a token file that is gone, empty, and there again; replaced by rename and through a link', async () => {
      const scope = await world.scope();
      const [file, next, link] = ['token', 'next', 'link'].map((name) =>
        join(world.dir, `${scope.id}-${name}`),
      ) as [string, string, string];
      const fresh = () => token(world.origin, scope, scans(scope.mount), { ttl: '1h' });
      const first = await fresh();
      await writeFile(file, first);
      await symlink(file, link);
      await world.origin.put(scope.path('a'), {});
      const daemon = await scope.start('origin', {
        block: { vault: { address: world.origin.address, token_file: link }, tick: '300ms' },
      });
      await daemon.untilEntry(ended);
      await rm(file);
      await seconds(5.5);
      await writeFile(file, '');
      await seconds(5.5);
      // As an agent writes it: beside, then renamed over.
      const second = await fresh();
      await writeFile(next, `${second}\n`);
      await rename(next, file);
      await world.origin.call('POST', 'auth/token/revoke', { token: first });
      await world.origin.put(scope.path('b'), {});
      await daemon.untilEntry((entry) => ended(entry) && entry.paths === 2);
      // As Kubernetes does it: the link points to another file.
      const third = await fresh();
      await writeFile(next, third);
      await rm(link);
      await symlink(next, link);
      await seconds(5.5);
      await world.origin.call('POST', 'auth/token/revoke', { token: second });
      await world.origin.put(scope.path('c'), {});
      await daemon.untilEntry((entry) => ended(entry) && entry.paths === 3);
      expect((await daemon.stop()).code).toBe(0);
      expect(daemon.log.filter(({ result }) => result === 'failed')).toEqual([]);
    });

    it('a token file whose token ends before another is there: nothing is published, and it goes on when one comes', async () => {
      const scope = await world.scope();
      const file = join(world.dir, `${scope.id}-token`);
      await writeFile(
        file,
        await token(world.origin, scope, scans(scope.mount), { ttl: '6s', renewable: false }),
      );
      await world.origin.put(scope.path('a'), {});
      const daemon = await scope.start('origin', {
        block: { vault: { address: world.origin.address, token_file: file }, tick: '300ms' },
      });
      await daemon.untilEntry(ended);
      const published = await scope.syncInfo('origin');
      await world.origin.put(scope.path('b'), {});
      await daemon.untilEntry((entry) => entry['error.id'] === 'TOKEN_TTL_SHORT');
      await daemon.untilEntry((entry) => ended(entry) && entry['error.id'] === 'TOKEN_EXPIRED');
      const after = await scope.syncInfo('origin');
      expect([...after.keys()]).toEqual([...published.keys()]);
      await writeFile(file, await token(world.origin, scope, scans(scope.mount), { ttl: '1h' }));
      await world.origin.put(scope.path('c'), {});
      await daemon.untilEntry((entry) => ended(entry) && entry.paths === 3);
      expect((await daemon.stop()).code).toBe(0);
    });
  });

  describe.concurrent('ended', () => {
    it.each<{ name: string; options: Json }>([
      { name: 'a token that cannot be renewed', options: { ttl: '8s', renewable: false } },
      { name: 'a batch token', options: { type: 'batch', ttl: '8s' } },
      { name: 'a token at its maximum', options: { ttl: '6s', explicit_max_ttl: '12s' } },
    ])(
      '$name, written down: a warning in time, exit 77 at its end, and the data is whole',
      async ({ options }) => {
        const scope = await world.scope();
        await world.origin.put(scope.path('a'), { n: 1 });
        const login = await token(world.origin, scope, scans(scope.mount), options);
        const daemon = await scope.start('origin', {
          block: { vault: { address: world.origin.address, token: login }, tick: '300ms' },
        });
        await daemon.untilEntry(succeeded);
        const { code, log } = await daemon.finished;
        expect(code).toBe(77);
        const warned = log.findIndex((entry) => entry['error.id'] === 'TOKEN_TTL_SHORT');
        const expired = log.findIndex((entry) => entry['error.id'] === 'TOKEN_EXPIRED');
        expect(warned).toBeGreaterThan(0);
        expect(expired).toBeGreaterThan(warned);
        await world.origin.put(scope.path('b'), { n: 2 });
        // What was published stands, and the next process takes it from there.
        expect(cycleEnd(await scope.sync())).toMatchObject({ result: 'success', add: 2 });
      },
    );

    it('uses that are limited, by an AppRole: refused before anything is done', async () => {
      const scope = await world.scope();
      await world.origin.put(scope.path('a'), {});
      await scope.originOnce();
      const before = await scope.everything();
      const limited = {
        approle: await appRole(world.destination, scope, writes(scope.mount), { token_num_uses: 50 }),
      };
      const run = await scope.destinationOnce({
        block: { vault: { address: world.destination.address, ...limited } },
        code: 77,
      });
      expect(errorIds(run)).toEqual(['TOKEN_UNUSABLE']);
      expect(await scope.everything()).toEqual(before);
    });

    it.each<{ name: string; side: 'origin' | 'destination' }>([
      { name: 'the token for the origin', side: 'origin' },
      { name: 'the own token', side: 'destination' },
    ])(
      '$name, revoked in the middle of a copy: the cycle fails, what was written is recorded, nothing is deleted',
      async ({ side }) => {
        const scope = await world.scope();
        const { mount } = scope;
        for (const key of ['gone 1', 'gone 2']) await world.origin.put(scope.path(key), { key });
        await scope.sync();
        const keys = Array.from({ length: 60 }, (_, i) => `k${i + 10}`);
        for (const key of keys) await world.origin.put(scope.path(key), { key });
        for (const key of ['gone 1', 'gone 2']) await world.origin.softDelete(scope.path(key));
        await scope.originOnce();

        const vaults = { origin: world.origin, destination: world.destination };
        const rules = side === 'origin' ? reads(mount) : writes(mount);
        const login = await token(vaults[side], scope, rules, {});
        const proxy = await startInterceptingProxy(vaults[side].address);
        let seen = 0;
        let revoking: Promise<unknown> | undefined;
        proxy.intercept((request) => {
          if (request.startsWith(side === 'origin' ? 'GET' : 'POST') && request.includes(`${mount}data/k`))
            seen += 1;
          // A token that was just looked up is trusted for five seconds, so the first refusals are the paths' own.
          if (seen > 20) revoking ??= vaults[side].call('POST', 'auth/token/revoke', { token: login });
          return undefined;
        });
        const at = { vault: { address: proxy.address, token: login }, numWorkers: 2 };
        const run = await scope.destinationOnce({
          block: side === 'destination' ? at : {},
          top: { origin: scope.originBlock(side === 'origin' ? at : {}) },
          code: 3,
        });
        await revoking;
        await proxy.stop();
        const added = pathsOf(run, 'path.add');
        expect(added.length).toBeGreaterThan(10);
        expect(added.length).toBeLessThan(60);
        expect(pathsOf(run, 'path.delete')).toEqual([]);
        for (const key of ['gone 1', 'gone 2'])
          expect(await world.destination.get(scope.path(key))).toBeDefined();
        // One clean run, and no secret has more than one version.
        const clean = await scope.destinationOnce();
        expect(cycleEnd(clean)).toMatchObject({ result: 'success', add: 60 - added.length, delete: 2 });
        expect(await world.destination.all(mount)).toEqual(await world.origin.all(mount));
      },
    );

    it('a long cycle with a token that ends in it: the cycle fails, and the next login goes on from there', async () => {
      const scope = await world.scope();
      const { mount } = scope;
      const keys = Array.from({ length: 80 }, (_, i) => `k${i}`);
      for (const key of keys) await world.origin.put(scope.path(key), { key });
      await scope.originOnce();
      const short = await token(world.origin, scope, reads(mount), { ttl: '6s', renewable: false });
      const vault = { address: world.origin.address, token: short, rateLimit: 8 };
      const process = await scope.start('destination', {
        block: { tick: '300ms', watch: false },
        top: { origin: scope.originBlock({ vault, renewToken: false }) },
      });
      const { code, log } = await process.finished;
      expect(code).toBe(77);
      expect(log.some((entry) => entry['error.id'] === 'TOKEN_EXPIRED')).toBe(true);
      const added = pathsOf({ log }, 'path.add').length;
      expect(added).toBeGreaterThan(0);
      expect(added).toBeLessThan(80);
      expect(cycleEnd(await scope.destinationOnce())).toMatchObject({ result: 'success', add: 80 - added });
      expect(await world.destination.all(mount)).toEqual(await world.origin.all(mount));
    });

    it('a secret_id that is used up when the token ends: exit 77, nothing lost; a new one in its file goes on', async () => {
      const scope = await world.scope();
      await world.origin.put(scope.path('a'), {});
      const { role_id, secret_id } = await appRole(world.origin, scope, scans(scope.mount), {
        token_ttl: '6s',
        token_max_ttl: '6s',
        secret_id_num_uses: 1,
      });
      const file = join(world.dir, `${scope.id}-secret-id`);
      await writeFile(file, secret_id);
      const vault = { address: world.origin.address, approle: { role_id, secret_id_file: file } };
      const daemon = await scope.start('origin', { block: { vault, tick: '300ms' } });
      await daemon.untilEntry(succeeded);
      const { code, log } = await daemon.finished;
      expect(code).toBe(77);
      expect(log.some((entry) => entry['error.id'] === 'LOGIN_FAILED')).toBe(true);
      expect(JSON.stringify(log)).not.toContain(secret_id);
    });
  });

  /** Revokes every token with a policy, whoever has it. How many there were. */
  async function revokeAll(vault: VaultApi, policy: string): Promise<number> {
    const { body } = await vault.call('LIST', 'auth/token/accessors');
    let revoked = 0;
    for (const accessor of (body.data as { keys: string[] }).keys) {
      // Of tokens that end meanwhile there is nothing to look up.
      const found = await vault
        .call('POST', 'auth/token/lookup-accessor', { accessor })
        .catch(() => undefined);
      if (!(found?.body.data as { policies?: string[] } | undefined)?.policies?.includes(policy)) continue;
      await vault.call('POST', 'auth/token/revoke-accessor', { accessor });
      revoked += 1;
    }
    return revoked;
  }
});
