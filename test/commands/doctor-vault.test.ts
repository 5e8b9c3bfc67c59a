import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startDevVault } from '../../src/dev/vault/dev-vault.ts';
import { VaultApi } from '../support/vault-api.ts';
import { bad, Doctor, selfRules } from './doctor-checks.ts';
import { type Json, PlanWorld } from './plan-world.ts';

/** What `vsync doctor` finds about a Vault: its state, the token, the mounts and the rights on them. */

let world: PlanWorld;
const doctor = new Doctor(() => world);
beforeAll(async () => {
  world = await PlanWorld.start();
});
afterAll(() => world.stop());
afterEach(() => world.clear());

const writeRules = `path "secret/data/*" { capabilities = ["create", "update", "read", "delete"] }`;

describe('vsync doctor on a Vault', () => {
  it('sealed: nothing else is asked of it', async () => {
    const vault = await startDevVault({ flavour: 'vault' });
    try {
      await new VaultApi(vault.address, vault.rootToken).call('PUT', 'sys/seal');
      const as = { block: { vault: { address: vault.address, token: vault.rootToken } } };
      expect(await doctor.checks('Destination Vault', as)).toMatchObject([
        { status: 'fail', code: 'VAULT_SEALED', fix: expect.stringContaining('vault operator unseal') },
        { status: 'skip' },
      ]);
    } finally {
      await vault.close();
    }
  });

  it('OpenBao is told by its behaviour', async () => {
    const vault = await startDevVault({ flavour: 'openbao' });
    try {
      const as = { block: { vault: { address: vault.address, token: vault.rootToken } } };
      const [health] = await doctor.checks('Destination Vault', as);
      expect(health?.message).toMatch(/^OpenBao \d/);
    } finally {
      await vault.close();
    }
  });

  it.each([
    { offset: 45, told: /^it is 4[456] s ahead of this machine's$/ },
    { offset: -45, told: /^it is 4[456] s behind this machine's$/ },
  ])('a clock that is $offset s off is a warning', async ({ offset, told }) => {
    const clock = () => BigInt(Date.now() + offset * 1000) * 1_000_000n;
    const vault = await startDevVault({ flavour: 'vault', clock });
    try {
      const as = { block: { vault: { address: vault.address, token: vault.rootToken } } };
      expect(bad(await doctor.checks('Destination Vault', as))).toMatchObject([
        { status: 'warn', code: 'CLOCK_SKEW', message: expect.stringMatching(told) },
      ]);
    } finally {
      await vault.close();
    }
  });

  it('a namespace that the server ignores', async () => {
    const { address, rootToken } = world.vaults.destination;
    const as = { block: { vault: { address, token: rootToken, namespace: 'team-a' } } };
    expect(bad(await doctor.checks('Destination Vault', as))).toMatchObject([
      { status: 'fail', code: 'NAMESPACE_IGNORED' },
    ]);
  });

  it('mounts that are not there, or of another version', async () => {
    await world.destination.mount('old/', '1');
    const found = await doctor.checks('Destination Vault', {
      block: { mounts: ['secret/', 'old/', 'gone/'] },
    });
    expect(bad(found)).toMatchObject([
      { status: 'fail', code: 'MOUNT_NOT_KV2', fix: expect.stringContaining('enable-versioning old/') },
      {
        status: 'fail',
        code: 'MOUNT_MISSING',
        fix: expect.stringContaining('vault secrets enable -path=gone'),
      },
    ]);
  });
});

describe('vsync doctor on tokens', () => {
  it('no token of this Vault', async () => {
    const found = await doctor.checks('Destination Vault', doctor.withToken('hvs.nonsense'));
    expect(bad(found)).toMatchObject([{ status: 'fail', topic: 'token', code: 'TOKEN_EXPIRED' }]);
    expect(found.at(-1)).toMatchObject({ status: 'skip', topic: 'mounts' });
  });

  it('one that ends after some uses', async () => {
    const token = await doctor.lean('uses', writeRules, { num_uses: 100 });
    expect(bad(await doctor.checks('Destination Vault', doctor.withToken(token)))).toMatchObject([
      { status: 'fail', code: 'TOKEN_UNUSABLE' },
    ]);
  });

  it('a login that is refused', async () => {
    const { address } = world.vaults.destination;
    const as = { block: { vault: { address, approle: { role_id: 'x', secret_id: 'canary' } } } };
    expect(bad(await doctor.checks('Destination Vault', as))).toMatchObject([
      { status: 'fail', code: 'LOGIN_FAILED' },
    ]);
  });

  it('lean, periodic and renewed: nothing to warn of', async () => {
    const token = await doctor.lean('lean', writeRules);
    const found = await doctor.checks('Destination Vault', doctor.withToken(token));
    expect(bad(found)).toEqual([]);
    expect(found).toContainEqual(
      expect.objectContaining({
        topic: 'token',
        message: expect.stringContaining('periodic and renewed by vsync'),
      }),
    );
    expect(found).toContainEqual({ status: 'pass', topic: 'policies', message: 'lean' });
  });

  it('the `default` policy: the figure, and the command that fixes a token', async () => {
    const token = await world.destination.tokenFor('heavy', writeRules, { period: '24h' });
    expect(bad(await doctor.checks('Destination Vault', doctor.withToken(token)))).toMatchObject([
      {
        status: 'warn',
        topic: 'policies',
        message: expect.stringMatching(
          /^default, heavy: .* about 2\.6 times as much \(measured on Vault 1\.18\.0\)$/,
        ),
        commands: ['vault token create -orphan -period=24h -no-default-policy -policy=heavy'],
      },
    ]);
  });

  it('the `default` policy: the command that fixes an AppRole names the role', async () => {
    const { address } = world.vaults.destination;
    const approle = await world.destination.appRoleFor('copier', `${selfRules}${writeRules}`);
    const found = await doctor.checks('Destination Vault', { block: { vault: { address, approle } } });
    expect(bad(found)).toMatchObject([
      { commands: ['vault write auth/approle/role/copier token_no_default_policy=true'] },
    ]);
    expect(found).toContainEqual(
      expect.objectContaining({
        topic: 'token',
        message: expect.stringMatching(/^by AppRole, .*; vsync logs in again/),
      }),
    );
  });

  it.each([
    {
      name: 'one that cannot be renewed',
      options: { period: undefined, renewable: false, ttl: '2h' },
      message: /and it ends then: it is not renewable$/,
    },
    {
      name: 'one with a maximum lifetime',
      options: { period: undefined, ttl: '2h', explicit_max_ttl: '5h' },
      message: /not periodic: it ends for good at its maximum lifetime \(5h\)$/,
    },
  ])('$name: TOKEN_TTL_SHORT', async ({ options, message }) => {
    const token = await doctor.lean('short', writeRules, options);
    expect(bad(await doctor.checks('Destination Vault', doctor.withToken(token)))).toMatchObject([
      { status: 'warn', code: 'TOKEN_TTL_SHORT', message: expect.stringMatching(message) },
    ]);
  });

  it('renewal that is switched off', async () => {
    const token = await doctor.lean('off', writeRules);
    const { address } = world.vaults.destination;
    const as = { block: { vault: { address, token }, renewToken: false } };
    expect(bad(await doctor.checks('Destination Vault', as))).toMatchObject([
      { code: 'TOKEN_TTL_SHORT', message: expect.stringContaining('destination.renewToken is off') },
    ]);
  });

  it('one that may not look after itself', async () => {
    const token = await world.destination.tokenFor('mute', writeRules, {
      no_default_policy: true,
      period: '24h',
    });
    const found = await doctor.checks('Destination Vault', doctor.withToken(token));
    expect(bad(found)).toMatchObject([
      { status: 'warn', topic: 'token', fix: expect.stringContaining('path "auth/token/lookup-self"') },
      { status: 'warn', topic: 'self', fix: expect.stringContaining('path "sys/capabilities-self"') },
    ]);
    expect(found.at(-1)).toMatchObject({ status: 'skip', topic: 'rights' });

    const rules = selfRules.replace('renew-self', 'renew-other');
    const still = await world.destination.tokenFor('still', `${rules}${writeRules}`, {
      no_default_policy: true,
      period: '24h',
    });
    expect(bad(await doctor.checks('Destination Vault', doctor.withToken(still)))).toMatchObject([
      { status: 'warn', topic: 'self', message: expect.stringContaining('may not renew itself') },
    ]);
  });
});

describe('vsync doctor on rights', () => {
  const withoutDelete = 'path "secret/data/*" { capabilities = ["create", "update", "read"] }';
  const subPath = 'path "secret/data/team/*" { capabilities = ["create", "update", "read", "delete"] }';

  it('a capability that is missing at the top', async () => {
    const as = doctor.withToken(await doctor.lean('nodelete', withoutDelete));
    expect(bad(await doctor.checks('Destination Vault', as))).toMatchObject([
      {
        status: 'fail',
        topic: 'rights',
        code: 'VAULT_FORBIDDEN',
        message: 'no delete on secret/data/',
        fix: 'path "secret/data/*" { capabilities = ["create", "update", "read", "delete"] }',
      },
    ]);
    expect(bad(await doctor.checks('Destination Vault', { ...as, top: { ignoreDeletes: true } }))).toEqual(
      [],
    );
  });

  it('a policy for a part of the mount: a warning as long as no path tells more', async () => {
    const as = doctor.withToken(await doctor.lean('part', subPath));
    expect(bad(await doctor.checks('Destination Vault', as))).toMatchObject([
      { status: 'warn', topic: 'rights', message: expect.stringContaining('a policy for parts of it') },
    ]);
    await doctor.copied('team/a', 'team/b');
    const found = await doctor.checks('Destination Vault', as);
    expect(bad(found)).toEqual([]);
    expect(found.at(-1)?.message).toBe(
      'create, update, read, delete on each of 2 paths asked about, below secret/data/',
    );
    await doctor.copied('other');
    expect(bad(await doctor.checks('Destination Vault', as))).toMatchObject([
      {
        status: 'fail',
        message: expect.stringMatching(/on 1 of 3 paths asked about; the first is secret\/data\/other$/),
      },
    ]);
  });

  it('a rule that takes away what the top gives', async () => {
    await doctor.copied('a', 'locked/b');
    const rules = `${writeRules}\npath "secret/data/locked/*" { capabilities = ["deny"] }`;
    const found = await doctor.checks(
      'Destination Vault',
      doctor.withToken(await doctor.lean('locked', rules)),
    );
    expect(bad(found)).toMatchObject([
      { status: 'fail', message: expect.stringContaining('secret/data/locked/b') },
    ]);
  });

  it("an origin's process has to list where the scan begins", async () => {
    const rules = `${selfRules}path "secret/metadata/app/*" { capabilities = ["list", "read"] }`;
    const token = await world.origin.tokenFor('scan', rules, { no_default_policy: true, period: '24h' });
    const { address } = world.vaults.origin;
    const vault = { vault: { address, token } };
    const origin = (more: Json = {}) =>
      doctor.checks('Origin Vault', { origin: { ...vault, ...more } }, ['--role', 'origin']);
    expect(bad(await origin())).toMatchObject([
      { status: 'fail', code: 'VAULT_LIST_DENIED', message: expect.stringContaining('secret/metadata/') },
    ]);
    expect(bad(await origin({ include: ['secret/app/**'] }))).toEqual([]);
  });

  it("a destination's process reads values at the origin, and no metadata", async () => {
    const rules = `${selfRules}path "secret/data/*" { capabilities = ["read"] }`;
    const token = await world.origin.tokenFor('reader', rules, { no_default_policy: true, period: '24h' });
    const origin = { vault: { address: world.vaults.origin.address, token } };
    expect(bad(await doctor.checks('Origin Vault', { origin }))).toEqual([]);
  });

  it('mounts that are not configured are those of the published paths', async () => {
    const as = { block: { mounts: undefined } };
    expect((await doctor.checks('Destination Vault', as)).at(-1)).toMatchObject({
      status: 'skip',
      topic: 'mounts',
    });
    await doctor.copied('a');
    expect(await doctor.checks('Destination Vault', as)).toContainEqual(
      expect.objectContaining({
        status: 'pass',
        topic: 'mount',
        message: expect.stringContaining('secret/'),
      }),
    );
  });
});
