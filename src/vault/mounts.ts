import { VsyncError } from '../base/errors.ts';
import type { CallScope, MountState } from '../cycle/ports.ts';
import type { Mount } from '../sync/mount-path.ts';
import type { VaultClient } from './client.ts';
import { encodePath } from './encode-path.ts';
import { badAnswer, isForbidden, NotFound } from './errors.ts';

/**
 * Mounts and the rights on them. `sys/mounts` is not needed: `sys/internal/ui/mounts/<path>` answers every token that has any
 * capability below the mount, on Vault and on OpenBao, root tokens and sub-path policies included.
 */

interface MountInfo {
  readonly path: string;
  readonly type: string;
  readonly version: string | undefined;
  readonly id: string;
}

/**
 * The KV v2 mount of that name. Throws `MOUNT_MISSING`, `MOUNT_NOT_KV2`, or `VAULT_FORBIDDEN` (fatal) when the token has rights
 * for other mounts only.
 */
export async function describeMount(
  client: VaultClient,
  mount: Mount,
  scope: CallScope,
): Promise<MountState> {
  const info = (await mountInfoOf(client, mount, scope)) ?? (await lookAgain(client, mount, scope));
  requireKv2(client, info);
  return { mount, id: info.id };
}

async function mountInfoOf(
  client: VaultClient,
  mount: Mount,
  scope: CallScope,
): Promise<MountInfo | undefined> {
  const info = await mountInfo(client, mount, scope);
  return info?.path === mount ? info : undefined;
}

/** A mount is missing for good only if the list of mounts says so, too: a token that was refused may have been replaced meanwhile. */
async function lookAgain(client: VaultClient, mount: Mount, scope: CallScope): Promise<MountInfo> {
  const visible = await visibleKv2Mounts(client, scope);
  const info = visible.includes(mount) ? await mountInfoOf(client, mount, scope) : undefined;
  if (info !== undefined) return info;
  throw await missingMount(client, mount, visible, scope);
}

/**
 * The KV v2 mount that a data path lies on. Throws `TRANSFORM_BAD_TARGET` for a path that is on none. The key is left out of the
 * question where it can be: one that the server refuses (400) says nothing of the mount.
 */
export async function mountOf(client: VaultClient, path: string, scope: CallScope): Promise<Mount> {
  const badTarget = (why: string) =>
    new VsyncError({
      ...about(client, path),
      code: 'TRANSFORM_BAD_TARGET',
      message: `${path} is not <mount>data/<key> of a KV v2 mount at the ${client.side} Vault`,
      why,
      hint: `correct \`to\` in ${client.side}.transforms, or create the mount; try it with: vsync transform test`,
    });
  const beforeKey = path.lastIndexOf('/data/');
  const asked = beforeKey > 0 ? path.slice(0, beforeKey + '/data'.length) : path;
  const info = await mountInfo(client, asked, scope);
  if (info === undefined) throw badTarget('there is no such mount, or the token has no rights there');
  if (!isKv2(info)) throw badTarget(`${info.path} is ${kindOf(info)}`);
  const rest = path.slice(info.path.length);
  if (!rest.startsWith('data/') || rest === 'data/')
    throw badTarget(`${info.path} is a KV v2 mount, but what follows is not data/<key>`);
  return info.path as Mount;
}

/**
 * The token's capabilities on each path, asked with the trailing slash (without it a rule `secret/metadata/*` gives "deny").
 * `undefined` when the token may not ask (no `default` policy).
 */
export async function capabilities(
  client: VaultClient,
  paths: readonly string[],
  scope: CallScope,
): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  try {
    const body = await client.ask({
      method: 'POST',
      path: '/sys/capabilities-self',
      about: 'sys/capabilities-self',
      body: { paths },
      ...scope,
    });
    const data = (body as { data?: Record<string, unknown> }).data ?? {};
    return new Map(paths.map((path) => [path, Array.isArray(data[path]) ? (data[path] as string[]) : []]));
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

async function mountInfo(
  client: VaultClient,
  path: string,
  scope: CallScope,
): Promise<MountInfo | undefined> {
  const about = `sys/internal/ui/mounts/${path}`;
  try {
    const encoded = `/${encodePath(about.replace(/\/$/, ''))}${path.endsWith('/') ? '/' : ''}`;
    const body = await client.ask({ method: 'GET', path: encoded, about, ...scope }, true);
    const data = (body as { data?: Record<string, unknown> }).data;
    if (typeof data?.path !== 'string' || typeof data.type !== 'string') {
      throw badAnswer(
        { side: client.side, address: client.address, method: 'GET', path: about, writes: false },
        'it describes no mount',
      );
    }
    const options = data.options as { version?: unknown } | null | undefined;
    return {
      path: data.path,
      type: data.type,
      version: typeof options?.version === 'string' ? options.version : undefined,
      id: String(data.uuid ?? data.accessor ?? ''),
    };
  } catch (error) {
    // Both answers mean "not for this token": no access at all, or nothing there.
    if (error instanceof NotFound || isForbidden(error)) return undefined;
    throw error;
  }
}

/** Why a mount cannot be seen: the policy names it, so it is not there; or the policy does not, so nothing can be said. */
async function missingMount(
  client: VaultClient,
  mount: Mount,
  visible: readonly string[],
  scope: CallScope,
): Promise<VsyncError> {
  const paths = [`${mount}metadata/`, `${mount}data/`];
  const granted = await capabilities(client, paths, scope);
  const allowed =
    granted === undefined || paths.some((path) => granted.get(path)?.some((name) => name !== 'deny'));
  if (!allowed && visible.length > 0) {
    return new VsyncError({
      ...about(client, mount),
      code: 'VAULT_FORBIDDEN',
      class: 'fatal',
      status: 403,
      message: `the token has no rights on mount "${mount}" of the ${client.side} Vault, or there is no such mount`,
      why: `KV v2 mounts it may use: ${visible.join(', ')}`,
      hint: `correct ${client.side}.mounts, or give its policies rights on ${mount}metadata/* and ${mount}data/*`,
    });
  }
  return new VsyncError({
    ...about(client, mount),
    code: 'MOUNT_MISSING',
    message: `there is no mount "${mount}" on the ${client.side} Vault${client.namespace ? ` (namespace "${client.namespace}")` : ''}`,
    why:
      visible.length === 0
        ? 'no KV v2 mount is visible to this token'
        : `KV v2 mounts visible to this token: ${visible.join(', ')}`,
    hint: `vault secrets enable -path=${mount.slice(0, -1)} -version=2 kv, or correct ${client.side}.mounts`,
  });
}

/** All KV v2 mounts on which the token has any rights. */
async function visibleKv2Mounts(client: VaultClient, scope: CallScope): Promise<string[]> {
  const path = 'sys/internal/ui/mounts';
  const body = await client.ask({ method: 'GET', path: `/${path}`, about: path, ...scope });
  const secret = (
    body as { data?: { secret?: Record<string, { type?: string; options?: { version?: string } | null }> } }
  ).data?.secret;
  return Object.entries(secret ?? {})
    .filter(([, info]) => info.type === 'kv' && info.options?.version === '2')
    .map(([name]) => name);
}

function requireKv2(client: VaultClient, info: MountInfo): void {
  if (isKv2(info)) return;
  throw new VsyncError({
    ...about(client, info.path),
    code: 'MOUNT_NOT_KV2',
    message: `mount "${info.path}" on the ${client.side} Vault is ${kindOf(info)}; vsync replicates KV version 2 only`,
    hint: `vault kv enable-versioning ${info.path} (one-way), or remove it from ${client.side}.mounts`,
  });
}

function isKv2(info: MountInfo): boolean {
  return (info.type === 'kv' || info.type === 'generic') && info.version === '2';
}

function kindOf(info: MountInfo): string {
  return info.type === 'kv' || info.type === 'generic'
    ? `KV version ${info.version ?? '1'}`
    : `of type "${info.type}"`;
}

function about(client: VaultClient, path: string) {
  return { side: client.side, server: 'vault', address: client.address, path } as const;
}
