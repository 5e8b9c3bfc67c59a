import type { EncodableMap, JsonObject, RawJson } from './json.ts';

/** The request and answer that pass between HTTP and the backends, as Vault's `logical` package has them. */

/** What a request wants. `create` is an `update` of something that is not there yet; `head` and `options` are supported nowhere. */
export type Operation =
  | 'create'
  | 'read'
  | 'update'
  | 'patch'
  | 'delete'
  | 'list'
  | 'scan'
  | 'head'
  | 'options';

export type Flavour = 'vault' | 'openbao';

export interface LogicalRequest {
  readonly id: string;
  readonly operation: Operation;
  /** Decoded path without `/v1/`. LIST and SCAN always end in `/`. */
  readonly path: string;
  /** False if the decoded path holds bytes that are no UTF-8. */
  readonly validUtf8: boolean;
  /** Fields of the body or the query. */
  readonly data: JsonObject;
  readonly token: string | undefined;
}

/** The `auth` block of a login, a token creation or a renewal. */
export interface Auth {
  readonly clientToken: string;
  readonly accessor: string;
  readonly policies: readonly string[];
  readonly metadata: ReadonlyMap<string, string> | null;
  readonly leaseSeconds: number;
  readonly renewable: boolean;
  readonly entityId: string;
  readonly tokenType: 'service' | 'batch';
  readonly orphan: boolean;
  readonly numUses: number;
}

export interface LogicalResponse {
  readonly data?: EncodableMap | RawJson;
  readonly warnings?: readonly string[];
  readonly auth?: Auth;
  /** `lease_duration` of a KV v1 read. */
  readonly leaseSeconds?: number;
  /** Answer 404 with this body (none without `data` and `warnings`): deleted version, wrong path, PATCH of a missing key. */
  readonly notFound?: boolean;
}

/**
 * A refused request. `plain` errors come from a backend and are shown as they are; others pass through Vault's core,
 * which wraps them: `1 error occurred:\n\t* permission denied\n\n`.
 */
export class LogicalError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** An error shown as it is. */
export function plainError(status: number, message: string): LogicalError {
  return new LogicalError(status, message);
}

/** An error, or several, in the core's wrapping. */
export function wrappedError(status: number, ...messages: string[]): LogicalError {
  return new LogicalError(status, wrapMessages(messages));
}

/** Go's multierror text. */
export function wrapMessages(messages: readonly string[]): string {
  const title = messages.length === 1 ? '1 error occurred:' : `${messages.length} errors occurred:`;
  return `${title}\n\t${messages.map((message) => `* ${message}`).join('\n\t')}\n\n`;
}

export const unsupportedOperation = () => wrappedError(405, 'unsupported operation');
export const unsupportedPath = () => wrappedError(404, 'unsupported path');

/** A response whose `data` lists `keys`; without keys it is empty, which HTTP shows as a 404. */
export function listResponse(keys: readonly string[]): LogicalResponse {
  return { data: new Map(keys.length === 0 ? [] : [['keys', keys]]) };
}
