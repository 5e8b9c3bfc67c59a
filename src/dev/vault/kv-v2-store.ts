import { posix } from 'node:path';
import type { Flavour } from './logical.ts';
import { PathTree } from './path-tree.ts';

/** What a KV v2 mount stores, and the arithmetic of its versions. Times are nanoseconds since 1970. */

/** A stored value: JSON text as a read prints it, or the reason why no read can. */
export type StoredValue = { readonly text: string } | { readonly unreadable: string };

export interface Version {
  readonly createdTime: bigint;
  /** Set means deleted only once it has passed. */
  deletionTime: bigint | undefined;
  destroyed: boolean;
}

export interface KeyMetadata {
  createdTime: bigint | undefined;
  updatedTime: bigint;
  currentVersion: number;
  oldestVersion: number;
  maxVersions: number;
  casRequired: boolean;
  deleteVersionAfterSeconds: number;
  customMetadata: ReadonlyMap<string, string> | null;
  /** OpenBao: counts metadata writes. */
  metadataVersion: number;
  /** OpenBao. */
  metadataCasRequired: boolean;
  readonly versions: Map<number, Version>;
}

export interface KvV2Config {
  maxVersions: number;
  casRequired: boolean;
  /** -1 turns expiry off, for keys with a setting of their own too. */
  deleteVersionAfterSeconds: number;
  /** OpenBao. */
  metadataCasRequired: boolean;
}

/** What the mount needs to know of its server. */
export interface KvSettings {
  readonly flavour: Flavour;
  readonly clock: () => bigint;
  /** Storage's limit for one value, in bytes of its JSON text. */
  readonly maxEntryBytes: number;
}

const defaultMaxVersions = 10;

export class KvV2Store {
  config: KvV2Config = {
    maxVersions: 0,
    casRequired: false,
    deleteVersionAfterSeconds: 0,
    metadataCasRequired: false,
  };
  readonly settings: KvSettings;
  readonly #keys: PathTree<KeyMetadata>;
  /**
   * Values by path and version. Vault keeps a value under the path as it was *sent* and the metadata under the cleaned path, so that a
   * value written through `x/../a` belongs to the metadata of `a` but cannot be read as `a`.
   */
  readonly #values: Map<string, StoredValue>;

  constructor(
    settings: KvSettings,
    keys = new PathTree<KeyMetadata>(),
    values = new Map<string, StoredValue>(),
  ) {
    this.settings = settings;
    this.#keys = keys;
    this.#values = values;
  }

  get(key: string): KeyMetadata | undefined {
    return this.#keys.get(segmentsOf(key));
  }

  set(key: string, meta: KeyMetadata): void {
    this.#keys.set(segmentsOf(key), meta);
  }

  /** Removes a key. Values that were written through another path stay behind, as in Vault. */
  delete(key: string): void {
    for (const number of this.get(key)?.versions.keys() ?? []) this.deleteValue(key, number);
    this.#keys.delete(segmentsOf(key));
  }

  /** Names in a folder, by their UTF-8 bytes. */
  list(folder: string): readonly string[] {
    return this.#keys.list(segmentsOf(folder));
  }

  /** All keys below a folder, relative to it. */
  walk(folder: string): Iterable<string> {
    return this.#keys.walk(segmentsOf(folder));
  }

  value(key: string, number: number): StoredValue | undefined {
    return this.#values.get(`${key}|${number}`);
  }

  deleteValue(key: string, number: number): void {
    this.#values.delete(`${key}|${number}`);
  }

  /** Metadata for a key that has none yet. `createdTime` is left to the first version, unless a metadata write makes the key. */
  static newKey(now: bigint): KeyMetadata {
    return {
      createdTime: undefined,
      updatedTime: now,
      currentVersion: 0,
      oldestVersion: 0,
      maxVersions: 0,
      casRequired: false,
      deleteVersionAfterSeconds: 0,
      customMetadata: null,
      metadataVersion: 0,
      metadataCasRequired: false,
      versions: new Map(),
    };
  }

  /** Adds a version and trims the oldest ones: the larger of the key's and the mount's `max_versions` stay, 10 if both are 0. */
  addVersion(key: string, meta: KeyMetadata, value: StoredValue): Version {
    const now = this.settings.clock();
    const version: Version = {
      createdTime: now,
      deletionTime: this.expiry(meta, now),
      destroyed: false,
    };
    meta.currentVersion += 1;
    this.#values.set(`${key}|${meta.currentVersion}`, value);
    meta.versions.set(meta.currentVersion, version);
    meta.updatedTime = now;
    meta.createdTime ??= now;
    this.#trim(key, meta);
    this.set(key, meta);
    return version;
  }

  #trim(key: string, meta: KeyMetadata): void {
    const max = Math.max(meta.maxVersions, this.config.maxVersions) || defaultMaxVersions;
    if (meta.currentVersion - meta.oldestVersion < max) return;
    const oldest = meta.currentVersion - max + 1;
    for (let i = meta.oldestVersion; i < oldest; i++) meta.versions.delete(i);
    meta.oldestVersion = oldest;
    // Vault goes back from the newest one to go until a value is missing.
    for (let i = oldest - 1; this.value(key, i) !== undefined; i--) this.deleteValue(key, i);
  }

  /** When a version made at `from` expires: after the smaller non-zero `delete_version_after` of mount and key. */
  expiry(meta: KeyMetadata, from: bigint): bigint | undefined {
    const mount = this.config.deleteVersionAfterSeconds;
    const own = meta.deleteVersionAfterSeconds;
    if (mount < 0 || (mount === 0 && own === 0)) return undefined;
    const seconds = mount === 0 || own === 0 ? mount + own : Math.min(mount, own);
    return from + BigInt(seconds) * 1_000_000_000n;
  }

  /** Whether the version is gone for a reader: destroyed, or its `deletion_time` has passed. */
  isDeleted(version: Version): boolean {
    return version.destroyed || this.isExpired(version);
  }

  isExpired(version: Version): boolean {
    return version.deletionTime !== undefined && version.deletionTime < this.settings.clock();
  }

  /** A copy that later writes do not reach. */
  clone(): KvV2Store {
    const copy = new KvV2Store(this.settings, this.#keys.clone(cloneKey), new Map(this.#values));
    copy.config = { ...this.config };
    return copy;
  }
}

function cloneKey(meta: KeyMetadata): KeyMetadata {
  const versions = [...meta.versions].map(([number, version]) => [number, { ...version }] as const);
  return { ...meta, versions: new Map(versions) };
}

/** Segments of the cleaned key: `a//b` and `x/../a/b` are `a/b`, a leading `..` stays. The mount's root is `[]`. */
function segmentsOf(key: string): string[] {
  if (key === '' || key === '/') return [];
  return posix
    .normalize(key)
    .replace(/(?<=.)\/$/, '')
    .replace(/^\//, '')
    .split('/');
}
