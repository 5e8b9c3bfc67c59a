/**
 * Random numbers that come again with the same seed, which is printed: `VSYNC_SEED` repeats them. What they meet is still a matter of
 * timing.
 */
export class Random {
  readonly seed: number;
  #state: number;

  constructor(what: string, seed = Number(process.env.VSYNC_SEED ?? Date.now() % 1_000_000)) {
    this.seed = seed;
    this.#state = seed;
    console.info(`${what}: VSYNC_SEED=${seed}`);
  }

  /** 0 to below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `from` to `to`, both included. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  pick<T>(of: readonly T[]): T {
    return of[this.integer(0, of.length - 1)] as T;
  }
}
