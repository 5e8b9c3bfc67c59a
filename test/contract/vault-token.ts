import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import type { VaultClient } from '../../src/vault/client.ts';
import type { AppRole, VaultAuth } from '../../src/vault/login.ts';
import { VaultTokens } from '../../src/vault/token.ts';
import { renewTokens, type TokenEvent } from '../../src/vault/token-renewal.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { vaultClient } from '../vault/clients.ts';
import { expectNoLeak } from '../vault/leaks.ts';
import type { VaultTarget } from './vault-kv-target.ts';

/** Tokens: what every server tells of them, and how it refuses them. Nothing here waits: lifetimes are for the unit tests. */
export function tokenFacts(target: () => VaultTarget): void {
  const clients: VaultClient[] = [];
  afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));

  const clock = new ManualClock();
  function open(auth: VaultAuth) {
    const client = vaultClient(target().address);
    clients.push(client);
    const tokens = new VaultTokens(client, auth, clock);
    return {
      client,
      tokens,
      get: (key: string) =>
        client.request({ method: 'GET', path: `/secret/data/${key}`, about: `secret/data/${key}` }),
    };
  }
  let policies = 0;
  /** A policy for one secret, and what else is named. */
  async function policy(...paths: string[]): Promise<string> {
    policies += 1;
    await target().api.put('secret/data/allowed', { k: 'v' });
    const lines = [
      'path "secret/data/allowed" { capabilities = ["read"] }',
      ...paths.map((path) => `path "${path}" { capabilities = ["read", "update"] }`),
    ];
    await target().api.call('PUT', `sys/policies/acl/token-${policies}`, { policy: lines.join('\n') });
    return `token-${policies}`;
  }
  const self = ['auth/token/lookup-self', 'auth/token/renew-self'];
  async function token(name: string, options: Record<string, unknown> = {}) {
    const { body } = await target().api.call('POST', 'auth/token/create', {
      policies: [name],
      no_default_policy: true,
      ...options,
    });
    const text = (body.auth as { client_token: string }).client_token;
    return { text, auth: { kind: 'token', token: new Secret(text) } as const };
  }
  async function appRole(settings: Record<string, unknown>): Promise<AppRole> {
    policies += 1;
    const { api } = target();
    const path = `approle-${policies}`;
    await api.call('POST', `sys/auth/${path}`, { type: 'approle' });
    await api.call('POST', `auth/${path}/role/r`, settings);
    const role = (await api.call('GET', `auth/${path}/role/r/role-id`)).body.data as { role_id: string };
    const secret = (await api.call('POST', `auth/${path}/role/r/secret-id`, {})).body.data as {
      secret_id: string;
    };
    return {
      kind: 'approle',
      path,
      roleId: new Secret(role.role_id),
      secretId: new Secret(secret.secret_id),
    };
  }

  describe('a look-up', () => {
    it('of a periodic token tells its lifetime and period', async () => {
      const { tokens } = open((await token(await policy(...self), { period: '1h' })).auth);
      expect(await tokens.check()).toBe(true);
      expect(tokens.facts).toMatchObject({
        renewable: true,
        periodSeconds: 3600,
        numUses: 0,
        policies: [expect.stringMatching(/^token-/)],
      });
      expect(tokens.facts?.ttlSeconds).toBeGreaterThan(3500);
      expect(tokens.facts?.ttlSeconds).toBeLessThanOrEqual(3600);
    });

    it('of root tells that it never expires', async () => {
      const { tokens } = open({ kind: 'token', token: new Secret(target().rootToken) });
      expect(await tokens.check()).toBe(true);
      expect(tokens.facts).toMatchObject({ ttlSeconds: 0, policies: ['root'] });
    });

    it('of a batch token tells that it cannot be renewed', async () => {
      const { tokens } = open((await token(await policy(...self), { type: 'batch', ttl: '1h' })).auth);
      expect(await tokens.check()).toBe(true);
      expect(tokens.facts).toMatchObject({ renewable: false, accessor: '' });
    });

    it('is refused to a token without the right, which works all the same', async () => {
      const { tokens, get } = open((await token(await policy())).auth);
      expect(await tokens.check()).toBe(false);
      await get('allowed');
      await expect(get('denied')).rejects.toMatchObject({ code: 'VAULT_FORBIDDEN', status: 403 });
    });

    it.each([1, 2, 100])('of a token that may be used %i times is a refusal to use it', async (num_uses) => {
      const { tokens } = open((await token(await policy(...self), { num_uses })).auth);
      // Vault counts the look-up, too: the last use says -1.
      await expect(tokens.check()).rejects.toMatchObject({
        code: 'TOKEN_UNUSABLE',
        class: 'fatal',
        message: expect.stringContaining(`used ${num_uses - 1} more times`),
      });
    });
  });

  describe('a refusal', () => {
    it('by policy is told from that of a dead token', async () => {
      const { text, auth } = await token(await policy(...self));
      const { tokens, get } = open(auth);
      await tokens.check();
      clock.advance(10_000);
      await expect(get('denied')).rejects.toMatchObject({ code: 'VAULT_FORBIDDEN', class: 'path' });
      await target().api.call('POST', 'auth/token/revoke', { token: text });
      clock.advance(10_000);
      for (const key of ['denied', 'allowed'])
        await expect(get(key)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED', class: 'fatal' });
    });

    it('of what never was a token leaves no trace of it', async () => {
      const { tokens, get } = open({ kind: 'token', token: new Secret('hvs.canary') });
      expect(await tokens.check()).toBe(false);
      const error: unknown = await get('allowed').catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ status: 403 });
      expectNoLeak(error, 'canary');
    });
  });

  describe('an AppRole', () => {
    it('logs in, and again when its token is dead', async () => {
      const name = await policy(...self);
      const { tokens, get } = open(
        await appRole({ token_policies: [name], token_ttl: '1h', token_no_default_policy: true }),
      );
      await get('allowed');
      expect(tokens.facts).toMatchObject({ renewable: true, ttlSeconds: 3600, policies: [name] });
      await tokens.check();
      const first = (await tokens.token()).reveal();
      await target().api.call('POST', 'auth/token/revoke', { token: first });
      clock.advance(10_000);
      await Promise.all(Array.from({ length: 10 }, () => get('allowed')));
      expect((await tokens.token()).reveal()).not.toBe(first);
    });

    it('that is wrong is refused with what to check', async () => {
      const role = await appRole({ token_policies: [await policy()] });
      const wrong: AppRole[] = [
        { ...role, secretId: new Secret('canary') },
        { ...role, roleId: new Secret('canary') },
        { ...role, secretId: undefined },
        { ...role, path: 'no-such-method' },
      ];
      for (const auth of wrong) {
        const error: unknown = await open(auth)
          .tokens.check()
          .catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: 'LOGIN_FAILED', class: 'fatal' });
        expectNoLeak(error, 'canary');
      }
    });

    it('with limited uses of its tokens is refused', async () => {
      const role = await appRole({ token_policies: [await policy(...self)], token_num_uses: 30 });
      await expect(open(role).tokens.check()).rejects.toMatchObject({ code: 'TOKEN_UNUSABLE' });
    });
  });

  describe('a renewal', () => {
    /** Two renewals, without waiting for them. */
    async function renewTwice(auth: VaultAuth): Promise<TokenEvent[]> {
      const { tokens } = open(auth);
      await tokens.check();
      const events: TokenEvent[] = [];
      const stop = new AbortController();
      const time = new ManualClock();
      const running = renewTokens({
        tokens,
        renew: true,
        signal: stop.signal,
        onEvent: (event) => events.push(event),
        clock: time,
      });
      for (let i = 0; i < 2; i += 1) await time.passSleep();
      await time.untilSleeping();
      stop.abort(new Error('over'));
      await running;
      return events;
    }

    it('of a periodic token grants its period', async () => {
      const events = await renewTwice((await token(await policy(...self), { period: '1h' })).auth);
      const renewed = {
        kind: 'renewed',
        facts: expect.objectContaining({ ttlSeconds: 3600, renewable: true }),
      };
      expect(events).toEqual([renewed, renewed]);
    });

    it('of an AppRole’s token grants its lifetime', async () => {
      const role = await appRole({
        token_policies: [await policy(...self)],
        token_ttl: '1h',
        token_no_default_policy: true,
      });
      expect((await renewTwice(role)).map(({ kind }) => kind)).toEqual(['renewed', 'renewed']);
    });

    it('of an AppRole’s batch token is a login', async () => {
      const role = await appRole({
        token_policies: [await policy(...self)],
        token_ttl: '1h',
        token_type: 'batch',
        token_no_default_policy: true,
      });
      expect((await renewTwice(role)).map(({ kind }) => kind)).toEqual(['replaced', 'replaced']);
    });
  });
}
