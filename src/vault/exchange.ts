import type { IncomingHttpHeaders } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import type { Dispatcher, Pool } from 'undici';

/**
 * One request and its whole answer over undici's `dispatch`: with one deadline over connect, head and body together, and without the
 * stream, the AbortController and the combined signal that `pool.request` needs for it. A scan sends one request for each secret, and
 * those were half of its CPU time.
 */

// undici parses answers with a WebAssembly module. V8 would compile that a second time while it runs, for which it needs 25 MB at the
// peak and 0.1 s of CPU; what comes out is hardly faster (measured: 2 % of a request).
setFlagsFromString('--liftoff-only');
// A third of what V8 inlines by default. A scan of seconds pays for optimized code that it hardly runs: 6 % of a first copy's CPU time,
// and a daemon's cycles are no slower (measured).
setFlagsFromString('--max-inlined-bytecode-size-cumulative=300');

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** No whole answer came in time. */
export class TimedOut extends Error {}

/** Rejects with `TimedOut`, the signal's reason, or undici's error. `signal` must not be aborted yet. */
export function exchange(
  pool: Pool,
  request: Dispatcher.DispatchOptions,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    pool.dispatch(request, new Exchange(resolve, reject, timeoutMs, signal));
  });
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #others: Set<Exchange> | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #givenUp: Error | undefined;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  readonly #chunks: Buffer[] = [];

  constructor(
    resolve: (reply: Reply) => void,
    reject: (error: unknown) => void,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#timer = setTimeout(() => this.giveUp(new TimedOut()), timeoutMs);
    this.#others = signal && underWayWith(signal);
    this.#others?.add(this);
  }

  /** Nobody waits for the answer any more. What is not sent yet is never sent, and a connection in use is closed. */
  giveUp(reason: Error): void {
    this.#givenUp = reason;
    this.#controller?.abort(reason);
    this.#end();
    this.#reject(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#givenUp !== undefined) controller.abort(this.#givenUp);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#end();
    const [only] = this.#chunks;
    const whole = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
    this.#resolve({ status: this.#status, headers: this.#headers, text: whole.toString() });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#others?.delete(this);
  }
}

/** Exchanges under way by the signal that ends them: one listener for each signal, however many requests there are. */
const underWay = new WeakMap<AbortSignal, Set<Exchange>>();

function underWayWith(signal: AbortSignal): Set<Exchange> {
  const known = underWay.get(signal);
  if (known !== undefined) return known;
  const exchanges = new Set<Exchange>();
  underWay.set(signal, exchanges);
  signal.addEventListener('abort', () => {
    for (const each of exchanges) each.giveUp(signal.reason);
  });
  return exchanges;
}
