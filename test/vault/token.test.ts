import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VsyncError } from '../../src/base/errors.ts';
import { Secret } from '../../src/base/secret.ts';
import { cannedAnswers } from '../../src/dev/vault/faults.ts';
import type { VaultClient } from '../../src/vault/client.ts';
import { expectNoLeak } from './leaks.ts';
import { allowed, denied, lookUp, renew, rules, type TimedVault, timedVault } from './timed-vault.ts';

let vault: TimedVault;
let dir: string;
beforeEach(async () => {
  vault = await timedVault();
  dir = mkdtempSync(join(tmpdir(), 'vsync-token-'));
  await vault.api.put('secret/data/allowed', { k: 'v' });
  await vault.api.put('secret/data/denied', { k: 'v' });
  await vault.api.call('PUT', 'sys/policies/acl/self', { policy: `${rules}\n${lookUp}\n${renew}` });
  await vault.api.call('PUT', 'sys/policies/acl/blind', { policy: rules });
});
afterEach(async () => {
  await vault.close();
  rmSync(dir, { recursive: true, force: true });
});

/** A token that may look itself up. */
const self = (options: Record<string, unknown> = {}) => tokenWith(['self'], options);
/** One that may not: without the `default` policy. */
const blind = (options: Record<string, unknown> = {}) => tokenWith(['blind'], options);
async function tokenWith(policies: string[], options: Record<string, unknown>): Promise<string> {
  const { body } = await vault.api.call('POST', 'auth/token/create', {
    policies,
    no_default_policy: true,
    ...options,
  });
  return (body.auth as { client_token: string }).client_token;
}
const revoke = (token: string) => vault.api.call('POST', 'auth/token/revoke', { token });
const asSecret = (token: string) => ({ kind: 'token', token: new Secret(token) }) as const;

async function failure(asking: Promise<unknown>): Promise<VsyncError> {
  const error: unknown = await asking.then(
    (value) => {
      throw new Error(`it did not fail: ${JSON.stringify(value)}`);
    },
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(VsyncError);
  expectNoLeak(error, /hvs\.|hvb\.|"secret_id"/);
  return error as VsyncError;
}
/** Twenty of the same at once. */
const twenty = (client: VaultClient, request: typeof allowed | typeof denied) =>
  Promise.all(
    Array.from({ length: 20 }, () => client.request(request).catch((error: VsyncError) => error.code)),
  );

describe('a token that is written down', () => {
  it('is looked up once, at the start', async () => {
    const { client, tokens } = vault.open(asSecret(await self({ ttl: '1h', period: '1h' })));
    expect(tokens.facts).toBeUndefined();
    expect(await tokens.check()).toBe(true);
    expect(tokens.facts).toEqual({
      ttlSeconds: 3599,
      renewable: true,
      accessor: expect.stringMatching(/./),
      policies: ['self'],
      periodSeconds: 3600,
      numUses: 0,
    });
    await client.request(allowed);
    await client.request(allowed);
    expect(vault.count('GET auth/lookup-self')).toBe(1);
    expect(tokens.canLogIn).toBe(false);
  });

  it('of root never expires', async () => {
    const { tokens } = vault.open(asSecret(vault.dev.rootToken));
    expect(await tokens.check()).toBe(true);
    expect(tokens.facts).toMatchObject({ ttlSeconds: 0, renewable: false, policies: ['root'] });
  });

  it('that may not look itself up is used all the same', async () => {
    const { client, tokens } = vault.open(asSecret(await blind({ ttl: '1h' })));
    expect(await tokens.check()).toBe(false);
    expect(tokens.facts).toBeUndefined();
    await client.request(allowed);
  });

  it.each([1, 2, 50])('that may be used %i times only is refused at the start', async (num_uses) => {
    const { tokens } = vault.open(asSecret(await self({ num_uses })));
    expect(await failure(tokens.check())).toMatchObject({
      code: 'TOKEN_UNUSABLE',
      class: 'fatal',
      hint: expect.stringContaining('num_uses'),
    });
  });

  it('that never was one is not told from one that may not look itself up, until it is used', async () => {
    const { client, tokens } = vault.open(asSecret('hvs.nonsense'));
    expect(await tokens.check()).toBe(false);
    expect(await failure(client.request(allowed))).toMatchObject({ code: 'VAULT_FORBIDDEN' });
    expect(tokens.notAccepted()).toMatchObject({ code: 'TOKEN_EXPIRED', class: 'fatal', status: 403 });
  });

  it.each([
    { name: 'expired', end: async () => vault.pass(3601) },
    { name: 'revoked', end: revoke },
  ])('that is $name is told from a refusal by policy', async ({ end }) => {
    const token = await self({ ttl: '1h' });
    const { client, tokens } = vault.open(asSecret(token));
    await tokens.check();
    vault.pass(10);
    expect(await failure(client.request(denied))).toMatchObject({
      code: 'VAULT_FORBIDDEN',
      class: 'path',
      status: 403,
    });
    vault.pass(10);
    await end(token);
    for (const request of [denied, allowed]) {
      expect(await failure(client.request(request))).toMatchObject({
        code: 'TOKEN_EXPIRED',
        class: 'fatal',
        hint: expect.stringContaining('origin.vault.token_file'),
      });
    }
  });

  it('refused by policy is looked up once in five seconds, however many requests are refused', async () => {
    const { client, tokens } = vault.open(asSecret(await self({ ttl: '1h' })));
    await tokens.check();
    vault.pass(6);
    vault.count('');
    expect(new Set(await twenty(client, denied))).toEqual(new Set(['VAULT_FORBIDDEN']));
    expect(new Set(await twenty(client, denied))).toEqual(new Set(['VAULT_FORBIDDEN']));
    expect(vault.count('GET auth/lookup-self')).toBe(1);
    vault.pass(6);
    await twenty(client, denied);
    expect(vault.count('GET auth/lookup-self')).toBe(1);
  });

  it('that is dead is told to all who are refused at once', async () => {
    const token = await self({ ttl: '1h' });
    const { client, tokens } = vault.open(asSecret(token));
    await tokens.check();
    vault.pass(6);
    await revoke(token);
    expect(new Set(await twenty(client, allowed))).toEqual(new Set(['TOKEN_EXPIRED']));
  });

  it('that could never look itself up is not asked again: its refusals are those of the requests', async () => {
    const { client, tokens } = vault.open(asSecret(await blind()));
    await tokens.check();
    vault.pass(6);
    vault.count('');
    expect(new Set(await twenty(client, denied))).toEqual(new Set(['VAULT_FORBIDDEN']));
    expect(vault.count('GET auth/lookup-self')).toBe(0);
  });

  it('is not taken for dead when the server is in trouble', async () => {
    const { client, tokens } = vault.open(asSecret(await self({ ttl: '1h' })));
    await tokens.check();
    vault.pass(6);
    const sealed = vault.dev.faults.add({
      match: { pathPattern: /lookup-self/ },
      action: { kind: 'answer', answer: cannedAnswers.sealed },
    });
    expect(await failure(client.request(denied))).toMatchObject({ code: 'VAULT_SEALED', class: 'transient' });
    sealed.remove();
    await client.request(allowed);
  });
});

describe('a token in a file', () => {
  const file = () => join(dir, 'token');
  /** As an agent does it: beside it, and then in its place; each time with another time of change. */
  let changes = 0;
  function replace(text: string): void {
    changes += 1;
    writeFileSync(`${file()}.new`, text);
    utimesSync(`${file()}.new`, 1_700_000_000 + changes, 1_700_000_000 + changes);
    renameSync(`${file()}.new`, file());
  }
  const open = () => vault.open({ kind: 'token_file', file: file() });

  it('is read without white space around it', async () => {
    replace(`\n  ${await self()} \r\n`);
    const { client, tokens } = open();
    expect(await tokens.check()).toBe(true);
    await client.request(allowed);
  });

  it.each([
    { name: 'missing', make: () => {}, message: /ENOENT/ },
    { name: 'empty', make: () => replace(''), message: /it is empty/ },
    { name: 'white space', make: () => replace(' \n'), message: /it is empty/ },
  ])('that is $name at the start is a failure that says so', async ({ make, message }) => {
    make();
    const { client, tokens } = open();
    const expected = {
      code: 'CONFIG_UNREADABLE',
      class: 'fatal',
      message: expect.stringMatching(message),
      where: { path: file() },
    };
    expect(await failure(tokens.check())).toMatchObject(expected);
    expect(await failure(client.request(allowed))).toMatchObject(expected);
  });

  it('that is replaced is taken up within five seconds, and looked at no more often', async () => {
    const [first, second] = [await self(), await self()];
    replace(first);
    const { client, tokens } = open();
    await tokens.check();
    replace(second);
    vault.pass(4.9);
    await client.request(allowed);
    expect((await tokens.token()).reveal()).toBe(first);
    vault.pass(0.1);
    await client.request(allowed);
    expect((await tokens.token()).reveal()).toBe(second);
  });

  it('that is replaced because the old one is dead is taken up by the first request that is refused', async () => {
    const [first, second] = [await self(), await self()];
    replace(first);
    const { client, tokens } = open();
    await tokens.check();
    vault.pass(1);
    await revoke(first);
    replace(second);
    // Confirmed a moment ago: a refusal counts as one of the policies for five seconds.
    vault.pass(4);
    await client.request(allowed);
    vault.count('');
    expect(new Set((await twenty(client, allowed)).map((body) => typeof body))).toEqual(new Set(['object']));
    expect((await tokens.token()).reveal()).toBe(second);
  });

  it('whose token is dead, and no other there, is a failure that passes when there is one', async () => {
    const first = await self();
    replace(first);
    const { client, tokens } = open();
    await tokens.check();
    vault.pass(6);
    await revoke(first);
    expect(await failure(client.request(allowed))).toMatchObject({
      code: 'TOKEN_EXPIRED',
      class: 'transient',
      retryable: false,
      exitCode: 77,
    });
    replace(await self());
    vault.pass(6);
    await client.request(allowed);
  });

  it('that is written anew with the same token changes nothing', async () => {
    const text = await self();
    replace(text);
    const { client, tokens } = open();
    await tokens.check();
    const before = await tokens.token();
    replace(`${text}\n`);
    vault.pass(6);
    expect(await tokens.token()).toBe(before);
    expect(await failure(client.request(denied))).toMatchObject({ code: 'VAULT_FORBIDDEN' });
    vault.count('');
    expect(await failure(client.request(denied))).toMatchObject({ code: 'VAULT_FORBIDDEN' });
    expect(vault.count('GET data'), 'not sent again with the same token').toBe(1);
  });

  const moments = [
    { name: 'gone', make: () => rmSync(file()) },
    { name: 'empty', make: () => replace('') },
    { name: 'half written: white space only', make: () => replace('\n') },
  ];
  it.each(moments)(
    'that is $name for a moment leaves the token in use; what comes then is taken up',
    async ({ make }) => {
      const [first, second] = [await self(), await self()];
      replace(first);
      const { client, tokens } = open();
      await tokens.check();
      make();
      for (let i = 0; i < 3; i += 1) {
        vault.pass(6);
        await client.request(allowed);
        expect((await tokens.token()).reveal()).toBe(first);
      }
      replace(second);
      vault.pass(6);
      await client.request(allowed);
      expect((await tokens.token()).reveal()).toBe(second);
    },
  );

  it('that is replaced while it is read is read again', async () => {
    const [first, second] = [await self(), await self()];
    replace(first);
    const { client, tokens } = open();
    const checking = tokens.token();
    // Before the read, between read and stat, or after both: whichever it is, the new one must not be missed.
    replace(second);
    await checking;
    vault.pass(6);
    await client.request(allowed);
    expect((await tokens.token()).reveal()).toBe(second);
  });
});

describe('an AppRole', () => {
  const forever = { token_ttl: '1h', token_policies: ['self'], token_no_default_policy: true };

  it('logs in with the first request, and then not again', async () => {
    const { client, tokens } = vault.open(await vault.appRole(forever));
    expect(new Set((await twenty(client, allowed)).map((body) => typeof body))).toEqual(new Set(['object']));
    expect(vault.count('PUT auth/login')).toBe(1);
    expect(tokens.canLogIn).toBe(true);
    expect(tokens.facts).toMatchObject({ ttlSeconds: 3600, renewable: true, policies: ['self'], numUses: 0 });
    expect(await tokens.check()).toBe(true);
    expect(vault.count('PUT auth/login')).toBe(0);
  });

  it('without the right to look itself up is usable, too', async () => {
    const { client, tokens } = vault.open(await vault.appRole({ ...forever, token_policies: ['blind'] }));
    expect(await tokens.check()).toBe(true);
    await client.request(allowed);
  });

  it.each([
    { name: 'expired', policies: ['self'], end: async () => vault.pass(3601) },
    { name: 'revoked', policies: ['self'], end: revoke },
    { name: 'expired, and could not look itself up', policies: ['blind'], end: async () => vault.pass(3601) },
    { name: 'revoked, and could not look itself up', policies: ['blind'], end: revoke },
  ])('whose token is $name logs in anew, once for all, and the requests go on', async ({ policies, end }) => {
    const { client, tokens } = vault.open(await vault.appRole({ ...forever, token_policies: policies }));
    await tokens.check();
    vault.pass(6);
    await end((await tokens.token()).reveal());
    vault.count('');
    expect(new Set((await twenty(client, allowed)).map((body) => typeof body))).toEqual(new Set(['object']));
    expect(vault.count('PUT auth/login')).toBe(1);
  });

  it('refused by policy does not log in', async () => {
    const { client, tokens } = vault.open(await vault.appRole(forever));
    await tokens.check();
    vault.pass(6);
    vault.count('');
    expect(new Set(await twenty(client, denied))).toEqual(new Set(['VAULT_FORBIDDEN']));
    expect(vault.count('PUT auth/login')).toBe(0);
  });

  it('refused by policy and unable to look itself up logs in to find out, at most once in five seconds', async () => {
    const { client, tokens } = vault.open(await vault.appRole({ ...forever, token_policies: ['blind'] }));
    await tokens.check();
    vault.pass(6);
    vault.count('');
    for (let i = 0; i < 3; i += 1)
      expect(new Set(await twenty(client, denied))).toEqual(new Set(['VAULT_FORBIDDEN']));
    expect(vault.count('PUT auth/login')).toBe(1);
  });

  it('with limited uses of its tokens is refused', async () => {
    const { client, tokens } = vault.open(await vault.appRole({ ...forever, token_num_uses: 20 }));
    expect(await failure(tokens.check())).toMatchObject({ code: 'TOKEN_UNUSABLE', class: 'fatal' });
    expect(await failure(client.request(allowed))).toMatchObject({ code: 'TOKEN_UNUSABLE' });
  });

  it('that is wrong is a failure that names what to check, and no credentials', async () => {
    const role = await vault.appRole(forever);
    const wrong = [
      { ...role, secretId: new Secret('canary-secret') },
      { ...role, roleId: new Secret('canary-role') },
      { ...role, secretId: undefined },
      { ...role, path: 'no/such/method' },
      { ...role, roleId: new Secret('') },
    ];
    for (const auth of wrong) {
      const error = await failure(vault.open(auth).tokens.check());
      expect(error).toMatchObject({
        code: 'LOGIN_FAILED',
        class: 'fatal',
        hint: expect.stringContaining('origin.vault.approle'),
      });
      expectNoLeak(error, 'canary');
    }
  });

  it('is not given up when the server is in trouble', async () => {
    const { client } = vault.open(await vault.appRole(forever));
    for (const answer of [
      cannedAnswers.sealed,
      cannedAnswers.rateLimited(1),
      { status: 502 },
      { status: 404, body: 'no such page' },
    ]) {
      const fault = vault.dev.faults.add({
        match: { pathPattern: /login$/ },
        action: { kind: 'answer', answer },
      });
      expect(await failure(client.request(allowed)), JSON.stringify(answer)).toMatchObject({
        class: 'transient',
      });
      fault.remove();
    }
    const lost = vault.dev.faults.add({ match: { pathPattern: /login$/ }, action: { kind: 'reset' } });
    expect(await failure(client.request(allowed))).toMatchObject({ code: 'VAULT_UNREACHABLE' });
    lost.remove();
    await client.request(allowed);
  });

  it('with its secret_id in a file reads that at each login', async () => {
    const role = await vault.appRole({ ...forever, token_ttl: '1m' });
    const secretId = join(dir, 'secret-id');
    const roleId = join(dir, 'role-id');
    writeFileSync(secretId, `${role.secretId.reveal()}\n`);
    writeFileSync(roleId, role.roleId instanceof Secret ? role.roleId.reveal() : '');
    const { client, tokens } = vault.open({
      ...role,
      roleId: { file: roleId },
      secretId: { file: secretId },
    });
    await tokens.check();
    vault.pass(61);
    writeFileSync(secretId, 'wrong');
    expect(await failure(client.request(allowed))).toMatchObject({ code: 'LOGIN_FAILED' });
    const { body } = await vault.api.call('POST', `auth/${role.path}/role/r/secret-id`, {});
    writeFileSync(secretId, String((body.data as Record<string, unknown>).secret_id));
    await client.request(allowed);
  });

  it('logs in although only one request may be under way', async () => {
    const { client, tokens } = vault.open(await vault.appRole({ ...forever, token_ttl: '1m' }), {
      maxInFlight: 1,
    });
    await twenty(client, allowed);
    await tokens.check();
    vault.pass(61);
    expect(new Set((await twenty(client, allowed)).map((body) => typeof body))).toEqual(new Set(['object']));
  });
});
