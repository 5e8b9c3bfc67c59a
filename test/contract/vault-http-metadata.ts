import { describe, expect, it } from 'vitest';
import {
  expectError,
  freshMount,
  is,
  patchType,
  type VaultServers,
  type VaultTarget,
} from './vault-http-target.ts';

/** `metadata/<key>` and `config`: settings of keys and mounts. */
export function metadataFacts(servers: VaultServers, vault: () => VaultTarget): void {
  describe('metadata', () => readFacts(servers, vault));
  describe('a metadata write', () => writeFacts(vault));
  describe('custom_metadata', () => customFacts(vault));
  describe('a metadata patch', () => patchFacts(vault));
  describe('config', () => configFacts(servers, vault));
  if (servers.flavour === 'openbao') describe('metadata_cas', () => metadataCasFacts(vault));
}

function readFacts(servers: VaultServers, vault: () => VaultTarget): void {
  it('of a key has all its settings and versions', async () => {
    const kv = await freshMount(vault());
    await kv.write('a');
    const time = expect.stringMatching(/Z$/);
    expect(await kv.metadata('a')).toEqual({
      cas_required: false,
      created_time: time,
      current_version: 1,
      custom_metadata: null,
      delete_version_after: '0s',
      max_versions: 0,
      oldest_version: 0,
      updated_time: time,
      versions: { 1: { created_time: time, deletion_time: '', destroyed: false } },
      ...(servers.flavour === 'openbao' && { current_metadata_version: 0, metadata_cas_required: false }),
    });
  });

  it('of a key that only has metadata has no versions', async () => {
    const kv = await freshMount(vault());
    await kv.send('POST metadata/a', { max_versions: 0 });
    const meta = await kv.metadata('a');
    expect(meta).toMatchObject({ current_version: 0, oldest_version: 0, versions: {} });
    await kv.write('a');
    expect((await kv.metadata('a')).created_time).toBe(meta.created_time);
  });

  it('of a key that is not there, and of the root, is 404', async () => {
    const kv = await freshMount(vault());
    for (const path of ['metadata/a', 'metadata/']) expect(await kv.send(`GET ${path}`)).toEqual(is.nothing);
  });

  it('does not mind a slash at the end: it reads, and deletes, the key', async () => {
    const kv = await freshMount(vault());
    await kv.write('a');
    expect((await kv.send('GET metadata/a/')).data).toEqual(await kv.metadata('a'));
    expect(await kv.send('DELETE metadata/a/')).toEqual(is.noContent);
    expect(await kv.send('GET metadata/a')).toEqual(is.nothing);
  });

  it('is gone after DELETE, with the key in its folder; a second DELETE is 204 too', async () => {
    const kv = await freshMount(vault());
    await kv.write('x/a');
    await kv.write('x/y/b');
    for (const key of ['x/a', 'x/a', 'x/y/b', 'never']) {
      expect(await kv.send(`DELETE metadata/${key}`)).toEqual(is.noContent);
    }
    expect(await kv.names()).toEqual([]);
  });
}

function writeFacts(vault: () => VaultTarget): void {
  it.each([{}, { foo: 1 }])('of %j is 204 and makes no key', async (body) => {
    const kv = await freshMount(vault());
    expect(await kv.send('POST metadata/a', body)).toEqual(is.noContent);
    expect(await kv.names()).toEqual([]);
  });

  it.each([
    { body: '{"max_versions":7}', shown: { max_versions: 7 } },
    { body: '{"max_versions":"7"}', shown: { max_versions: 7 } },
    { body: '{"max_versions":null}', shown: { max_versions: 0 } },
    { body: '{"max_versions":-1}', shown: { max_versions: 4294967295 } },
    { body: '{"cas_required":true}', shown: { cas_required: true } },
    { body: '{"cas_required":1}', shown: { cas_required: true } },
    { body: '{"cas_required":"t"}', shown: { cas_required: true } },
    { body: '{"cas_required":""}', shown: { cas_required: false } },
    { body: '{"delete_version_after":90}', shown: { delete_version_after: '1m30s' } },
    { body: '{"delete_version_after":"90"}', shown: { delete_version_after: '1m30s' } },
    { body: '{"delete_version_after":"3h0m1.5s"}', shown: { delete_version_after: '3h0m1s' } },
    { body: '{"delete_version_after":"1d"}', shown: { delete_version_after: '24h0m0s' } },
    { body: '{"delete_version_after":"100ms"}', shown: { delete_version_after: '0s' } },
    { body: '{"delete_version_after":""}', shown: { delete_version_after: '0s' } },
  ])('of $body', async ({ body, shown }) => {
    const kv = await freshMount(vault());
    expect(await kv.send('POST metadata/a', body)).toEqual(is.noContent);
    expect(await kv.metadata('a')).toMatchObject(shown);
  });

  it.each([
    '{"max_versions":"x"}',
    '{"max_versions":1.5}',
    '{"cas_required":2}',
    '{"cas_required":"yes"}',
    '{"delete_version_after":-5}',
    '{"delete_version_after":"-5s"}',
    '{"delete_version_after":"abc"}',
    '{"delete_version_after":1.7}',
    '{"delete_version_after":true}',
    '{"custom_metadata":"x"}',
  ])('of %s is 400', async (body) => {
    const kv = await freshMount(vault());
    expectError(await kv.send('POST metadata/a', body), 400);
    expect(await kv.names()).toEqual([]);
  });

  it('of cas_required false against the mount is accepted with a warning', async () => {
    const kv = await freshMount(vault());
    await kv.send('POST config', { cas_required: true });
    const reply = await kv.send('POST metadata/a', { cas_required: false });
    expect(reply).toMatchObject({ status: 200, json: { data: null, warnings: [expect.any(String)] } });
    expect(await kv.send('POST metadata/a', { cas_required: true })).toEqual(is.noContent);
  });
}

function customFacts(vault: () => VaultTarget): void {
  it('that is given replaces the whole map, not given leaves it alone', async () => {
    const kv = await freshMount(vault());
    await kv.send('POST metadata/a', { custom_metadata: { a: '1', b: '2' } });
    await kv.send('POST metadata/a', { max_versions: 3 });
    expect((await kv.metadata('a')).custom_metadata).toEqual({ a: '1', b: '2' });
    await kv.send('POST metadata/a', { custom_metadata: { c: '3' } });
    expect((await kv.metadata('a')).custom_metadata).toEqual({ c: '3' });
    await kv.send('POST metadata/a', { custom_metadata: {} });
    expect((await kv.metadata('a')).custom_metadata).toBeNull();
  });

  it('turns numbers and booleans into text', async () => {
    const kv = await freshMount(vault());
    await kv.send('POST metadata/a', '{"custom_metadata":{"t":true,"f":false,"n":5,"d":1.50,"e":1e3}}');
    expect((await kv.metadata('a')).custom_metadata).toEqual({ t: '1', f: '0', n: '5', d: '1.50', e: '1e3' });
  });

  it.each([
    { name: '64 keys', map: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`k${i}`, 'v'])) },
    { name: 'a key of 128 bytes', map: { ['é'.repeat(64)]: 'v' } },
    { name: 'a value of 512 bytes', map: { k: 'é'.repeat(256) } },
    { name: 'letters of any script, and spaces', map: { 'é ü': 'ö 日本 \u{1F600}' } },
  ])('may have $name', async ({ map }) => {
    const kv = await freshMount(vault());
    expect(await kv.send('POST metadata/a', { custom_metadata: map })).toEqual(is.noContent);
    expect((await kv.metadata('a')).custom_metadata).toEqual(map);
  });

  it.each([
    { name: '65 keys', map: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, 'v'])) },
    { name: 'an empty key', map: { '': 'v' } },
    { name: 'a key of 129 bytes', map: { ['k'.repeat(129)]: 'v' } },
    { name: 'an empty value', map: { k: '' } },
    { name: 'null', map: { k: null } },
    { name: 'a value of 513 bytes', map: { k: 'v'.repeat(513) } },
    { name: 'a value of 514 bytes in 257 letters', map: { k: 'é'.repeat(257) } },
    { name: 'a control character in a value', map: { k: 'a\u0001' } },
    { name: 'a line end in a value', map: { k: 'a\n' } },
    { name: 'a no-break space in a value', map: { k: 'a\u00a0' } },
    { name: 'a control character in a key', map: { 'k\u0001': 'v' } },
    { name: 'an object', map: { k: { a: 1 } } },
    { name: 'a list', map: { k: ['a'] } },
  ])('may not have $name: 400', async ({ map }) => {
    const kv = await freshMount(vault());
    expectError(await kv.send('POST metadata/a', { custom_metadata: map }), 400);
    expect(await kv.names()).toEqual([]);
  });
}

function patchFacts(vault: () => VaultTarget): void {
  it('merges settings; null in custom_metadata removes a key', async () => {
    const kv = await freshMount(vault());
    const settings = { max_versions: 5, cas_required: true, delete_version_after: '1h' };
    await kv.send('POST metadata/a', { ...settings, custom_metadata: { a: '1', b: '2' } });
    const patch = { max_versions: 6, custom_metadata: { a: null, c: '3' } };
    expect(await kv.send('PATCH metadata/a', patch, patchType)).toEqual(is.noContent);
    expect(await kv.metadata('a')).toMatchObject({
      max_versions: 6,
      cas_required: true,
      delete_version_after: '1h0m0s',
      custom_metadata: { b: '2', c: '3' },
    });
  });

  it.each([
    { patch: { max_versions: null }, shown: { max_versions: 0 } },
    { patch: { cas_required: null }, shown: { cas_required: false } },
    { patch: { delete_version_after: null }, shown: { delete_version_after: '1h0m0s' } },
    { patch: { custom_metadata: null }, shown: { custom_metadata: null } },
    { patch: { custom_metadata: { a: null } }, shown: { custom_metadata: null } },
    { patch: { foo: 1 }, shown: { max_versions: 5, custom_metadata: { a: '1' } } },
  ])('of $patch', async ({ patch, shown }) => {
    const kv = await freshMount(vault());
    const settings = {
      max_versions: 5,
      cas_required: true,
      delete_version_after: '1h',
      custom_metadata: { a: '1' },
    };
    await kv.send('POST metadata/a', settings);
    expect(await kv.send('PATCH metadata/a', patch, patchType)).toEqual(is.noContent);
    expect(await kv.metadata('a')).toMatchObject(shown);
  });

  it.each([
    { name: 'a number', value: 5, status: 500 },
    { name: 'a boolean', value: true, status: 500 },
    { name: 'empty text', value: '', status: 400 },
    { name: 'an object', value: {}, status: 400 },
  ])('of custom_metadata with $name is $status, unlike in a write', async ({ value, status }) => {
    const kv = await freshMount(vault());
    await kv.write('a');
    expectError(await kv.send('PATCH metadata/a', { custom_metadata: { k: value } }, patchType), status);
    expect((await kv.metadata('a')).custom_metadata).toBeNull();
  });
}

function configFacts(servers: VaultServers, vault: () => VaultTarget): void {
  it('has defaults', async () => {
    const kv = await freshMount(vault());
    expect((await kv.send('GET config')).data).toEqual({
      cas_required: false,
      delete_version_after: '0s',
      max_versions: 0,
      ...(servers.flavour === 'openbao' && { metadata_cas_required: false }),
    });
  });

  it.each([
    { body: { max_versions: 3, foo: 1 }, shown: { max_versions: 3 } },
    { body: { cas_required: 'true' }, shown: { cas_required: true } },
    { body: { delete_version_after: '25h3s' }, shown: { delete_version_after: '25h0m3s' } },
    { body: { delete_version_after: '-5s' }, shown: { delete_version_after: '-1s' } },
    { body: {}, shown: { max_versions: 0 } },
  ])('is set by $body', async ({ body, shown }) => {
    const kv = await freshMount(vault());
    expect(await kv.send('POST config', body)).toEqual(is.noContent);
    expect((await kv.send('GET config')).data).toMatchObject(shown);
  });
}

function metadataCasFacts(vault: () => VaultTarget): void {
  it('must be current_metadata_version, which counts metadata writes', async () => {
    const kv = await freshMount(vault());
    await kv.send('POST metadata/a', { max_versions: 3, metadata_cas: 0 });
    expect(await kv.metadata('a')).toMatchObject({ current_metadata_version: 1 });
    expectError(await kv.send('POST metadata/a', { max_versions: 4, metadata_cas: 0 }), 400);
    expect(await kv.send('PATCH metadata/a', { max_versions: 4, metadata_cas: 1 }, patchType)).toEqual(
      is.noContent,
    );
    expect(await kv.metadata('a')).toMatchObject({ current_metadata_version: 2, max_versions: 4 });
  });

  it('may not be left out where it is required', async () => {
    const kv = await freshMount(vault());
    await kv.send('POST config', { metadata_cas_required: true });
    expectError(await kv.send('POST metadata/a', { max_versions: 3 }), 400);
    expect(await kv.send('POST metadata/a', { max_versions: 3, metadata_cas: 0 })).toEqual(is.noContent);
  });
}
