import PQueue from 'p-queue';

/**
 * How many requests may be under way to one server, and how many may start in a second.
 * On trouble (429) the number is halved; it grows back by one for each round of answers.
 */
export class RequestGate {
  readonly #queue: PQueue;
  readonly #max: number;
  readonly #hasRate: boolean;
  #successes = 0;

  /** `maxInFlight` >= 1; `perSecond` undefined = no limit, else exact over any second. */
  constructor(maxInFlight: number, perSecond?: number) {
    this.#max = maxInFlight;
    this.#hasRate = perSecond !== undefined;
    this.#queue = new PQueue({
      concurrency: maxInFlight,
      ...(perSecond !== undefined && { interval: 1000, intervalCap: perSecond, strict: true }),
    });
  }

  /**
   * Runs `request` as soon as there is room. What it throws is passed on. One that still waits when `signal` is aborted leaves the line
   * and rejects with the signal's reason; one that runs is not touched.
   */
  run<T>(request: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    // Without a rate the line moves on at once, and a request that is aborted ends by itself.
    if (signal === undefined || !this.#hasRate) return this.#queue.add(request);
    const waiting = new AbortController();
    const leave = () => waiting.abort(signal.reason);
    const stay = () => signal.removeEventListener('abort', leave);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    // The queue's own signal would free the place of a request that runs.
    const run = () => {
      stay();
      return request();
    };
    return this.#queue.add(run, { signal: waiting.signal }).finally(stay);
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
