import { describe, expect, it } from 'vitest';
import {
  expectError,
  expectWrongPath,
  freshMount,
  is,
  type KvMount,
  tokenWith,
  type VaultServers,
  type VaultTarget,
} from './vault-http-target.ts';

/** LIST and SCAN, paging, `detailed-metadata/`. */
export function listingFacts(servers: VaultServers, vault: () => VaultTarget): void {
  describe('a LIST', () => listFacts(vault));
  if (servers.flavour === 'vault') describe('what Vault lacks', () => vaultFacts(vault));
  else {
    describe('paging', () => pagingFacts(vault));
    describe('SCAN', () => scanFacts(vault));
    describe('detailed-metadata', () => detailedFacts(vault));
  }
}

const keys = ['App', 'app', 'app-x', 'app.y', 'app/', 'app0', 'z z', 'é', '\uFF5E', '\u{1F600}'];

/** Keys so that a folder holds `keys`. */
async function filled(vault: VaultTarget): Promise<KvMount> {
  const kv = await freshMount(vault);
  for (const key of keys) await kv.write(`f/${encodeURI(key)}${key.endsWith('/') ? 'deep/leaf' : ''}`);
  return kv;
}

function listFacts(vault: () => VaultTarget): void {
  it.each([
    { name: 'verb LIST', request: 'LIST metadata/f' },
    { name: 'verb LIST with a slash', request: 'LIST metadata/f/' },
    { name: '?list=true', request: 'GET metadata/f?list=true' },
    { name: '?list=1 with a slash', request: 'GET metadata/f/?list=1' },
  ])('by $name has names in the order of their bytes, folders with a slash', async ({ request }) => {
    const kv = await filled(vault());
    const reply = await kv.send(request);
    expect(reply).toMatchObject({ status: 200, json: { warnings: null } });
    expect(reply.data).toEqual({ keys });
  });

  it('is 404 for a leaf, an empty and a missing folder', async () => {
    const kv = await filled(vault());
    for (const folder of ['f/App', 'none', 'f/app/deep/leaf']) {
      expect(await kv.send(`LIST metadata/${folder}`), folder).toEqual(is.nothing);
    }
    expect(await (await freshMount(vault())).send('LIST metadata/')).toEqual(is.nothing);
  });

  it('of ?list=false is a read', async () => {
    const kv = await freshMount(vault());
    await kv.write('a');
    expect((await kv.send('GET metadata/a?list=false')).data).toMatchObject({ current_version: 1 });
  });

  it('shows soft-deleted, destroyed and metadata-only keys', async () => {
    const kv = await freshMount(vault());
    for (const key of ['a', 'b']) await kv.write(key);
    await kv.send('DELETE data/a');
    await kv.send('POST destroy/b', { versions: [1] });
    await kv.send('POST metadata/c', { max_versions: 1 });
    expect(await kv.names()).toEqual(['a', 'b', 'c']);
  });

  it('filters no names by policy', async () => {
    const kv = await freshMount(vault());
    for (const key of ['mine', 'theirs']) await kv.write(key);
    const token = await tokenWith(vault(), {
      [`${kv.path}metadata/`]: ['list'],
      [`${kv.path}metadata/mine`]: ['read'],
    });
    expect((await kv.send('LIST metadata/', undefined, { token })).data.keys).toEqual(['mine', 'theirs']);
    expectError(await kv.send('GET metadata/theirs', undefined, { token }), 403);
  });
}

function vaultFacts(vault: () => VaultTarget): void {
  it('is paging: after and limit are ignored with a warning', async () => {
    const kv = await filled(vault());
    const reply = await kv.send('GET metadata/f?list=true&after=app&limit=1');
    expect(reply.data).toEqual({ keys });
    expect(reply.json.warnings).toEqual(['Endpoint ignored these unrecognized parameters: [after limit]']);
  });

  it('is the 404 of an empty folder, once there is a warning', async () => {
    const kv = await freshMount(vault());
    expect(await kv.send('GET metadata/none?list=true&limit=1')).toMatchObject({
      status: 200,
      json: { data: {} },
    });
  });

  it.each([undefined, null, 'bogus'])('is SCAN: 405 whatever the token (%s)', async (token) => {
    const kv = await filled(vault());
    for (const path of ['metadata/', 'detailed-metadata/', 'data/a']) {
      expect(await kv.send(`SCAN ${path}`, undefined, { token })).toMatchObject({
        status: 405,
        text: '{"errors":[]}\n',
      });
    }
  });

  it('is ?scan=true: a plain read', async () => {
    const kv = await freshMount(vault());
    await kv.write('a');
    expect((await kv.send('GET metadata/a?scan=true')).data).toMatchObject({ current_version: 1 });
    expect(await kv.send('GET metadata/?scan=true')).toEqual(is.nothing);
  });

  it('is detailed-metadata: a wrong path, or 403', async () => {
    const kv = await filled(vault());
    expectWrongPath(await kv.send('LIST detailed-metadata/'));
    const token = await tokenWith(vault(), { [`${kv.path}metadata/*`]: ['list'] });
    expectError(await kv.send('LIST detailed-metadata/', undefined, { token }), 403);
  });
}

function pagingFacts(vault: () => VaultTarget): void {
  it.each([
    { query: '&limit=2', names: ['App', 'app'] },
    { query: '&after=app&limit=2', names: ['app-x', 'app.y'] },
    { query: '&after=app.z&limit=1', names: ['app/'] },
    { query: '&after=app/&limit=1', names: ['app0'] },
    { query: '&limit=0', names: keys },
    { query: '&limit=-1', names: keys },
  ])('by "$query"', async ({ query, names }) => {
    const kv = await filled(vault());
    const reply = await kv.send(`GET metadata/f?list=true${query}`);
    expect(reply.json).toMatchObject({ warnings: null, data: { keys: names } });
  });

  it('ends in a 404', async () => {
    const kv = await filled(vault());
    expect(await kv.send(`GET metadata/f?list=true&limit=5&after=${encodeURI('\u{1F600}')}`)).toEqual(
      is.nothing,
    );
  });

  it('with limit=max is 400 for root', async () => {
    const kv = await filled(vault());
    expectError(await kv.send('GET metadata/f?list=true&limit=max'), 400);
  });

  it('is forced by pagination_limit: a LIST without limit is cut, a larger limit is 403, max works', async () => {
    const kv = await filled(vault());
    const policy = `path "${kv.path}metadata/*" { capabilities = ["list"] pagination_limit = 3 }`;
    expect(await vault().send('PUT sys/policies/acl/cut', { policy })).toEqual(is.noContent);
    const created = await vault().send('POST auth/token/create', { policies: ['cut'] });
    const token = String(created.json.auth?.client_token);
    const list = (query: string) => kv.send(`GET metadata/f?list=true${query}`, undefined, { token });
    expect((await list('')).data.keys).toEqual(keys.slice(0, 3));
    expect((await list('&limit=max')).data.keys).toEqual(keys.slice(0, 3));
    expect((await list('&limit=2')).data.keys).toEqual(keys.slice(0, 2));
    expectError(await list('&limit=4'), 403);
  });
}

function scanFacts(vault: () => VaultTarget): void {
  it.each([
    { name: 'verb SCAN', request: 'SCAN metadata/f' },
    { name: '?scan=true', request: 'GET metadata/f/?scan=true&after=b&limit=1' },
  ])("by $name lists leaves below a folder, each folder's own first", async ({ request }) => {
    const kv = await filled(vault());
    const reply = await kv.send(request);
    const leaves = keys.filter((key) => key !== 'app/');
    expect(reply.json).toMatchObject({ warnings: null, data: { keys: [...leaves, 'app/deep/leaf'] } });
  });

  it('of an empty folder is 200 without keys', async () => {
    const kv = await freshMount(vault());
    for (const path of ['metadata/', 'detailed-metadata/none']) {
      expect(await kv.send(`SCAN ${path}`)).toMatchObject({ status: 200, json: { data: {} } });
    }
  });

  it('together with list is 400', async () => {
    const kv = await freshMount(vault());
    expect(await kv.send('GET metadata/?list=true&scan=true')).toMatchObject({
      status: 400,
      text: '{"errors":[]}\n',
    });
  });

  it('needs the capability "scan"', async () => {
    const kv = await filled(vault());
    const lists = await tokenWith(vault(), { [`${kv.path}*`]: ['list', 'read'] });
    const scans = await tokenWith(vault(), { [`${kv.path}*`]: ['scan'] });
    expectError(await kv.send('SCAN detailed-metadata/', undefined, { token: lists }), 403);
    expect((await kv.send('SCAN detailed-metadata/', undefined, { token: scans })).status).toBe(200);
  });
}

function detailedFacts(vault: () => VaultTarget): void {
  it('lists names with their metadata; a folder has none, unless it is a leaf too', async () => {
    const kv = await freshMount(vault());
    for (const key of ['a', 'app', 'app/x', 'dir/y']) await kv.write(key);
    const { keys: names, key_info } = (await kv.send('LIST detailed-metadata/')).data;
    const app = await kv.metadata('app');
    expect(names).toEqual(['a', 'app', 'app/', 'dir/']);
    expect(key_info).toEqual({ a: await kv.metadata('a'), app, 'app/': app, 'dir/': {} });
  });

  it('is paged like metadata, and empty in a 404', async () => {
    const kv = await freshMount(vault());
    for (const key of ['a', 'b', 'c']) await kv.write(key);
    expect((await kv.send('GET detailed-metadata/?list=true&after=a&limit=1')).data.keys).toEqual(['b']);
    expect(await kv.send('GET detailed-metadata/?list=true&after=c')).toEqual(is.nothing);
    expect(await kv.send('LIST detailed-metadata/none')).toEqual(is.nothing);
  });

  it('scans a whole tree', async () => {
    const kv = await freshMount(vault());
    for (const key of ['b', 'sub/c', 'a']) await kv.write(key);
    const { keys: names, key_info } = (await kv.send('SCAN detailed-metadata')).data;
    expect(names).toEqual(['a', 'b', 'sub/c']);
    expect(key_info).toMatchObject({ 'sub/c': await kv.metadata('sub/c') });
  });
}
