import { type Dispatcher, Pool } from 'undici';
import { parseRetryAfter } from '../base/retry.ts';
import { badAnswer, type FailedRequest, networkError, notFound, statusError } from './errors.ts';
import { exchange, type Reply, TimedOut } from './exchange.ts';

/**
 * The HTTP transport under node-vault: an undici pool for one server. It takes the place of node-vault's own one (axios), which has
 * no timeout, follows redirects with the token, and puts tokens and secrets into its errors.
 * Redirects are not followed, no environment variable is read, and no error quotes a body.
 */

/** TLS material, PEM text. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  readonly skipVerify?: boolean;
}

/** What a call passes through node-vault to this transport, besides `method`, `path`, `headers` and `json`. */
export interface TransportOptions {
  /** The connections to send it over. */
  readonly pool: Pool;
  /** For messages and errors. */
  readonly about: FailedRequest;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** Reads the body of a success, by default a JSON object. What it throws becomes "not Vault's answer". */
  readonly parse?: ((text: string) => unknown) | undefined;
}

/** The request as node-vault hands it over (`request-promise` hook: one object per call, our own keys unchanged). */
interface HookRequest extends TransportOptions {
  readonly method: string;
  readonly uri: string;
  readonly headers: Record<string, string>;
  /** A string is sent as it is: a secret's value travels as the text that was read. */
  readonly json?: unknown;
}

/** Opens a pool of connections to one server. `connections` bounds its sockets. */
export function openPool(address: string, connections: number, tls: TlsOptions = {}): Pool {
  return new Pool(new URL(address).origin, {
    connections,
    connect: {
      ...(tls.ca !== undefined && { ca: tls.ca }),
      ...(tls.cert !== undefined && { cert: tls.cert }),
      ...(tls.key !== undefined && { key: tls.key }),
      ...(tls.serverName !== undefined && { servername: tls.serverName }),
      ...(tls.skipVerify && { rejectUnauthorized: false }),
    },
    // Each call has its own deadline over connect, headers and body together.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/** A standby points to the active node (307). Whether that is followed is decided by `active-node.ts`. */
export class Redirected extends Error {
  readonly location: string;

  constructor(location: string) {
    super('redirected');
    this.location = location;
  }
}

/**
 * The `request-promise` option of node-vault. Resolves 200 and 204; throws `NotFound` for a 404, `Redirected` for a 307, a `VsyncError`
 * for everything else, or the reason of the caller's signal.
 */
export const vaultTransport = { defaults: () => send };

async function send(request: HookRequest) {
  const { pool, about, signal, timeoutMs, headers, json } = request;
  signal?.throwIfAborted();
  // An object of this request alone, like all that node-vault hands over.
  if (json !== undefined) headers['Content-Type'] ??= 'application/json';
  let reply: Reply;
  try {
    reply = await exchange(
      pool,
      {
        method: request.method as Dispatcher.HttpMethod,
        path: request.uri.slice(request.uri.indexOf('/', request.uri.indexOf('://') + 3)),
        headers,
        body: bodyOf(json),
      },
      timeoutMs,
      signal,
    );
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw networkError(about, error instanceof TimedOut ? 'TIMEOUT' : codeOf(error), timeoutMs);
  }
  return answer(request, reply);
}

function answer(request: HookRequest, { status, headers, text }: Reply) {
  const { about } = request;
  if (status === 200 || status === 204) {
    // Who wants something to be read gets no 204; a 200 without a body is not Vault's at all.
    const body = status === 204 && request.parse === undefined ? '' : parseBody(request, text);
    // node-vault matches `request.path` against sys/health, and would then take an error for an answer: give it none.
    return { statusCode: status, body, request: { path: '' } };
  }
  if (status === 404) throw notFound(parseLoosely(text));
  const { location } = headers;
  if (status === 307 && location !== undefined) throw new Redirected(location);
  throw statusError(about, status, parseRetryAfter(headers['retry-after'], Date.now()));
}

function parseBody({ parse = parseObject, about }: HookRequest, text: string): unknown {
  try {
    return parse(text);
  } catch {
    // The error of a parser quotes its input, perhaps a secret: it is dropped.
    throw badAnswer(about, 'it is not the JSON that was expected');
  }
}

function parseObject(text: string): object {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new SyntaxError('no object');
  return parsed;
}

function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function bodyOf(json: unknown): string | null {
  if (json === undefined) return null;
  return typeof json === 'string' ? json : JSON.stringify(json);
}

function codeOf(error: unknown): string {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } };
  return String(code ?? cause?.code ?? 'NETWORK');
}
