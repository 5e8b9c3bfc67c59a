import { describe, expect, it } from 'vitest';
import type { Mount } from '../../src/sync/mount-path.ts';
import { SecretValue } from '../../src/sync/secret-value.ts';
import { destinationVault } from '../../src/vault/destination-vault.ts';
import { originMetadata } from '../../src/vault/origin-vault.ts';
import { walk } from './vault-kv-listing.ts';
import { callScope, freshMount, type VaultTarget } from './vault-kv-target.ts';

/** Names: each is exactly one secret, whatever is in it; what would be taken for another one is never sent. */
export function nameFacts(target: () => VaultTarget): void {
  async function open() {
    const kv = await freshMount(target());
    const client = await kv.client();
    return { ...kv, origin: originMetadata(client), destination: destinationVault(client) };
  }
  const value = new SecretValue('{"k":"v"}');

  const odd = [
    ...[
      'a b',
      ' a',
      'a ',
      '100%',
      '%',
      '%2F',
      '%2e%2e',
      '%zz',
      'a#b',
      '#',
      'a?b',
      '?',
      'a?list=true',
      'a+b',
      '+',
    ],
    ...[
      'a\\b',
      '\\',
      'a&b',
      '&amp;',
      '&#x2F;',
      "it's",
      '"quoted"',
      '`tick`',
      'ü',
      'e\u0301',
      '日本',
      '🎉',
      'İ',
      'ß',
    ],
    ...[
      'a..b',
      '...',
      '.hidden',
      'a.',
      '-',
      '_',
      '~',
      '*',
      '(x)',
      '[x]',
      '{x}',
      '<b>',
      '|',
      '^',
      ';',
      'a;b',
      ':',
      'a:b',
    ],
    ...[
      '@',
      '=',
      'a=b',
      '$',
      ',',
      '!',
      'data',
      'metadata',
      'destroy',
      'sys',
      'v1',
      'config',
      'undefined',
      'null',
      '0',
    ],
  ];

  it.each(odd)('%j is one secret, as a key and as a folder', async (name) => {
    const { mount, path, origin, destination, raw } = await open();
    const keys = [name, `${name}/${name}`, `f/${name}`];
    for (const key of keys)
      expect(await destination.writeSecret(path(key), value, 0, callScope()), key).toBe(1);
    expect((await walk(origin, mount)).sort()).toEqual([...keys].sort());
    for (const key of keys) {
      expect(await origin.readInsight(mount, key, callScope()), key).toMatchObject({ version: 1 });
      expect(await destination.readSecret(path(key), callScope()), key).toMatchObject({
        kind: 'live',
        version: 1,
      });
      expect(await raw(`data/${key}`), 'the server knows it by that name').toContain('{"k":"v"}');
      expect(await destination.mountOf(path(key), callScope())).toBe(mount);
    }
    await destination.deleteSecret(path(name), callScope());
    expect(await destination.readSecret(path(name), callScope())).toEqual({ kind: 'deleted', version: 1 });
    for (const key of keys.slice(1))
      expect(await destination.readSecret(path(key), callScope()), key).toMatchObject({ kind: 'live' });
  });

  it('names that differ in little are different secrets', async () => {
    const { mount, path, origin, destination } = await open();
    const names = ['a', 'A', 'a ', ' a', 'a%20', 'a+', 'a\\', 'é', 'e\u0301', 'a#', 'a?', 'a;', 'a&'];
    for (const [i, name] of names.entries()) {
      await destination.writeSecret(path(name), new SecretValue(`{"i":${i}}`), 0, callScope());
    }
    expect((await walk(origin, mount)).sort()).toEqual([...names].sort());
    for (const [i, name] of names.entries()) {
      const state = await destination.readSecret(path(name), callScope());
      expect(state.kind === 'live' && state.value.reveal(), name).toBe(`{"i":${i}}`);
    }
  });

  const calls = [
    {
      name: 'readInsight',
      call: (kv: Awaited<ReturnType<typeof open>>, key: string) =>
        kv.origin.readInsight(kv.mount, key, callScope()),
    },
    {
      name: 'readSecret',
      call: (kv: Awaited<ReturnType<typeof open>>, key: string) =>
        kv.destination.readSecret(kv.path(key), callScope()),
    },
    {
      name: 'writeSecret',
      call: (kv: Awaited<ReturnType<typeof open>>, key: string) =>
        kv.destination.writeSecret(kv.path(key), value, 0, callScope()),
    },
    {
      name: 'deleteSecret',
      call: (kv: Awaited<ReturnType<typeof open>>, key: string) =>
        kv.destination.deleteSecret(kv.path(key), callScope()),
    },
  ];

  describe('what would be resolved to another name', () => {
    const refused = [
      '',
      '/',
      'a/',
      '/a',
      'a//b',
      '.',
      '..',
      './a',
      'a/.',
      'a/./b',
      '../a',
      'a/..',
      'a/../b',
      '../../sys/seal',
      '\ud800',
      'a/\udc00b',
    ];
    it.each(refused)('%j is refused, and never sent', async (key) => {
      const kv = await open();
      const { dev } = target();
      const before = dev?.requests.total;
      for (const { name, call } of calls) {
        await expect(call(kv, key), name).rejects.toMatchObject({
          code: 'PATH_NOT_ADDRESSABLE',
          class: 'path',
          retryable: false,
        });
      }
      expect(dev?.requests.total).toBe(before);
    });

    it.each(['/', '//', 'a//', './', '../', 'a/../', 'a/./', '../../sys/'])(
      'the folder %j is refused, and never sent',
      async (folder) => {
        const kv = await open();
        const { dev } = target();
        const before = dev?.requests.total;
        await expect(kv.origin.listFolder(kv.mount, folder, callScope())).rejects.toMatchObject({
          code: 'PATH_NOT_ADDRESSABLE',
        });
        expect(dev?.requests.total).toBe(before);
      },
    );

    it('the mount is refused, and never sent', async () => {
      const kv = await open();
      const { dev } = target();
      const before = dev?.requests.total;
      for (const mount of ['../', 'a/../b/', '//'] as Mount[]) {
        await expect(kv.origin.describeMount(mount, callScope())).rejects.toMatchObject({
          code: 'PATH_NOT_ADDRESSABLE',
        });
        await expect(kv.origin.listFolder(mount, '', callScope())).rejects.toMatchObject({
          code: 'PATH_NOT_ADDRESSABLE',
        });
      }
      expect(dev?.requests.total).toBe(before);
    });
  });

  describe('what no server takes', () => {
    it.each(['a\tb', 'a\nb', '\u0000', '\u001b[2J', '\u007f', '\u00a0', '\u3000', 'a\u200db'])(
      'an unprintable %j is refused by the server: a failure of that path',
      async (key) => {
        const kv = await open();
        for (const { name, call } of calls) {
          await expect(call(kv, key), name).rejects.toMatchObject({
            code: 'VAULT_REFUSED',
            class: 'path',
            status: 400,
          });
        }
        expect(await walk(kv.origin, kv.mount)).toEqual([]);
      },
    );

    it('a key of 64 KiB is a secret, or a failure of that path: the others go on', async () => {
      const kv = await open();
      // A real Vault takes it, with its storage in memory, but time grows with the square: 0.5 s for 16 KiB, 10 s for 64 KiB (run).
      const long = 'k'.repeat(target().dev === undefined ? 8192 : 65_536);
      const outcome: unknown = await calls[2]?.call(kv, long).catch((error: unknown) => error);
      if (outcome !== 1) expect(outcome).toMatchObject({ name: 'VsyncError', class: 'path' });
      expect(await kv.destination.writeSecret(kv.path('a'), value, 0, callScope())).toBe(1);
      expect(await kv.destination.readSecret(kv.path('a'), callScope())).toMatchObject({ kind: 'live' });
    });

    it('a key of 2 MiB is refused: a failure of that path, or of the connection', async () => {
      const kv = await open();
      const long = 'k'.repeat(2 * 1024 * 1024);
      const error: unknown = await calls[0]?.call(kv, long).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: 'VsyncError', code: expect.stringMatching(/^VAULT_/) });
      expect(await kv.origin.readInsight(kv.mount, 'a', callScope())).toBeUndefined();
    });
  });
}
