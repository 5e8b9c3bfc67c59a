import { type Side, VsyncError } from '../base/errors.ts';
import { parseRetryAfter } from '../base/retry.ts';

/** What a failed request to Consul means. The package's own errors hold the token when printed: only code and status leave here. */

export interface FailedConsulRequest {
  readonly side: Side;
  readonly address: string;
  /** The key or API path, unencoded. */
  readonly path: string;
  readonly operation: string;
  /** Whether it was meant to change something: then an unclear failure is ambiguous (R8). */
  readonly writes: boolean;
}

interface PackageError {
  readonly statusCode?: number;
  readonly code?: string;
  readonly name?: string;
  readonly isTimeout?: boolean;
  readonly isAbort?: boolean;
  /** The body is not the JSON that its type says; the package then leaves the status out. */
  readonly isCodec?: boolean;
  readonly response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
}

const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

export function consulError(request: FailedConsulRequest, thrown: unknown): VsyncError {
  const error = (thrown ?? {}) as PackageError;
  const status = error.statusCode ?? (error.isCodec ? error.response?.statusCode : undefined);
  if (status === undefined) return networkError(request, error);
  if (status < 300) return foreignAnswer(request, status);
  return statusError(request, status, error.response?.headers?.['retry-after']);
}

/** An answer that Consul does not give: a proxy's page, or another program at that address. It is never quoted. */
export function foreignAnswer(request: FailedConsulRequest, status: number): VsyncError {
  const { side, operation, path, writes } = request;
  return new VsyncError({
    ...about(request),
    status,
    code: 'CONSUL_REFUSED',
    retryable: !writes,
    ambiguous: writes,
    message: `the ${side} Consul gave an answer to ${operation} of ${path} that is not Consul's (${status})`,
    hint: `is ${request.address} really a Consul agent, without a proxy in between?`,
  });
}

function statusError(
  request: FailedConsulRequest,
  status: number,
  retryAfter: string | undefined,
): VsyncError {
  const { side, operation, path, writes } = request;
  const common = { ...about(request), status };
  if (status === 403) {
    return new VsyncError({
      ...common,
      code: 'CONSUL_FORBIDDEN',
      message: `the ${side} Consul refused ${operation} of ${path} (403)`,
      why: 'the ACL token is unknown, or its policies do not allow it',
      hint: `${side}.consul.token or .token_file; rule: key_prefix "${path.slice(0, path.lastIndexOf('/') + 1)}" { policy = "${writes ? 'write' : 'read'}" }`,
    });
  }
  if (status === 413) {
    return new VsyncError({
      ...common,
      code: 'CONSUL_VALUE_TOO_LARGE',
      message: `the ${side} Consul refused ${operation} of ${path}: too large (413)`,
      why: 'a value may have 524 288 bytes unless the agent allows more',
      hint: 'raise numBuckets on the origin; destinations follow',
    });
  }
  if (status === 429 || status >= 500) {
    return new VsyncError({
      ...common,
      code: 'CONSUL_UNAVAILABLE',
      retryable: true,
      ambiguous: writes && status !== 429,
      retryAfterMs: parseRetryAfter(retryAfter, Date.now()),
      message: `the ${side} Consul failed ${operation} of ${path} (${status})`,
      why:
        status === 429
          ? 'it limits the rate of requests'
          : 'no cluster leader, or a server that does not answer',
      hint: 'vsync goes on by itself when Consul does; consul operator raft list-peers',
    });
  }
  return new VsyncError({
    ...common,
    code: 'CONSUL_REFUSED',
    message: `the ${side} Consul refused ${operation} of ${path} (${status})`,
    hint: `is ${request.address} really a Consul agent, without a proxy in between?`,
  });
}

function networkError(request: FailedConsulRequest, error: PackageError): VsyncError {
  const code = error.isTimeout ? 'TIMEOUT' : (error.code ?? 'NETWORK');
  const tls = /CERT|SELF_SIGNED|UNABLE_TO_|^ERR_TLS|^ERR_SSL|EPROTO/.test(code);
  const { side } = request;
  return new VsyncError({
    ...about(request),
    code: 'CONSUL_UNREACHABLE',
    retryable: !tls,
    ambiguous: request.writes && !tls && !neverSent.has(code),
    message: `cannot reach the ${side} Consul at ${request.address}`,
    why: tls
      ? `TLS: ${code}`
      : `${code}; secrets are untouched, but without sync info there is nothing to compare`,
    hint: tls
      ? `set ${side}.consul.tls.ca_cert or .server_name`
      : `${side}.consul.address / VSYNC_${side.toUpperCase()}_CONSUL_ADDRESS; is the local agent running?`,
  });
}

function about({ side, address, path }: FailedConsulRequest) {
  return { side, server: 'consul', address, path } as const;
}
