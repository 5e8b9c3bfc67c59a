import { type Bucket, emptyBucketHash } from '../sync/bucket.ts';
import { compareBuckets, type Task } from '../sync/compare.ts';
import type { SyncInfo } from '../sync/sync-info.ts';
import type { CycleRun } from './cycle-run.ts';
import { loadBuckets } from './load-infos.ts';
import type { StoredIndex, SyncInfoStore } from './ports.ts';

/**
 * What a scan would change in what is published, path by path; `info` must be reindexed. `published` is what can be used of what is
 * stored; `undefined`: nothing. Throws `InfoMoved` when another process publishes meanwhile.
 */
export async function scanChanges(
  store: SyncInfoStore,
  info: SyncInfo,
  published: StoredIndex | undefined,
  run: CycleRun,
): Promise<readonly Task[]> {
  const ids = [...info.index.keys()];
  if (published === undefined) return ids.flatMap((id) => compareBuckets(info.bucket(id), new Map()));
  if (published.index.length === info.numBuckets) {
    const changed = ids.filter((id) => info.index[id] !== published.index[id]);
    const before = await loadBuckets(store, published, changed, run);
    return changed.flatMap((id) => compareBuckets(info.bucket(id), before.get(id) as Bucket));
  }
  const filled = [...published.index.keys()].filter((id) => published.index[id] !== emptyBucketHash);
  const before = await loadBuckets(store, published, filled, run);
  return compareBuckets(allOf(ids.map((id) => info.bucket(id))), allOf(before.values()));
}

function allOf(buckets: Iterable<Bucket>): Bucket {
  return new Map([...buckets].flatMap((bucket) => [...bucket]));
}
