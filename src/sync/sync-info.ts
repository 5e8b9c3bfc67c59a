import { VsyncError } from '../base/errors.ts';
import { type Bucket, bucketHash, bucketIdOf, bucketJson, emptyBucketHash, maxBuckets } from './bucket.ts';
import type { Insight } from './insight.ts';
import type { DataPath } from './mount-path.ts';
import { PackedBucket } from './packed-bucket.ts';

/**
 * Sync info: the insights of all paths, spread over buckets, with one hash per bucket.
 * Pure. `put` and `remove` are synchronous, so any number of workers may share one; after `seal` they throw.
 */

/** What a save has to write: the whole index, and the buckets that changed. */
export interface SyncInfoChanges {
  readonly index: readonly string[];
  readonly buckets: readonly ChangedBucket[];
}

export interface ChangedBucket {
  readonly id: number;
  /** The JSON to store. A function, so that a large save need not hold all of it at once. */
  readonly json: () => string;
}

/** A scan only adds to its buckets, and they stay packed; one that is loaded or looked into is a map. */
type HeldBucket = Map<DataPath, Insight> | PackedBucket;

export class SyncInfo {
  readonly numBuckets: number;
  readonly #index: string[];
  readonly #buckets: (HeldBucket | undefined)[];
  readonly #dirty = new Set<number>();
  #sealed: 'reindexed' | 'aborted' | undefined;

  private constructor(index: string[], buckets: (HeldBucket | undefined)[]) {
    this.numBuckets = index.length;
    this.#index = index;
    this.#buckets = buckets;
  }

  /** Info without paths, in `numBuckets` (1 to 65535) buckets. None of it is stored yet, so all of it counts as touched. */
  static empty(numBuckets: number): SyncInfo {
    if (!Number.isInteger(numBuckets) || numBuckets < 1 || numBuckets > maxBuckets) {
      throw new RangeError(`number of buckets ${numBuckets} is not in 1 to ${maxBuckets}`);
    }
    const buckets = Array.from({ length: numBuckets }, () => new PackedBucket());
    const info = new SyncInfo(new Array(numBuckets).fill(emptyBucketHash), buckets);
    for (const id of buckets.keys()) info.#dirty.add(id);
    return info;
  }

  /** Info as it is stored: its index is known, its buckets are not loaded yet. */
  static stored(index: readonly string[]): SyncInfo {
    return new SyncInfo(
      [...index],
      index.map((hash) => (hash === emptyBucketHash ? new Map<DataPath, Insight>() : undefined)),
    );
  }

  /** The hash of each bucket, as of the last reindexing. */
  get index(): readonly string[] {
    return this.#index;
  }

  /** Ids of the buckets that have not been loaded. */
  get unloaded(): number[] {
    return [...this.#buckets.keys()].filter((id) => this.#buckets[id] === undefined);
  }

  /** The number of paths in the loaded buckets. */
  get size(): number {
    return this.#buckets.reduce((sum, bucket) => sum + (bucket?.size ?? 0), 0);
  }

  /** Whether there is no path in the loaded buckets. */
  get isEmpty(): boolean {
    return this.#buckets.every(
      (bucket) =>
        bucket === undefined || (bucket instanceof PackedBucket ? bucket.isEmpty : bucket.size === 0),
    );
  }

  /** Takes in a stored bucket, whose hash the caller has verified (R5). */
  load(id: number, bucket: Map<DataPath, Insight>): void {
    this.#refuseSealed();
    this.#buckets[id] = bucket;
  }

  bucketId(path: DataPath): number {
    return bucketIdOf(path, this.numBuckets);
  }

  bucket(id: number): Bucket {
    return asMap(this.#held(id));
  }

  get(path: DataPath): Insight | undefined {
    return this.#unpacked(this.bucketId(path)).get(path);
  }

  /** Records the insight of a path. Throws once the info is sealed. */
  put(path: DataPath, insight: Insight): void {
    this.#refuseSealed();
    const id = this.bucketId(path);
    const bucket = this.#held(id);
    if (!(bucket instanceof PackedBucket)) bucket.set(path, insight);
    else if (!bucket.add(path, insight)) this.#unpacked(id).set(path, insight);
    this.#dirty.add(id);
  }

  /** Forgets a path. Throws once the info is sealed. */
  remove(path: DataPath): void {
    this.#refuseSealed();
    const id = this.bucketId(path);
    if (this.#unpacked(id).delete(path)) this.#dirty.add(id);
  }

  /** All paths of the loaded buckets. */
  *paths(): Generator<DataPath> {
    for (const bucket of this.#buckets) if (bucket !== undefined) yield* asMap(bucket).keys();
  }

  /** The same insights in another number of buckets, all of which count as touched. All buckets must be loaded. */
  rebucket(numBuckets: number): SyncInfo {
    this.#refuseSealed();
    const info = SyncInfo.empty(numBuckets);
    for (let id = 0; id < this.numBuckets; id += 1) {
      // Not as a map: all of a scan may lie in one bucket.
      this.#held(id).forEach((insight, path) => void info.put(path, insight));
    }
    // The index is compared before anything is saved: one that still said "empty" would hide what an empty bucket of the origin deletes.
    for (const id of info.#buckets.keys()) info.#index[id] = bucketHash(info.bucket(id));
    return info;
  }

  /**
   * Hashes the buckets that were touched since the last checkpoint and gives them for a save; the info stays open.
   * Their JSON is made at once, since workers may go on to put.
   */
  checkpoint(): SyncInfoChanges {
    this.#refuseSealed();
    // They come again with the next batch.
    for (const id of this.#dirty) this.#unpacked(id);
    const buckets = this.#rehash().map((id) => {
      const json = bucketJson(this.bucket(id));
      return { id, json: () => json };
    });
    return { index: [...this.#index], buckets };
  }

  /**
   * Reindexes and seals: from now on `put` throws, and what is returned is all there is to save.
   * Changed is every bucket whose hash is not the one in `previous`, the index that is stored (empty: nothing is stored).
   */
  reindex(previous: readonly string[]): SyncInfoChanges {
    this.#refuseSealed();
    this.#rehash();
    this.#sealed = 'reindexed';
    const renumbered = previous.length !== this.numBuckets;
    const ids = [...this.#index.keys()].filter((id) => renumbered || this.#index[id] !== previous[id]);
    return {
      index: this.#index,
      buckets: ids.map((id) => ({ id, json: () => bucketJson(this.bucket(id)) })),
    };
  }

  /** Seals without a result: the cycle was aborted, late workers can do no harm. */
  abort(): void {
    this.#sealed ??= 'aborted';
  }

  /** Brings the index up to date; returns the ids of the buckets that were touched, in order. */
  #rehash(): number[] {
    const ids = [...this.#dirty].sort((a, b) => a - b);
    this.#dirty.clear();
    for (const id of ids) this.#index[id] = bucketHash(this.bucket(id));
    return ids;
  }

  #held(id: number): HeldBucket {
    const bucket = this.#buckets[id];
    if (bucket === undefined) throw new Error(`bucket ${id} of ${this.numBuckets} is not loaded`);
    return bucket;
  }

  /** As a map, from now on. */
  #unpacked(id: number): Map<DataPath, Insight> {
    const map = asMap(this.#held(id));
    this.#buckets[id] = map;
    return map;
  }

  #refuseSealed(): void {
    if (this.#sealed === undefined) return;
    throw new VsyncError({
      code: 'UNEXPECTED',
      class: this.#sealed === 'aborted' ? 'abort' : 'fatal',
      message: `sync info is sealed: ${this.#sealed}`,
    });
  }
}

function asMap(bucket: HeldBucket): Map<DataPath, Insight> {
  return bucket instanceof PackedBucket ? bucket.toMap() : bucket;
}
