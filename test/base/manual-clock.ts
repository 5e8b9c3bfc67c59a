import type { Clock } from '../../src/base/clock.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** Time that stands still until a test moves it on: nothing that waits on it needs a sleep of its own. */
export class ManualClock implements Clock {
  /** What was slept so far, in milliseconds, in order. */
  readonly slept: number[] = [];
  readonly #sleepers = new Set<Sleeper>();
  readonly #watchers = new Set<() => void>();
  #wall: number;
  #monotonic = 0;

  constructor(wall = Date.parse('2026-01-02T03:04:05.678Z')) {
    this.#wall = wall;
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.slept.push(ms);
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const wake = () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      const sleeper = { at: this.#monotonic + ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', stop, { once: true });
      for (const watcher of this.#watchers) watcher();
    });
  }

  /** How many sleep now. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** Resolves once this many sleep. */
  untilSleeping(count = 1): Promise<void> {
    if (this.sleeping >= count) return Promise.resolve();
    return new Promise((resolve) => {
      const watcher = () => {
        if (this.sleeping < count) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
  }

  /** Moves both clocks on by `ms` and wakes whoever is due by then. */
  advance(ms: number): void {
    this.#wall += ms;
    this.#monotonic += ms;
    for (const sleeper of [...this.#sleepers].sort((a, b) => a.at - b.at)) {
      if (sleeper.at > this.#monotonic) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }

  /** Waits until someone sleeps, and lets exactly that time pass. */
  async passSleep(): Promise<void> {
    await this.untilSleeping();
    this.advance(Math.max(0, Math.min(...[...this.#sleepers].map(({ at }) => at)) - this.#monotonic));
  }
}

/** A clock on which every sleep ends at once; `onSleep` sees each one while it is slept. */
export function hastyClock(onSleep: (ms: number) => void | Promise<void> = () => {}): ManualClock {
  const clock = new ManualClock();
  clock.sleep = async (ms, signal) => {
    signal?.throwIfAborted();
    clock.slept.push(ms);
    await onSleep(ms);
    clock.advance(ms);
    signal?.throwIfAborted();
  };
  return clock;
}
