import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Texts by key in one temporary file. A text that fits the place of the one before it is written over it. */
export class ValueFile {
  readonly #dir = mkdtempSync(join(tmpdir(), 'vsync-bench-values-'));
  readonly #file = openSync(join(this.#dir, 'values'), 'w+');
  readonly #places = new Map<string, Place>();
  #end = 0;

  /** Returns the number of bytes. */
  write(key: string, text: string): number {
    const bytes = Buffer.from(text);
    const { length } = bytes;
    let place = this.#places.get(key);
    if (place === undefined || place.capacity < length) {
      // Room to grow in: a bucket gets larger while a first copy goes on.
      place = { offset: this.#end, capacity: length * 2, length };
      this.#end += place.capacity;
      this.#places.set(key, place);
    }
    place.length = length;
    writeSync(this.#file, bytes, 0, length, place.offset);
    return length;
  }

  read(key: string): string {
    const place = this.#places.get(key);
    if (place === undefined) throw new Error(`nothing was written for ${key}`);
    const bytes = Buffer.allocUnsafe(place.length);
    readSync(this.#file, bytes, 0, place.length, place.offset);
    return bytes.toString();
  }

  close(): void {
    closeSync(this.#file);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

interface Place {
  readonly offset: number;
  readonly capacity: number;
  length: number;
}
