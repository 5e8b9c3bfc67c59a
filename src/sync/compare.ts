import type { Bucket } from './bucket.ts';
import { type Insight, sameInsight } from './insight.ts';
import type { DataPath } from './mount-path.ts';

/**
 * What differs between the origin's and the destination's sync info, as tasks.
 * Pure. The same tasks as the Go program, and besides: an origin that went back to a lower version is repaired, not ignored.
 */

export type TaskKind = 'add' | 'update' | 'delete';

/** Why a task exists; part of the plan format. */
export type TaskReason =
  | 'missing'
  | 'version_ahead'
  | 'recreated'
  | 'type_changed'
  | 'deleted_in_origin'
  | 'drifted';

/** One difference. `path` is the origin's data path; `from` is the destination's insight, `to` the origin's. */
export interface Task {
  readonly kind: TaskKind;
  readonly path: DataPath;
  readonly from?: Insight | undefined;
  readonly to?: Insight | undefined;
  readonly reason: TaskReason;
}

/** The ids of the buckets whose hashes differ. Both indexes must have the same number of buckets. */
export function differingBuckets(origin: readonly string[], destination: readonly string[]): number[] {
  if (origin.length !== destination.length) throw new RangeError('the numbers of buckets differ');
  return [...origin.keys()].filter((id) => origin[id] !== destination[id]);
}

/** The tasks that make one bucket of the destination what it is at the origin. */
export function compareBuckets(origin: Bucket, destination: Bucket): Task[] {
  const tasks: Task[] = [];
  for (const [path, to] of origin) {
    const from = destination.get(path);
    if (from === undefined) tasks.push({ kind: 'add', path, to, reason: 'missing' });
    else if (!sameInsight(from, to))
      tasks.push({ kind: 'update', path, from, to, reason: updateReason(from, to) });
  }
  for (const [path, from] of destination) {
    if (!origin.has(path)) tasks.push({ kind: 'delete', path, from, reason: 'deleted_in_origin' });
  }
  return tasks;
}

/**
 * `recreated`: the origin's version is lower, or the same at another time. Its history was replaced: metadata deleted and the
 * secret written anew, or Vault restored from a snapshot (or OpenBao moved `updated_time` on a metadata edit; the write then
 * finds an equal value and only the insight is recorded, R6).
 */
function updateReason(from: Insight, to: Insight): TaskReason {
  if (from.type !== to.type) return 'type_changed';
  return to.version > from.version ? 'version_ahead' : 'recreated';
}
