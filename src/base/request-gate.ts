import PQueue from 'p-queue';

/**
 * How many requests may be under way to one server, and how many may start in a second.
 * On trouble (429) the number is halved; it grows back by one for each round of answers.
 */
export class RequestGate {
  readonly #queue: PQueue;
  readonly #max: number;
  #successes = 0;

  /** `maxInFlight` >= 1; `perSecond` undefined = no limit, else exact over any second. */
  constructor(maxInFlight: number, perSecond?: number) {
    this.#max = maxInFlight;
    this.#queue = new PQueue({
      concurrency: maxInFlight,
      ...(perSecond !== undefined && { interval: 1000, intervalCap: perSecond, strict: true }),
    });
  }

  /** Runs `request` as soon as there is room. What it throws is passed on. */
  run<T>(request: () => Promise<T>): Promise<T> {
    return this.#queue.add(request);
  }

  /** Requests that may be under way right now. */
  get inFlightLimit(): number {
    return this.#queue.concurrency;
  }

  /** The server asks for less: half as many from now on. */
  slowDown(): void {
    this.#successes = 0;
    this.#queue.concurrency = Math.max(1, Math.floor(this.#queue.concurrency / 2));
  }

  /** An answer came; one more request is allowed after as many answers as there may be requests. */
  succeeded(): void {
    if (this.#queue.concurrency >= this.#max) return;
    this.#successes += 1;
    if (this.#successes < this.#queue.concurrency) return;
    this.#successes = 0;
    this.#queue.concurrency += 1;
  }
}
