import PQueue from 'p-queue';

/** Tasks that wait at most, for each worker: enough to keep all busy, and few, since each that waits is memory and work for the collector. */
const queuedPerWorker = 2;

/**
 * A fixed number of workers with backpressure: `add` waits while enough is queued, so a producer never runs ahead.
 * A task reports its own failures and must not reject. Once `signal` is aborted, queued tasks are passed over.
 */
export class WorkerPool {
  readonly #queue: PQueue;
  readonly #signal: AbortSignal;
  readonly #high: number;

  constructor(numWorkers: number, signal: AbortSignal) {
    this.#queue = new PQueue({ concurrency: numWorkers });
    this.#signal = signal;
    this.#high = numWorkers * queuedPerWorker;
  }

  /** Queues a task. A producer waits for what is returned before it adds another one. */
  add(task: () => Promise<void>): Promise<void> | undefined {
    // p-queue's own `signal` frees the place while the task still runs; the task is asked to look by itself instead.
    void this.#queue.add(() => (this.#signal.aborted ? Promise.resolve() : task()));
    return this.#queue.size < this.#high ? undefined : this.#queue.onSizeLessThan(this.#high / 2);
  }

  /** Resolves when every task that was added has ended. */
  async idle(): Promise<void> {
    await this.#queue.onIdle();
  }
}
