import { expect, it } from 'vitest';
import { VsyncError } from '../../src/base/errors.ts';
import { Secret } from '../../src/base/secret.ts';
import { cannedAnswers } from '../../src/dev/vault/faults.ts';
import { type DataPath, dataPath, type Mount } from '../../src/sync/mount-path.ts';
import { destinationVault } from '../../src/vault/destination-vault.ts';
import { capabilities } from '../../src/vault/mounts.ts';
import { originMetadata } from '../../src/vault/origin-vault.ts';
import { callScope, freshMount, type VaultTarget } from './vault-kv-target.ts';

const readers = 'path "MOUNT/metadata/*" { capabilities = ["read", "list"] }';
const writers = 'path "MOUNT/data/*" { capabilities = ["create", "update", "read", "delete"] }';

/** The mount of an origin: there, KV v2, and the same one as before. */
export function describeMountFacts(target: () => VaultTarget): void {
  const describeWith = async (kv: Awaited<ReturnType<typeof freshMount>>, rules?: string) => {
    const origin = originMetadata(await kv.client(rules));
    return (mount: string) => origin.describeMount(mount as Mount, callScope());
  };

  it.each([
    { name: 'root', rules: undefined },
    { name: 'a token of an origin, without the default policy', rules: readers },
    {
      name: 'a token for a part of the mount',
      rules: 'path "MOUNT/metadata/app/*" { capabilities = ["read", "list"] }',
    },
    { name: 'a token for one secret', rules: 'path "MOUNT/data/app/db" { capabilities = ["read"] }' },
  ])('describes a KV v2 mount to $name', async ({ rules }) => {
    const kv = await freshMount(target());
    const described = await (await describeWith(kv, rules))(kv.mount);
    expect(described).toEqual({ mount: kv.mount, id: expect.stringMatching(/./) });
    expect(await (await describeWith(kv))(kv.mount), 'the same to all, each time').toEqual(described);
  });

  it('is not missing if it was refused once: the token may have been replaced meanwhile', async () => {
    const kv = await freshMount(target());
    const { dev } = target();
    const describeMount = await describeWith(kv, readers);
    const refusal = { match: { pathPattern: /ui\/mounts\/./ }, times: 1 } as const;
    dev?.faults.add({ ...refusal, action: { kind: 'answer', answer: cannedAnswers.permissionDenied } });
    expect(await describeMount(kv.mount)).toMatchObject({ mount: kv.mount });
  });

  it('gives another id when the mount was made anew', async () => {
    const kv = await freshMount(target());
    const describeMount = await describeWith(kv);
    const before = await describeMount(kv.mount);
    await target().api.put(kv.path('a'), {});
    expect(await describeMount(kv.mount), 'a write changes nothing').toEqual(before);
    await target().api.unmount(kv.mount);
    await target().api.mount(kv.mount);
    expect((await describeMount(kv.mount)).id).not.toBe(before.id);
  });

  it.each(['team/a/kv/', 'kv ü %#?+/x y/', 'data/', 'metadata/data/'])(
    'describes a mount named %j',
    async (name) => {
      const kv = await freshMount(target(), '2', `odd-${Math.random().toString(36).slice(2, 8)}/${name}`);
      expect(await (await describeWith(kv))(kv.mount)).toMatchObject({ mount: kv.mount });
      expect(await destinationVault(await kv.client()).mountOf(kv.path('a/data/b'), callScope())).toBe(
        kv.mount,
      );
    },
  );

  it('throws for a mount that is missing, and names those that are there', async () => {
    const kv = await freshMount(target());
    await expect((await describeWith(kv))('no/such/mount/')).rejects.toMatchObject({
      code: 'MOUNT_MISSING',
      class: 'fatal',
      message: expect.stringContaining('"no/such/mount/"'),
      why: expect.stringContaining(kv.mount),
      hint: expect.stringContaining('vault secrets enable -path=no/such/mount -version=2 kv'),
    });
  });

  it('throws for a part of a mount, and for a path above one', async () => {
    const kv = await freshMount(target(), '2', `above-${Math.random().toString(36).slice(2, 8)}/kv/`);
    const describeMount = await describeWith(kv);
    await expect(describeMount(`${kv.mount}part/`)).rejects.toMatchObject({ code: 'MOUNT_MISSING' });
    await expect(describeMount(kv.mount.replace('kv/', ''))).rejects.toMatchObject({ code: 'MOUNT_MISSING' });
  });

  it('throws for KV version 1, and for another engine', async () => {
    const kv = await freshMount(target(), '1');
    const describeMount = await describeWith(kv);
    await expect(describeMount(kv.mount)).rejects.toMatchObject({
      code: 'MOUNT_NOT_KV2',
      class: 'fatal',
      message: expect.stringContaining('KV version 1'),
    });
    await expect(describeMount('cubbyhole/')).rejects.toMatchObject({
      code: 'MOUNT_NOT_KV2',
      message: expect.stringContaining('"cubbyhole"'),
    });
  });

  it('throws for a mount without rights, and names those with', async () => {
    const [kv, other] = [await freshMount(target()), await freshMount(target())];
    await expect(
      (await describeWith(kv, `${readers}\npath "sys/capabilities-self" { capabilities = ["update"] }`))(
        other.mount,
      ),
    ).rejects.toMatchObject({
      code: 'VAULT_FORBIDDEN',
      class: 'fatal',
      status: 403,
      why: expect.stringContaining(kv.mount),
      hint: expect.stringContaining(other.mount),
    });
  });

  it('throws for a token that may nothing at all', async () => {
    const kv = await freshMount(target());
    const error: unknown = await (await describeWith(kv, 'path "no/where" { capabilities = ["read"] }'))(
      kv.mount,
    ).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: expect.stringMatching(/^(MOUNT_MISSING|VAULT_FORBIDDEN)$/),
      class: 'fatal',
    });
  });

  it('does not take trouble for a missing mount', async () => {
    const { dev } = target();
    const kv = await freshMount(target());
    const describeMount = await describeWith(kv);
    if (dev === undefined) return;
    const trouble = [
      { status: 503, body: '{"errors":["Vault is sealed"]}' },
      { status: 500, body: '{"errors":["internal error"]}' },
      { status: 429 },
      { status: 404, body: 'no such page' },
      { status: 404 },
      { status: 200, body: '<html>' },
      { status: 200, body: '{"data":{}}' },
      { status: 200, body: '' },
    ];
    for (const answer of trouble) {
      const fault = dev.faults.add({ match: { method: 'GET' }, action: { kind: 'answer', answer } });
      const error: unknown = await describeMount(kv.mount).catch((thrown: unknown) => thrown);
      expect(error, JSON.stringify(answer)).toMatchObject({
        name: 'VsyncError',
        code: expect.not.stringMatching(/^MOUNT_/),
      });
      expect((error as { class: string }).class, JSON.stringify(answer)).not.toBe('fatal');
      fault.remove();
    }
  });
}

/** The mount that a transformed path leads to. */
export function mountOfFacts(target: () => VaultTarget): void {
  it.each([
    { name: 'root', rules: undefined },
    { name: 'a token of a destination, without the default policy', rules: writers },
  ])('is found by $name, for any path inside, whether there is a secret or not', async ({ rules }) => {
    const kv = await freshMount(target(), '2', `team-${Math.random().toString(36).slice(2, 8)}/kv/`);
    const vault = destinationVault(await kv.client(rules));
    for (const key of ['a', 'a/b/c', 'data/data', 'ü #?']) {
      expect(await vault.mountOf(kv.path(key), callScope()), key).toBe(kv.mount);
    }
  });

  it('is found also for a key that the server refuses', async () => {
    const kv = await freshMount(target());
    const vault = destinationVault(await kv.client());
    for (const key of ['\u0000', 'a\u00a0b', 'folder\t/a', 'a/data/\u007f']) {
      expect(await vault.mountOf(kv.path(key), callScope()), JSON.stringify(key)).toBe(kv.mount);
    }
    // Here it cannot be left out of the question: which of the two follows the mount is not known.
    await expect(vault.mountOf(kv.path('\t/data/a'), callScope())).rejects.toMatchObject({ status: 400 });
  });

  it('is not missing because the token has ended: that says nothing of it', async () => {
    const kv = await freshMount(target());
    const client = await kv.client();
    const expired = new VsyncError({ code: 'TOKEN_EXPIRED', status: 403, message: 'not accepted' });
    client.useTokens({
      token: async () => new Secret('no token of this Vault'),
      refused: () => Promise.reject(expired),
    });
    await expect(destinationVault(client).mountOf(kv.path('a'), callScope())).rejects.toBe(expired);
    await expect(originMetadata(client).describeMount(kv.mount, callScope())).rejects.toBe(expired);
  });

  it('costs one request', async () => {
    const kv = await freshMount(target());
    const vault = destinationVault(await kv.client());
    const { dev } = target();
    dev?.requests.reset();
    await vault.mountOf(kv.path('a'), callScope());
    if (dev !== undefined) expect(dev.requests.total).toBe(1);
  });

  const badTarget = { code: 'TRANSFORM_BAD_TARGET', class: 'path', retryable: false };

  it('is none where there is no such mount', async () => {
    const kv = await freshMount(target());
    const vault = destinationVault(await kv.client());
    for (const path of ['no/such/data/a', 'data/a', 'x']) {
      await expect(vault.mountOf(path as DataPath, callScope()), path).rejects.toMatchObject(badTarget);
    }
  });

  it('is none for a path of a KV v2 mount that is not data/<key>', async () => {
    const kv = await freshMount(target());
    const vault = destinationVault(await kv.client());
    for (const rest of ['a', 'metadata/a', 'config', 'datax/a', 'data']) {
      await expect(vault.mountOf(`${kv.mount}${rest}` as DataPath, callScope()), rest).rejects.toMatchObject(
        badTarget,
      );
    }
  });

  it('is none for KV version 1, and for another engine', async () => {
    const kv = await freshMount(target(), '1');
    const vault = destinationVault(await kv.client());
    await expect(vault.mountOf(kv.path('a'), callScope())).rejects.toMatchObject({
      ...badTarget,
      why: expect.stringContaining('KV version 1'),
    });
    await expect(vault.mountOf('cubbyhole/data/a' as DataPath, callScope())).rejects.toMatchObject(badTarget);
  });

  it('is none without any rights', async () => {
    const [kv, other] = [await freshMount(target()), await freshMount(target())];
    const vault = destinationVault(await kv.client(writers));
    await expect(vault.mountOf(other.path('a'), callScope())).rejects.toMatchObject({
      ...badTarget,
      why: expect.stringContaining('no rights'),
    });
  });

  it('is unknown, not none, when the server is in trouble', async () => {
    const { dev } = target();
    const kv = await freshMount(target());
    const vault = destinationVault(await kv.client());
    if (dev === undefined) return;
    for (const answer of [
      { status: 503, body: '{"errors":["Vault is sealed"]}' },
      { status: 502 },
      { status: 404, body: 'no such page' },
    ]) {
      const fault = dev.faults.add({ match: { method: 'GET' }, action: { kind: 'answer', answer } });
      await expect(vault.mountOf(kv.path('a'), callScope()), JSON.stringify(answer)).rejects.toMatchObject({
        class: 'transient',
      });
      fault.remove();
    }
  });
}

/** What the token may do, as the checks at the start ask. */
export function capabilityFacts(target: () => VaultTarget): void {
  const self = 'path "sys/capabilities-self" { capabilities = ["update"] }';

  it('are told for each path', async () => {
    const kv = await freshMount(target());
    const paths = [`${kv.mount}metadata/`, `${kv.mount}data/`, 'no/such/mount/'];
    const granted = await capabilities(await kv.client(`${readers}\n${self}`), paths, callScope());
    expect([...(granted ?? [])].map(([path, names]) => [path, [...names].sort()])).toEqual([
      [`${kv.mount}metadata/`, ['list', 'read']],
      [`${kv.mount}data/`, ['deny']],
      ['no/such/mount/', ['deny']],
    ]);
    const all = await capabilities(await kv.client(), paths, callScope());
    expect(all?.get(`${kv.mount}data/`)).toEqual(['root']);
  });

  it('are unknown to a token that may not ask', async () => {
    const kv = await freshMount(target());
    expect(
      await capabilities(await kv.client(readers), [dataPath(kv.mount, '')], callScope()),
    ).toBeUndefined();
  });
}
