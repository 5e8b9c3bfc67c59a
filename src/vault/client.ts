import nodeVault from 'node-vault';
import type { Pool } from 'undici';
import { type Side, VsyncError } from '../base/errors.ts';
import { RequestGate } from '../base/request-gate.ts';
import { type RetryBudget, type RetryPolicy, type RetryRules, withRetry } from '../base/retry.ts';
import type { Secret } from '../base/secret.ts';
import { ActiveNode } from './active-node.ts';
import { type FailedRequest, NotFound, statusError, unexpectedNotFound } from './errors.ts';
import { Redirected, type TlsOptions, type TransportOptions, vaultTransport } from './transport.ts';

/**
 * One Vault or OpenBao server as seen by one side: its connections, its limits, its token, and requests with retries.
 * Knows nothing of secrets or mounts: `kv.ts` and `mounts.ts` do.
 */

export interface VaultClientOptions {
  readonly side: Side;
  /** e.g. `https://vault.example.net:8200`, without a path. */
  readonly address: string;
  readonly namespace?: string | undefined;
  readonly tls?: TlsOptions | undefined;
  /** Bounds the requests under way at once. */
  readonly maxInFlight: number;
  /** Find the number that brings the most, up to `maxInFlight`. */
  readonly findsConcurrency?: boolean;
  /** Requests per second, exact; unset = no limit. */
  readonly rateLimit?: number | undefined;
  readonly requestTimeoutMs: number;
  readonly retry: RetryPolicy;
}

/** Gives the token for a request, and judges a 403: see `token.ts`. */
export interface TokenProvider {
  /** At once when it is there. */
  token(signal?: AbortSignal): Secret | Promise<Secret>;
  /**
   * A request that carried `token` was refused with 403. Resolves true when there is another token to try, false when the token is
   * good and its policies refuse; throws `TOKEN_EXPIRED` when it is dead and no other can be had.
   */
  refused(token: Secret, signal?: AbortSignal): Promise<boolean>;
}

export interface VaultRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Encoded, starting with `/`, without `/v1`. */
  readonly path: string;
  /** Unencoded, for messages. */
  readonly about: string;
  /** An object, or JSON text that is sent as it is. */
  readonly body?: object | string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly parse?: (text: string) => unknown;
  /** Called at each attempt, just before it is sent. */
  readonly onSend?: () => void;
  /** Retries of this cycle are taken from here. */
  readonly budget?: RetryBudget | undefined;
  /** False for logins and health: no token is sent. */
  readonly authenticated?: boolean;
  /** Instead of the client's own; "" for the root. */
  readonly namespace?: string;
  /** True for what changes something at the server: an unclear failure is then not sent again (R8). */
  readonly writes?: boolean;
}

/** A retry that is about to be made. */
export type RetryListener = (error: VsyncError, attempt: number, delayMs: number) => void;

/** node-vault's `request`, typed: it passes our own keys on to the transport. */
type NodeVaultRequest = (
  options: TransportOptions & {
    method: string;
    path: string;
    headers: Record<string, string>;
    json: object | string | undefined;
  },
) => Promise<unknown>;

export class VaultClient {
  readonly side: Side;
  readonly address: string;
  readonly namespace: string | undefined;
  readonly gate: RequestGate;
  readonly #options: VaultClientOptions;
  readonly #retry: RetryRules;
  readonly #nodes: ActiveNode;
  readonly #request: NodeVaultRequest;
  #tokens: TokenProvider | undefined;
  #sent = 0;

  constructor(options: VaultClientOptions) {
    this.#options = options;
    this.side = options.side;
    this.address = options.address;
    this.namespace = options.namespace;
    this.#retry = { policy: options.retry, allow: (error) => !error.ambiguous };
    this.gate = new RequestGate(options.maxInFlight, options.rateLimit, options.findsConcurrency);
    this.#nodes = new ActiveNode(options.address, options.maxInFlight, options.tls);
    const client = nodeVault({
      endpoint: options.address,
      noCustomHTTPVerbs: true,
      debug: () => {},
      // It checks method and path of each request against a schema: our types do.
      tv4: Object.assign(() => {}, { validate: () => true }),
      'request-promise': vaultTransport,
    });
    // Left out or empty as options these fall through to VAULT_TOKEN and its like; assigned afterwards they stay. Token and
    // namespace go with each request instead.
    Object.assign(client, { token: '', namespace: '', pathPrefix: '' });
    this.#request = client.request as NodeVaultRequest;
  }

  /** Where tokens come from; set once, before the first authenticated request. */
  useTokens(tokens: TokenProvider): void {
    this.#tokens = tokens;
  }

  /** Hears of each retry of `request`. */
  set onRetry(listener: RetryListener) {
    this.#retry.onRetry = listener;
  }

  /** How many requests were sent so far, retries included. */
  get requestsSent(): number {
    return this.#sent;
  }

  /**
   * Sends a request and returns the parsed body ("" for 204). Throws `NotFound` for a 404, `VsyncError` for any other failure,
   * or the signal's reason.
   */
  request(request: VaultRequest): Promise<unknown> {
    return withRetry(() => this.#authenticated(request), this.#retry, request);
  }

  /**
   * Like `request`, for what every Vault has: a 404 is a failure then, not an answer. With `mayBeMissing` a 404 of Vault's own is an
   * answer, and only one that is not (a proxy's, say) a failure.
   */
  async ask(request: VaultRequest, mayBeMissing = false): Promise<unknown> {
    try {
      return await this.request(request);
    } catch (error) {
      throw this.#judged(request, error, mayBeMissing);
    }
  }

  /** Sends a request with this very token, whatever the provider says: to look a token up. */
  async requestWith(token: Secret, request: VaultRequest): Promise<unknown> {
    try {
      return await withRetry(
        () => this.gate.run(() => this.#send(request, token), request.signal),
        { policy: this.#options.retry },
        request,
      );
    } catch (error) {
      throw this.#judged(request, error, false);
    }
  }

  #judged(request: VaultRequest, error: unknown, mayBeMissing: boolean): unknown {
    if (mayBeMissing && error instanceof NotFound && error.kind !== 'foreign') return error;
    return unexpectedNotFound(this.#about(request), error);
  }

  /** Closes all connections; requests under way fail. */
  async close(): Promise<void> {
    await this.#nodes.close();
  }

  /** Tokens are fetched outside the gate: a login is a request of its own and must not wait for a place that its caller holds. */
  async #authenticated(request: VaultRequest): Promise<unknown> {
    if (request.authenticated === false)
      return this.gate.run(() => this.#send(request, undefined), request.signal);
    const tokens = this.#tokens;
    if (tokens === undefined) throw new Error(`no token provider for the ${this.side} Vault`);
    const given = tokens.token(request.signal);
    const token = given instanceof Promise ? await given : given;
    try {
      return await this.gate.run(() => this.#send(request, token), request.signal);
    } catch (error) {
      if (!(error instanceof VsyncError) || error.status !== 403) throw error;
      if (!(await tokens.refused(token, request.signal))) throw error;
      const next = await tokens.token(request.signal);
      return this.gate.run(() => this.#send(request, next), request.signal);
    }
  }

  /** Sends a request once, and once more to the active node when a standby points there: it has not acted on it. */
  async #send(request: VaultRequest, token: Secret | undefined): Promise<unknown> {
    try {
      try {
        return await this.#sendTo(this.#nodes.pool, request, token);
      } catch (error) {
        if (!(error instanceof Redirected)) throw error;
        return await this.#sendTo(await this.#follow(error.location, request), request, token);
      }
    } catch (error) {
      if (error instanceof Redirected) throw statusError(this.#about(request), 307, undefined);
      // A node that is gone, sealed or stepped down is asked no more; the configured address knows the new one.
      if (error instanceof VsyncError && error.class === 'transient' && error.status !== 429)
        this.#nodes.forget();
      throw error;
    }
  }

  /** The node that a redirect names, if the cluster announces it. Throws `VAULT_REDIRECT`. */
  async #follow(location: string, request: VaultRequest): Promise<Pool> {
    const leader = await this.#sendTo(
      this.#nodes.configured,
      { method: 'GET', path: '/sys/leader', about: 'sys/leader', namespace: '', signal: request.signal },
      undefined,
    ).catch(() => undefined);
    const { leader_address } = (leader ?? {}) as { leader_address?: unknown };
    const node = this.#nodes.follow(
      location,
      typeof leader_address === 'string' ? leader_address : undefined,
    );
    if (node === undefined) throw statusError(this.#about(request), 307, undefined);
    return node;
  }

  #sendTo(pool: Pool, request: VaultRequest, token: Secret | undefined): Promise<unknown> {
    const { method, path, body, signal, parse } = request;
    const namespace = request.namespace ?? this.namespace ?? '';
    signal?.throwIfAborted();
    this.#sent += 1;
    request.onSend?.();
    // X-Vault-Request: an Agent or Proxy in between may demand it.
    const headers: Record<string, string> = { 'X-Vault-Request': 'true' };
    if (token !== undefined) headers['X-Vault-Token'] = token.reveal();
    if (namespace !== '') headers['X-Vault-Namespace'] = namespace;
    const { requestTimeoutMs: timeoutMs } = this.#options;
    const about = this.#about(request);
    return this.#request({ pool, method, path, headers, json: body, about, signal, timeoutMs, parse });
  }

  #about({ method, about, writes = false }: VaultRequest): FailedRequest {
    return { side: this.side, address: this.address, method, path: about, writes };
  }
}
