import { randomBytes, randomUUID } from 'node:crypto';
import type { Backend } from './framework.ts';
import type { Encodable, EncodableMap } from './json.ts';
import { type KvV1Store, kvV1Backend, newKvV1Store } from './kv-v1.ts';
import { kvV2Backend } from './kv-v2.ts';
import { type KvSettings, KvV2Store } from './kv-v2-store.ts';
import { plainError } from './logical.ts';
import { systemTtlSeconds } from './tokens.ts';

/** What is mounted where: secrets engines at their path, auth methods below `auth/`. */

export type Engine =
  | { readonly kind: 'kv2'; readonly store: KvV2Store; readonly backend: Backend }
  | { readonly kind: 'kv1'; readonly store: KvV1Store; readonly backend: Backend }
  | { readonly kind: 'other'; readonly backend: Backend };

export interface Mount {
  /** With its slash; auth methods begin with `auth/`. */
  readonly path: string;
  readonly type: string;
  readonly description: string;
  options: ReadonlyMap<string, string> | null;
  /** Change when a mount is made again: a client can tell the new one by them. */
  readonly uuid: string;
  readonly accessor: string;
  /** Seconds, 0 for the server's own. */
  readonly defaultLeaseTtl: number;
  readonly maxLeaseTtl: number;
  engine: Engine;
}

export type NewMount = Pick<Mount, 'path' | 'type' | 'description' | 'options' | 'engine'> &
  Partial<Pick<Mount, 'defaultLeaseTtl' | 'maxLeaseTtl'>>;

const protectedPaths = ['sys/', 'auth/', 'identity/', 'cubbyhole/', 'audit/'];

export class MountTable {
  readonly #mounts = new Map<string, Mount>();

  all(): Mount[] {
    return [...this.#mounts.values()];
  }

  /** The mount at exactly this path. */
  at(path: string): Mount | undefined {
    return this.#mounts.get(path);
  }

  /** The mount that a request path belongs to. Mounts never nest, so the first one found is the only one. */
  match(path: string): Mount | undefined {
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      const mount = this.#mounts.get(path.slice(0, end + 1));
      if (mount !== undefined) return mount;
    }
    return this.#mounts.get(`${path}/`);
  }

  /** Throws what Vault answers where the path is taken or reserved. */
  add(fields: NewMount): Mount {
    const isAuth = fields.path.startsWith('auth/');
    const shown = (path: string) => (isAuth ? path.slice('auth/'.length) : path);
    const taken = this.all().find(({ path }) => path.startsWith(fields.path) || fields.path.startsWith(path));
    if (taken !== undefined) throw plainError(400, `path is already in use at ${shown(taken.path)}`);
    const mount: Mount = {
      defaultLeaseTtl: 0,
      maxLeaseTtl: 0,
      ...fields,
      uuid: randomUUID(),
      accessor: `${isAuth ? 'auth_' : ''}${fields.type}_${randomBytes(4).toString('hex')}`,
    };
    this.#mounts.set(mount.path, mount);
    return mount;
  }

  remove(path: string): void {
    this.#mounts.delete(path);
  }
}

/** Throws what Vault answers to mounting at, or unmounting, one of its own paths. */
export function checkNotProtected(path: string, verb: 'mount' | 'unmount'): void {
  if (protectedPaths.some((own) => path.startsWith(own))) throw plainError(400, `cannot ${verb} "${path}"`);
}

export function kv2Engine(store: KvV2Store): Engine {
  return { kind: 'kv2', store, backend: kvV2Backend(store) };
}

function kv1Engine(store: KvV1Store, settings: KvSettings): Engine {
  return { kind: 'kv1', store, backend: kvV1Backend(store, settings.flavour) };
}

/** The secrets engine that a mount request asks for. Throws what Vault answers to a type or version that it does not know. */
export function newEngine(
  asked: string,
  options: ReadonlyMap<string, string>,
  settings: KvSettings,
): Pick<Mount, 'type' | 'options' | 'engine'> {
  const forced = asked === 'kv-v2' ? '2' : asked === 'kv-v1' ? '1' : undefined;
  const type = forced === undefined ? asked : 'kv';
  if (type === '') throw plainError(400, 'backend type must be specified as a string');
  if (type !== 'kv' && type !== 'generic') throw plainError(400, `plugin not found in the catalog: ${type}`);
  const chosen = forced === undefined ? options : new Map([...options, ['version', forced] as const]);
  const version = chosen.get('version') ?? '';
  if (version === '2' && type === 'kv') {
    return { type, options: chosen, engine: kv2Engine(new KvV2Store(settings)) };
  }
  if (version !== '' && version !== '1') {
    throw plainError(400, `nil backend of type "${type}" returned from factory`);
  }
  return { type, options: chosen, engine: kv1Engine(newKvV1Store(), settings) };
}

/** The same engine on a copy of its data. */
export function cloneEngine(engine: Engine, settings: KvSettings): Engine {
  if (engine.kind === 'kv2') return kv2Engine(engine.store.clone());
  if (engine.kind === 'kv1')
    return kv1Engine(
      engine.store.clone((text) => text),
      settings,
    );
  return engine;
}

/** What `sys/mounts` tells of a mount; `effective` shows the lease times in force instead of those set. */
export function mountInfo(mount: Mount, flavour: 'vault' | 'openbao', effective: boolean): EncodableMap {
  const isKv = mount.type === 'kv';
  const pluginVersion =
    flavour === 'openbao' ? 'v2.5.5+builtin.bao' : isKv ? 'v0.20.0+builtin' : 'v1.18.0+builtin.vault';
  const lease = (seconds: number) => (effective && seconds === 0 ? systemTtlSeconds : seconds);
  return new Map<string, Encodable>([
    ['accessor', mount.accessor],
    [
      'config',
      {
        default_lease_ttl: lease(mount.defaultLeaseTtl),
        force_no_cache: false,
        max_lease_ttl: lease(mount.maxLeaseTtl),
        ...(mount.path.startsWith('auth/') && { token_type: 'default-service' }),
      },
    ],
    ...(isKv || mount.type === 'approle' ? [['deprecation_status', 'supported'] as const] : []),
    ['description', mount.description],
    ['external_entropy_access', false],
    ['local', false],
    ['options', mount.options],
    ['plugin_version', ''],
    ['running_plugin_version', pluginVersion],
    ['running_sha256', ''],
    ['seal_wrap', false],
    ['type', mount.type],
    ['uuid', mount.uuid],
  ]);
}
