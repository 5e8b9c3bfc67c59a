import PQueue from 'p-queue';

/** Tasks that wait at most, for each worker: enough to keep all busy, few enough to hold no long list in memory. */
const queuedPerWorker = 1;

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

  /** Queues a task as soon as there is room for it. */
  async add(task: () => Promise<void>): Promise<void> {
    if (this.#queue.size >= this.#high) await this.#queue.onSizeLessThan(this.#high / 2);
    // p-queue's own `signal` frees the place while the task still runs; the task is asked to look by itself instead.
    void this.#queue.add(() => (this.#signal.aborted ? Promise.resolve() : task()));
  }

  /** Resolves when every task that was added has ended. */
  async idle(): Promise<void> {
    await this.#queue.onIdle();
  }
}
