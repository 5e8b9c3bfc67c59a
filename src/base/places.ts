/**
 * Bounds how many tasks run at once; who comes when all places are taken waits, first come, first served. What a p-queue does with
 * nothing but `concurrency`, at a tenth of its cost: while a place is free there is no promise.
 */
export class Places {
  #limit: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  /** `limit` >= 1. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get concurrency(): number {
    return this.#limit;
  }

  /** With fewer than before, what runs goes on. */
  set concurrency(limit: number) {
    this.#limit = limit;
    this.#admit();
  }

  /** How many wait for a place. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Takes a place; `undefined`: it is taken already, else when the promise resolves. Each is to be given back once. */
  take(): Promise<void> | undefined {
    if (this.#taken >= this.#limit) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#taken += 1;
    return undefined;
  }

  /** Gives a place back. */
  give(): void {
    this.#taken -= 1;
    this.#admit();
  }

  #admit(): void {
    while (this.#taken < this.#limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      // Taken for it at once: who comes before it goes on must not get in between.
      this.#taken += 1;
      next();
    }
  }
}
