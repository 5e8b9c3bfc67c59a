import { describe, expect, it } from 'vitest';
import type { OriginMetadata } from '../../src/cycle/ports.ts';
import type { Mount } from '../../src/sync/mount-path.ts';
import { originMetadata } from '../../src/vault/origin-vault.ts';
import { callScope, freshMount, type VaultTarget } from './vault-kv-target.ts';

/** Listing: only the one answer that means "empty" is an empty folder (R3). */
export function listingFacts(target: () => VaultTarget): void {
  async function filled(keys: readonly string[]) {
    const kv = await freshMount(target());
    await Promise.all(keys.map((key) => target().api.put(kv.path(key), { k: 'v' })));
    const origin = originMetadata(await kv.client());
    const list = async (folder = '') => {
      const { keys, folders } = await origin.listFolder(kv.mount, folder, callScope());
      return { keys, folders };
    };
    return { ...kv, origin, list };
  }

  it('tells keys and folders apart, one folder at a time', async () => {
    const { list } = await filled(['b', 'a', 'app/db', 'app/deep/er/key', 'zoo/1']);
    expect(await list()).toEqual({ keys: ['a', 'b'], folders: ['app/', 'zoo/'] });
    expect(await list('app/')).toEqual({ keys: ['db'], folders: ['deep/'] });
    expect(await list('app/deep/')).toEqual({ keys: [], folders: ['er/'] });
    expect(await list('app/deep/er/')).toEqual({ keys: ['key'], folders: [] });
  });

  it('shows a name that is both a key and a folder as both', async () => {
    const { list } = await filled(['app', 'app/db']);
    expect(await list()).toEqual({ keys: ['app'], folders: ['app/'] });
    expect(await list('app/')).toEqual({ keys: ['db'], folders: [] });
  });

  it('shows names as they are, in the order of bytes', async () => {
    const names = ['App', 'app', 'app-x', 'app.y', 'app0', 'z z', 'é', '日本', '🎉', '100%', 'a#b', 'a?b'];
    const { list } = await filled(names);
    const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect((await list()).keys).toEqual(sorted);
  });

  it('shows deleted, destroyed and metadata-only keys: what they are, their metadata tells', async () => {
    const { list, mount, path } = await filled(['live', 'deleted', 'destroyed']);
    const { api } = target();
    await api.softDelete(path('deleted'));
    await api.call('POST', `${mount}destroy/destroyed`, { versions: [1] });
    await api.call('POST', `${mount}metadata/only`, { custom_metadata: { a: 'b' } });
    expect((await list()).keys).toEqual(['deleted', 'destroyed', 'live', 'only']);
  });

  it('holds hundreds of names', async () => {
    const names = Array.from({ length: 400 }, (_, i) => `k${String(i).padStart(4, '0')}`);
    const { list } = await filled(names);
    expect((await list()).keys).toEqual(names);
  });

  it('costs one request a folder, once the way of the mount is known', async () => {
    const { list } = await filled(['a', 'b/c', 'd/e']);
    const { dev, flavour } = target();
    await list();
    dev?.requests.reset();
    await list('b/');
    await list('d/');
    const way = flavour === 'openbao' ? 'LIST detailed-metadata' : 'LIST metadata';
    if (dev !== undefined) expect(Object.fromEntries(dev.requests.counts)).toEqual({ [way]: 2 });
  });

  describe('an empty listing', () => {
    it('is that of a mount without keys, and of a folder that is not there', async () => {
      const { list } = await filled([]);
      expect(await list()).toEqual({ keys: [], folders: [] });
      expect(await list('no/such/folder/')).toEqual({ keys: [], folders: [] });
    });

    it('is that of a folder whose last key was removed, and of a key taken for a folder', async () => {
      const { list, path } = await filled(['app/db', 'leaf']);
      await target().api.destroyMetadata(path('app/db'));
      expect(await list('app/')).toEqual({ keys: [], folders: [] });
      expect(await list()).toEqual({ keys: ['leaf'], folders: [] });
      expect(await list('leaf/')).toEqual({ keys: [], folders: [] });
    });

    const failsTheCycle = { class: 'transient', note: expect.stringContaining('nothing was published') };

    it('is not that of a mount that is missing, or that went away', async () => {
      const { list, origin, mount } = await filled(['a']);
      await expect(origin.listFolder('no/such/mount/' as Mount, '', callScope())).rejects.toMatchObject({
        code: 'VAULT_LIST_UNKNOWN',
        status: 404,
        ...failsTheCycle,
      });
      await target().api.unmount(mount);
      await expect(list()).rejects.toMatchObject({ code: 'VAULT_LIST_UNKNOWN', ...failsTheCycle });
    });

    it('is not that of a token without the right to list', async () => {
      const { client, mount } = await filled(['a', 'secret/b']);
      const blind = originMetadata(await client('path "MOUNT/metadata/*" { capabilities = ["read"] }'));
      await expect(blind.listFolder(mount, '', callScope())).rejects.toMatchObject({
        code: 'VAULT_LIST_DENIED',
        status: 403,
        hint: `path "${mount}metadata/*" { capabilities = ["list","read"] }`,
        ...failsTheCycle,
      });
    });

    it('is not that of a folder that is denied', async () => {
      const { client, mount } = await filled(['a', 'hidden/b']);
      const half = originMetadata(
        await client(
          'path "MOUNT/metadata/*" { capabilities = ["read", "list"] }\npath "MOUNT/metadata/hidden/*" { capabilities = ["deny"] }\npath "MOUNT/metadata/hidden" { capabilities = ["deny"] }',
        ),
      );
      expect(await half.listFolder(mount, '', callScope())).toMatchObject({
        keys: ['a'],
        folders: ['hidden/'],
      });
      await expect(half.listFolder(mount, 'hidden/', callScope())).rejects.toMatchObject({
        code: 'VAULT_LIST_DENIED',
      });
    });

    it('is not that of a KV v1 mount: its listing looks the same, so the mount is asked first (and after)', async () => {
      const kv = await freshMount(target(), '1');
      await target().api.call('POST', `${kv.mount}a`, { k: 'v' });
      const origin = originMetadata(await kv.client());
      await expect(origin.describeMount(kv.mount, callScope())).rejects.toMatchObject({
        code: 'MOUNT_NOT_KV2',
        class: 'fatal',
      });
    });

    it('is not what a faulty server or a proxy answers', async () => {
      const { dev } = target();
      const { list } = await filled(['a']);
      if (dev === undefined) return;
      const json = { 'Content-Type': 'application/json' };
      const answers = [
        { answer: { status: 404 }, code: 'VAULT_LIST_UNKNOWN' },
        { answer: { status: 404, body: '<html>' }, code: 'VAULT_LIST_UNKNOWN' },
        {
          answer: { status: 404, headers: json, body: '{"errors":["no handler for route"]}' },
          code: 'VAULT_LIST_UNKNOWN',
        },
        {
          answer: { status: 404, headers: json, body: '{"data":null,"warnings":["Invalid path"]}' },
          code: 'VAULT_LIST_UNKNOWN',
        },
        {
          answer: { status: 404, headers: json, body: '{"data":{"metadata":{"version":1}}}' },
          code: 'VAULT_LIST_UNKNOWN',
        },
        { answer: { status: 200, headers: json, body: '{"data":{}}' }, code: 'VAULT_BAD_ANSWER' },
        { answer: { status: 200, headers: json, body: '{"data":{"keys":null}}' }, code: 'VAULT_BAD_ANSWER' },
        { answer: { status: 200, headers: json, body: '{"data":{"keys":[1]}}' }, code: 'VAULT_BAD_ANSWER' },
        { answer: { status: 200, headers: json, body: '{"errors":[]}' }, code: 'VAULT_BAD_ANSWER' },
        { answer: { status: 200, headers: json, body: '{"data":{"keys":[' }, code: 'VAULT_BAD_ANSWER' },
        { answer: { status: 200, body: '' }, code: 'VAULT_BAD_ANSWER' },
        { answer: { status: 204 }, code: 'VAULT_BAD_ANSWER' },
        { answer: { status: 500, headers: json, body: '{"errors":[]}' }, code: 'VAULT_UNAVAILABLE' },
        {
          answer: { status: 503, headers: json, body: '{"errors":["Vault is sealed"]}' },
          code: 'VAULT_SEALED',
        },
        { answer: { status: 400, headers: json, body: '{"errors":["Upgrading"]}' }, code: 'VAULT_REFUSED' },
        { answer: { status: 307, headers: { Location: 'http://127.0.0.1:1/' } }, code: 'VAULT_REDIRECT' },
      ];
      for (const { answer, code } of answers) {
        const fault = dev.faults.add({ match: { method: 'LIST' }, action: { kind: 'answer', answer } });
        const outcome = await list().catch((error: unknown) => error);
        expect(outcome, JSON.stringify(answer)).toMatchObject({ code, class: 'transient' });
        fault.remove();
      }
      for (const action of [
        { kind: 'reset' },
        { kind: 'dropReply' },
        { kind: 'cutAfterBytes', bytes: 20 },
      ] as const) {
        const fault = dev.faults.add({ match: { method: 'LIST' }, action });
        const outcome = await list().catch((error: unknown) => error);
        expect(outcome, action.kind).toMatchObject({ code: 'VAULT_UNREACHABLE', class: 'transient' });
        fault.remove();
      }
      expect((await list()).keys).toEqual(['a']);
    });
  });
}

/** What a listing of the whole mount gives, folder by folder. */
export async function walk(origin: OriginMetadata, mount: Mount, folder = ''): Promise<string[]> {
  const { keys, folders } = await origin.listFolder(mount, folder, callScope());
  const below = await Promise.all(folders.map((name) => walk(origin, mount, `${folder}${name}`)));
  return [...keys.map((name) => `${folder}${name}`), ...below.flat()];
}
