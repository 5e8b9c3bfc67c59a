import { type Clock, systemClock } from '../base/clock.ts';
import type { CallScope, StoredIndex } from '../cycle/ports.ts';
import { type Bucket, bucketHash, bucketIdOf, parseBucket } from '../sync/bucket.ts';
import type { ConsulClient } from './client.ts';

/**
 * Looks at stored sync info bucket by bucket and says of each what is wrong with it, where a cycle just fails (`info-store.ts`).
 * For commands that inspect. Writes nothing.
 */

/** What can be wrong with a bucket. */
export type BucketFault =
  /** Its key is not there. */
  | 'missing'
  /** What is there is no bucket. */
  | 'unreadable'
  /** Its hash is not the one in the index. */
  | 'mismatch'
  /** It is what the index says, but holds a path that belongs to another bucket. */
  | 'misplaced';

export interface CheckedBucket {
  readonly id: number;
  /** Bytes of the stored text; 0 when it is missing. */
  readonly bytes: number;
  /** What could be read, be it right or wrong. */
  readonly bucket: Bucket | undefined;
  readonly fault: BucketFault | undefined;
}

/** `moved`: another writer saved meanwhile, so that nothing can be said of these buckets. */
export type CheckedBuckets =
  | { readonly kind: 'checked'; readonly buckets: readonly CheckedBucket[] }
  | { readonly kind: 'moved' };

/** The waits before buckets with a fault are read again: a writer may be between its writes. */
const rereadAfterMs = [500, 1000, 2000, 4000];

/**
 * Checks the buckets of these ids against `stored`, all at once. A fault counts when it is still there on reading again and nothing
 * below the prefix was written in between; with a busy writer, after 5 reads in about 8 s.
 */
export async function checkBuckets(
  consul: ConsulClient,
  prefix: string,
  stored: StoredIndex,
  ids: readonly number[],
  scope: CallScope,
  clock: Clock = systemClock,
): Promise<CheckedBuckets> {
  const read = (id: number) => checkBucket(consul, prefix, stored, id, scope);
  const found = new Map((await Promise.all(ids.map(read))).map((bucket) => [bucket.id, bucket]));
  const faulty = () => [...found.values()].filter(({ fault }) => fault !== undefined).map(({ id }) => id);
  let mark: string | undefined;
  for (const waitMs of faulty().length === 0 ? [] : rereadAfterMs) {
    const before = mark ?? (await consul.keys(prefix, scope)).index;
    await clock.sleep(waitMs, scope.signal);
    for (const bucket of await Promise.all(faulty().map(read))) found.set(bucket.id, bucket);
    const index = await consul.get(`${prefix}index`, scope);
    if (index?.modifyIndex !== stored.modifyIndex) return { kind: 'moved' };
    mark = (await consul.keys(prefix, scope)).index;
    if (faulty().length === 0 || mark === before) break;
  }
  return { kind: 'checked', buckets: [...found.values()] };
}

async function checkBucket(
  consul: ConsulClient,
  prefix: string,
  stored: StoredIndex,
  id: number,
  scope: CallScope,
): Promise<CheckedBucket> {
  const entry = await consul.get(`${prefix}${id}`, scope);
  if (entry === undefined) return { id, bytes: 0, bucket: undefined, fault: 'missing' };
  const bytes = Buffer.byteLength(entry.value);
  try {
    const bucket = parseBucket(entry.value);
    const numBuckets = stored.index.length;
    const isHere = () => [...bucket.keys()].every((path) => bucketIdOf(path, numBuckets) === id);
    const fault = bucketHash(bucket) !== stored.index[id] ? 'mismatch' : isHere() ? undefined : 'misplaced';
    return { id, bytes, bucket, fault };
  } catch {
    return { id, bytes, bucket: undefined, fault: 'unreadable' };
  }
}
