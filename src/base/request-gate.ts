import PQueue from 'p-queue';
import { ConcurrencyFinder } from './concurrency-finder.ts';
import { VsyncError } from './errors.ts';
import { Places } from './places.ts';

/** Answers that are looked at together, for each request that may be under way. */
const answersPerPlace = 4;
/** How long a round takes at least where the number of requests is to be found: in less, chance decides. */
const shortestRoundMs = 100;
/** How many times slower than at its best, with as many requests under way, a server may become before it is given fewer. */
const slowerBy = 3;
/** Answers that come within this time are fast enough, whatever they were before. */
const fastEnoughMs = 100;

/**
 * How many requests may be under way to one server, and how many may start in a second.
 * In trouble (429, or answers that take several times as long as before with as many requests under way) the number is halved; it
 * grows back by one for each round of answers.
 */
export class RequestGate {
  readonly #finder: ConcurrencyFinder | undefined;
  readonly #line: PQueue | Places;
  readonly #max: number;
  #successes = 0;
  #window: Window = emptyWindow();
  #bestMs = Number.POSITIVE_INFINITY;

  /**
   * `maxInFlight` >= 1; `perSecond` undefined = no limit, else exact over any second. `finds`: the number of requests is found by
   * what it brings, `maxInFlight` at most; else it is that number unless the server is in trouble.
   */
  constructor(maxInFlight: number, perSecond?: number, finds = false) {
    this.#max = maxInFlight;
    this.#finder = finds ? new ConcurrencyFinder(maxInFlight) : undefined;
    const concurrency = this.#finder?.limit ?? maxInFlight;
    this.#line =
      perSecond === undefined
        ? new Places(concurrency)
        : new PQueue({ concurrency, interval: 1000, intervalCap: perSecond, strict: true });
  }

  /**
   * Runs `request` as soon as there is room, and learns from how it ends. What it throws is passed on. One that still waits when `signal` is
   * aborted leaves the line and rejects with the signal's reason; one that runs is not touched.
   */
  run<T>(request: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const line = this.#line;
    // Without a rate the line moves on at once, and a request that is aborted ends by itself.
    if (line instanceof Places) return this.#observed(request, line);
    if (signal === undefined) return line.add(() => this.#observed(request));
    const waiting = new AbortController();
    const leave = () => waiting.abort(signal.reason);
    const stay = () => signal.removeEventListener('abort', leave);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    // The queue's own signal would free the place of a request that runs.
    const run = () => {
      stay();
      return this.#observed(request);
    };
    return line.add(run, { signal: waiting.signal }).finally(stay);
  }

  /** Requests that may be under way right now. */
  get inFlightLimit(): number {
    return this.#line.concurrency;
  }

  /** The server asks for less: half as many from now on. */
  slowDown(): void {
    this.#resize(Math.max(1, Math.floor(this.#line.concurrency / 2)));
    this.#finder?.reset(this.#line.concurrency);
  }

  /** An answer came after `latencyMs`; one more request is allowed after as many answers as there may be requests. */
  succeeded(latencyMs: number): void {
    this.#observe(latencyMs);
    if (this.#finder !== undefined || this.#line.concurrency >= this.#max) return;
    this.#successes += 1;
    if (this.#successes >= this.#line.concurrency) this.#resize(this.#line.concurrency + 1);
  }

  /** Runs `request`, in one of `places` if they are given, and learns from its end. */
  async #observed<T>(request: () => Promise<T>, places?: Places): Promise<T> {
    const free = places?.take();
    if (free !== undefined) await free;
    const startedAt = performance.now();
    try {
      const answer = await request();
      this.succeeded(performance.now() - startedAt);
      return answer;
    } catch (error) {
      if (error instanceof VsyncError && error.status === 429) this.slowDown();
      throw error;
    } finally {
      places?.give();
    }
  }

  /** Looks at a round of answers: are they much later than at best, and do as many requests as may be under way bring the most? */
  #observe(latencyMs: number): void {
    const window = this.#window;
    window.answers += 1;
    window.totalMs += latencyMs;
    // A place that nobody waits for says nothing of how many places are needed.
    if (this.#line.size === 0) window.wasFull = false;
    if (window.answers < answersPerPlace * this.#line.concurrency) return;
    const elapsedMs = performance.now() - window.since;
    if (this.#finder !== undefined && elapsedMs < shortestRoundMs) return;
    const meanMs = window.totalMs / window.answers;
    const perSecond = (window.answers * 1000) / elapsedMs;
    this.#window = emptyWindow();
    if (meanMs > fastEnoughMs && meanMs > slowerBy * this.#bestMs) {
      this.slowDown();
      return;
    }
    // The best is forgotten slowly, so that a server that has become slower for good is worked with as it is.
    this.#bestMs = Math.min(meanMs, this.#bestMs * 1.05);
    if (this.#finder === undefined || !window.wasFull) return;
    const limit = this.#finder.measured(perSecond);
    if (limit !== this.#line.concurrency) this.#resize(limit);
  }

  #resize(concurrency: number): void {
    this.#line.concurrency = concurrency;
    this.#successes = 0;
    this.#window = emptyWindow();
    // Fewer requests are answered faster: what was good before is no measure any more.
    this.#bestMs = Number.POSITIVE_INFINITY;
  }
}

interface Window {
  readonly since: number;
  answers: number;
  totalMs: number;
  wasFull: boolean;
}

function emptyWindow(): Window {
  return { since: performance.now(), answers: 0, totalMs: 0, wasFull: true };
}
