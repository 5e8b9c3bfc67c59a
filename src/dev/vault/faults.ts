import { type CannedAnswer, type CommonFaultAction, FaultList } from '../fault-list.ts';
import type { Snapshot } from './core.ts';

/** What can go wrong between a client and a Vault, for tests to order. */

/** What a fault is matched against. */
export interface FaultRequest {
  /** LIST and SCAN also for `GET ?list=true` and `GET ?scan=true`; PUT also for POST. */
  readonly method: string;
  /** Decoded path without `/v1/`. */
  readonly path: string;
  /** Path and query as sent. */
  readonly target: string;
}

export type FaultAction =
  | CommonFaultAction
  /** Reads see the data of an earlier moment (`DevVault.snapshot()`), as on a standby that lags. */
  | { readonly kind: 'stale'; readonly snapshot: Snapshot };

export class Faults extends FaultList<FaultRequest, FaultAction> {}

const json = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
const errors = (
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = json,
): CannedAnswer => ({
  status,
  headers,
  body: `${JSON.stringify({ errors: [message] })}\n`,
});

/** Answers that real servers, and proxies before them, give in trouble. */
export const cannedAnswers = {
  sealed: errors(503, 'Vault is sealed'),
  /** Vault sends no `Retry-After` unless its operator turned that on. */
  rateLimited: (retryAfterSeconds?: number): CannedAnswer =>
    errors(429, 'request path "secret/metadata/x": rate limit quota exceeded', {
      ...json,
      ...(retryAfterSeconds !== undefined && { 'Retry-After': `${retryAfterSeconds}` }),
    }),
  internalError: errors(500, '1 error occurred:\n\t* internal error\n\n'),
  noActiveNode: errors(500, 'local node not active but active cluster node not found'),
  /** What a standby answers that cannot forward: same path and query at the active node. */
  standbyRedirect: (location: string): CannedAnswer => ({ status: 307, headers: { Location: location } }),
  upgradeRunning: errors(
    400,
    'Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will resume service shortly.',
  ),
  permissionDenied: errors(403, '1 error occurred:\n\t* permission denied\n\n'),
  /** A 404 that tells nothing: some proxies', and Vault's own to a PATCH of a missing key. */
  emptyNotFound: { status: 404 },
  /** A login page of a proxy. */
  htmlPage: {
    status: 200,
    headers: { 'Content-Type': 'text/html; charset=utf-8' },
    body: '<!DOCTYPE html><html><body>Sign in</body></html>\n',
  },
} as const;
