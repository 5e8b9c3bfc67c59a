import { VsyncError } from '../../base/errors.ts';
import { type BucketFault, type CheckedBucket, checkBuckets } from '../../consul/info-check.ts';
import { syncInfoReader } from '../../consul/info-store.ts';
import type { CallScope, StoredIndex } from '../../cycle/ports.ts';
import type { InfoSide } from '../inspect-sides.ts';

/** Reads stored sync info for commands that show or judge it. */

/** What Consul stores in one key (`kv_max_value_size`). */
export const maxBucketBytes = 524_288;

/** Buckets read side by side; more than Consul's sockets bring nothing. */
const chunk = 64;
/** How often a read is begun anew because a writer was faster. */
const maxRestarts = 5;

/**
 * Reads the index of one side and the buckets that `idsOf` asks for (all of them by default), and says of each what is wrong with it.
 * `undefined`: nothing is stored. Throws `SYNC_INFO_CORRUPT` for an index that is none.
 */
export async function readInfo(
  { consul, prefix }: InfoSide,
  scope: CallScope,
  idsOf: (index: readonly string[]) => readonly number[] = (index) => [...index.keys()],
): Promise<{ readonly stored: StoredIndex; readonly buckets: readonly CheckedBucket[] } | undefined> {
  for (let restart = 0; restart < maxRestarts; restart += 1) {
    const stored = await syncInfoReader(consul, prefix).loadIndex(scope);
    if (stored === undefined) return undefined;
    const buckets = await readBuckets(stored, idsOf(stored.index));
    if (buckets !== undefined) return { stored, buckets };
  }
  throw new VsyncError({
    code: 'SYNC_INFO_CONFLICT',
    side: consul.side,
    server: 'consul',
    address: consul.address,
    path: prefix,
    message: 'sync info changed each time it was read',
    why: 'another process writes it all the time',
    hint: 'try again in a moment; only one process should write it',
  });

  /** `undefined`: another writer saved meanwhile. */
  async function readBuckets(stored: StoredIndex, ids: readonly number[]) {
    const buckets: CheckedBucket[] = [];
    for (let at = 0; at < ids.length; at += chunk) {
      const checked = await checkBuckets(consul, prefix, stored, ids.slice(at, at + chunk), scope);
      if (checked.kind === 'moved') return undefined;
      buckets.push(...checked.buckets);
    }
    return buckets;
  }
}

/** What is wrong with a bucket, as a predicate. */
export const faultTexts: Readonly<Record<BucketFault, string>> = {
  missing: 'is missing',
  unreadable: 'cannot be read as a bucket',
  mismatch: 'does not match its hash in the index',
  misplaced: 'holds a path that belongs to another bucket',
};

/** The failure for buckets of which some are faulty; `undefined` when all are as the index says. */
export function faultOf(
  { side, consul, prefix }: InfoSide,
  { index }: StoredIndex,
  buckets: readonly CheckedBucket[],
): VsyncError | undefined {
  const wrong = buckets.flatMap(({ id, fault }) => (fault === undefined ? [] : [{ id, fault }]));
  const [first] = wrong;
  if (first === undefined) return undefined;
  const others = wrong.length === 1 ? '' : `, and ${wrong.length - 1} more are wrong`;
  return new VsyncError({
    code: 'SYNC_INFO_CORRUPT',
    side,
    server: 'consul',
    address: consul.address,
    path: `${prefix}${first.id}`,
    message: `${side} sync info is corrupt: bucket ${first.id} of ${index.length} ${faultTexts[first.fault]}${others}`,
    why: `something else writes below ${prefix}, or a key was edited or restored singly`,
    hint: `a cycle of the ${side} makes it anew: vsync ${side} --once`,
    note: 'Nothing was changed.',
  });
}

/** The failure for a side of which nothing is stored. */
export function infoMissing({ side, consul, prefix }: InfoSide): VsyncError {
  return new VsyncError({
    code: 'ORIGIN_INFO_MISSING',
    side,
    server: 'consul',
    address: consul.address,
    path: `${prefix}index`,
    message: `there is no ${side} sync info at ${prefix}index`,
    why: `the ${side} has not finished its first cycle, or ${side}.syncPath differs`,
    hint: `start \`vsync ${side}\` first, or correct ${side}.syncPath`,
  });
}

/** The number of paths in these buckets. */
export function countPaths(buckets: readonly CheckedBucket[]): number {
  return buckets.reduce((sum, { bucket }) => sum + (bucket?.size ?? 0), 0);
}
