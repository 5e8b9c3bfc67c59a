import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OriginMetadata } from '../../src/cycle/ports.ts';
import { type DevVault, startDevVault } from '../../src/dev/vault/dev-vault.ts';
import type { FaultRequest } from '../../src/dev/vault/faults.ts';
import type { Mount } from '../../src/sync/mount-path.ts';
import type { VaultClient } from '../../src/vault/client.ts';
import { originMetadata } from '../../src/vault/origin-vault.ts';
import { callScope } from '../contract/vault-kv-target.ts';
import { VaultApi } from '../support/vault-api.ts';
import { clientWithToken, noRetries } from './clients.ts';

/** How folders are listed on OpenBao, where one answer can tell keys and their metadata; and that anything odd falls back. */
const secret = 'secret/' as Mount;

let bao: DevVault;
let api: VaultApi;
let client: VaultClient;
let origin: OriginMetadata;

beforeEach(async () => {
  bao = await startDevVault({ flavour: 'openbao' });
  api = new VaultApi(bao.address, bao.rootToken);
  client = clientWithToken(bao.address, bao.rootToken, { retry: noRetries, maxInFlight: 8 });
  origin = originMetadata(client);
});
afterEach(async () => {
  await client.close();
  await bao.close();
});

const list = (folder = '') => origin.listFolder(secret, folder, callScope());
const fill = async (count: number) => {
  const names = Array.from({ length: count }, (_, i) => `k${String(i).padStart(4, '0')}`);
  for (let at = 0; at < count; at += 50) {
    await Promise.all(names.slice(at, at + 50).map((name) => api.put(`secret/data/${name}`, { name })));
  }
};
const counts = () => Object.fromEntries(bao.requests.counts);
const refuse = (match: (request: FaultRequest) => boolean, status: number, body = '{"errors":["no"]}') =>
  bao.faults.add({
    match,
    action: { kind: 'answer', answer: { status, body, headers: { 'Content-Type': 'application/json' } } },
  });
const isDetailed = ({ path }: FaultRequest) => path.includes('detailed-metadata');

describe('a detailed list (OpenBao)', () => {
  it('tells of each key what reading it would tell', async () => {
    await api.put('secret/data/live', { a: 1 });
    await api.put('secret/data/live', { a: 2 });
    await api.put('secret/data/deleted', { a: 1 });
    await api.softDelete('secret/data/deleted');
    await api.call('POST', 'secret/metadata/later', { delete_version_after: '1h' });
    await api.put('secret/data/later', { a: 1 });
    await api.call('POST', 'secret/metadata/only', { custom_metadata: { a: 'b' } });
    await origin.readClock(callScope());
    const { keys, insights } = await list();
    expect(keys).toEqual(['deleted', 'later', 'live', 'only']);
    for (const key of keys) {
      expect(insights?.has(key), key).toBe(true);
      expect(insights?.get(key), key).toEqual(await origin.readInsight(secret, key, callScope()));
    }
  });

  it("does not take a folder's entry for that of a key of its name", async () => {
    await api.put('secret/data/app', { a: 1 });
    await api.put('secret/data/app/db', { a: 1 });
    const { keys, folders, insights } = await list();
    expect([keys, folders]).toEqual([['app'], ['app/']]);
    expect([...(insights?.keys() ?? [])]).toEqual(['app']);
  });

  it('is read page after page', async () => {
    await fill(1201);
    bao.requests.reset();
    const { keys, insights } = await list();
    expect(keys).toHaveLength(1201);
    expect(insights?.size).toBe(1201);
    expect(counts()).toEqual({ 'LIST detailed-metadata': 3 });
  });

  it('with exactly full pages ends where the server says there is nothing more', async () => {
    await fill(500);
    bao.requests.reset();
    expect((await list()).keys).toHaveLength(500);
    expect(counts()).toEqual({ 'LIST detailed-metadata': 2 });
  });
});

describe('it falls back to the plain list', () => {
  it.each([
    { name: 'refused', status: 403, body: '{"errors":["permission denied"]}' },
    { name: 'unknown to the server', status: 404, body: '{"data":null,"warnings":["Invalid path"]}' },
    { name: 'unsupported', status: 405, body: '{"errors":[]}' },
    { name: 'broken', status: 500, body: '{"errors":["panic"]}' },
    { name: "not the server's answer", status: 200, body: '<html>' },
    { name: 'empty', status: 404, body: '{"errors":[]}' },
    { name: 'without metadata', status: 200, body: '{"data":{"keys":["a","b"]}}' },
    {
      name: 'with metadata that is none',
      status: 200,
      body: '{"data":{"keys":["a","b"],"key_info":{"a":{},"b":1}}}',
    },
  ])('when it is $name', async ({ status, body }) => {
    await api.put('secret/data/a', { a: 1 });
    await api.put('secret/data/b', { a: 1 });
    refuse(isDetailed, status, body);
    expect(await list()).toEqual({ keys: ['a', 'b'], folders: [] });
  });

  it('for one folder only, and is used again for the next', async () => {
    await api.put('secret/data/bad/a', { a: 1 });
    await api.put('secret/data/good/a', { a: 1 });
    await list();
    refuse(({ path }) => path.includes('detailed-metadata/bad'), 500);
    expect((await list('bad/')).insights).toBeUndefined();
    expect((await list('good/')).insights?.size).toBe(1);
  });

  it('and asks the plain list for a folder that looks empty: a filter may hide what is there', async () => {
    await list();
    bao.requests.reset();
    expect(await list('none/')).toEqual({ keys: [], folders: [] });
    expect(counts()['LIST metadata']).toBe(1);
  });

  it('R3: a plain list that fails too fails the cycle', async () => {
    refuse(() => true, 500);
    await expect(list()).rejects.toMatchObject({ class: 'transient' });
  });
});

describe('a plain list of OpenBao', () => {
  beforeEach(() => {
    refuse(isDetailed, 403);
  });

  it('is read page after page: a policy may cut a list that is not', async () => {
    await fill(1201);
    expect((await list()).keys).toHaveLength(1201);
    const pages = bao.requests.lines.filter((line) => line.includes('/metadata/?list=true'));
    expect(pages).toHaveLength(3);
    expect(pages.every((line) => line.includes('limit=500'))).toBe(true);
  });

  it('is read without a limit, and until nothing more comes, where a policy allows smaller pages only', async () => {
    await fill(7);
    const names = (await list()).keys;
    refuse(({ target }) => target.includes('limit='), 403);
    // What `pagination_limit` does: without `limit` an answer is cut at the policy's size, silently.
    bao.faults.add({
      match: ({ path, target }) =>
        path.startsWith('secret/metadata') && target.includes('list=true') && !target.includes('after='),
      action: {
        kind: 'answer',
        answer: { status: 200, body: JSON.stringify({ data: { keys: names.slice(0, 3) } }) },
      },
    });
    expect((await list()).keys).toEqual(names);
  });

  it('that repeats a page is not believed', async () => {
    const keys = Array.from({ length: 500 }, (_, i) => `k${i}`);
    const body = JSON.stringify({ data: { keys } });
    refuse(({ path }) => path.startsWith('secret/metadata'), 200, body);
    await expect(list()).rejects.toMatchObject({ code: 'VAULT_BAD_ANSWER' });
  });

  it('an empty folder is empty', async () => {
    expect(await list()).toEqual({ keys: [], folders: [] });
  });
});

describe('a Vault', () => {
  it('is asked once whether it can do more; then each folder costs one request', async () => {
    const vault = await startDevVault({ flavour: 'vault' });
    const vaultApi = new VaultApi(vault.address, vault.rootToken);
    const vaultClient = clientWithToken(vault.address, vault.rootToken, { retry: noRetries });
    try {
      for (const key of ['a', 'x/b', 'y/c']) await vaultApi.put(`secret/data/${key}`, { k: 1 });
      vault.requests.reset();
      const metadata = originMetadata(vaultClient);
      for (const folder of ['', 'x/', 'y/', 'none/']) await metadata.listFolder(secret, folder, callScope());
      expect(Object.fromEntries(vault.requests.counts)).toEqual({
        'LIST detailed-metadata': 1,
        'LIST metadata': 4,
      });
    } finally {
      await vaultClient.close();
      await vault.close();
    }
  });

  it('with an empty mount is asked plainly, since it answers 200 to parameters it does not know', async () => {
    const vault = await startDevVault({ flavour: 'vault' });
    const vaultClient = clientWithToken(vault.address, vault.rootToken, { retry: noRetries });
    try {
      expect(await originMetadata(vaultClient).listFolder(secret, '', callScope())).toEqual({
        keys: [],
        folders: [],
      });
    } finally {
      await vaultClient.close();
      await vault.close();
    }
  });
});

it('forgets the way of a mount that was made anew', async () => {
  await api.put('secret/data/a', { a: 1 });
  await origin.describeMount(secret, callScope());
  await list();
  refuse(isDetailed, 403);
  await api.unmount('secret/');
  await api.mount('secret/');
  await api.put('secret/data/b', { a: 1 });
  await origin.describeMount(secret, callScope());
  expect(await list()).toEqual({ keys: ['b'], folders: [] });
});
