import { chooseNumBuckets } from '../../src/cycle/origin-cycle.ts';
import { compareBuckets, differingBuckets } from '../../src/sync/compare.ts';
import { SyncInfo } from '../../src/sync/sync-info.ts';
import { insights } from './pretend-vault.ts';
import type { Simulated } from './simulation.ts';

/**
 * The work of a destination's cycle on sync info in memory: the origin's info with 1 % changed is reindexed, compared with the
 * destination's, and what differs is recorded and reindexed there.
 */
export async function compareAndReindex(secrets: number): Promise<Simulated> {
  const destination = scan(secrets, 0);
  destination.checkpoint();
  const origin = scan(secrets, 1);

  const startedAt = performance.now();
  const { index } = origin.reindex(destination.index);
  const indexedAt = performance.now();
  const tasks = differingBuckets(index, destination.index).flatMap((id) =>
    compareBuckets(origin.bucket(id), destination.bucket(id)),
  );
  const comparedAt = performance.now();
  for (const { path, to } of tasks) if (to !== undefined) destination.put(path, to);
  const changes = destination.reindex(index);
  const endedAt = performance.now();

  if (tasks.length !== Math.ceil(secrets / 100)) throw new Error(`${tasks.length} tasks of ${secrets} paths`);
  if (changes.buckets.length > 0) throw new Error('the destination is not what the origin is');
  return {
    steps: {
      total: endedAt - startedAt,
      originReindex: indexedAt - startedAt,
      compare: comparedAt - indexedAt,
      destinationReindex: endedAt - comparedAt,
    },
  };
}

function scan(secrets: number, changes: number): SyncInfo {
  const info = SyncInfo.empty(chooseNumBuckets(secrets));
  for (const [path, insight] of insights(secrets, changes)) info.put(path, insight);
  return info;
}
