/**
 * Time as the dev Consul sees it: session TTLs, lock delays, waits of blocking queries and the delays of faults all come from here.
 * May import: nothing.
 */

export interface Clock {
  /** Milliseconds since some fixed moment; only differences mean something. */
  now(): number;
  /** Calls `callback` once, `delayMs` from now. The returned function cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The machine's monotonic clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

interface Alarm {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it: sessions expire and waits end without sleeping. */
export class ManualClock implements Clock {
  readonly #alarms = new Set<Alarm>();
  #now = 0;

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const alarm = { at: this.#now + delayMs, callback };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** How many callbacks are waiting: 0 after the server closed, or something leaks. */
  get pending(): number {
    return this.#alarms.size;
  }

  /** Moves time on by `ms` and calls what falls due on the way, earliest first. */
  advance(ms: number): void {
    const target = this.#now + ms;
    for (let next = this.#earliest(target); next !== undefined; next = this.#earliest(target)) {
      this.#alarms.delete(next);
      this.#now = next.at;
      next.callback();
    }
    this.#now = target;
  }

  #earliest(limit: number): Alarm | undefined {
    let earliest: Alarm | undefined;
    for (const alarm of this.#alarms) {
      if (alarm.at <= limit && (earliest === undefined || alarm.at < earliest.at)) earliest = alarm;
    }
    return earliest;
  }
}
