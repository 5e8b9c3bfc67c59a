/**
 * The keys of the dev Consul with their indexes, and the one way to change them: a write that is applied as a whole or not at all.
 * May import: `sorted-map`, `watch-scope`.
 */

import { SortedMap } from './sorted-map.ts';
import { watchScope } from './watch-scope.ts';

/** One key. Entries are never changed, only replaced, so whoever holds one holds a consistent one. */
export interface KvEntry {
  /** Bytes, one character each (`key-bytes.ts`). */
  readonly key: string;
  readonly value: Buffer;
  /** A full uint64. */
  readonly flags: bigint;
  /** How often the key was locked. A plain write resets it to 0, so it is no fencing token. */
  readonly lockIndex: number;
  /** Id of the session that holds the lock, `''` for none. */
  readonly session: string;
  readonly createIndex: number;
  readonly modifyIndex: number;
}

export class KvStore {
  readonly #entries = new SortedMap<KvEntry>();
  /** Where keys were deleted, and at which index, so that the index of a prefix never slides back. Never reaped here. */
  readonly #tombstones = new SortedMap<number>();
  readonly #changed: (keys: ReadonlySet<string>) => void;
  #index = 0;

  /** `changed` is called after each write that changed something, with the keys it touched. */
  constructor(changed: (keys: ReadonlySet<string>) => void) {
    this.#changed = changed;
  }

  /** The index of the last change to any key, 0 before the first: what Consul answers for a missing key. */
  get index(): number {
    return this.#index;
  }

  get(key: string): KvEntry | undefined {
    return this.#entries.get(key);
  }

  /** All entries with a prefix, in the order of their bytes. A prefix is a string prefix: `app` covers `apple`. */
  list(prefix: string): readonly KvEntry[] {
    return this.#entries.values(this.#entries.range(prefix));
  }

  /** The index of a prefix: its latest change or deletion; with neither, and for the root, the index of the whole store. */
  indexOf(prefix: string, entries: readonly KvEntry[]): number {
    if (prefix === '') return this.#index;
    const deletions = this.#tombstones.values(this.#tombstones.range(prefix));
    const changes = entries.map((entry) => entry.modifyIndex);
    return [...changes, ...deletions].reduce((a, b) => Math.max(a, b), 0) || this.#index;
  }

  /** The prefix whose writes wake a watch on a key, or on a prefix, that does not exist (`watch-scope.ts`). */
  watchScope(missing: string): string {
    return watchScope(this.#entries, missing);
  }

  /**
   * Runs one write at `index`. All of it is undone if `isApplied` says no to its result, or if it throws.
   * A write without effect leaves the store's index alone.
   */
  write<T>(index: number, run: (write: KvWrite) => T, isApplied: (result: T) => boolean): T {
    const write = new KvWrite(index, this.#entries, this.#tombstones);
    let applied = false;
    try {
      const result = run(write);
      applied = isApplied(result);
      return result;
    } finally {
      if (!applied) write.undo();
      else if (write.keys.size > 0) {
        this.#index = index;
        this.#changed(write.keys);
      }
    }
  }
}

/** The store as one write sees it: its own changes included. All entries it makes carry its index. */
export class KvWrite {
  readonly index: number;
  /** The keys changed so far. */
  readonly keys = new Set<string>();
  readonly #entries: SortedMap<KvEntry>;
  readonly #tombstones: SortedMap<number>;
  readonly #undo: Array<() => void> = [];

  constructor(index: number, entries: SortedMap<KvEntry>, tombstones: SortedMap<number>) {
    this.index = index;
    this.#entries = entries;
    this.#tombstones = tombstones;
  }

  get(key: string): KvEntry | undefined {
    return this.#entries.get(key);
  }

  list(prefix: string): readonly KvEntry[] {
    return this.#entries.values(this.#entries.range(prefix));
  }

  put(entry: KvEntry): void {
    this.keys.add(entry.key);
    this.#set(this.#entries, entry.key, entry);
  }

  remove(key: string): void {
    if (this.#entries.get(key) === undefined) return;
    this.keys.add(key);
    this.#set(this.#entries, key, undefined);
    this.#set(this.#tombstones, key, this.index);
  }

  /** Removes every key with a prefix. One tombstone marks them all, at the prefix; none if the whole store goes. */
  removeTree(prefix: string): void {
    const removed = this.#entries.deletePrefix(prefix);
    if (removed.length === 0) return;
    for (const entry of removed) this.keys.add(entry.key);
    this.#undo.push(() => {
      for (const entry of removed) this.#entries.set(entry.key, entry);
    });
    if (prefix !== '') this.#set(this.#tombstones, prefix, this.index);
  }

  /** Puts everything back as it was before this write. */
  undo(): void {
    for (const step of this.#undo.reverse()) step();
  }

  #set<V>(map: SortedMap<V>, key: string, value: V | undefined): void {
    const before = map.get(key);
    this.#undo.push(() => replace(map, key, before));
    replace(map, key, value);
  }
}

function replace<V>(map: SortedMap<V>, key: string, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
