import { type Clock, systemClock } from '../base/clock.ts';
import { VsyncError } from '../base/errors.ts';
import type {
  BucketsOf,
  CallScope,
  OwnIndex,
  StoredIndex,
  SyncInfoStore,
  WritableSyncInfoStore,
} from '../cycle/ports.ts';
import { type Bucket, bucketHash, parseBucket, parseIndex } from '../sync/bucket.ts';
import type { ConsulClient, TxnOperation } from './client.ts';
import type { BucketSizeListener } from './info-batches.ts';
import { corruptBuckets, corruptIndex } from './info-errors.ts';
import { saveSyncInfo } from './info-save.ts';

/**
 * Sync info of one side in Consul KV: `<prefix>index` and `<prefix><i>`, shared with the Go program. Every read is verified (R5).
 * How it is written: `info-save.ts`.
 */

/** The waits before an unverified bucket is read again: a writer may be between its writes. 5 reads in about 8 s. */
const rereadAfterMs = [500, 1000, 2000, 4000];

/** The store of the other side, which this process only reads. */
export function syncInfoReader(
  consul: ConsulClient,
  prefix: string,
  clock: Clock = systemClock,
): SyncInfoStore {
  return {
    prefix,
    loadIndex: (scope) => loadIndex(consul, prefix, scope),
    loadBuckets: (stored, ids, scope) => loadBuckets(consul, prefix, stored, ids, scope, clock),
  };
}

/** The store of the side that this process writes. `onLargeBucket` hears of buckets near the limit of what Consul holds. */
export function syncInfoStore(
  consul: ConsulClient,
  prefix: string,
  options: { readonly clock?: Clock; readonly onLargeBucket?: BucketSizeListener } = {},
): WritableSyncInfoStore {
  // Of the index that was loaded or saved last: what a mark expects to be there.
  let numBuckets: number | undefined;
  return {
    ...syncInfoReader(consul, prefix, options.clock),
    loadOwnIndex: async (scope) => {
      const own = await loadOwnIndex(consul, prefix, scope);
      numBuckets = own?.index.length;
      return own;
    },
    confirm: async ({ modifyIndex }, beside, scope) => {
      const check: TxnOperation = { Verb: 'check-index', Key: `${prefix}index`, Index: modifyIndex };
      const tell: TxnOperation[] =
        beside === undefined ? [] : [{ Verb: 'set', Key: beside.key, Value: beside.value }];
      return (await consul.transaction([check, ...tell], scope)).kind === 'applied';
    },
    mark: (scope) => readMark(consul, prefix, numBuckets, scope),
    save: async (changes, previous, scope) => {
      const stored = await saveSyncInfo(consul, prefix, changes, previous, scope, options.onLargeBucket);
      numBuckets = stored.index.length;
      return stored;
    },
  };
}

/**
 * The index of the list of keys: the highest ModifyIndex among them, or that of a delete. Consul forgets deletes after 15 minutes
 * (its tombstones; run on 1.8.7), and the list then looks as it did before: so what is missing counts, too.
 */
async function readMark(
  consul: ConsulClient,
  prefix: string,
  numBuckets: number | undefined,
  scope: CallScope,
): Promise<string> {
  const { keys, index } = await consul.keys(prefix, scope);
  if (numBuckets === undefined) return index;
  const there = new Set(keys);
  const wanted = ['index', ...Array(numBuckets).keys()];
  const missing = wanted.filter((name) => !there.has(`${prefix}${name}`)).length;
  return missing === 0 ? index : `${index}, ${missing} missing`;
}

async function loadOwnIndex(
  consul: ConsulClient,
  prefix: string,
  scope: CallScope,
): Promise<OwnIndex | undefined> {
  const entry = await consul.get(`${prefix}index`, scope);
  if (entry === undefined) return undefined;
  const { modifyIndex } = entry;
  try {
    const index = parseIndex(entry.value);
    if (index.length > 0) return { index, modifyIndex };
    return { index, modifyIndex, corrupt: corruptIndex(consul, prefix, 'it names no bucket') };
  } catch (error) {
    const why = error instanceof VsyncError ? (error.why ?? '') : 'unreadable';
    return { index: [], modifyIndex, corrupt: corruptIndex(consul, prefix, why) };
  }
}

async function loadIndex(
  consul: ConsulClient,
  prefix: string,
  scope: CallScope,
): Promise<StoredIndex | undefined> {
  const own = await loadOwnIndex(consul, prefix, scope);
  if (own?.corrupt !== undefined) throw own.corrupt;
  return own;
}

async function loadBuckets(
  consul: ConsulClient,
  prefix: string,
  stored: StoredIndex,
  ids: readonly number[],
  scope: CallScope,
  clock: Clock,
): Promise<BucketsOf> {
  const buckets = new Map<number, Bucket>();
  let missing = [...ids];
  for (let reads = 1; ; reads += 1) {
    const loaded = await Promise.all(missing.map((id) => loadVerified(consul, prefix, stored, id, scope)));
    for (const [i, bucket] of loaded.entries())
      if (bucket !== undefined) buckets.set(missing[i] as number, bucket);
    missing = missing.filter((id) => !buckets.has(id));
    if (missing.length === 0) return { kind: 'verified', buckets };
    const waitMs = rereadAfterMs[reads - 1];
    if (waitMs === undefined) throw corruptBuckets(consul, prefix, missing, stored.index.length, reads);
    await clock.sleep(waitMs, scope.signal);
    const now = await loadIndex(consul, prefix, scope);
    if (now?.modifyIndex !== stored.modifyIndex) return { kind: 'moved', stored: now };
  }
}

/** The bucket, or `undefined` when it is missing, unreadable, or not the one of this index: never an empty bucket instead. */
async function loadVerified(
  consul: ConsulClient,
  prefix: string,
  stored: StoredIndex,
  id: number,
  scope: CallScope,
): Promise<Bucket | undefined> {
  const entry = await consul.get(`${prefix}${id}`, scope);
  if (entry === undefined) return undefined;
  try {
    const bucket = parseBucket(entry.value);
    return bucketHash(bucket) === stored.index[id] ? bucket : undefined;
  } catch {
    return undefined;
  }
}
