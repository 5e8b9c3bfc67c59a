/**
 * The verbs of a transaction: what each does, what it answers, and the right it needs.
 * May import: `kv-operations`, `session-endpoint`, `answer`, `key-bytes`, types of `kv-store`, `sessions` and `txn-request`.
 */

import { Refusal } from './answer.ts';
import { textOfKey } from './key-bytes.ts';
import { lock, removeIfIndex, set, setIfIndex, unlock } from './kv-operations.ts';
import type { KvEntry, KvWrite } from './kv-store.ts';
import { requireLiveSession } from './session-endpoint.ts';
import type { Sessions } from './sessions.ts';
import type { TxnOperation } from './txn-request.ts';

/** An entry in the answer. Only `get` and `get-tree` show its value; the other verbs answer `null`. */
export interface TxnResult {
  readonly entry: KvEntry;
  readonly withValue: boolean;
}

/** `none`: what may not be read is filtered from the results instead. `tree`: write on all below the key. */
export type RightNeeded = 'none' | 'read' | 'write' | 'tree';

/** Does one operation and returns the entries to answer with. Throws a Refusal whose text is the `What` of the error. */
type Run = (write: KvWrite, operation: TxnOperation, sessions: Sessions) => readonly KvEntry[];

interface Verb {
  readonly run: Run;
  readonly right: RightNeeded;
  readonly isWrite: boolean;
  readonly withValue: boolean;
}

const writing = (run: Run, right: RightNeeded = 'write'): Verb => ({
  run,
  right,
  isWrite: true,
  withValue: false,
});
const reading = (run: Run): Verb => ({ run, right: 'none', isWrite: false, withValue: true });
const checking = (run: Run, right: RightNeeded): Verb => ({ run, right, isWrite: false, withValue: false });

const verbs: ReadonlyMap<string, Verb> = new Map([
  ['set', writing((write, operation) => [set(write, operation)])],
  ['cas', writing(runCas)],
  ['lock', writing(runLock)],
  ['unlock', writing(runUnlock)],
  ['delete', writing(runDelete)],
  ['delete-cas', writing(runDeleteCas)],
  ['delete-tree', writing(runDeleteTree, 'tree')],
  ['get', reading((write, operation) => [existing(write, operation, '')])],
  ['get-tree', reading((write, operation) => write.list(operation.key))],
  ['check-index', checking(checkIndex, 'read')],
  ['check-session', checking(checkSession, 'read')],
  // Consul wants the right to write here, although nothing is written.
  ['check-not-exists', checking(checkNotExists, 'write')],
]);

/** Whether a verb changes something. A verb that does not exist counts as reading. */
export function isWrite(verb: string): boolean {
  return verbs.get(verb)?.isWrite ?? false;
}

/** The right that a token needs for a verb. */
export function rightNeeded(verb: string): RightNeeded {
  return verbs.get(verb)?.right ?? 'write';
}

/** Runs one operation within a write. Throws a Refusal whose text is the `What` of the error. */
export function runOperation(
  write: KvWrite,
  operation: TxnOperation,
  sessions: Sessions,
): readonly TxnResult[] {
  const verb = verbs.get(operation.verb);
  if (verb === undefined) throw failure(`unknown KV verb ${JSON.stringify(operation.verb)}`);
  return verb.run(write, operation, sessions).map((entry) => ({ entry, withValue: verb.withValue }));
}

function runCas(write: KvWrite, operation: TxnOperation): readonly KvEntry[] {
  const written = setIfIndex(write, operation, operation.index);
  if (written === undefined) throw failure(`failed to set key ${quoted(operation)}, index is stale`);
  return [written];
}

function runLock(write: KvWrite, operation: TxnOperation, sessions: Sessions): readonly KvEntry[] {
  requireLiveSession(sessions, operation.session);
  const locked = lock(write, operation, operation.session);
  if (locked === undefined) throw failure(`failed to lock key ${quoted(operation)}, lock is already held`);
  return [locked];
}

function runUnlock(write: KvWrite, operation: TxnOperation): readonly KvEntry[] {
  if (operation.session === '') throw failure('missing session');
  const unlocked = unlock(write, operation, operation.session);
  if (unlocked === undefined) {
    throw failure(
      `failed to unlock key ${quoted(operation)}, lock isn't held, or is held by another session`,
    );
  }
  return [unlocked];
}

function runDelete(write: KvWrite, operation: TxnOperation): readonly KvEntry[] {
  write.remove(operation.key);
  return [];
}

function runDeleteCas(write: KvWrite, operation: TxnOperation): readonly KvEntry[] {
  if (removeIfIndex(write, operation.key, operation.index)) return [];
  throw failure(`failed to delete key ${quoted(operation)}, index is stale`);
}

function runDeleteTree(write: KvWrite, operation: TxnOperation): readonly KvEntry[] {
  write.removeTree(operation.key);
  return [];
}

function checkIndex(write: KvWrite, operation: TxnOperation): readonly KvEntry[] {
  const entry = existing(write, operation, 'failed to check index, ');
  if (BigInt(entry.modifyIndex) === operation.index) return [entry];
  const indexes = `current modify index ${entry.modifyIndex} != ${operation.index}`;
  throw failure(`failed index check for key ${quoted(operation)}, ${indexes}`);
}

function checkSession(write: KvWrite, operation: TxnOperation): readonly KvEntry[] {
  const entry = existing(write, operation, 'failed to check session, ');
  if (entry.session === operation.session) return [entry];
  const ids = `current session "${entry.session}" != ${JSON.stringify(operation.session)}`;
  throw failure(`failed session check for key ${quoted(operation)}, ${ids}`);
}

function checkNotExists(write: KvWrite, operation: TxnOperation): readonly KvEntry[] {
  if (write.get(operation.key) === undefined) return [];
  throw failure(`key ${quoted(operation)} exists`);
}

function existing(write: KvWrite, operation: TxnOperation, prefix: string): KvEntry {
  const entry = write.get(operation.key);
  if (entry === undefined) throw failure(`${prefix}key ${quoted(operation)} doesn't exist`);
  return entry;
}

function quoted(operation: TxnOperation): string {
  return JSON.stringify(textOfKey(operation.key));
}

function failure(what: string): Refusal {
  return new Refusal(409, what);
}
