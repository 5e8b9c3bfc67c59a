import { randomInt } from 'node:crypto';
import { VsyncError } from '../base/errors.ts';
import type { Completed } from '../cycle/outcome.ts';
import type { CallScope, StoredIndex } from '../cycle/ports.ts';
import { indexJson } from '../sync/bucket.ts';
import type { SyncInfoChanges } from '../sync/sync-info.ts';
import type { ConsulClient, KvEntry, TxnOperation } from './client.ts';
import { bucketTooLarge, saveConflict, saveDenied } from './info-errors.ts';

/**
 * Writes sync info: the changed buckets, then the index, each step only if the index is still the one this work started from.
 * Everything goes into one transaction where it fits; else buckets first and the index last, so that a reader who comes in between
 * sees a mismatch and reads again, never a wrong comparison.
 */

/** What one value of Consul holds (`kv_max_value_size`). */
const maxValueBytes = 524_288;
/** What one transaction holds: 64 operations (128 from 1.14 on), and 512 KiB of JSON with base64 (`txn_max_req_len`). */
const maxOperations = 64;
const maxTransactionBytes = 524_288 - 1024;
/** An operation's share of that JSON besides key and value. */
const operationOverheadBytes = 100;
/** Transactions under way at once; more bring nothing (measured: 8 in flight write 50,000 keys a second). */
const transactionsInFlight = 8;

/** Hears of a bucket that takes more than 80 % of what Consul stores in one key. */
export type BucketSizeListener = (bucket: {
  readonly id: number;
  readonly bytes: number;
  readonly limit: number;
}) => void;

/**
 * Saves completed work over `previous` (`undefined`: nothing was stored). Returns what is stored now.
 * Throws `CONSUL_VALUE_TOO_LARGE` before the first write, `SYNC_INFO_CONFLICT` when another writer was there.
 */
export async function saveSyncInfo(
  consul: ConsulClient,
  prefix: string,
  changes: Completed<SyncInfoChanges>,
  previous: StoredIndex | undefined,
  scope: CallScope,
  onLargeBucket: BucketSizeListener = () => {},
): Promise<StoredIndex> {
  const indexKey = `${prefix}index`;
  const saveIndex: TxnOperation = {
    Verb: 'cas',
    Key: indexKey,
    Value: indexJson(changes.index),
    Index: previous?.modifyIndex ?? 0,
  };

  const bytes = measure(consul, prefix, changes, onLargeBucket) + sizeOf(saveIndex);
  if (changes.buckets.length < maxOperations && bytes <= maxTransactionBytes) {
    return finish([...bucketOperations(prefix, changes), saveIndex]);
  }
  const guard = await claim();
  await saveBuckets(guard);
  return finish([{ ...saveIndex, Index: guard.Index ?? 0 }]);

  /**
   * Keeps other writers out for the steps that follow: the index stays as it is but gets other flags, and with them a new
   * ModifyIndex, so that whoever started from the old one fails at its first step, before it has touched a bucket.
   * Where nothing is stored yet there is nothing to hold on to; then the index itself decides, at the end.
   */
  async function claim(): Promise<TxnOperation> {
    if (previous === undefined) return { Verb: 'check-not-exists', Key: indexKey };
    const Flags = randomInt(1, 2 ** 32);
    const result = await twiceIfUnclear(() =>
      consul.transaction(
        [
          {
            Verb: 'cas',
            Key: indexKey,
            Value: indexJson(previous.index),
            Index: previous.modifyIndex,
            Flags,
          },
        ],
        scope,
      ),
    );
    const modifyIndex = result.kind === 'applied' ? result.modifyIndexes.get(indexKey) : undefined;
    if (modifyIndex === undefined) throw await refusal();
    return { Verb: 'check-index', Key: indexKey, Index: modifyIndex };
  }

  async function saveBuckets(guard: TxnOperation): Promise<void> {
    const pending = new Set<Promise<void>>();
    for (const batch of batches(bucketOperations(prefix, changes))) {
      if (pending.size >= transactionsInFlight) await Promise.race(pending);
      const written = saveBatch(guard, batch);
      pending.add(written);
      // A failure is thrown by the race or by the wait below; this only takes the batch off the list.
      written.then(
        () => pending.delete(written),
        () => {},
      );
    }
    await Promise.all(pending);
  }

  async function saveBatch(guard: TxnOperation, batch: readonly TxnOperation[]): Promise<void> {
    const [first] = batch;
    // A bucket may be too large for a transaction, with its base64, and yet fit a value of its own.
    if (batch.length === 1 && first !== undefined && sizeOf(first) + sizeOf(guard) > maxTransactionBytes) {
      await twiceIfUnclear(() => consul.put(first.Key, first.Value ?? '', scope));
      return;
    }
    const result = await twiceIfUnclear(() => consul.transaction([guard, ...batch], scope));
    if (result.kind === 'refused') throw await refusal();
  }

  async function finish(last: readonly TxnOperation[]): Promise<StoredIndex> {
    const modifyIndex = await writeResolved(last);
    if (modifyIndex === undefined) throw await refusal();
    await deleteSurplus();
    return { index: changes.index, modifyIndex };
  }

  /** Writes, and finds out by reading what became of it when the answer did not come (R8). */
  async function writeResolved(last: readonly TxnOperation[]): Promise<number | undefined> {
    try {
      return await write(last);
    } catch (error) {
      if (!(error instanceof VsyncError) || !error.ambiguous) throw error;
      const now = await consul.get(indexKey, scope);
      if (isOurs(now)) return now?.modifyIndex;
      return (now?.modifyIndex ?? 0) === last.at(-1)?.Index ? write(last) : undefined;
    }
  }

  /** The new ModifyIndex of the index; `undefined` when the check failed. */
  async function write(last: readonly TxnOperation[]): Promise<number | undefined> {
    const index = last.at(-1) as TxnOperation;
    if (last.length === 1 && sizeOf(index) > maxTransactionBytes) {
      if (!(await consul.put(indexKey, index.Value ?? '', scope, index.Index))) return undefined;
      const now = await consul.get(indexKey, scope);
      return isOurs(now) ? now?.modifyIndex : undefined;
    }
    const result = await consul.transaction(last, scope);
    return result.kind === 'applied' ? result.modifyIndexes.get(indexKey) : undefined;
  }

  function isOurs(entry: KvEntry | undefined): boolean {
    const unchanged = entry?.modifyIndex === previous?.modifyIndex;
    return entry !== undefined && !unchanged && entry.value === saveIndex.Value;
  }

  /** A step was refused: by another writer's index, or, when that is unchanged, by the ACL. */
  async function refusal(): Promise<VsyncError> {
    const now = await consul.get(indexKey, scope);
    return now?.modifyIndex === previous?.modifyIndex
      ? saveDenied(consul, prefix)
      : saveConflict(consul, prefix);
  }

  /** Buckets beyond the new number: nobody reads them any more. */
  async function deleteSurplus(): Promise<void> {
    const before = previous?.index.length ?? 0;
    const ids = Array.from(
      { length: Math.max(0, before - changes.index.length) },
      (_, i) => changes.index.length + i,
    );
    await Promise.all(ids.map((id) => consul.delete(`${prefix}${id}`, scope)));
  }
}

function* bucketOperations(prefix: string, changes: SyncInfoChanges): Generator<TxnOperation> {
  for (const { id, json } of changes.buckets) yield { Verb: 'set', Key: `${prefix}${id}`, Value: json() };
}

/** Bytes of all bucket operations in a transaction. Throws for a bucket that no key holds. */
function measure(
  consul: ConsulClient,
  prefix: string,
  changes: SyncInfoChanges,
  onLargeBucket: BucketSizeListener,
): number {
  let sum = 0;
  for (const { id, json } of changes.buckets) {
    const Value = json();
    const bytes = Buffer.byteLength(Value);
    if (bytes > maxValueBytes) {
      throw bucketTooLarge(consul, prefix, { id, of: changes.index.length, bytes, limit: maxValueBytes });
    }
    if (bytes > maxValueBytes * 0.8) onLargeBucket({ id, bytes, limit: maxValueBytes });
    sum += sizeOf({ Verb: 'set', Key: `${prefix}${id}`, Value });
  }
  return sum;
}

/** Operations in groups that fit a transaction together with a guard. */
function* batches(operations: Iterable<TxnOperation>): Generator<TxnOperation[]> {
  let batch: TxnOperation[] = [];
  let bytes = 0;
  for (const operation of operations) {
    const size = sizeOf(operation);
    if (
      batch.length === maxOperations - 1 ||
      (batch.length > 0 && bytes + size > maxTransactionBytes - operationOverheadBytes)
    ) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(operation);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

function sizeOf({ Key, Value }: TxnOperation): number {
  return operationOverheadBytes + Buffer.byteLength(Key) + Math.ceil(Buffer.byteLength(Value ?? '') / 3) * 4;
}

/** Writing the same buckets again does no harm, so an unclear failure is followed by one more try. */
async function twiceIfUnclear<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof VsyncError && error.ambiguous) return call();
    throw error;
  }
}
