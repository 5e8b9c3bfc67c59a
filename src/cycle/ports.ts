import type { VsyncError } from '../base/errors.ts';
import type { RetryBudget } from '../base/retry.ts';
import type { Bucket } from '../sync/bucket.ts';
import type { Insight } from '../sync/insight.ts';
import type { DataPath, Mount } from '../sync/mount-path.ts';
import type { SecretValue } from '../sync/secret-value.ts';
import type { SyncInfoChanges } from '../sync/sync-info.ts';
import type { Completed } from './outcome.ts';

/**
 * What a cycle needs of the outside. `vault/` and `consul/` implement it, `test/contract` holds every implementation to it.
 * Every method throws `VsyncError` for a failure it has given up on (retries are its own affair), or the signal's reason.
 */

/** What every call of a cycle is made with. */
export interface CallScope {
  /** Cancels the request. */
  readonly signal: AbortSignal;
  /** Retries of the whole cycle come from here. */
  readonly budget: RetryBudget;
}

/** What lies directly in one folder. Names are relative to it and unencoded; a folder's name ends in `/`. */
export interface FolderListing {
  readonly keys: readonly string[];
  readonly folders: readonly string[];
  /** Where the server tells it in the same answer (OpenBao): the insight of a key, `undefined` for one without a secret. */
  readonly insights?: ReadonlyMap<string, Insight | undefined>;
}

/** What a read of the current version of a secret gave. */
export type SecretState =
  | {
      readonly kind: 'live';
      readonly version: number;
      readonly createdTime: string;
      readonly value: SecretValue;
    }
  /** The current version, `version`, is deleted or destroyed. */
  | { readonly kind: 'deleted'; readonly version: number }
  /** No version: never written, or all metadata deleted. A new key to check-and-set, version 0. */
  | { readonly kind: 'absent' };

/** A mount as a Vault describes it. `id` changes when the mount is made anew under the same name. */
export interface MountState {
  readonly mount: Mount;
  readonly id: string;
}

/** The origin's Vault, as the process of an origin uses it: metadata only (R14). */
export interface OriginMetadata {
  /** Throws `MOUNT_MISSING`, `MOUNT_NOT_KV2` or `VAULT_FORBIDDEN` when the mount cannot be scanned. */
  describeMount(mount: Mount, scope: CallScope): Promise<MountState>;
  /**
   * Lists one folder; "" is the top, every other one ends in `/`. An empty listing is returned only for the one answer that
   * means "empty"; everything else throws an error that fails the cycle (R3). A KV version 1 mount gives that same answer, so this holds
   * together with `describeMount` before and after.
   */
  listFolder(mount: Mount, folder: string, scope: CallScope): Promise<FolderListing>;
  /** The insight of one key, or `undefined` when there is no secret. Judged by the server's clock, which `readClock` learns. */
  readInsight(mount: Mount, key: string, scope: CallScope): Promise<Insight | undefined>;
  /** Brings the knowledge of the server's clock up to date. */
  readClock(scope: CallScope): Promise<void>;
}

/** The origin's Vault, as the process of a destination uses it: values only, never a write (R14). */
export interface OriginSecrets {
  /**
   * What is there. `expected` is the insight that was published, when a copy of it is wanted: several destinations that want the same may
   * share one read. Without it the answer is always fresh.
   */
  readSecret(path: DataPath, scope: CallScope, expected?: Insight): Promise<SecretState>;
  /** The value of an earlier version; `undefined` when it is deleted, destroyed or not kept any more. */
  readVersion(path: DataPath, version: number, scope: CallScope): Promise<SecretValue | undefined>;
}

/** The destination's Vault. */
export interface DestinationVault {
  readSecret(path: DataPath, scope: CallScope): Promise<SecretState>;
  /**
   * Writes with check-and-set: `cas` is the current version there, 0 for a key without versions. Returns the new version.
   * A refused check is a `VAULT_REFUSED` with status 400, like other bad requests: only a read tells them apart.
   * An error with `ambiguous` may have had its effect (R8).
   */
  writeSecret(path: DataPath, value: SecretValue, cas: number, scope: CallScope): Promise<number>;
  /** Soft-deletes the current version. */
  deleteSecret(path: DataPath, scope: CallScope): Promise<void>;
  /** The KV v2 mount that holds `path`; throws `TRANSFORM_BAD_TARGET` when there is none. */
  mountOf(path: DataPath, scope: CallScope): Promise<Mount>;
}

/** The index of one side's sync info as it is stored. */
export interface StoredIndex {
  readonly index: readonly string[];
  /** Consul's ModifyIndex of the index key: what a save checks. */
  readonly modifyIndex: number;
}

/** One side's sync info in Consul. Loads are verified: a bucket is given out only if its hash is the one in the index (R5). */
export interface SyncInfoStore {
  /** Where it is, for messages: `vsync/origin/`. */
  readonly prefix: string;
  /** The stored index, or `undefined` when nothing has been published. Throws `SYNC_INFO_CORRUPT`. */
  loadIndex(scope: CallScope): Promise<StoredIndex | undefined>;
  /** Buckets of `stored`, each with the hash that the index has for it. Throws `SYNC_INFO_CORRUPT` if that does not come about. */
  loadBuckets(stored: StoredIndex, ids: readonly number[], scope: CallScope): Promise<BucketsOf>;
}

/** What a load of buckets gave. */
export type BucketsOf =
  | { readonly kind: 'verified'; readonly buckets: ReadonlyMap<number, Bucket> }
  /** Another writer saved meanwhile: `stored` is outdated, compare again with this index. */
  | { readonly kind: 'moved'; readonly stored: StoredIndex | undefined };

/** The own index as it is stored. `corrupt` says why it cannot be used; it is then to be written anew over `modifyIndex`. */
export interface OwnIndex extends StoredIndex {
  readonly corrupt?: VsyncError;
}

/** A store that this process writes: its own side's. */
export interface WritableSyncInfoStore extends SyncInfoStore {
  /** Like `loadIndex`, but an index that is no index is returned with `corrupt` instead of thrown. */
  loadOwnIndex(scope: CallScope): Promise<OwnIndex | undefined>;
  /**
   * A mark that changes when anything below the prefix is written or deleted, by anyone. It costs one small request. Right after a
   * save it is that save's ModifyIndex as text; a key that is missing changes it too, since Consul forgets deletes after a while.
   */
  mark(scope: CallScope): Promise<string>;
  /**
   * Whether the stored index is still this one. In the same transaction `beside` is written, a key outside the prefix: one request tells
   * and asks. False also when that may not be written.
   */
  confirm(stored: StoredIndex, beside: KeyValue | undefined, scope: CallScope): Promise<boolean>;
  /**
   * Stores the changed buckets, then the index, if the index is still `previous`. Only completed work can be passed (R1).
   * Returns the new state. Throws `SYNC_INFO_CONFLICT` when another writer was there, `CONSUL_VALUE_TOO_LARGE` before any write.
   */
  save(
    changes: Completed<SyncInfoChanges>,
    previous: StoredIndex | undefined,
    scope: CallScope,
  ): Promise<StoredIndex>;
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}
