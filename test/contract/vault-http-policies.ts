import { describe, expect, it } from 'vitest';
import {
  expectError,
  freshMount,
  is,
  tokenWith,
  type VaultServers,
  type VaultTarget,
} from './vault-http-target.ts';

/** Policies: their API, and which rule wins. */
export function policyFacts(servers: VaultServers, vault: () => VaultTarget): void {
  describe('sys/policies/acl', () => apiFacts(servers, vault));
  describe('a rule', () => ruleFacts(vault));
}

const readX = 'path "x" { capabilities = ["read"] }';

function apiFacts(servers: VaultServers, vault: () => VaultTarget): void {
  const put = (name: string, policy: unknown) => vault().send(`PUT sys/policies/acl/${name}`, { policy });

  it('writes, reads, lists and deletes', async () => {
    expect(await put('api', readX)).toEqual(is.noContent);
    expect((await vault().send('GET sys/policies/acl/api')).data).toMatchObject({
      name: 'api',
      policy: readX,
    });
    const names = (await vault().send('LIST sys/policies/acl')).data.keys as string[];
    expect(names).toEqual(expect.arrayContaining(['api', 'default', 'root']));
    expect([...names].sort()).toEqual(names);
    for (const name of ['api', 'api', 'none']) {
      expect(await vault().send(`DELETE sys/policies/acl/${name}`)).toEqual(is.noContent);
    }
    expect(await vault().send('GET sys/policies/acl/api')).toEqual(is.nothing);
    expectError(await vault().send('GET sys/policies/acl'), 405);
  });

  it('lower-cases names, with a warning', async () => {
    expect(await put('UPPER', readX)).toMatchObject({
      status: 200,
      json: { data: null, warnings: [expect.any(String)] },
    });
    expect((await vault().send('GET sys/policies/acl/Upper')).data).toMatchObject({ name: 'upper' });
  });

  it('decodes pure base64', async () => {
    await put('base64', Buffer.from(readX).toString('base64'));
    expect((await vault().send('GET sys/policies/acl/base64')).data).toMatchObject({ policy: readX });
  });

  it.each([
    { name: 'an open string', policy: 'path "x" { capabilities = ["rea' },
    { name: 'an unknown capability', policy: 'path "x" { capabilities = ["nope"] }' },
    { name: 'an unknown key', policy: 'foo "x" { capabilities = ["read"] }' },
    { name: 'an unknown key of a path', policy: 'path "x" { foo = 1 }' },
    { name: 'a "+*"', policy: 'path "a/+*" { capabilities = ["read"] }' },
    { name: 'a bracket too many', policy: `${readX} }` },
    { name: 'nothing', policy: '' },
  ])('refuses $name with 400', async ({ policy }) => {
    expectError(await put('bad', policy), 400);
    expect(await vault().send('GET sys/policies/acl/bad')).toEqual(is.nothing);
  });

  it('protects root and default', async () => {
    expectError(await put('root', readX), 400);
    expectError(await vault().send('DELETE sys/policies/acl/root'), 400);
    expectError(await vault().send('DELETE sys/policies/acl/default'), 400);
    expect((await vault().send('GET sys/policies/acl/root')).data).toMatchObject({ policy: '' });
  });

  it.each([
    { name: 'comments', policy: `# one\n// two\n/* three\n */ ${readX}` },
    { name: 'a comma at the end', policy: 'path "x" { capabilities = ["read",] }' },
    { name: 'the old form', policy: 'path "x" { policy = "read" }' },
    { name: 'JSON', policy: '{"path":{"x":{"capabilities":["read"]}}}' },
    { name: 'a slash before the path', policy: 'path "/x" { capabilities = ["read"] }' },
    { name: 'several blocks in a line', policy: `${readX} path "y" { capabilities = ["list"] }` },
  ])('reads $name', async ({ policy }) => {
    expect(await put('forms', policy)).toEqual(is.noContent);
    const { json } = await vault().send('POST auth/token/create', { policies: ['forms', 'default'] });
    const token = String(json.auth?.client_token);
    const reply = await vault().send('POST sys/capabilities-self', { paths: ['x'] }, { token });
    expect(reply.data.x).toContain('read');
  });

  it('knows "scan" on OpenBao only', async () => {
    const reply = await put('scans', 'path "x" { capabilities = ["scan"] }');
    expect(reply.status).toBe(servers.flavour === 'openbao' ? 204 : 400);
  });

  it('changes what a token may do at once', async () => {
    const token = await tokenWith(vault(), {});
    const { policies } = (await vault().send('GET auth/token/lookup-self', undefined, { token })).data;
    const name = (policies as string[]).find((policy) => policy !== 'default') ?? '';
    const ask = async () => (await vault().send('GET secret/config', undefined, { token })).status;
    expect(await ask()).toBe(403);
    await put(name, 'path "secret/config" { capabilities = ["read"] }');
    expect(await ask()).toBe(200);
    await vault().send(`DELETE sys/policies/acl/${name}`);
    expect(await ask()).toBe(403);
  });
}

type Rules = Readonly<Record<string, readonly string[]>>;

const priorities: readonly {
  readonly name: string;
  readonly rules: Rules;
  readonly path: string;
  readonly may: string[];
}[] = [
  {
    name: 'exact wins over a prefix',
    rules: { 'a/*': ['read'], 'a/b': ['update'] },
    path: 'a/b',
    may: ['update'],
  },
  {
    name: 'the longest prefix wins',
    rules: { 'a/*': ['read'], 'a/b*': ['list'] },
    path: 'a/bc',
    may: ['list'],
  },
  { name: 'a prefix needs no slash', rules: { 'a/b*': ['read'] }, path: 'a/bcd/e', may: ['read'] },
  { name: 'a prefix is not its folder', rules: { 'a/*': ['read'] }, path: 'a', may: ['deny'] },
  { name: '+ is one segment', rules: { 'a/+/c': ['read'] }, path: 'a/x/c', may: ['read'] },
  { name: '+ is not two', rules: { 'a/+/c': ['read'] }, path: 'a/x/y/c', may: ['deny'] },
  { name: '+ and * together', rules: { 'a/+/c*': ['read'] }, path: 'a/x/cd/e', may: ['read'] },
  { name: 'a later + wins', rules: { 'a/+/c': ['read'], 'a/b/+': ['list'] }, path: 'a/b/c', may: ['list'] },
  {
    name: 'a + without * wins over one with',
    rules: { 'a/+/c*': ['read'], 'a/+/c': ['list'] },
    path: 'a/b/c',
    may: ['list'],
  },
  { name: 'fewer + win', rules: { 'a/+/+': ['read'], 'a/+/c': ['list'] }, path: 'a/b/c', may: ['list'] },
  {
    name: 'a longer prefix wins over a +',
    rules: { 'a/+/c': ['read'], 'a/b/*': ['list'] },
    path: 'a/b/c',
    may: ['list'],
  },
  { name: 'deny wins in its rule', rules: { 'a/b': ['read', 'deny'] }, path: 'a/b', may: ['deny'] },
  { name: 'deny on a longer path', rules: { 'a/*': ['read'], 'a/b': ['deny'] }, path: 'a/b', may: ['deny'] },
  {
    name: 'deny does not reach a longer allow',
    rules: { 'a/*': ['deny'], 'a/b': ['read'] },
    path: 'a/b',
    may: ['read'],
  },
  {
    name: 'LIST falls back to the path without its slash',
    rules: { 'a/b': ['list'] },
    path: 'a/b/',
    may: ['list'],
  },
  {
    name: 'LIST prefers the path with its slash',
    rules: { 'a/b': ['list'], 'a/b/': ['read'] },
    path: 'a/b/',
    may: ['read'],
  },
  { name: 'a lone *', rules: { '*': ['read'] }, path: 'any/thing', may: ['read'] },
];

function ruleFacts(vault: () => VaultTarget): void {
  it.each(priorities)('$name', async ({ rules, path, may }) => {
    const token = await tokenWith(vault(), rules);
    const reply = await vault().send('POST sys/capabilities-self', { paths: [path] }, { token });
    expect(reply.data.capabilities).toEqual(may);
  });

  it('of several policies adds up for one path, and deny among them denies', async () => {
    await vault().send('PUT sys/policies/acl/one', { policy: 'path "a/*" { capabilities = ["read"] }' });
    await vault().send('PUT sys/policies/acl/two', { policy: 'path "a/*" { capabilities = ["list"] }' });
    await vault().send('PUT sys/policies/acl/no', { policy: 'path "a/*" { capabilities = ["deny"] }' });
    const may = async (...policies: string[]) => {
      const { json } = await vault().send('POST auth/token/create', { policies });
      const token = String(json.auth?.client_token);
      return (await vault().send('POST sys/capabilities-self', { paths: ['a/x'] }, { token })).data
        .capabilities;
    };
    expect(await may('one', 'two')).toEqual(['list', 'read']);
    expect(await may('one', 'no', 'two')).toEqual(['deny']);
  });

  it('grants each operation by its own capability', async () => {
    const kv = await freshMount(vault());
    await kv.write('a');
    const token = await tokenWith(vault(), {
      [`${kv.path}metadata/*`]: ['read'],
      [`${kv.path}delete/*`]: ['update'],
    });
    const ask = async (request: string, body?: unknown) => (await kv.send(request, body, { token })).status;
    expect(await ask('GET metadata/a')).toBe(200);
    expect(await ask('LIST metadata/')).toBe(403);
    expect(await ask('DELETE metadata/a')).toBe(403);
    expect(await ask('GET data/a')).toBe(403);
    expect(await ask('POST delete/a', { versions: [1] })).toBe(204);
    expect(await ask('HEAD metadata/a')).toBe(403);
  });

  it('for sys/auth needs sudo as well', async () => {
    const plain = await tokenWith(vault(), { 'sys/auth/*': ['create', 'update'] });
    const sudo = await tokenWith(vault(), { 'sys/auth/*': ['create', 'update', 'sudo'] });
    expectError(await vault().send('POST sys/auth/sudo', { type: 'approle' }, { token: plain }), 403);
    expect(await vault().send('POST sys/auth/sudo', { type: 'approle' }, { token: sudo })).toEqual(
      is.noContent,
    );
  });
}
