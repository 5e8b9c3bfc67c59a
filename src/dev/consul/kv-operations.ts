/**
 * What each kind of KV write does to a key, as in Consul's state store: shared by PUT and DELETE, transactions and sessions' ends.
 * May import: types of `kv-store`.
 */

import type { KvEntry, KvWrite } from './kv-store.ts';

/** What a client sends to be stored. */
export interface KvContent {
  readonly key: string;
  readonly value: Buffer;
  /** 0 where the client sent none: leaving them out resets them. */
  readonly flags: bigint;
}

interface KvLock {
  readonly session: string;
  readonly lockIndex: number;
}

/** Stores `content` with `lock`. Content and lock as they were change nothing: the key keeps its ModifyIndex and no watch wakes. */
function store(write: KvWrite, content: KvContent, lock: KvLock): KvEntry {
  const existing = write.get(content.key);
  if (existing !== undefined && isSame(existing, content, lock)) return existing;
  const { key, value, flags } = content;
  const { session, lockIndex } = lock;
  const createIndex = existing?.createIndex ?? write.index;
  const entry = { key, value, flags, session, lockIndex, createIndex, modifyIndex: write.index };
  write.put(entry);
  return entry;
}

function isSame(entry: KvEntry, content: KvContent, lock: KvLock): boolean {
  return (
    entry.flags === content.flags &&
    entry.session === lock.session &&
    entry.lockIndex === lock.lockIndex &&
    entry.value.equals(content.value)
  );
}

/** A plain write. Locks are advisory: it goes through a lock of anyone, keeps the holder, and resets the LockIndex to 0. */
export function set(write: KvWrite, content: KvContent): KvEntry {
  return store(write, content, { session: write.get(content.key)?.session ?? '', lockIndex: 0 });
}

/** Writes only if the key's ModifyIndex is `index`; 0 means that the key must not exist. `undefined` if it was not so. */
export function setIfIndex(write: KvWrite, content: KvContent, index: bigint): KvEntry | undefined {
  return indexOf(write.get(content.key)) === index ? set(write, content) : undefined;
}

/** Deletes only if the key's ModifyIndex is `index`. A key that is not there counts as deleted, whatever the index. */
export function removeIfIndex(write: KvWrite, key: string, index: bigint): boolean {
  const existing = write.get(key);
  if (existing === undefined) return true;
  if (indexOf(existing) !== index) return false;
  write.remove(key);
  return true;
}

function indexOf(entry: KvEntry | undefined): bigint {
  return BigInt(entry?.modifyIndex ?? 0);
}

/** Takes the lock for a session that exists, or writes again if it holds it already. `undefined` if another session holds it. */
export function lock(write: KvWrite, content: KvContent, session: string): KvEntry | undefined {
  const existing = write.get(content.key);
  if (existing === undefined) return store(write, content, { session, lockIndex: 1 });
  if (existing.session === session) return store(write, content, { session, lockIndex: existing.lockIndex });
  if (existing.session !== '') return undefined;
  return store(write, content, { session, lockIndex: existing.lockIndex + 1 });
}

/** Gives the lock back and writes the content. `undefined` if the session does not hold it. */
export function unlock(write: KvWrite, content: KvContent, session: string): KvEntry | undefined {
  const existing = write.get(content.key);
  if (existing === undefined || existing.session !== session) return undefined;
  return store(write, content, { session: '', lockIndex: existing.lockIndex });
}

/** What the end of a session does to a key that it holds, with the behavior `release`: all but the holder stays. */
export function release(write: KvWrite, entry: KvEntry): void {
  store(write, entry, { session: '', lockIndex: entry.lockIndex });
}
