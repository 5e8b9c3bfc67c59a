import type { StoredIndex } from '../cycle/ports.ts';
import type { SyncInfoChanges } from '../sync/sync-info.ts';
import type { ConsulClient, TxnOperation } from './client.ts';
import { bucketTooLarge, indexTooLarge } from './info-errors.ts';

/** What a save of sync info consists of, and how much of it fits into one value and into one transaction of Consul. */

/** What one value of Consul holds (`kv_max_value_size`). */
const maxValueBytes = 524_288;
/** What one transaction holds: 64 operations (128 from 1.14 on), and 512 KiB of JSON with base64 (`txn_max_req_len`). */
const maxOperations = 64;
const maxTransactionBytes = 524_288 - 1024;
/** An operation's share of that JSON besides key and value. */
const operationOverheadBytes = 100;

/** Hears of a bucket that takes more than 80 % of what Consul stores in one key. */
export type BucketSizeListener = (bucket: {
  readonly id: number;
  readonly bytes: number;
  readonly limit: number;
}) => void;

/** The changed buckets, then the deletes of those beyond the new number, which nobody reads any more. */
export function* bucketOperations(
  prefix: string,
  { buckets, index }: SyncInfoChanges,
  previous: StoredIndex | undefined,
): Generator<TxnOperation> {
  for (const { id, json } of buckets) yield { Verb: 'set', Key: `${prefix}${id}`, Value: json() };
  for (let id = index.length; id < (previous?.index.length ?? 0); id += 1) {
    yield { Verb: 'delete', Key: `${prefix}${id}` };
  }
}

/** Throws `CONSUL_VALUE_TOO_LARGE` for a bucket or an index that no key holds. */
export function requireStorable(
  consul: ConsulClient,
  prefix: string,
  { buckets, index }: SyncInfoChanges,
  indexText: string,
  onLargeBucket: BucketSizeListener,
): void {
  if (Buffer.byteLength(indexText) > maxValueBytes) {
    throw indexTooLarge(consul, prefix, index.length, maxValueBytes);
  }
  for (const { id, json } of buckets) {
    const bytes = Buffer.byteLength(json());
    if (bytes > maxValueBytes) {
      throw bucketTooLarge(consul, prefix, { id, of: index.length, bytes, limit: maxValueBytes });
    }
    if (bytes > maxValueBytes * 0.8) onLargeBucket({ id, bytes, limit: maxValueBytes });
  }
}

/** Whether these operations can be one transaction. */
export function fitTransaction(operations: Iterable<TxnOperation>): boolean {
  let count = 0;
  let bytes = 0;
  for (const operation of operations) {
    count += 1;
    bytes += sizeOf(operation);
    if (count > maxOperations || bytes > maxTransactionBytes) return false;
  }
  return true;
}

/** Operations in groups, each of which fits a transaction together with `guard`. One that does not is a group by itself. */
export function* batches(
  operations: Iterable<TxnOperation>,
  guard: readonly TxnOperation[],
): Generator<TxnOperation[]> {
  const guardBytes = guard.reduce((sum, check) => sum + sizeOf(check), 0);
  let batch: TxnOperation[] = [];
  let bytes = guardBytes;
  for (const operation of operations) {
    const size = sizeOf(operation);
    const full = batch.length + guard.length === maxOperations || bytes + size > maxTransactionBytes;
    if (batch.length > 0 && full) {
      yield batch;
      batch = [];
      bytes = guardBytes;
    }
    batch.push(operation);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

function sizeOf({ Key, Value }: TxnOperation): number {
  return operationOverheadBytes + Buffer.byteLength(Key) + Math.ceil(Buffer.byteLength(Value ?? '') / 3) * 4;
}
