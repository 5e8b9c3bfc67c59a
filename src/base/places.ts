/**
 * Bounds how many tasks run at once; who comes when all places are taken waits, first come, first served. Like a p-queue with nothing
 * but `concurrency`, at a fifth of its cost: while a place is free, a task is called without further ado.
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

  /** Runs `task` as soon as there is a place for it. What it throws is passed on. */
  async add<T>(task: () => Promise<T>): Promise<T> {
    if (this.#taken < this.#limit) this.#taken += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      this.#taken -= 1;
      this.#admit();
    }
  }

  #admit(): void {
    while (this.#taken < this.#limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      // Taken for it at once: whoever comes before it goes on must not get in between.
      this.#taken += 1;
      next();
    }
  }
}
