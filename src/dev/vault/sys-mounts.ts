import { appRoleBackend } from './approle-backend.ts';
import type { BackendPath, Fields, Handler } from './framework.ts';
import { parseDurationSeconds } from './go-time.ts';
import type { Encodable, EncodableMap } from './json.ts';
import type { KvSettings } from './kv-v2-store.ts';
import { type LogicalResponse, plainError } from './logical.ts';
import { checkNotProtected, kv2Engine, type Mount, type MountTable, mountInfo, newEngine } from './mounts.ts';
import { systemTtlSeconds, type TokenStore } from './tokens.ts';
import { upgraded } from './upgrade.ts';
import { weakInt, weakString } from './weak-decode.ts';

/** `sys/mounts` and `sys/auth`: what is mounted, mounting and unmounting, and the upgrade of KV v1. */

export interface SysMountsParts {
  readonly settings: KvSettings;
  readonly mounts: MountTable;
  readonly tokens: TokenStore;
}

const mountFields = {
  path: 'string',
  type: 'string',
  description: 'string',
  config: 'map',
  options: 'map',
} as const;

export function sysMountPaths(parts: SysMountsParts): BackendPath[] {
  return [
    { pattern: /^mounts$/, fields: {}, operations: { read: () => table(parts, false) } },
    { pattern: /^auth$/, fields: {}, operations: { read: () => table(parts, true) } },
    tunePath(parts),
    {
      pattern: /^mounts\/(?<path>.+?)$/,
      fields: mountFields,
      operations: {
        read: (fields) => ({ data: infoOf(parts, found(parts, fields)) }),
        update: (fields) => mountSecrets(parts, fields),
        delete: (fields) => unmount(parts, pathOf(fields)),
      },
    },
    {
      pattern: /^auth\/(?<path>.+)$/,
      fields: mountFields,
      operations: {
        update: (fields) => mountAuth(parts, fields),
        delete: (fields) => {
          const path = `auth/${pathOf(fields)}`;
          parts.mounts.remove(path);
          parts.tokens.revokeFrom(path);
          return undefined;
        },
      },
    },
  ];
}

function infoOf(parts: SysMountsParts, mount: Mount): EncodableMap {
  return mountInfo(mount, parts.settings.flavour, false);
}

function table(parts: SysMountsParts, auth: boolean): LogicalResponse {
  const shown = parts.mounts.all().filter(({ path }) => path.startsWith('auth/') === auth);
  const name = (mount: Mount) => (auth ? mount.path.slice('auth/'.length) : mount.path);
  return { data: new Map(shown.map((mount) => [name(mount), infoOf(parts, mount)])) };
}

/** The mount's path with one slash at its end. */
function pathOf(fields: Fields): string {
  return `${fields.string('path').replace(/^\/+|\/+$/g, '')}/`;
}

function found(parts: SysMountsParts, fields: Fields): Mount {
  const path = pathOf(fields);
  const mount = parts.mounts.at(path);
  if (mount === undefined) throw plainError(400, `No secret engine mount at ${path}`);
  return mount;
}

function mountSecrets(parts: SysMountsParts, fields: Fields): undefined {
  const path = pathOf(fields);
  const options = new Map([...(fields.map('options') ?? [])].map(([key, value]) => [key, weakString(value)]));
  const engine = newEngine(fields.string('type'), options, parts.settings);
  checkNotProtected(path, 'mount');
  parts.mounts.add({ path, description: fields.string('description'), ...leasesOf(fields), ...engine });
}

function leasesOf(fields: Fields): Pick<Mount, 'defaultLeaseTtl' | 'maxLeaseTtl'> {
  const config = fields.map('config');
  const seconds = (name: string) => parseDurationSeconds(config?.get(name) ?? null);
  return { defaultLeaseTtl: seconds('default_lease_ttl'), maxLeaseTtl: seconds('max_lease_ttl') };
}

function mountAuth(parts: SysMountsParts, fields: Fields): undefined {
  const type = fields.string('type');
  if (type === '') throw plainError(400, 'backend type must be specified as a string');
  if (type !== 'approle') throw plainError(400, `plugin not found in the catalog: ${type}`);
  const mount = pathOf(fields);
  const backend = appRoleBackend({ mount, tokens: parts.tokens, clock: parts.settings.clock });
  parts.mounts.add({
    path: `auth/${mount}`,
    type,
    description: fields.string('description'),
    options: new Map(),
    engine: { kind: 'other', backend },
  });
}

function unmount(parts: SysMountsParts, path: string): undefined {
  checkNotProtected(path, 'unmount');
  parts.mounts.remove(path);
}

/** `sys/mounts/<m>/tune`: lease times, and `{"options":{"version":"2"}}`, which upgrades a KV v1 mount at once. */
function tunePath(parts: SysMountsParts): BackendPath {
  const read: Handler = (fields) => {
    const mount = found(parts, fields);
    const data = new Map<string, Encodable>([
      ['default_lease_ttl', mount.defaultLeaseTtl || systemTtlSeconds],
      ['description', mount.description],
      ['force_no_cache', false],
      ['max_lease_ttl', mount.maxLeaseTtl || systemTtlSeconds],
    ]);
    if (mount.options !== null && mount.options.size > 0) data.set('options', mount.options);
    return { data };
  };
  const update: Handler = (fields) => {
    const version = fields.map('options')?.get('version');
    return version === undefined ? undefined : setVersion(parts, found(parts, fields), weakInt(version));
  };
  return { pattern: /^mounts\/(?<path>.+?)\/tune$/, fields: mountFields, operations: { read, update } };
}

function setVersion(parts: SysMountsParts, mount: Mount, version: number): LogicalResponse | undefined {
  const current = Number(mount.options?.get('version') ?? 0);
  if (version !== 1 && version !== 2) throw plainError(400, `invalid version provided: ${version}`);
  if (current > version) throw plainError(400, `cannot downgrade mount from version ${current}`);
  if (current === version) return undefined;
  mount.options = new Map([...(mount.options ?? []), ['version', `${version}`] as const]);
  if (mount.engine.kind === 'kv1' && version === 2) {
    mount.engine = kv2Engine(upgraded(mount.engine.store, parts.settings));
  }
  const warning =
    `Upgrading mount from version ${current} to version ${version}. ` +
    'This mount will be unavailable for a brief period and will resume service shortly.';
  return { warnings: [warning] };
}
