import { EventEmitter } from 'node:events';
import type { Agent } from 'node:http';
import Consul from 'consul';
import { type Side, VsyncError } from '../base/errors.ts';
import { RequestGate } from '../base/request-gate.ts';
import { type RetryBudget, type RetryPolicy, withRetry } from '../base/retry.ts';
import type { Secret } from '../base/secret.ts';
import type { SecretFile } from '../base/secret-file.ts';
import {
  type Answer,
  isEntry,
  isKeyList,
  isObject,
  isTxnResult,
  isVerdict,
  type KvEntry,
  type TxnResult,
  toEntry,
  toTxnResult,
} from './answers.ts';
import { consulError, foreignAnswer } from './errors.ts';
import { type ConsulTls, consulTransport, maxSockets, openAgent } from './transport.ts';

/**
 * One Consul agent as seen by one side: key-value calls with a limit on sockets, a timeout on each call, cancellation and retries.
 * Wraps the `consul` package, whose types lack half of this and whose errors print the token.
 */

export interface ConsulClientOptions {
  readonly side: Side;
  /** e.g. `http://127.0.0.1:8500`. */
  readonly address: string;
  readonly token?: Secret | undefined;
  /** Instead of `token`: read again when it changes. */
  readonly tokenFile?: SecretFile | undefined;
  /** Another datacenter than the agent's own, reached through it. */
  readonly datacenter?: string | undefined;
  readonly namespace?: string | undefined;
  readonly partition?: string | undefined;
  readonly tls?: ConsulTls | undefined;
  readonly requestTimeoutMs: number;
  /** Requests per second, exact; unset = no limit. */
  readonly rateLimit?: number | undefined;
  readonly retry: RetryPolicy;
}

/** What a call is made with; a subset of a cycle's scope, so that calls outside a cycle need none. */
export interface ConsulScope {
  readonly signal?: AbortSignal | undefined;
  readonly budget?: RetryBudget | undefined;
}

/** One operation of a transaction, in Consul's own words. `Value` is plain text here. */
export interface TxnOperation {
  readonly Verb: 'get' | 'set' | 'cas' | 'delete' | 'check-index' | 'check-not-exists' | 'check-session';
  readonly Key: string;
  readonly Value?: string;
  readonly Index?: number;
  /** An opaque number beside the value; 0 when left out. */
  readonly Flags?: number;
  readonly Session?: string;
}

export interface BlockingAnswer {
  readonly entry: KvEntry | undefined;
  /** For the next query. */
  readonly index: string;
}

export class ConsulClient {
  readonly side: Side;
  readonly address: string;
  readonly gate: RequestGate;
  readonly #options: ConsulClientOptions;
  readonly #consul: Consul;
  readonly #agent: Agent;
  #token: Secret | undefined;
  #sent = 0;

  constructor(options: ConsulClientOptions) {
    const { address, tls = {}, token, datacenter, partition, namespace } = options;
    this.#options = options;
    this.side = options.side;
    this.address = address;
    this.gate = new RequestGate(maxSockets, options.rateLimit);
    const secure = address.startsWith('https:');
    this.#agent = openAgent(secure, tls);
    const constructorOptions = {
      baseUrl: `${address}/v1`,
      agent: this.#agent,
      // `ns` as a call option is typed and then dropped by the package; the header works.
      ...(namespace && { headers: { 'X-Consul-Namespace': namespace } }),
      defaults: {
        timeout: options.requestTimeoutMs,
        ...(datacenter && { dc: datacenter }),
        ...(partition && { partition }),
      },
    };
    this.#consul = new Consul(constructorOptions as ConstructorParameters<typeof Consul>[0]);
    this.#token = token;
    const transport = consulTransport(secure, () => this.#token);
    // The package's way to extend it, which its types lack.
    (this.#consul as unknown as PackageExtensions)._ext('onRequest', (request, next) => {
      request.transport = transport;
      next();
    });
  }

  /** How many requests were sent so far, retries included. */
  get requestsSent(): number {
    return this.#sent;
  }

  /** The entry of a key, or `undefined` when there is none. Read from the leader. Throws `CONSUL_FORBIDDEN` when it may not be read. */
  async get(key: string, scope: ConsulScope = {}): Promise<KvEntry | undefined> {
    const answer = await this.#retried(read('GET', key, isEntry), scope, (call) =>
      this.#consul.kv.get({ key, ...call } as never),
    );
    return toEntry(answer.data);
  }

  /**
   * A blocking query: answers at once when the key's index is not `index`, else when it changes or after `waitMs` (and up to a
   * sixteenth more). An answer is not a change: compare. Not retried, and not counted by the gate: it is held open on purpose.
   */
  async getBlocking(
    key: string,
    index: string,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<BlockingAnswer> {
    const wait = { index, wait: `${Math.round(waitMs / 1000)}s`, timeout: waitMs * (17 / 16) + 10_000 };
    const answer = await this.#send(read('watch', key, isEntry), signal, (call) =>
      this.#consul.kv.get({ key, ...call, ...wait } as never),
    );
    return { entry: toEntry(answer.data), index: answer.index ?? '0' };
  }

  /** Writes a key; with `cas` only if its ModifyIndex is that (0: only if it does not exist). False when the check failed. */
  async put(
    key: string,
    value: string,
    scope: ConsulScope = {},
    cas?: number,
    flags?: number,
  ): Promise<boolean> {
    const options = { key, value, ...(cas !== undefined && { cas }), ...(flags !== undefined && { flags }) };
    const answer = await this.#retried(write('PUT', key, isVerdict), scope, (call) =>
      this.#consul.kv.set({ ...options, ...call } as never),
    );
    return answer.data === true;
  }

  async delete(key: string, scope: ConsulScope = {}): Promise<void> {
    await this.#retried(write('DELETE', key, isVerdict), scope, (call) =>
      this.#consul.kv.del({ key, ...call } as never),
    );
  }

  /** The keys below a prefix, and the index that moves when any of them does. Silently without those the token may not see. */
  async keys(
    prefix: string,
    scope: ConsulScope = {},
  ): Promise<{ readonly keys: readonly string[]; readonly index: string }> {
    const answer = await this.#retried(read('list', prefix, isKeyList), scope, (call) =>
      this.#consul.kv.keys({ key: prefix, ...call } as never).catch(asAnswer(404)),
    );
    return { keys: Array.isArray(answer.data) ? answer.data : [], index: answer.index ?? '0' };
  }

  /** Applies all operations or none. At most 64, and 512 KiB as JSON with base64. */
  async transaction(operations: readonly TxnOperation[], scope: ConsulScope = {}): Promise<TxnResult> {
    const body = operations.map(({ Value, ...operation }) => ({
      KV: { ...operation, ...(Value !== undefined && { Value: Buffer.from(Value).toString('base64') }) },
    }));
    const request = write('transaction', operations.at(-1)?.Key ?? '', isTxnResult);
    // A conflict is an answer, not a failure.
    const answer = await this.#retried(request, scope, (call) =>
      this.#consul.transaction.create(body as never, call as never).catch(asAnswer(409)),
    );
    return toTxnResult(answer.data);
  }

  /** What the agent says of itself; needs `agent:read`. */
  async agentSelf(scope: ConsulScope = {}): Promise<unknown> {
    const answer = await this.#retried(read('read', '/agent/self', isObject), scope, (call) =>
      this.#consul.agent.self(call as never),
    );
    return answer.data;
  }

  /** Closes all sockets; calls under way fail. */
  close(): void {
    this.#agent.destroy();
  }

  #retried(request: Call, { signal, budget }: ConsulScope, call: PackageCall): Promise<Answer> {
    return withRetry(
      () => this.gate.run(() => this.#send(request, signal, call), signal),
      { policy: this.#options.retry, allow: (error) => !error.ambiguous },
      { signal, budget },
    );
  }

  async #send(
    { isAnswer, ...request }: Call,
    signal: AbortSignal | undefined,
    call: PackageCall,
  ): Promise<Answer> {
    const { side, address } = this;
    const { tokenFile } = this.#options;
    if (tokenFile !== undefined) this.#token = await tokenFile.current();
    signal?.throwIfAborted();
    this.#sent += 1;
    // The package knows no AbortSignal; its `ctx` is an emitter of its own for each call.
    const ctx = Object.assign(new EventEmitter(), { includeResponse: true });
    const cancel = () => ctx.emit('cancel');
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const [response, data] = (await call({ ctx })) as [PackageResponse, unknown];
      const { statusCode: status, headers } = response;
      const answer = { status, data, index: headers['x-consul-index'] };
      if (!isAnswer(answer)) throw foreignAnswer({ side, address, ...request }, status);
      return answer;
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw error instanceof VsyncError ? error : consulError({ side, address, ...request }, error);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }
}

interface PackageResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface PackageExtensions {
  _ext(event: 'onRequest', extension: (request: { transport: object }, next: () => void) => void): void;
}

/** A call of the package with the options that every call gets. */
type PackageCall = (options: { readonly ctx: EventEmitter }) => Promise<unknown>;

interface Call {
  readonly operation: string;
  readonly path: string;
  readonly writes: boolean;
  readonly isAnswer: (answer: Answer) => boolean;
}

function read(operation: string, path: string, isAnswer: Call['isAnswer']): Call {
  return { operation, path, writes: false, isAnswer };
}

function write(operation: string, path: string, isAnswer: Call['isAnswer']): Call {
  return { operation, path, writes: true, isAnswer };
}

/** Turns the package's rejection for one status back into the answer it was. */
function asAnswer(status: number) {
  return (error: { readonly statusCode?: number; readonly response?: PackageResponse }) => {
    if (error.statusCode !== status || error.response === undefined) throw error;
    return [error.response, error.response.body];
  };
}
