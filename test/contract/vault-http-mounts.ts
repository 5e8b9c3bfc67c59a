import { describe, expect, it } from 'vitest';
import {
  expectError,
  freshMount,
  is,
  tokenWith,
  type VaultServers,
  type VaultTarget,
} from './vault-http-target.ts';

/** Mounts, and what a token may do on them. */
export function mountFacts(servers: VaultServers, vault: () => VaultTarget): void {
  describe('sys/mounts', () => tableFacts(vault));
  describe('mounting', () => mountingFacts(vault));
  describe('sys/internal/ui/mounts', () => visibleFacts(servers, vault));
  describe('sys/capabilities-self', () => capabilityFacts(vault));
}

const info = {
  type: 'kv',
  options: { version: '2' },
  accessor: expect.stringMatching(/^kv_[0-9a-f]{8}$/),
  uuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
  description: expect.any(String),
  local: false,
  seal_wrap: false,
  external_entropy_access: false,
  config: expect.objectContaining({ force_no_cache: false }),
  plugin_version: '',
  running_plugin_version: expect.any(String),
};

function tableFacts(vault: () => VaultTarget): void {
  it('shows each mount twice, at the top and in data, its version as text', async () => {
    const kv = await freshMount(vault());
    const { json } = await vault().send('GET sys/mounts');
    expect(json.data).toMatchObject({
      [kv.path]: info,
      'secret/': info,
      'sys/': { type: 'system', options: null },
    });
    expect(json[kv.path]).toEqual(json.data?.[kv.path]);
    expect(json.data).not.toHaveProperty('auth/token/');
  });

  it('shows one mount, 400 for one that is not there', async () => {
    const { path } = await freshMount(vault());
    expect((await vault().send(`GET sys/mounts/${path.slice(0, -1)}`)).json).toMatchObject({
      ...info,
      data: info,
    });
    expectError(await vault().send('GET sys/mounts/none'), 400);
  });

  it('needs the capability "read"', async () => {
    const reader = await tokenWith(vault(), { 'sys/mounts': ['read'] });
    const stranger = await tokenWith(vault(), { 'secret/*': ['read'] });
    expect((await vault().send('GET sys/mounts', undefined, { token: reader })).status).toBe(200);
    expectError(await vault().send('GET sys/mounts', undefined, { token: stranger }), 403);
  });

  it('has another uuid and accessor once a mount is made again', async () => {
    const { path } = await freshMount(vault());
    const at = `sys/mounts/${path.slice(0, -1)}`;
    const first = (await vault().send(`GET ${at}`)).data;
    expect(await vault().send(`DELETE ${at}`)).toEqual(is.noContent);
    await vault().send(`POST ${at}`, { type: 'kv-v2' });
    const second = (await vault().send(`GET ${at}`)).data;
    expect([second.uuid === first.uuid, second.accessor === first.accessor]).toEqual([false, false]);
  });
}

function mountingFacts(vault: () => VaultTarget): void {
  it.each([
    { name: 'kv', body: { type: 'kv' }, options: {} },
    { name: 'kv 1', body: { type: 'kv', options: { version: '1' } }, options: { version: '1' } },
    { name: 'kv 2', body: { type: 'kv', options: { version: '2' } }, options: { version: '2' } },
    { name: 'kv 2 as a number', body: { type: 'kv', options: { version: 2 } }, options: { version: '2' } },
    { name: 'kv-v1', body: { type: 'kv-v1' }, options: { version: '1' } },
    { name: 'kv-v2', body: { type: 'kv-v2' }, options: { version: '2' } },
  ])('$name gives type kv with options $options', async ({ name, body, options }) => {
    const at = `mounting/${name.replaceAll(' ', '-')}`;
    expect(await vault().send(`POST sys/mounts/${at}`, body)).toEqual(is.noContent);
    expect((await vault().send(`GET sys/mounts/${at}`)).data).toMatchObject({ type: 'kv', options });
  });

  it.each([
    { name: 'at a path that is taken', at: 'secret', body: { type: 'kv' } },
    { name: 'below a mount', at: 'secret/x', body: { type: 'kv' } },
    { name: 'above a mount', at: 'nested', body: { type: 'kv' } },
    { name: 'below sys/', at: 'sys/x', body: { type: 'kv' } },
    { name: 'below auth/', at: 'auth/x', body: { type: 'kv' } },
    { name: 'at a path with a slash at its end', at: 'slash/', body: { type: 'kv' } },
    { name: 'an unknown type', at: 'unknown', body: { type: 'nope' } },
    { name: 'no type', at: 'unknown', body: {} },
    { name: 'an unknown version', at: 'unknown', body: { type: 'kv', options: { version: '3' } } },
  ])('$name is 400', async ({ at, body }) => {
    await vault().send('POST sys/mounts/nested/below', { type: 'kv' });
    expectError(await vault().send(`POST sys/mounts/${at}`, body), 400);
  });

  it('undone makes its paths 404 with a message, its data gone', async () => {
    const kv = await freshMount(vault());
    await kv.write('a');
    expect(await vault().send(`DELETE sys/mounts/${kv.path.slice(0, -1)}`)).toEqual(is.noContent);
    for (const request of ['GET data/a', 'LIST metadata/']) expectError(await kv.send(request), 404);
    expect(await vault().send('DELETE sys/mounts/none')).toEqual(is.noContent);
    expectError(await vault().send('DELETE sys/mounts/sys'), 400);
  });

  it('takes lease times, which sys/mounts shows', async () => {
    const config = { default_lease_ttl: '1h', max_lease_ttl: 7200 };
    await vault().send('POST sys/mounts/leases', { type: 'kv', description: 'd', config });
    const shown = (await vault().send('GET sys/mounts/leases')).data;
    expect(shown).toMatchObject({
      description: 'd',
      config: { default_lease_ttl: 3600, max_lease_ttl: 7200 },
    });
  });
}

function visibleFacts(servers: VaultServers, vault: () => VaultTarget): void {
  const ask = (path: string, token: string | null | undefined) =>
    vault().send(`GET sys/internal/ui/mounts${path}`, undefined, { token });

  it('shows the mounts on which a token can do anything, without a policy line of its own', async () => {
    const [mine, theirs] = [await freshMount(vault()), await freshMount(vault())];
    const token = await tokenWith(vault(), { [`${mine.path}data/x`]: ['read'] }, { no_default_policy: true });
    expect((await ask('', token)).data).toEqual({
      auth: {},
      secret: { [mine.path]: expect.objectContaining(info) },
    });
    expect((await ask(`/${mine.path}data/x/y`, token)).data).toMatchObject({ ...info, path: mine.path });
    expect((await ask(`/${mine.path.slice(0, -1)}`, token)).status).toBe(200);
    expectError(await ask(`/${theirs.path}`, token), 403);
    expectError(await ask('/none', token), 403);
  });

  it.each([
    { name: 'a pattern', rules: (path: string) => ({ [path.replace(/-\d+/, '-+')]: ['read'] }), sees: false },
    { name: 'a + for the mount', rules: () => ({ '+/data/*': ['read'] }), sees: true },
    { name: 'a prefix above it', rules: () => ({ 'fact-*': ['list'] }), sees: true },
    { name: 'deny below it', rules: (path: string) => ({ [`${path}*`]: ['deny'] }), sees: false },
  ])('goes by rules: $name', async ({ rules, sees }) => {
    const { path } = await freshMount(vault());
    const token = await tokenWith(vault(), rules(path));
    expect((await ask(`/${path}`, token)).status).toBe(sees ? 200 : 403);
  });

  it('shows nothing without a token, 403 for one mount, and to a bad token', async () => {
    expect((await ask('', null)).data).toEqual({ auth: {}, secret: {} });
    expectError(await ask('/secret', null), 403);
    for (const path of ['', '/secret']) expectError(await ask(path, 'bogus'), 403);
  });

  it('has lease times in force on Vault, those set on OpenBao', async () => {
    const { path } = await freshMount(vault());
    const seconds = servers.flavour === 'vault' ? 2_764_800 : 0;
    const config = { default_lease_ttl: seconds, max_lease_ttl: seconds };
    expect((await ask(`/${path}`, undefined)).data).toMatchObject({ config });
  });
}

function capabilityFacts(vault: () => VaultTarget): void {
  it('answers sorted lists, at the top and in data; LIST counts with the slash', async () => {
    const token = await tokenWith(vault(), {
      'm/metadata/*': ['read', 'list'],
      'm/data/*': ['update', 'create'],
    });
    const paths = [
      'm/metadata/',
      'm/metadata',
      'm/metadata/a/b',
      'm/data/x',
      '/m/data/x',
      'other',
      'sys/capabilities-self',
    ];
    const { json } = await vault().send('POST sys/capabilities-self', { paths }, { token });
    const expected = {
      'm/metadata/': ['list', 'read'],
      'm/metadata': ['deny'],
      'm/metadata/a/b': ['list', 'read'],
      'm/data/x': ['create', 'update'],
      '/m/data/x': ['create', 'update'],
      other: ['deny'],
      'sys/capabilities-self': ['update'],
    };
    expect(json.data).toEqual(expected);
    expect(json).toMatchObject(expected);
  });

  it('has "capabilities" for a single path, and ["root"] for root', async () => {
    for (const body of [{ paths: ['x'] }, { path: 'x' }, { paths: 'x' }]) {
      const reply = await vault().send('POST sys/capabilities-self', body);
      expect(reply.data).toEqual({ capabilities: ['root'], x: ['root'] });
    }
  });

  it.each([{}, { paths: [] }, { paths: [''] }])('is 400 for %j', async (body) => {
    expectError(await vault().send('POST sys/capabilities-self', body), 400);
  });

  it('is part of the default policy', async () => {
    const token = await tokenWith(vault(), {}, { no_default_policy: true });
    expectError(await vault().send('POST sys/capabilities-self', { paths: ['x'] }, { token }), 403);
  });
}
