import { describe, expect, it } from 'vitest';
import { expectError, freshMount, patchType, tokenWith, type VaultTarget } from './vault-http-target.ts';

/** Writes to `data/<key>`: bodies, check-and-set, capabilities. */
export function writingFacts(vault: () => VaultTarget): void {
  describe('a write', () => writeFacts(vault));
  describe('check-and-set', () => casFacts(vault));
  describe('capabilities', () => capabilityFacts(vault));
}

function writeFacts(vault: () => VaultTarget): void {
  it.each(['POST', 'PUT'])('by %s answers the metadata of the new version', async (method) => {
    const kv = await freshMount(vault());
    await kv.write('a');
    const reply = await kv.send(`${method} data/a`, { data: { k: 'v' } });
    const created_time = expect.stringMatching(/Z$/);
    expect(reply).toMatchObject({ status: 200 });
    expect(reply.data).toEqual({
      created_time,
      custom_metadata: null,
      deletion_time: '',
      destroyed: false,
      version: 2,
    });
  });

  it.each([
    { name: 'no data', body: {} },
    { name: 'an empty body', body: '' },
    { name: 'null for a body', body: 'null' },
    { name: 'data that is text', body: { data: 'x' } },
    { name: 'data that is empty text', body: { data: '' } },
    { name: 'data that is a number', body: { data: 5 } },
    { name: 'data that is a boolean', body: { data: true } },
    { name: 'data that is a list of numbers', body: { data: [1] } },
    { name: 'options that are text', body: { data: {}, options: 'x' } },
    { name: 'a version that is no number', body: { data: {}, version: 'abc' } },
  ])('with $name is 400', async ({ body }) => {
    const kv = await freshMount(vault());
    expectError(await kv.send('POST data/a', body), 400);
    expect(await kv.names()).toEqual([]);
  });

  it.each([
    { name: 'null', data: null, stored: null },
    { name: 'an empty list', data: [], stored: {} },
    { name: 'a list of objects', data: [{ a: 1 }, { b: 2 }], stored: { a: 1, b: 2 } },
    { name: 'an empty object', data: {}, stored: {} },
  ])('of $name is accepted', async ({ data, stored }) => {
    const kv = await freshMount(vault());
    await kv.write('a', data);
    const reply = await kv.send('GET data/a');
    expect(reply).toMatchObject({ status: 200, data: { data: stored, metadata: { version: 1 } } });
  });

  it.each([
    { name: 'a key', key: 'data/a/' },
    { name: 'the root', key: 'data/' },
  ])('to a path that ends in a slash is 400, before all else: $name', async ({ key }) => {
    const kv = await freshMount(vault());
    for (const token of [undefined, null, 'bogus']) {
      expectError(await kv.send(`POST ${key}`, { data: {} }, { token }), 400);
    }
    expectError(await kv.send(`PATCH ${key}`, { data: {} }, patchType), 400);
  });

  it('to a mount that is not there is 404 with a message, 403 without rights', async () => {
    const stranger = await tokenWith(vault(), {});
    expectError(await vault().send('POST no-such-mount/data/a', { data: {} }), 404);
    expectError(await vault().send('POST no-such-mount/data/a', { data: {} }, { token: stranger }), 403);
  });
}

function casFacts(vault: () => VaultTarget): void {
  it.each([
    { cas: 2, status: 200 },
    { cas: '2', status: 200 },
    { cas: '0x2', status: 200 },
    { cas: 0, status: 400 },
    { cas: 1, status: 400 },
    { cas: 3, status: 400 },
    { cas: -1, status: 400 },
    { cas: null, status: 400 },
    { cas: true, status: 400 },
    { cas: 'x', status: 400 },
    { cas: 2.5, status: 400 },
    { cas: [2], status: 400 },
  ])('of $cas at current_version 2 is $status', async ({ cas, status }) => {
    const kv = await freshMount(vault());
    await kv.write('a');
    await kv.write('a');
    expect((await kv.send('POST data/a', { data: {}, options: { cas } })).status).toBe(status);
    expect((await kv.metadata('a')).current_version).toBe(status === 200 ? 3 : 2);
  });

  it.each(['0.0', '2.0', '2e0'])('of %s is no integer: 400', async (cas) => {
    const kv = await freshMount(vault());
    expectError(await kv.send('POST data/a', `{"data":{},"options":{"cas":${cas}}}`), 400);
  });

  it.each([
    { name: 'never written', prepare: [], status: 200 },
    { name: 'metadata only', prepare: ['POST metadata/a {"max_versions":3}'], status: 200 },
    { name: 'metadata deleted', prepare: ['POST data/a {"data":{}}', 'DELETE metadata/a'], status: 200 },
    { name: 'live', prepare: ['POST data/a {"data":{}}'], status: 400 },
    { name: 'soft-deleted', prepare: ['POST data/a {"data":{}}', 'DELETE data/a'], status: 400 },
    {
      name: 'destroyed',
      prepare: ['POST data/a {"data":{}}', 'POST destroy/a {"versions":[1]}'],
      status: 400,
    },
  ])('of 0 on a key that is $name is $status', async ({ prepare, status }) => {
    const kv = await freshMount(vault());
    for (const step of prepare) {
      const [method, path, body] = step.split(' ');
      expect((await kv.send(`${method} ${path}`, body)).status).toBeLessThan(300);
    }
    expect((await kv.send('POST data/a', { data: {}, options: { cas: 0 } })).status).toBe(status);
  });

  it.each([
    { name: 'soft-deleted', request: 'DELETE data/a', body: undefined },
    { name: 'destroyed', request: 'POST destroy/a', body: { versions: [1] } },
  ])('of current_version writes over a version that is $name', async ({ request, body }) => {
    const kv = await freshMount(vault());
    await kv.write('a');
    await kv.send(request, body);
    expect(await kv.write('a', {}, { options: { cas: 1 } })).toMatchObject({ version: 2 });
  });

  it.each([
    { name: 'the mount', path: 'config' },
    { name: 'the key', path: 'metadata/a' },
  ])('may not be left out where $name requires it', async ({ path }) => {
    const kv = await freshMount(vault());
    await kv.send(`POST ${path}`, { cas_required: true });
    expectError(await kv.send('POST data/a', { data: {} }), 400);
    expectError(await kv.send('POST data/a', { data: {}, options: {} }), 400);
    expect(await kv.write('a', {}, { options: { cas: 0 } })).toMatchObject({ version: 1 });
    expectError(await kv.send('PATCH data/a', { data: {} }, patchType), 400);
    expect((await kv.send('PATCH data/a', { data: {}, options: { cas: 1 } }, patchType)).status).toBe(200);
  });
}

function capabilityFacts(vault: () => VaultTarget): void {
  it('"create" writes a key without metadata and nothing else', async () => {
    const kv = await freshMount(vault());
    await kv.send('POST metadata/meta', { max_versions: 2 });
    const token = await tokenWith(vault(), { [`${kv.path}data/*`]: ['create'] });
    const write = (key: string) => kv.send(`POST data/${key}`, { data: {} }, { token });
    expect((await write('a')).status).toBe(200);
    expectError(await write('a'), 403);
    expectError(await write('meta'), 403);
    await kv.send('DELETE data/a');
    expectError(await write('a'), 403);
    await kv.send('DELETE metadata/a');
    expect((await write('a')).status).toBe(200);
  });

  it('"update" writes a key with metadata and nothing else', async () => {
    const kv = await freshMount(vault());
    await kv.write('a');
    const token = await tokenWith(vault(), { [`${kv.path}data/*`]: ['update'] });
    expect((await kv.send('POST data/a', { data: {} }, { token })).status).toBe(200);
    expectError(await kv.send('POST data/b', { data: {} }, { token }), 403);
    expectError(await kv.send('PATCH data/a', { data: {} }, { ...patchType, token }), 403);
  });

  it('"patch" patches', async () => {
    const kv = await freshMount(vault());
    await kv.write('a');
    const token = await tokenWith(vault(), { [`${kv.path}data/*`]: ['patch'] });
    expect((await kv.send('PATCH data/a', { data: { b: 1 } }, { ...patchType, token })).status).toBe(200);
    expectError(await kv.send('POST data/a', { data: {} }, { token }), 403);
  });

  it('are asked for after the fields are read: a wrong type is 400, not 403', async () => {
    const kv = await freshMount(vault());
    const token = await tokenWith(vault(), {});
    expectError(await kv.send('POST data/a', { data: 'x' }, { token }), 400);
    expectError(await kv.send('POST data/a', '{bad', { token: null }), 400);
    expectError(await kv.send('POST data/a', { data: {} }, { token }), 403);
  });
}
