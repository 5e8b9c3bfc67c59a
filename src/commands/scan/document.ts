import type { VsyncError } from '../../base/errors.ts';
import type { Config } from '../../config/config.ts';
import type { ScanResult } from '../../cycle/origin-cycle.ts';
import type { Task } from '../../sync/compare.ts';
import type { GuardVerdict } from '../../sync/delete-guard.ts';
import type { DataPath } from '../../sync/mount-path.ts';
import { version } from '../../version.ts';
import { changeOf } from '../plan/build.ts';
import { type Change, formatVersion, type PathError } from '../plan/document.ts';

/** What an origin would publish, as data: `vsync origin --dry-run --json`. Paths, versions, times and sizes of sync info; never a value. */

export interface ScanDocument {
  readonly format_version: string;
  readonly type: 'scan';
  readonly vsync_version: string;
  readonly created_at: string;
  readonly origin: {
    readonly name: string;
    readonly vault: string;
    readonly sync_path: string;
    readonly paths: number;
  };
  /** Keys that were listed, and how many of them are deleted or have no version. */
  readonly listed: number;
  readonly without_secret: number;
  readonly buckets: readonly ScannedBucket[];
  /** What is different from what is published now. */
  readonly changes: readonly Omit<Change, 'destination_path' | 'transform'>[];
  /** Paths that could not be read. `kept`: their last known state would be published again. */
  readonly errors: readonly (PathError & { readonly kept: boolean })[];
  /** An origin that is suddenly empty publishes nothing; `set` is what would have to be approved. */
  readonly held: { readonly deletes: number; readonly set: string } | null;
  readonly summary: {
    readonly operation: 'scan';
    readonly add: number;
    readonly update: number;
    readonly delete: number;
    readonly error: number;
    readonly unchanged: number;
  };
}

export interface ScannedBucket {
  readonly id: number;
  readonly paths: number;
  /** As it would be stored; Consul takes 524288 at most. */
  readonly bytes: number;
  /** Whether it would be written. */
  readonly changed: boolean;
}

/** Consul's limit of a value. */
export const maxBucketBytes = 512 * 1024;

/** The document of a scan. Its info is reindexed and with that at its end. */
export function scanDocument(
  { info, gathered }: ScanResult,
  found: {
    readonly buckets: readonly ScannedBucket[];
    readonly changes: readonly Task[];
    readonly held: GuardVerdict | undefined;
    readonly failedPaths: ReadonlyMap<DataPath, VsyncError>;
  },
  { name, origin }: Config,
  now: Date,
): ScanDocument {
  const { changes, held, failedPaths } = found;
  const count = (wanted: Task['kind']) => changes.filter(({ kind }) => kind === wanted).length;
  return {
    format_version: formatVersion,
    type: 'scan',
    vsync_version: version,
    created_at: now.toISOString(),
    origin: {
      name,
      vault: origin.vault.address,
      sync_path: `${origin.syncPath}origin/`,
      paths: info.size,
    },
    listed: gathered.listed,
    without_secret: gathered.withoutSecret,
    buckets: found.buckets,
    changes: changes.map((task) => {
      const {
        destination_path: _target,
        transform: _rule,
        ...change
      } = changeOf({
        ...task,
        target: task.path,
        rule: undefined,
      });
      return change;
    }),
    errors: [...failedPaths].map(([path, { code, message }]) => ({
      path,
      code,
      message,
      kept: info.get(path) !== undefined,
    })),
    held: held === undefined ? null : { deletes: held.deletes, set: held.set },
    summary: {
      operation: 'scan',
      add: count('add'),
      update: count('update'),
      delete: count('delete'),
      error: failedPaths.size,
      unchanged: info.size - count('add') - count('update'),
    },
  };
}
