import { expect } from 'vitest';
import type { ConsulClientOptions } from '../../src/consul/client.ts';
import { syncInfoStore } from '../../src/consul/info-store.ts';
import { type Completed, completeBatch, completeScan } from '../../src/cycle/outcome.ts';
import type { StoredIndex, WritableSyncInfoStore } from '../../src/cycle/ports.ts';
import { bucketJson } from '../../src/sync/bucket.ts';
import type { Insight } from '../../src/sync/insight.ts';
import type { DataPath } from '../../src/sync/mount-path.ts';
import { SyncInfo, type SyncInfoChanges } from '../../src/sync/sync-info.ts';
import { hastyClock } from '../base/manual-clock.ts';
import { type ConsulTarget, callScope, consulClient, freshPrefix } from './consul-client-target.ts';

/** Sync info to save, and stores to save it to. */

export const updateTime = '2026-01-02T03:04:05.678901234Z';

export function insight(version = 1, more: Partial<Insight> = {}): Insight {
  return { version, updateTime, type: 'kvV2', ...more };
}

export function path(name: string | number): DataPath {
  return `secret/data/${name}` as DataPath;
}

/** Info with so many paths, all at `version`, in so many buckets. */
export function infoOf(paths: number, numBuckets: number, version = 1): SyncInfo {
  const info = SyncInfo.empty(numBuckets);
  for (let i = 0; i < paths; i += 1) info.put(path(i), insight(version));
  return info;
}

/** What a cycle would save over `previous`. */
export function changesOf(info: SyncInfo, previous?: StoredIndex): Completed<SyncInfoChanges> {
  return completed(info.reindex(previous?.index ?? []));
}

/** What a destination would save after a batch. */
export function batchOf(info: SyncInfo): Completed<SyncInfoChanges> {
  return completeBatch(info.checkpoint(), { everyEntryConfirmed: true });
}

export function completed(changes: SyncInfoChanges): Completed<SyncInfoChanges> {
  return completeScan(changes, { everyFolderListed: true, everyPathHandled: true, stopped: undefined });
}

/** Info in one bucket whose JSON has exactly so many bytes; `name` tells such infos apart. */
export function infoOfSize(bytes: number, numBuckets = 1, name = 'x'): SyncInfo {
  const info = SyncInfo.empty(numBuckets);
  const json = (length: number) => bucketJson(new Map([[path(name.repeat(length)), insight()]]));
  info.put(path(name.repeat(bytes - json(0).length)), insight());
  return info;
}

/** A store below a prefix of its own. Its waits end at once. */
export interface TestStore extends WritableSyncInfoStore {
  readonly target: ConsulTarget;
  /** Saves without a scope of one's own. */
  put(changes: Completed<SyncInfoChanges>, previous?: StoredIndex): Promise<StoredIndex>;
  /** Another process with the same prefix. */
  other(options?: Partial<Omit<ConsulClientOptions, 'token'>>): TestStore;
  /** All that is stored below the prefix, by name. */
  dump(): Promise<Map<string, { value: string; modifyIndex: number }>>;
  /** Reads all that is stored with the verification of the store; fails if it does not verify. */
  verified(): Promise<SyncInfo>;
  /** What waits before re-reads did, in milliseconds. */
  readonly waits: number[];
  onWait: (ms: number) => void | Promise<void>;
  close(): void;
}

export function testStore(
  target: ConsulTarget,
  prefix = freshPrefix(),
  options: Partial<Omit<ConsulClientOptions, 'token'>> & { readonly token?: string } = {},
): TestStore {
  const consul = consulClient(target.address, options);
  const clock = hastyClock((ms) => store.onWait(ms));
  const others: TestStore[] = [];
  const store: TestStore = {
    ...syncInfoStore(consul, prefix, { clock }),
    target,
    waits: clock.slept,
    onWait: () => {},
    put: (changes, previous) => store.save(changes, previous, callScope()),
    other: (more) => {
      const other = testStore(target, prefix, more);
      others.push(other);
      return other;
    },
    dump: async () => {
      const all = await target.api.dump(prefix);
      return new Map([...all].map(([key, entry]) => [key.slice(prefix.length), entry]));
    },
    verified: async () => {
      const stored = await store.loadIndex(callScope());
      expect(stored, `an index at ${prefix}index`).toBeDefined();
      const { index } = stored as StoredIndex;
      const loaded = await store.loadBuckets(stored as StoredIndex, [...index.keys()], callScope());
      expect(loaded.kind, 'buckets that match the index').toBe('verified');
      const info = SyncInfo.stored(index);
      if (loaded.kind === 'verified')
        for (const [id, bucket] of loaded.buckets) info.load(id, new Map(bucket));
      return info;
    },
    close: () => {
      consul.close();
      for (const other of others) other.close();
    },
  };
  return store;
}
