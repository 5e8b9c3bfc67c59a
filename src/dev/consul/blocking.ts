/**
 * Blocking queries: a read with `?index=N` waits until its index is above N, or until its time is up.
 * May import: `answer`, types of `clock`.
 */

import { Refusal } from './answer.ts';
import type { Clock } from './clock.ts';

/** What a write changed: keys (as bytes), or the ids of sessions. */
export type Change =
  | { readonly table: 'kv'; readonly keys: ReadonlySet<string> }
  | { readonly table: 'sessions'; readonly ids: ReadonlySet<string> };

/** One run of a query: what it found, the index of that, and which changes make it worth another run. */
export interface Reading<T> {
  readonly found: T;
  readonly index: number;
  readonly wakes: (change: Change) => boolean;
}

/** How a query that is blocked ends without news: with the index it was asked for (a graceful shutdown), or with an error. */
export type BlockedEnding = 'oldIndex' | { readonly status: number; readonly body?: string };

/** What a query wants to wait for. */
export interface Wait {
  /** Block until the index is above this; 0 does not block. */
  readonly minIndex: number;
  readonly waitMs: number;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** Ends the query at once where it would block. */
  readonly ending?: BlockedEnding | undefined;
}

type Wake = 'change' | 'enough' | BlockedEnding;

interface Waiting {
  readonly wakes: (change: Change) => boolean;
  readonly wake: (wake: Wake) => void;
}

export class BlockingQueries {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>();
  readonly #expectations = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves once at least `count` queries are blocked: a test then knows that the next write will find them. */
  untilBlocked(count: number): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (this.#waiting.size < count) return;
        this.#expectations.delete(check);
        resolve();
      };
      this.#expectations.add(check);
      check();
    });
  }

  /** Looks at every blocked query: those that the change concerns read again. */
  changed(change: Change): void {
    for (const waiting of this.#waiting) if (waiting.wakes(change)) waiting.wake('change');
  }

  /** Ends every query that is blocked now. */
  endAll(ending: BlockedEnding): void {
    for (const waiting of this.#waiting) waiting.wake(ending);
  }

  /**
   * Reads until the index is above `minIndex` or the time is up, at least once. The answer after the full time is the last reading,
   * with its own index, which may be lower than the one asked for. Each wait gets up to a sixteenth of itself on top, as in Consul.
   */
  async run<T>(wait: Wait, read: () => Reading<T>): Promise<Reading<T>> {
    const deadline = this.#clock.now() + wait.waitMs * (1 + Math.random() / 16);
    for (;;) {
      const reading = read();
      if (wait.minIndex === 0 || Math.max(reading.index, 1) > wait.minIndex) return reading;
      const wake = wait.ending ?? (await this.#wait(reading.wakes, deadline, wait.signal));
      if (wake === 'enough') return reading;
      if (wake === 'change') continue;
      if (wake === 'oldIndex') return { ...reading, index: wait.minIndex };
      throw new Refusal(wake.status, wake.body ?? '');
    }
  }

  #wait(wakes: (change: Change) => boolean, deadline: number, signal: AbortSignal): Promise<Wake> {
    return new Promise((resolve) => {
      const end = (wake: Wake) => {
        this.#waiting.delete(waiting);
        cancelTimer();
        signal.removeEventListener('abort', giveUp);
        resolve(wake);
      };
      const giveUp = () => end('enough');
      const waiting = { wakes, wake: end };
      const cancelTimer = this.#clock.after(deadline - this.#clock.now(), giveUp);
      this.#waiting.add(waiting);
      for (const check of this.#expectations) check();
      signal.addEventListener('abort', giveUp);
      if (signal.aborted) giveUp();
    });
  }
}
