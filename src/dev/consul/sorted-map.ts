/**
 * A map whose keys are kept in order, so that a prefix is one contiguous range: a recursive read costs what it returns.
 * May import: nothing.
 */

/** Positions `[from, to)` in the order of the keys. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export class SortedMap<V> {
  readonly #values = new Map<string, V>();
  readonly #keys: string[] = [];

  get size(): number {
    return this.#keys.length;
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: V): void {
    if (!this.#values.has(key)) this.#keys.splice(this.lowerBound(key), 0, key);
    this.#values.set(key, value);
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#keys.splice(this.lowerBound(key), 1);
  }

  /** Removes every key with `prefix` at once, and returns their values. */
  deletePrefix(prefix: string): readonly V[] {
    const { from, to } = this.range(prefix);
    const values = this.values({ from, to });
    for (const key of this.#keys.splice(from, to - from)) this.#values.delete(key);
    return values;
  }

  /** Position of the first key that is not less than `key`. */
  lowerBound(key: string): number {
    return firstPosition(0, this.#keys.length, (position) => this.keyAt(position) >= key);
  }

  /** Where the keys with `prefix` are. */
  range(prefix: string): Range {
    const from = this.lowerBound(prefix);
    const to = firstPosition(from, this.#keys.length, (at) => !this.keyAt(at).startsWith(prefix));
    return { from, to };
  }

  /** The key at a position. Throws outside of the map. */
  keyAt(position: number): string {
    const key = this.#keys[position];
    if (key === undefined) throw new RangeError(`no key at ${position}`);
    return key;
  }

  /** The values of a range, in the order of their keys. */
  values(range: Range): readonly V[] {
    const values: V[] = [];
    for (const key of this.#keys.slice(range.from, range.to)) {
      const value = this.#values.get(key);
      if (value !== undefined) values.push(value);
    }
    return values;
  }
}

/** The first position in `[from, to)` for which `holds` is true, `to` if none: once true, it stays true. */
function firstPosition(from: number, to: number, holds: (position: number) => boolean): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
