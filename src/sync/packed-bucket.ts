import { type Insight, kvV2 } from './insight.ts';
import type { DataPath } from './mount-path.ts';

/**
 * One bucket of a scan while it goes on: entries are only added, and read when all are there. They lie as bytes in a few blocks, some 90
 * for an entry, where a map of strings and objects takes 250. Without it a scan of a million paths takes half a gigabyte more.
 * Pure.
 */

/** Bytes before each entry: the length of the path, the length of the time, the version. */
const headBytes = 4 + 1 + 8;
/** Its bytes, three for a character at most, are counted in one byte. */
const maxTimeLength = 85;
const minBlockBytes = 1_024;
const maxBlockBytes = 131_072;

export class PackedBucket {
  /** All but the last are filled up to their end. */
  readonly #blocks: Buffer[] = [];
  #block: Buffer = Buffer.alloc(0);
  #used = 0;
  #bytes = 0;
  /** As of the last reading. */
  #size: number | undefined = 0;

  /** The number of paths, counted by reading all entries unless that was done since the last one was added. */
  get size(): number {
    return this.#size ?? this.toMap().size;
  }

  /** Whether nothing was added. */
  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Adds an entry; of several for one path the last counts. False when it is one that this form cannot hold. */
  add(path: DataPath, { version, updateTime, type, dv }: Insight): boolean {
    if (type !== kvV2 || dv !== undefined || updateTime.length > maxTimeLength) return false;
    if (!path.isWellFormed() || !updateTime.isWellFormed()) return false;
    const most = headBytes + 3 * (path.length + updateTime.length);
    if (this.#used + most > this.#block.length) this.#startBlock(most);
    const start = this.#used + headBytes;
    const pathBytes = this.#block.write(path, start);
    const timeBytes = this.#block.write(updateTime, start + pathBytes);
    this.#block.writeUInt32LE(pathBytes, this.#used);
    this.#block.writeUInt8(timeBytes, this.#used + 4);
    this.#block.writeDoubleLE(version, this.#used + 5);
    this.#used = start + pathBytes + timeBytes;
    this.#bytes += headBytes + pathBytes + timeBytes;
    this.#size = undefined;
    return true;
  }

  /** Hands out all that was added, in that order: a path that was added twice comes twice. */
  forEach(take: (insight: Insight, path: DataPath) => void): void {
    for (const block of this.#blocks) readBlock(block, take);
    readBlock(this.#block.subarray(0, this.#used), take);
  }

  /** The entries as a map, made anew. */
  toMap(): Map<DataPath, Insight> {
    const entries = new Map<DataPath, Insight>();
    this.forEach((insight, path) => void entries.set(path, insight));
    this.#size = entries.size;
    return entries;
  }

  #startBlock(atLeast: number): void {
    if (this.#used > 0) this.#blocks.push(this.#block.subarray(0, this.#used));
    const size = Math.min(maxBlockBytes, Math.max(minBlockBytes, this.#bytes >> 1));
    // Not from Node's shared pool: one entry would keep all of that alive.
    this.#block = Buffer.allocUnsafeSlow(Math.max(size, atLeast));
    this.#used = 0;
  }
}

function readBlock(block: Buffer, take: (insight: Insight, path: DataPath) => void): void {
  for (let at = 0; at < block.length; ) {
    const pathStart = at + headBytes;
    const pathEnd = pathStart + block.readUInt32LE(at);
    const end = pathEnd + block.readUInt8(at + 4);
    const path = block.toString('utf8', pathStart, pathEnd) as DataPath;
    const updateTime = block.toString('utf8', pathEnd, end);
    take({ version: block.readDoubleLE(at + 5), updateTime, type: kvV2 }, path);
    at = end;
  }
}
