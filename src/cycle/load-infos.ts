import { VsyncError } from '../base/errors.ts';
import { type Bucket, emptyBucketHash } from '../sync/bucket.ts';
import { differingBuckets } from '../sync/compare.ts';
import type { DataPath } from '../sync/mount-path.ts';
import { SyncInfo } from '../sync/sync-info.ts';
import type { CycleRun } from './cycle-run.ts';
import type { OwnIndex, StoredIndex, SyncInfoStore, WritableSyncInfoStore } from './ports.ts';

/** Loads of verified sync info, as a comparison needs them. */

/** Thrown when another writer saved during a load: whoever compares begins anew. */
export class InfoMoved extends Error {}

/** How often a comparison is begun anew because a writer was faster. */
const maxRestarts = 5;

/**
 * Reads both indexes and calls `compare` with them, again when a writer was faster. Throws `ORIGIN_INFO_MISSING`, `SYNC_INFO_CORRUPT`
 * (the origin's), and `SYNC_INFO_CONFLICT` when that never ends.
 */
export async function withIndexes<T>(
  stores: { readonly originStore: SyncInfoStore; readonly store: WritableSyncInfoStore },
  run: CycleRun,
  compare: (origin: StoredIndex, own: OwnIndex | undefined) => Promise<T>,
): Promise<T> {
  for (let restart = 0; restart < maxRestarts; restart += 1) {
    const [origin, own] = await Promise.all([
      stores.originStore.loadIndex(run.scope),
      stores.store.loadOwnIndex(run.scope),
    ]);
    if (origin === undefined) throw originInfoMissing(stores.originStore.prefix);
    try {
      return await compare(origin, own);
    } catch (error) {
      if (!(error instanceof InfoMoved)) throw error;
    }
  }
  throw new VsyncError({
    code: 'SYNC_INFO_CONFLICT',
    message: 'sync info changed each time it was read',
    why: 'another process writes it all the time',
    hint: 'run one origin for each sync path, and one destination for each destination.syncPath',
    note: 'Nothing was compared or deleted.',
  });
}

/** The buckets of these ids, verified; empty ones are not asked for. Throws `InfoMoved`. */
export async function loadBuckets(
  store: SyncInfoStore,
  stored: StoredIndex,
  ids: readonly number[],
  run: CycleRun,
): Promise<ReadonlyMap<number, Bucket>> {
  const loaded = await store.loadBuckets(
    stored,
    ids.filter((id) => stored.index[id] !== emptyBucketHash),
    run.scope,
  );
  if (loaded.kind === 'moved') throw new InfoMoved();
  return new Map(ids.map((id) => [id, loaded.buckets.get(id) ?? new Map()]));
}

/** Every path of a stored info. */
export async function loadPaths(
  store: SyncInfoStore,
  stored: StoredIndex,
  run: CycleRun,
): Promise<DataPath[]> {
  const buckets = await loadBuckets(store, stored, [...stored.index.keys()], run);
  return [...buckets.values()].flatMap((bucket) => [...bucket.keys()]);
}

/** The destination's own info. `rebuilt`: it is corrupt, so what is at the destination is found out by comparing values (R6). */
export interface OwnInfo {
  readonly info: SyncInfo;
  readonly rebuilt: boolean;
}

/** The own info in the origin's number of buckets, loaded where it differs from the origin's. */
export async function loadOwnInfo(
  store: WritableSyncInfoStore,
  origin: StoredIndex,
  own: OwnIndex | undefined,
  run: CycleRun,
): Promise<OwnInfo> {
  const numBuckets = origin.index.length;
  if (own === undefined) return { info: SyncInfo.empty(numBuckets), rebuilt: false };
  if (own.corrupt !== undefined) return rebuild(own.corrupt);
  const renumber = own.index.length !== numBuckets;
  const info = SyncInfo.stored(own.index);
  const wanted = renumber ? info.unloaded : differingBuckets(origin.index, own.index);
  try {
    for (const [id, bucket] of await loadBuckets(store, own, wanted, run)) info.load(id, new Map(bucket));
  } catch (error) {
    if (error instanceof VsyncError && error.code === 'SYNC_INFO_CORRUPT') return rebuild(error);
    throw error;
  }
  if (!renumber) return { info, rebuilt: false };
  const message = `origin sync info has ${numBuckets} buckets, this destination's has ${own.index.length}; adopting ${numBuckets}`;
  run.emit({ kind: 'note', level: 'info', message });
  return { info: info.rebucket(numBuckets), rebuilt: false };

  function rebuild(why: VsyncError): OwnInfo {
    const message = `this destination's own sync info at ${store.prefix} cannot be used (${why.message}); values are compared instead`;
    run.emit({ kind: 'note', level: 'warn', message });
    return { info: SyncInfo.empty(numBuckets), rebuilt: true };
  }
}

/** The number of paths in the destination's info, the buckets included that are not loaded. */
export async function countOwnPaths(
  store: WritableSyncInfoStore,
  info: SyncInfo,
  run: CycleRun,
): Promise<number> {
  const { unloaded } = info;
  if (unloaded.length === 0) return info.size;
  const own = await store.loadIndex(run.scope);
  if (own === undefined || unloaded.some((id) => own.index[id] !== info.index[id])) throw new InfoMoved();
  const buckets = await loadBuckets(store, own, unloaded, run);
  return [...buckets.values()].reduce((sum, bucket) => sum + bucket.size, info.size);
}

function originInfoMissing(prefix: string): VsyncError {
  return new VsyncError({
    code: 'ORIGIN_INFO_MISSING',
    side: 'origin',
    server: 'consul',
    path: `${prefix}index`,
    message: `there is no origin sync info at ${prefix}index`,
    why: 'the origin has not finished its first cycle, or origin.syncPath differs',
    hint: 'start `vsync origin` first; a daemon goes on by itself when the key appears',
  });
}
