import type { Config } from '../../config/config.ts';
import type { CallScope, StoredIndex } from '../../cycle/ports.ts';
import type { Bucket } from '../../sync/bucket.ts';
import { compareBuckets, differingBuckets, type Task } from '../../sync/compare.ts';
import { compareTimes } from '../../sync/insight.ts';
import { pathFilter } from '../../sync/path-filter.ts';
import type { InfoSide } from '../inspect-sides.ts';
import { readInfo } from '../sync-info/read.ts';

/** How a destination's sync info differs from the origin's. */
export interface Pair {
  /** Nothing is left to do for the destination, as far as its configuration is known here. */
  readonly inSync: boolean;
  /** Buckets that differ; all of them while the numbers of buckets do. */
  readonly differing: number;
  readonly of: number;
  /** What is still to be done. */
  readonly pending: { readonly add: number; readonly update: number; readonly delete: number };
  /** Differences that are meant to stay: `ignoreDeletes`, `include`, `exclude`. */
  readonly ignored: number;
  /** RFC 3339: the origin's time of the oldest change that is not at the destination yet. Deletes have none. */
  readonly oldestPendingAt: string | undefined;
}

/** One side's sync info: its index, and where to read more of it. */
export interface StoredSide {
  readonly side: InfoSide;
  readonly stored: StoredIndex;
}

/** Compares both infos, reading only the buckets that differ. */
export async function readPair(
  origin: StoredSide,
  destination: StoredSide,
  config: Config,
  scope: CallScope,
): Promise<Pair> {
  const [left, right] = [origin.stored.index, destination.stored.index];
  const isRenumbered = left.length !== right.length;
  const ids = isRenumbered ? undefined : differingBuckets(left, right);
  const [ours, theirs] = ids?.length === 0 ? [[], []] : await bucketsOf(origin, destination, ids, scope);
  const tasks = isRenumbered
    ? compareBuckets(merged(ours), merged(theirs))
    : ours.flatMap((bucket, i) => compareBuckets(bucket, theirs[i] ?? new Map()));
  const pending = tasks.filter(wantedBy(config));
  const count = (kind: Task['kind']) => pending.filter((task) => task.kind === kind).length;
  const times = pending.flatMap(({ to }) => (to === undefined ? [] : [to.updateTime])).sort(compareTimes);
  return {
    inSync: pending.length === 0,
    differing: ids?.length ?? left.length,
    of: left.length,
    pending: { add: count('add'), update: count('update'), delete: count('delete') },
    ignored: tasks.length - pending.length,
    oldestPendingAt: times[0],
  };
}

async function bucketsOf(
  origin: StoredSide,
  destination: StoredSide,
  ids: readonly number[] | undefined,
  scope: CallScope,
): Promise<[Bucket[], Bucket[]]> {
  const read = async ({ side }: StoredSide) => {
    const idsOf = (index: readonly string[]) => ids?.filter((id) => id < index.length) ?? [...index.keys()];
    const info = await readInfo(side, scope, idsOf);
    return (info?.buckets ?? []).map(({ bucket }) => bucket ?? new Map());
  };
  return [await read(origin), await read(destination)];
}

function merged(buckets: readonly Bucket[]): Bucket {
  return new Map(buckets.flatMap((bucket) => [...bucket]));
}

/** Which differences a destination removes; of an origin's configuration nothing is known about that. */
function wantedBy(config: Config): (task: Task) => boolean {
  if (config.role === 'origin') return () => true;
  const { include, exclude } = config.destination;
  const filter = pathFilter(include, exclude);
  const mounts = config.origin.mounts ?? [];
  return ({ kind, path }) =>
    (filter.open || filter.matchesPath(path, mounts)) && !(kind === 'delete' && config.ignoreDeletes);
}
