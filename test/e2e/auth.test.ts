import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { startInterceptingProxy } from '../support/intercepting-proxy.ts';
import { countsOf, cycleEnd, errorIds, pathsOf } from '../support/log-reading.ts';
import type { VaultApi } from '../support/vault-api.ts';
import { type Json, type RunAs, type Scope, World } from '../support/world.ts';

/** Every way to log in, with the least that each process needs. */
describe.runIf(runRealServers)('auth', () => {
  let world: World;
  let shared: Scope;
  let logins = 0;
  beforeAll(async () => {
    world = await World.start();
    shared = await world.scope();
    for (const key of ['updated', 'folder/added 0']) await world.origin.put(shared.path(key), {});
    await shared.sync();
  });
  afterAll(() => world?.stop());

  /** What a token without the `default` policy needs besides. */
  const aboutItself = `
    path "auth/token/lookup-self" { capabilities = ["read"] }
    path "auth/token/renew-self" { capabilities = ["update"] }
    path "sys/capabilities-self" { capabilities = ["update"] }`;

  const policies = {
    origin: (mount: string) => `path "${mount}metadata/*" { capabilities = ["list","read"] }`,
    reader: (mount: string) => `path "${mount}data/*" { capabilities = ["read"] }`,
    destination: (mount: string) => `
      path "${mount}data/*" { capabilities = ["create","update","read","delete"] }
      path "${mount}metadata/*" { capabilities = ["list","read"] }`,
  };

  /** The three logins of a pair: the origin process's, and the destination process's at either end. */
  type Logins = Readonly<Record<keyof typeof policies, Json>>;

  function vaultOf(vault: VaultApi, login: Json): Json {
    return { vault: { address: vault.address, ...login } };
  }

  function pairWith(scope: Scope, logins: Logins): { readonly origin: RunAs; readonly destination: RunAs } {
    return {
      origin: { block: vaultOf(world.origin, logins.origin) },
      destination: {
        block: vaultOf(world.destination, logins.destination),
        top: { origin: scope.originBlock(vaultOf(world.origin, logins.reader)) },
      },
    };
  }

  /** Makes a login of each kind; `grant` gives the login for a policy. */
  async function loginsBy(
    scope: Scope,
    id: string,
    extra: string,
    grant: (vault: VaultApi, name: string, rules: string) => Promise<Json>,
  ): Promise<Logins> {
    const login = (kind: keyof typeof policies, vault: VaultApi) =>
      grant(vault, `${scope.id}-${id}-${kind}`, policies[kind](scope.mount) + extra);
    return {
      origin: await login('origin', world.origin),
      reader: await login('reader', world.origin),
      destination: await login('destination', world.destination),
    };
  }

  it.each<{
    name: string;
    extra: string;
    grant: (vault: VaultApi, name: string, rules: string) => Promise<Json>;
  }>([
    {
      name: 'AppRole with the least policies and `default`',
      extra: '',
      grant: async (vault, name, rules) => ({ approle: await vault.appRoleFor(name, rules) }),
    },
    {
      name: 'AppRole without `default`',
      extra: aboutItself,
      grant: async (vault, name, rules) => ({
        approle: await vault.appRoleFor(name, rules, { token_no_default_policy: true }),
      }),
    },
    {
      name: 'AppRole without `default`, and no right to look itself up',
      extra: '',
      grant: async (vault, name, rules) => ({
        approle: await vault.appRoleFor(name, rules, { token_no_default_policy: true }),
      }),
    },
    {
      name: 'AppRole with batch tokens',
      extra: '',
      grant: async (vault, name, rules) => ({
        approle: await vault.appRoleFor(name, rules, { token_type: 'batch' }),
      }),
    },
    {
      name: 'a token without `default`',
      extra: aboutItself,
      grant: async (vault, name, rules) => ({
        token: await vault.tokenFor(name, rules, { no_default_policy: true }),
      }),
    },
    {
      name: 'a token without `default`, and no right to look itself up',
      extra: '',
      grant: async (vault, name, rules) => ({
        token: await vault.tokenFor(name, rules, { no_default_policy: true }),
      }),
    },
    {
      name: 'a token from a file',
      extra: '',
      grant: async (vault, name, rules) => {
        const file = join(world.dir, name);
        await writeFile(file, `${await vault.tokenFor(name, rules)}\n`);
        return { token_file: file };
      },
    },
  ])('$name: copies, updates and deletes', async ({ name, extra, grant }) => {
    // All of them work on one pair, one after the other: each copies its own secret and deletes that of the one before.
    const scope = shared;
    logins += 1;
    const pair = pairWith(scope, await loginsBy(scope, `${logins}`, extra, grant));
    await world.origin.put(scope.path('updated'), { name });
    await world.origin.put(scope.path(`folder/added ${logins}`), { name });
    await world.origin.softDelete(scope.path(`folder/added ${logins - 1}`));
    const origin = await scope.originOnce(pair.origin);
    const destination = await scope.destinationOnce(pair.destination);
    expect(countsOf(destination)).toEqual({ add: 1, update: 1, delete: 1 });
    expect([...errorIds(origin), ...errorIds(destination)]).toEqual([]);
    expect(await world.destination.values(scope.mount)).toEqual(await world.origin.values(scope.mount));
  });

  it('a destination without the right to delete: with ignoreDeletes nothing is missing, without it that path fails', async () => {
    const scope = await world.scope();
    const rules = `path "${scope.mount}data/*" { capabilities = ["create","update","read"] }`;
    const token = await world.destination.tokenFor(`${scope.id}-no-delete`, rules);
    const block = vaultOf(world.destination, { token });
    for (const key of ['a', 'gone']) await world.origin.put(scope.path(key), { n: 1 });
    await scope.originOnce();
    const run = await scope.destinationOnce({ block, top: { ignoreDeletes: true } });
    expect(run.log.filter(({ level }) => level !== 'info')).toEqual([]);
    await world.origin.softDelete(scope.path('gone'));
    await scope.originOnce();
    const failed = await scope.destinationOnce({ block, code: 3 });
    expect(errorIds(failed)).toEqual(['VAULT_FORBIDDEN']);
    expect(pathsOf(failed, 'path.error')).toEqual([scope.path('gone')]);
  });

  it('a policy for a part of the mount, named in origin.include', async () => {
    const scope = await world.scope();
    const { mount, id } = scope;
    const part = (rules: string) => rules.replaceAll('/*"', '/team/*"');
    const grant = async (vault: VaultApi, name: string, rules: string) => ({
      token: await vault.tokenFor(`${id}-${name}`, part(rules)),
    });
    const pair = pairWith(scope, {
      origin: await grant(world.origin, 'origin', policies.origin(mount)),
      reader: await grant(world.origin, 'reader', policies.reader(mount)),
      destination: await grant(world.destination, 'destination', policies.destination(mount)),
    });
    for (const key of ['team/a', 'team/x/b', 'other/c', 'd'])
      await world.origin.put(scope.path(key), { key });
    const include = [`${mount}team/**`];
    await scope.originOnce({ block: { ...pair.origin.block, include } });
    expect(countsOf(await scope.destinationOnce(pair.destination))).toEqual({ add: 2 });
    expect(Object.keys(await world.destination.values(mount))).toEqual([
      scope.path('team/a'),
      scope.path('team/x/b'),
    ]);
    // Without it the top of the mount would have to be listed.
    const denied = await scope.originOnce({ ...pair.origin, code: 77 });
    expect(errorIds(denied)).toEqual(['VAULT_LIST_DENIED']);
  });

  it('a folder or a secret that the token may not read: nothing is published for it, nothing deleted (R2, R3)', async () => {
    const scope = await world.scope();
    const { mount } = scope;
    for (let i = 0; i < 20; i += 1) await world.origin.put(scope.path(`k${i}`), { i });
    await world.origin.put(scope.path('folder/a'), {});
    await scope.sync();
    const tokenWithout = (name: string, denied: string) =>
      world.origin.tokenFor(
        `${scope.id}-${name}`,
        `${policies.origin(mount)}\npath "${mount}metadata/${denied}" { capabilities = ["deny"] }`,
      );
    const before = await scope.syncInfo('origin');
    const folder = vaultOf(world.origin, { token: await tokenWithout('folder', 'folder*') });
    expect(errorIds(await scope.originOnce({ block: folder, code: 77 }))).toEqual(['VAULT_LIST_DENIED']);
    expect(await scope.syncInfo('origin')).toEqual(before);

    const secret = vaultOf(world.origin, { token: await tokenWithout('secret', 'k1') });
    const run = await scope.originOnce({ block: secret, code: 3 });
    expect(errorIds(run)).toEqual(['VAULT_FORBIDDEN']);
    expect(pathsOf(run, 'path.error')).toEqual([scope.path('k1')]);
    expect(await scope.syncInfo('origin')).toEqual(before);

    const many = vaultOf(world.origin, { token: await tokenWithout('many', 'k1*') });
    expect(errorIds(await scope.originOnce({ block: many, code: 77 }))).toContain('TOO_MANY_FAILED_PATHS');
    expect(await scope.syncInfo('origin')).toEqual(before);
    expect(cycleEnd(await scope.destinationOnce()).result).toBe('noop');
  });

  it.each<{ name: string; id: string; login: (scope: Scope) => Promise<Json> | Json }>([
    { name: 'a token that is none', id: 'TOKEN_EXPIRED', login: () => ({ token: 'hvs.none' }) },
    {
      name: 'a token that was revoked',
      id: 'TOKEN_EXPIRED',
      login: async (scope) => {
        const token = await world.origin.tokenFor(`${scope.id}-revoked`, policies.origin(scope.mount));
        await world.origin.call('POST', 'auth/token/revoke', { token });
        return { token };
      },
    },
    {
      name: 'a token that may be used a few times only',
      id: 'TOKEN_UNUSABLE',
      login: async (scope) => ({
        token: await world.origin.tokenFor(`${scope.id}-uses`, policies.origin(scope.mount), { num_uses: 5 }),
      }),
    },
    {
      name: 'a wrong secret_id',
      id: 'LOGIN_FAILED',
      login: async (scope) => {
        const role = await world.origin.appRoleFor(`${scope.id}-wrong`, policies.origin(scope.mount));
        return { approle: { ...role, secret_id: 'wrong' } };
      },
    },
    {
      name: 'AppRole mounted elsewhere',
      id: 'LOGIN_FAILED',
      login: async (scope) => {
        const role = await world.origin.appRoleFor(`${scope.id}-path`, policies.origin(scope.mount));
        return { approle: { ...role, path: 'nowhere' } };
      },
    },
    {
      name: 'a token for another mount',
      id: 'VAULT_FORBIDDEN',
      login: async (scope) => ({
        token: await world.origin.tokenFor(`${scope.id}-other`, policies.origin('secret/')),
      }),
    },
  ])('$name: exit 77 at once, nothing published', async ({ id, login }) => {
    const scope = await world.scope();
    const block = vaultOf(world.origin, await login(scope));
    const run = await scope.originOnce({ block, code: 77 });
    expect(errorIds(run)).toEqual([id]);
    expect(await scope.syncInfo('origin')).toEqual(new Map());
  });

  it('a refused login is sent once: a few of them would lock the role out', async () => {
    const scope = await world.scope();
    const role = await world.origin.appRoleFor(`${scope.id}-once`, policies.origin(scope.mount));
    const proxy = await startInterceptingProxy(world.origin.address);
    const vault = { address: proxy.address, approle: { ...role, secret_id: 'wrong' } };
    await scope.originOnce({ block: { vault }, code: 77 });
    expect(proxy.requests.filter((request) => request.endsWith('/login'))).toHaveLength(1);
    await proxy.stop();
  });

  it('a daemon that is refused at its start ends too: no retry can cure that', async () => {
    const scope = await world.scope();
    const daemon = await scope.start('origin', { block: vaultOf(world.origin, { token: 'hvs.none' }) });
    expect((await daemon.finished).code).toBe(77);
  });
});
