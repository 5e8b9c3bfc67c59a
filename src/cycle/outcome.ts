import type { VsyncError } from '../base/errors.ts';
import type { GuardVerdict } from '../sync/delete-guard.ts';
import type { DataPath } from '../sync/mount-path.ts';

/**
 * How a cycle ended, as a value. The save takes `Completed` work as its argument and no other value type-checks (R1).
 */

declare const completedBrand: unique symbol;

/** Work that may be saved. Made by `completeScan` and `completeBatch` only. */
export type Completed<T> = T & { readonly [completedBrand]: true };

/**
 * A scan of the origin that may be published. Each field of the proof has one permitted value, so what has not been checked does
 * not compile: every folder was listed, every path was read or carried forward, and nothing stopped the cycle.
 */
export function completeScan<T extends object>(
  work: T,
  _proof: { readonly everyFolderListed: true; readonly everyPathHandled: true; readonly stopped: undefined },
): Completed<T> {
  return work as Completed<T>;
}

/**
 * Progress of a destination that may be recorded: every entry in it was confirmed by the destination's Vault. Finished writes are
 * recorded also when the cycle is stopped, so that no later one repeats them (R10).
 */
export function completeBatch<T extends object>(
  work: T,
  _proof: { readonly everyEntryConfirmed: true },
): Completed<T> {
  return work as Completed<T>;
}

/** The result of a cycle, as logs, metrics and status name it. */
export type CycleResult = 'success' | 'noop' | 'partial' | 'held' | 'failed' | 'timeout' | 'aborted';

/** What a cycle counted. */
export interface CycleCounts {
  /** Paths in the sync info of this side; `undefined` where not all of it was looked at. */
  readonly paths: number | undefined;
  /** Paths that failed while the cycle went on. */
  readonly failed: number;
  /** What was done at a destination; `undefined` for an origin. */
  readonly changes?: Changes;
}

export interface Changes {
  readonly added: number;
  readonly updated: number;
  readonly deleted: number;
  /** Found to be equal already, so recorded without a write. */
  readonly recorded: number;
}

export interface CycleOutcome {
  readonly result: CycleResult;
  readonly counts: CycleCounts;
  /** What stopped the cycle, for `failed`, `timeout` and `aborted`. */
  readonly error?: VsyncError | undefined;
  /** Paths that failed while the cycle went on. */
  readonly failedPaths: ReadonlyMap<DataPath, VsyncError>;
  /** True when the status of the node was told in the cycle itself, with a request that had to be made anyway. */
  readonly told?: boolean;
  /** The deletes that wait for an approval, for `held`. */
  readonly held?: GuardVerdict | undefined;
}
