import { setMaxListeners } from 'node:events';
import type { Release } from '../base/releasers.ts';

/**
 * What the process is asked to do by signals: the first SIGINT or SIGTERM drains (no new work, what is under way is finished and
 * saved), the second aborts at once. SIGUSR2 runs a cycle now.
 */
export class SignalChannel {
  readonly #drain = new AbortController();
  readonly #abort = new AbortController();
  readonly #runNow = new Set<() => void>();
  /** The time between the first stopping signal and the end: `shutdownTimeout`, once the configuration is known. */
  finishWithinMs = 25_000;
  #received: NodeJS.Signals | undefined;
  #target: NodeJS.Process | undefined;

  constructor() {
    // Every save under way listens to them; Node would warn from the eleventh on.
    setMaxListeners(0, this.#drain.signal, this.#abort.signal);
  }

  /** Aborted by the first stopping signal. */
  get draining(): AbortSignal {
    return this.#drain.signal;
  }

  /** Aborted by the second one. */
  get aborting(): AbortSignal {
    return this.#abort.signal;
  }

  /** The first stopping signal that came. */
  get received(): NodeJS.Signals | undefined {
    return this.#received;
  }

  /** Calls `listener` for each SIGUSR2, until released. */
  onRunNow(listener: () => void): Release {
    this.#runNow.add(listener);
    return () => void this.#runNow.delete(listener);
  }

  /** Calls `listener` for each SIGHUP, until released. While nobody listens, SIGHUP ends the process, as a terminal that is closed means it. */
  onHangUp(listener: () => void): Release {
    const target = this.#target;
    target?.on('SIGHUP', listener);
    return () => void target?.off('SIGHUP', listener);
  }

  /** Takes a stopping signal: from the process, or from a test. */
  stop(signal: NodeJS.Signals): void {
    if (this.#received !== undefined) {
      this.#abort.abort();
      return;
    }
    this.#received = signal;
    this.#drain.abort();
  }

  /** Aborts without a second signal: the time for finishing is over. */
  giveUp(): void {
    this.#abort.abort();
  }

  /** Listens to the process until released. Node as PID 1 needs explicit handlers. */
  listen(target: NodeJS.Process = process): Release {
    const stop = (signal: NodeJS.Signals) => this.stop(signal);
    const runNow = () => {
      for (const listener of this.#runNow) listener();
    };
    this.#target = target;
    target.on('SIGINT', stop);
    target.on('SIGTERM', stop);
    target.on('SIGUSR2', runNow);
    return () => {
      target.off('SIGINT', stop);
      target.off('SIGTERM', stop);
      target.off('SIGUSR2', runNow);
    };
  }
}
