import { randomInt } from 'node:crypto';
import { VsyncError } from '../base/errors.ts';
import type { Completed } from '../cycle/outcome.ts';
import type { CallScope, StoredIndex } from '../cycle/ports.ts';
import { indexJson } from '../sync/bucket.ts';
import type { SyncInfoChanges } from '../sync/sync-info.ts';
import type { KvEntry } from './answers.ts';
import type { ConsulClient, TxnOperation } from './client.ts';
import {
  type BucketSizeListener,
  batches,
  bucketOperations,
  fitTransaction,
  requireStorable,
} from './info-batches.ts';
import { saveConflict, saveDenied } from './info-errors.ts';

/**
 * Writes sync info: the changed buckets, then the index, each step only if the index is still the one this work started from.
 * Everything goes into one transaction where it fits; else buckets first and the index last, so that a reader who comes in between
 * sees a mismatch and reads again, never a wrong comparison.
 */

/** Transactions under way at once; more bring nothing (measured: 8 in flight write 50,000 keys a second). */
const transactionsInFlight = 8;
/** How often a step is tried whose outcome is unclear. */
const maxTries = 3;

/** Operations that only check: they come before every step of a large save, and tell afterwards what a refusal was about. */
type Guard = readonly TxnOperation[];

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
  requireStorable(consul, prefix, changes, saveIndex.Value ?? '', onLargeBucket);

  const [first] = changes.buckets;
  const buckets = () => bucketOperations(prefix, changes, previous);
  if (first === undefined || fitTransaction(all(buckets(), [saveIndex]))) {
    return stored(await writeChecked([...buckets(), saveIndex]));
  }
  if (previous !== undefined) {
    const claimed = await claimIndex(previous);
    await saveBuckets([{ Verb: 'check-index', Key: indexKey, Index: claimed }], buckets());
    return stored(await writeChecked([{ ...saveIndex, Index: claimed }]));
  }
  const Key = `${prefix}${first.id}`;
  const claim: TxnOperation = {
    Verb: 'check-index',
    Key,
    Index: await claimBucket(Key, first.json()),
  };
  await saveBuckets([{ Verb: 'check-not-exists', Key: indexKey }, claim], without(Key, buckets()));
  return stored(await writeChecked([claim, saveIndex]));

  /**
   * Keeps other writers out for the steps that follow: the index stays as it is, to the byte, but gets other flags, and with them a
   * new ModifyIndex, so that whoever started from the old one fails at its first step, before it has touched a bucket.
   */
  async function claimIndex({ modifyIndex: Index }: StoredIndex): Promise<number> {
    const now = await consul.get(indexKey, scope);
    if (now?.modifyIndex !== Index) throw saveConflict(consul, prefix);
    return writeChecked([{ Verb: 'cas', Key: indexKey, Value: now.value, Index, Flags: randomFlags() }]);
  }

  /** Where there is no index yet, the first bucket is what writers take from each other in this way. */
  async function claimBucket(bucketKey: string, Value: string): Promise<number> {
    const Index = (await consul.get(bucketKey, scope))?.modifyIndex ?? 0;
    return writeChecked([
      { Verb: 'check-not-exists', Key: indexKey },
      { Verb: 'cas', Key: bucketKey, Value, Index, Flags: randomFlags() },
    ]);
  }

  async function saveBuckets(guard: Guard, operations: Iterable<TxnOperation>): Promise<void> {
    const pending = new Set<Promise<void>>();
    for (const batch of batches(operations, guard)) {
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

  async function saveBatch(guard: Guard, batch: readonly TxnOperation[]): Promise<void> {
    const [only] = batch;
    if (batch.length === 1 && only !== undefined && !fitTransaction([...guard, only])) {
      return putBucket(guard, only);
    }
    // Writing the same buckets again does no harm, so an unclear failure is followed by one more try.
    const write = () => consul.transaction([...guard, ...batch], scope);
    const result = await write().catch((error: unknown) =>
      isUnclear(error) ? write() : Promise.reject(error),
    );
    if (result.kind === 'refused') throw await refusal(guard);
  }

  /**
   * A bucket may be too large for a transaction, with its base64, and yet fit a value of its own. No guard goes with a PUT, so it is
   * checked against the bucket as it was while the guard held: a write that comes late cannot hit what another writer has put there.
   */
  async function putBucket(guard: Guard, { Key, Value = '' }: TxnOperation): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const before = await consul.get(Key, scope);
      if (!(await holds(guard))) throw saveConflict(consul, prefix);
      if (before?.value === Value) return;
      try {
        if (await consul.put(Key, Value, scope, before?.modifyIndex ?? 0)) return;
        if (tries === maxTries) throw saveConflict(consul, prefix);
      } catch (error) {
        if (!isUnclear(error) || tries === maxTries) throw error;
      }
    }
  }

  /**
   * Applies operations of which the last one is a check-and-set; returns its new ModifyIndex. What became of it when the answer did
   * not come is found out by reading (R8).
   */
  async function writeChecked(operations: readonly TxnOperation[]): Promise<number> {
    const last = operations.at(-1) as TxnOperation;
    for (let tries = 1; ; tries += 1) {
      let unclear: unknown;
      try {
        const modifyIndex = await write(operations, last);
        if (modifyIndex !== undefined) return modifyIndex;
      } catch (error) {
        if (!isUnclear(error)) throw error;
        unclear = error;
      }
      // Also after a refusal: an earlier try may have been applied late.
      const now = tries > 1 || unclear !== undefined ? await consul.get(last.Key, scope) : undefined;
      if (now !== undefined && isWritten(now, last)) return now.modifyIndex;
      if (unclear === undefined || !(await holds(operations))) throw await refusal(operations);
      if (tries === maxTries) throw unclear;
    }
  }

  /** `undefined` when a check failed. */
  async function write(operations: readonly TxnOperation[], last: TxnOperation): Promise<number | undefined> {
    if (fitTransaction(operations)) {
      const result = await consul.transaction(operations, scope);
      return result.kind === 'applied' ? result.modifyIndexes.get(last.Key) : undefined;
    }
    // Only a value that is too large for a transaction gets here; what else was to be checked is checked just before.
    const checks = operations.slice(0, -1);
    const { Key, Value = '', Index, Flags } = last;
    if (!(await holds(checks)) || !(await consul.put(Key, Value, scope, Index, Flags))) return undefined;
    const now = await consul.get(Key, scope);
    // The check has passed. A value that was there already keeps its ModifyIndex.
    return now?.value === Value && (now.flags ?? 0) === (Flags ?? 0) ? now.modifyIndex : undefined;
  }

  /** Whether nobody else has written the keys of these checks. */
  async function holds(checks: readonly TxnOperation[]): Promise<boolean> {
    for (const { Verb, Key, Index } of checks) {
      if (Verb === 'set' || Verb === 'delete') continue;
      if (((await consul.get(Key, scope))?.modifyIndex ?? 0) !== (Index ?? 0)) return false;
    }
    return true;
  }

  /** A step was refused: by another writer, or, when everything is as it was, by the ACL. */
  async function refusal(checks: readonly TxnOperation[]): Promise<VsyncError> {
    return (await holds(checks)) ? saveDenied(consul, prefix) : saveConflict(consul, prefix);
  }

  function stored(modifyIndex: number): StoredIndex {
    return { index: changes.index, modifyIndex };
  }
}

function isWritten(now: KvEntry, { Value, Flags, Index }: TxnOperation): boolean {
  return now.value === Value && (now.flags ?? 0) === (Flags ?? 0) && now.modifyIndex !== Index;
}

function isUnclear(error: unknown): boolean {
  return error instanceof VsyncError && error.ambiguous;
}

/** Never 0, which is what all other keys have. */
function randomFlags(): number {
  return randomInt(1, 2 ** 32);
}

function* all(...groups: readonly Iterable<TxnOperation>[]): Generator<TxnOperation> {
  for (const group of groups) yield* group;
}

function* without(key: string, operations: Iterable<TxnOperation>): Generator<TxnOperation> {
  for (const operation of operations) if (operation.Key !== key) yield operation;
}
