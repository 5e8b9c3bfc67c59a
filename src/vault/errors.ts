import { exitCodes, type Side, VsyncError } from '../base/errors.ts';

/**
 * What a failed request to Vault or OpenBao means, decided by status, structure and network code, never by message text:
 * texts differ by version and flavour, and those of a failed write may quote the value that was sent.
 */

/** What a 404 says (both servers, same shapes). */
export type NotFoundKind =
  /** `{"errors":[]}`: an empty folder, a key that does not exist. The only one that is evidence of absence (R3). */
  | 'empty'
  /** `errors` with entries: no such mount, unknown namespace. */
  | 'no_mount'
  /** An envelope with `data.metadata`: the version is deleted or destroyed. */
  | 'deleted'
  /** An envelope with `data` null and warnings: the mount has another KV version, or the path is not one of it. */
  | 'wrong_path'
  /** Anything else: a proxy's answer, an empty body. Unknown, not absent. */
  | 'foreign';

/** A 404, for the caller to judge. `version` is the deleted version of `deleted`. */
export class NotFound extends Error {
  readonly kind: NotFoundKind;
  readonly version: number | undefined;

  constructor(kind: NotFoundKind, version?: number) {
    super(`not found: ${kind}`);
    this.kind = kind;
    this.version = version;
  }
}

/** The request that failed, in words that may be shown. `path` is unencoded and without the leading `v1/`. */
export interface FailedRequest {
  readonly side: Side;
  readonly address: string;
  readonly method: string;
  readonly path: string;
  /** Whether it was meant to change something: then an unclear failure is ambiguous (R8). */
  readonly writes: boolean;
}

/** Judges a 404 by the structure of its body. */
export function notFound(body: unknown): NotFound {
  if (typeof body !== 'object' || body === null) return new NotFound('foreign');
  const { errors, data, warnings } = body as { errors?: unknown; data?: unknown; warnings?: unknown };
  if (Array.isArray(errors)) return new NotFound(errors.length === 0 ? 'empty' : 'no_mount');
  if (data === null && Array.isArray(warnings)) return new NotFound('wrong_path');
  const metadata = (data as { metadata?: { version?: unknown } } | undefined)?.metadata;
  if (typeof metadata === 'object' && metadata !== null) {
    return new NotFound('deleted', typeof metadata.version === 'number' ? metadata.version : undefined);
  }
  return new NotFound('foreign');
}

/** The server's policies refused a request, whose token is good: one that is not accepted (`TOKEN_EXPIRED`) says nothing of the path. */
export function isForbidden(error: unknown): error is VsyncError {
  return error instanceof VsyncError && error.code === 'VAULT_FORBIDDEN';
}

/** A failure with an HTTP status. 404 is not one: see `notFound`. */
export function statusError(
  request: FailedRequest,
  status: number,
  retryAfterMs: number | undefined,
): VsyncError {
  const common = { ...about(request), status, retryAfterMs };
  const refused = `${vaultName(request)} refused ${request.method} ${request.path} (${status})`;
  switch (true) {
    case status === 403:
      return new VsyncError({
        ...common,
        code: 'VAULT_FORBIDDEN',
        message: refused,
        why: 'the policies of the token do not allow it',
        hint: `check it with: vault token capabilities ${request.path}`,
      });
    case status === 429:
      return new VsyncError({
        ...common,
        code: 'RATE_LIMITED',
        retryable: true,
        message: `${vaultName(request)} is limiting the rate of requests (429 on ${request.path})`,
        hint: `set ${request.side}.vault.rateLimit, lower numWorkers, or raise the quota`,
      });
    case status === 503:
      return new VsyncError({
        ...common,
        code: 'VAULT_SEALED',
        retryable: true,
        message: `the ${vaultName(request)} at ${request.address} is sealed or has no active node (503)`,
        hint: 'unseal it (`vault operator unseal`); vsync goes on by itself',
      });
    case status >= 300 && status < 400:
      return new VsyncError({
        ...common,
        code: 'VAULT_REDIRECT',
        message: `${vaultName(request)} answered ${request.method} ${request.path} with a redirect (${status})`,
        why: 'a standby that cannot forward, or a proxy; a token is never sent to another host by itself',
        hint: `set ${request.side}.vault.address to the active node or to a load balancer that follows it`,
      });
    case status === 413:
      return new VsyncError({
        ...common,
        code: 'SECRET_TOO_LARGE',
        message: refused,
        why: 'the request is too large for the server',
      });
    case status >= 500 || status === 412:
      return new VsyncError({
        ...common,
        code: 'VAULT_UNAVAILABLE',
        // One path may fail for good with a 500 (a value too large for the storage): it is the path's failure until all fail.
        class: status === 500 ? 'path' : 'transient',
        retryable: true,
        ambiguous: request.writes,
        message: `${vaultName(request)} failed ${request.method} ${request.path} (${status})`,
      });
    default:
      return new VsyncError({
        ...common,
        code: 'VAULT_REFUSED',
        // While a mount is upgraded to version 2 every read answers 400 and resumes by itself. A refused login is not sent again:
        // a few of them lock the role out.
        retryable: status === 400 && request.method === 'GET',
        message: refused,
      });
  }
}

const certificateCodes = /CERT|SELF_SIGNED|UNABLE_TO_|^ERR_TLS|^ERR_SSL/;
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** A failure without an answer: refused, reset, cut, timed out. `code` is Node's, undici's, or `TIMEOUT`. */
export function networkError(request: FailedRequest, code: string, timeoutMs: number): VsyncError {
  const tls = certificateCodes.test(code);
  const why = code === 'TIMEOUT' ? `no answer within ${timeoutMs / 1000} s` : code;
  return new VsyncError({
    ...about(request),
    code: 'VAULT_UNREACHABLE',
    retryable: !tls,
    ambiguous: request.writes && !tls && !neverSent.has(code),
    message: `cannot reach the ${vaultName(request)} at ${request.address}`,
    why: tls ? `TLS: ${code}` : why,
    hint: tls
      ? `set ${request.side}.vault.tls.ca_cert or .server_name`
      : `check ${request.side}.vault.address (or VSYNC_${request.side.toUpperCase()}_VAULT_ADDRESS); curl ${request.address}/v1/sys/health`,
  });
}

/** An answer that is not what the API promises: HTML, cut JSON, a missing field. The body is never quoted. */
export function badAnswer(request: FailedRequest, why: string): VsyncError {
  return new VsyncError({
    ...about(request),
    code: 'VAULT_BAD_ANSWER',
    retryable: !request.writes,
    ambiguous: request.writes,
    message: `${vaultName(request)} gave an answer to ${request.method} ${request.path} that is not Vault's`,
    why,
    hint: `is ${request.address} really a Vault, without a login page or a proxy in between?`,
  });
}

/** A 404 to what every Vault has, as a failure: something else answered, or the namespace is not there. Other errors as they are. */
export function unexpectedNotFound(request: FailedRequest, error: unknown): unknown {
  if (!(error instanceof NotFound)) return error;
  if (error.kind !== 'no_mount') return badAnswer(request, 'a 404 where every Vault has something');
  return new VsyncError({
    ...about(request),
    code: 'VAULT_REFUSED',
    class: 'fatal',
    exitCode: exitCodes.config,
    status: 404,
    message: `${vaultName(request)} has no ${request.path} (404)`,
    why: 'there is no such namespace',
    hint: `check ${request.side}.vault.namespace`,
  });
}

/** `origin Vault`, `destination Vault`. */
export function vaultName({ side }: Pick<FailedRequest, 'side'>): string {
  return `${side} Vault`;
}

function about({ side, address, path }: FailedRequest) {
  return { side, server: 'vault', address, path } as const;
}
