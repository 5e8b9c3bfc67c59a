import { setMaxListeners } from 'node:events';
import { asVsyncError, type VsyncError } from '../base/errors.ts';
import type { DataPath } from '../sync/mount-path.ts';

/**
 * The one place that receives the failures of a cycle and decides: a path's own failure is counted, anything else stops the cycle.
 */
export class ErrorChannel {
  readonly #stop = new AbortController();
  readonly #failedPaths = new Map<DataPath, VsyncError>();
  #stopped: VsyncError | undefined;

  constructor() {
    // Every request under way listens to it; Node would warn from the eleventh on.
    setMaxListeners(0, this.#stop.signal);
  }

  /** Aborted, with the error as its reason, when the cycle is to stop: pass it to every request. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** What stopped the cycle; `undefined` while it may go on. */
  get stopped(): VsyncError | undefined {
    return this.#stopped;
  }

  get failedPaths(): ReadonlyMap<DataPath, VsyncError> {
    return this.#failedPaths;
  }

  /** True when a path failed for a reason that may be gone a moment later: then nothing is deleted in this cycle (R4). */
  get failedTransiently(): boolean {
    return [...this.#failedPaths.values()].some((error) => error.retryable);
  }

  /** A worker failed on a path. Failures of the path alone are counted, all others stop the cycle. */
  pathFailed(path: DataPath, thrown: unknown): VsyncError {
    const error = asVsyncError(thrown);
    if (error.class === 'path') this.#failedPaths.set(path, error);
    else this.stop(error);
    return error;
  }

  /** Stops the cycle. The first reason counts: what comes after it is its consequence. */
  stop(thrown: unknown): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = asVsyncError(thrown);
    this.#stop.abort(this.#stopped);
  }
}
