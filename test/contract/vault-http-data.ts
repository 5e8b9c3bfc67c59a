import { describe, expect, it } from 'vitest';
import {
  expectError,
  expectNotFoundWithBody,
  expectWrongPath,
  freshMount,
  is,
  patchType,
  type VaultServers,
  type VaultTarget,
} from './vault-http-target.ts';

/** `data/<key>`: reading, deleting, patching. */
export function dataFacts(servers: VaultServers, vault: () => VaultTarget): void {
  describe('a read', () => readFacts(servers, vault));
  describe('a delete', () => deleteFacts(servers, vault));
  describe('a patch', () => patchFacts(vault));
}

function readFacts(servers: VaultServers, vault: () => VaultTarget): void {
  it.each([
    { query: '', version: 3 },
    { query: '?version=0', version: 3 },
    { query: '?version=-1', version: 3 },
    { query: '?version=', version: 3 },
    { query: '?version=1', version: 1 },
    { query: '?version=3', version: 3 },
  ])('with "$query" gives version $version', async ({ query, version }) => {
    const kv = await freshMount(vault());
    for (const k of [1, 2, 3]) await kv.write('a', { k });
    const reply = await kv.send(`GET data/a${query}`);
    expect(reply.status).toBe(200);
    expect(reply.data).toEqual({
      data: { k: version },
      metadata: {
        created_time: expect.any(String),
        custom_metadata: null,
        deletion_time: '',
        destroyed: false,
        version,
      },
    });
  });

  it('shows custom_metadata', async () => {
    const kv = await freshMount(vault());
    await kv.send('POST metadata/a', { custom_metadata: { owner: 'me' } });
    expect(await kv.write('a')).toMatchObject({ custom_metadata: { owner: 'me' } });
    expect((await kv.send('GET data/a')).data.metadata).toMatchObject({ custom_metadata: { owner: 'me' } });
  });

  it.each(['?version=abc', '?version=1.0', '?version=1&version=2'])('with "%s" is 400', async (query) => {
    const kv = await freshMount(vault());
    await kv.write('a');
    expectError(await kv.send(`GET data/a${query}`), 400);
  });

  it('of a key without metadata, without versions, and of a version that is unknown or trimmed is the same 404', async () => {
    const kv = await freshMount(vault());
    await kv.send('POST config', { max_versions: 1 });
    await kv.send('POST metadata/empty', { max_versions: 1 });
    await kv.write('a');
    await kv.write('a');
    for (const path of ['data/none', 'data/empty', 'data/a?version=9', 'data/a?version=1', 'subkeys/none']) {
      expect(await kv.send(`GET ${path}`), path).toEqual(is.nothing);
    }
  });

  it.each([
    {
      name: 'soft-deleted',
      request: 'DELETE data/a',
      body: undefined,
      state: { deletion_time: expect.stringMatching(/Z$/) },
    },
    {
      name: 'destroyed',
      request: 'POST destroy/a',
      body: { versions: [1] },
      state: { destroyed: true, deletion_time: '' },
    },
  ])('of a version that is $name is a 404 with its metadata', async ({ request, body, state }) => {
    const kv = await freshMount(vault());
    await kv.write('a');
    await kv.send(request, body);
    const { data } = expectNotFoundWithBody(await kv.send('GET data/a'));
    expect(data).toEqual({ data: null, metadata: expect.objectContaining({ version: 1, ...state }) });
    const subkeys = expectNotFoundWithBody(await kv.send('GET subkeys/a'));
    expect(subkeys.data).toEqual({ subkeys: null, metadata: expect.objectContaining(state) });
  });

  it('of a path that ends in a slash is no read of the key', async () => {
    const kv = await freshMount(vault());
    await kv.write('a');
    const live = await kv.send('GET data/a/');
    if (servers.flavour === 'vault') expectWrongPath(live);
    else expectError(live, 500);
    await kv.send('DELETE data/a');
    const deleted = await kv.send('GET data/a/');
    if (servers.flavour === 'vault') expectWrongPath(deleted);
    else expect(expectNotFoundWithBody(deleted).data).toMatchObject({ data: null });
  });

  it('of subkeys gives the structure with null for each value', async () => {
    const kv = await freshMount(vault());
    await kv.write('a', { a: { b: { c: 1 }, d: [1, { e: 1 }], f: {} }, g: null });
    const subkeys = async (query: string) => (await kv.send(`GET subkeys/a${query}`)).data.subkeys;
    expect(await subkeys('')).toEqual({ a: { b: { c: null }, d: null, f: null }, g: null });
    expect(await subkeys('?depth=1')).toEqual({ a: null, g: null });
    expect(await subkeys('?depth=2&version=1')).toEqual({ a: { b: null, d: null, f: null }, g: null });
  });
}

function deleteFacts(servers: VaultServers, vault: () => VaultTarget): void {
  it('is 204 for a key that is there, gone, or never was', async () => {
    const kv = await freshMount(vault());
    await kv.write('a');
    for (const key of ['a', 'a', 'never']) expect(await kv.send(`DELETE data/${key}`)).toEqual(is.noContent);
    expect(await kv.names()).toEqual(['a']);
  });

  it('deletes the current version once, and only that', async () => {
    const kv = await freshMount(vault());
    await kv.write('a');
    await kv.write('a');
    await kv.send('DELETE data/a');
    const { versions } = await kv.metadata('a');
    await kv.send('DELETE data/a');
    expect((await kv.metadata('a')).versions).toEqual(versions);
    expect(versions).toMatchObject({
      1: { deletion_time: '' },
      2: { deletion_time: expect.stringMatching(/Z$/) },
    });
  });

  it('of a path that ends in a slash is refused by Vault and hits the key on OpenBao', async () => {
    const kv = await freshMount(vault());
    await kv.write('a');
    const reply = await kv.send('DELETE data/a/');
    if (servers.flavour === 'vault') expectWrongPath(reply);
    else expect(reply).toEqual(is.noContent);
    expect((await kv.send('GET data/a')).status).toBe(servers.flavour === 'vault' ? 200 : 404);
  });
}

function patchFacts(vault: () => VaultTarget): void {
  it('merges onto the current version: null removes, objects merge, the rest replaces', async () => {
    const kv = await freshMount(vault());
    await kv.write('a', { keep: 1, gone: 2, deep: { x: 1, y: 2 }, list: [1, 2], scalar: 'x' });
    const patch = {
      gone: null,
      deep: { x: null, z: { n: null, m: 1 } },
      list: [null, 3],
      scalar: { s: 1 },
      none: null,
    };
    const reply = await kv.send('PATCH data/a', { data: patch }, patchType);
    expect(reply).toMatchObject({ status: 200, data: { version: 2, deletion_time: '', destroyed: false } });
    expect((await kv.send('GET data/a')).data.data).toEqual({
      keep: 1,
      deep: { y: 2, z: { m: 1 } },
      list: [null, 3],
      scalar: { s: 1 },
    });
  });

  it('drops null from objects in a list, unless the list replaces an object', async () => {
    const kv = await freshMount(vault());
    await kv.write('a', { text: 'x', deep: { y: 1 } });
    const list = [{ n: null, m: 1 }];
    await kv.send('PATCH data/a', { data: { text: list, deep: list, fresh: list } }, patchType);
    expect((await kv.send('GET data/a')).data.data).toEqual({
      text: [{ m: 1 }],
      deep: list,
      fresh: [{ m: 1 }],
    });
  });

  it('with a number out of range is refused, unlike a write', async () => {
    const kv = await freshMount(vault());
    await kv.write('a');
    const reply = await kv.send('PATCH data/a', '{"data":{"deep":[{"n":1e400}]}}', patchType);
    expectError(reply, vault().flavour === 'vault' ? 500 : 400);
    expect(await kv.metadata('a')).toMatchObject({ current_version: 1 });
  });

  it.each([
    { name: 'soft-deleted', request: 'DELETE data/a', body: undefined },
    { name: 'destroyed', request: 'POST destroy/a', body: { versions: [1] } },
  ])('of a version that is $name is a 404 with flat metadata', async ({ request, body }) => {
    const kv = await freshMount(vault());
    await kv.write('a');
    await kv.send(request, body);
    const { data } = expectNotFoundWithBody(await kv.send('PATCH data/a', { data: {} }, patchType));
    expect(Object.keys(data ?? {}).sort()).toEqual([
      'created_time',
      'custom_metadata',
      'deletion_time',
      'destroyed',
      'version',
    ]);
  });

  it.each([
    { name: 'no data', body: {}, status: 400 },
    { name: 'data that is text', body: { data: 'x' }, status: 400 },
    { name: 'data that is null', body: { data: null }, status: 500 },
  ])('with $name is $status', async ({ body, status }) => {
    const kv = await freshMount(vault());
    await kv.write('a');
    expectError(await kv.send('PATCH data/a', body, patchType), status);
  });

  it('of a stored null is 500', async () => {
    const kv = await freshMount(vault());
    await kv.write('a', null);
    expectError(await kv.send('PATCH data/a', { data: { a: 1 } }, patchType), 500);
  });
}
