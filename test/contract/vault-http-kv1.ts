import { describe, expect, it } from 'vitest';
import {
  expectError,
  freshMount,
  is,
  type KvMount,
  patchType,
  type VaultServers,
  type VaultTarget,
} from './vault-http-target.ts';

/** KV v1, which vsync must tell from KV v2, and the upgrade from one to the other. */
export function kv1Facts(servers: VaultServers, vault: () => VaultTarget): void {
  describe('a KV v1 mount', () => secretFacts(servers, vault));
  describe('an upgrade to KV v2', () => upgradeFacts(vault));
}

function secretFacts(servers: VaultServers, vault: () => VaultTarget): void {
  const mount = () => freshMount(vault(), '1');

  it('gives a secret back with its digits, as data itself', async () => {
    const kv = await mount();
    expect(await kv.send('POST a', '{"n":1.0,"b":12345678901234567890,"e":{"z":1,"a":2},"z":null}')).toEqual(
      is.noContent,
    );
    const reply = await kv.send('GET a');
    expect(reply.text).toContain(
      '"lease_duration":2764800,"data":{"b":12345678901234567890,"e":{"a":2,"z":1},"n":1.0,"z":null}',
    );
    expect(reply.json).toMatchObject({ lease_id: '', renewable: false, warnings: null });
  });

  it.each([
    { body: { ttl: '1h' }, lease: 3600 },
    { body: { lease: 5 }, lease: 5 },
    { body: { ttl: 'bad' }, lease: 2_764_800 },
  ])('takes its lease from the secret $body', async ({ body, lease }) => {
    const kv = await mount();
    await kv.send('PUT a', body);
    expect((await kv.send('GET a')).json.lease_duration).toBe(lease);
  });

  it('refuses a write without fields, and PATCH', async () => {
    const kv = await mount();
    for (const body of [undefined, {}]) expectError(await kv.send('POST a', body), 400);
    expectError(await kv.send('POST ', { a: 1 }), 400);
    expectError(await kv.send('PATCH a', { a: 1 }, patchType), 405);
  });

  it('has no data/, no metadata/ and no config: all are keys', async () => {
    const kv = await mount();
    for (const path of ['config', 'data/a', 'metadata/a', ''])
      expect(await kv.send(`GET ${path}`)).toEqual(is.nothing);
    expect(await kv.send('POST metadata/a', { x: 1 })).toEqual(is.noContent);
    expect((await kv.send('GET metadata/a')).data).toEqual({ x: 1 });
  });

  it('lists names, without a warning for parameters', async () => {
    const kv = await mount();
    for (const key of ['x', 'x/y', 'a']) await kv.send(`POST ${key}`, { k: 1 });
    const list = async (request: string) => ((await kv.send(request)).data.keys as string[]).sort();
    expect(await list('LIST ')).toEqual(['a', 'x', 'x/']);
    expect(await list('GET x?list=true')).toEqual(['y']);
    expect((await kv.send('GET ?list=true&after=1')).json.warnings).toBeNull();
    expect(await kv.send('LIST none')).toEqual(is.nothing);
  });

  it('deletes with 204, also what is not there; a slash at the end is another key', async () => {
    const kv = await mount();
    await kv.send('POST a', { k: 1 });
    for (const key of ['a/', 'none']) expect(await kv.send(`DELETE ${key}`)).toEqual(is.noContent);
    expect((await kv.send('GET a')).status).toBe(200);
    expect(await kv.send('DELETE a')).toEqual(is.noContent);
    expect(await kv.send('GET a')).toEqual(is.nothing);
  });

  it('knows ".." even inside a name on Vault, not on OpenBao', async () => {
    const kv = await mount();
    const vaultRefuses = servers.flavour === 'vault';
    expect((await kv.send('POST a..b', { k: 1 })).status).toBe(vaultRefuses ? 500 : 204);
    expect((await kv.send('GET a..b')).status).toBe(vaultRefuses ? 400 : 200);
  });
}

function upgradeFacts(vault: () => VaultTarget): void {
  const tune = (kv: KvMount, version: string) =>
    vault().send(`POST sys/mounts/${kv.path}tune`, { options: { version } });

  it('makes each secret version 1, oldest 1, at the time of the upgrade', async () => {
    const kv = await freshMount(vault(), '1');
    await kv.send('POST a/b', '{"n":1.0}');
    const reply = await tune(kv, '2');
    expect(reply).toMatchObject({ status: 200, json: { data: null, warnings: [expect.any(String)] } });
    // While it runs, Vault answers 400: a client has to try again.
    await expect.poll(async () => (await kv.send('GET config')).status).toBe(200);
    expect(await kv.metadata('a/b')).toMatchObject({
      current_version: 1,
      oldest_version: 1,
      max_versions: 0,
    });
    expect((await kv.send('GET data/a/b')).text).toContain('"data":{"n":1}');
    const mounts = (await vault().send('GET sys/mounts')).data;
    expect(mounts[kv.path]).toMatchObject({ type: 'kv', options: { version: '2' } });
  });

  it('cannot be undone', async () => {
    const kv = await freshMount(vault());
    expectError(await tune(kv, '1'), 400);
    expectError(await tune(kv, '3'), 400);
  });
}
