import type { Snapshot } from './core.ts';

/** Failures that a test switches on. None happens unless it was added. */

/** What a fault is matched against. */
export interface FaultRequest {
  /** LIST and SCAN also for `GET ?list=true` and `GET ?scan=true`; PUT also for POST. */
  readonly method: string;
  /** Decoded path without `/v1/`. */
  readonly path: string;
  /** Path and query as sent. */
  readonly target: string;
}

/** An answer that takes the place of the real one. A `Content-Length` is added. */
export interface CannedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type FaultAction =
  /** Answers this, and the request has no effect. */
  | { readonly kind: 'answer'; readonly answer: CannedAnswer }
  /** Answers this after the request took effect: an ambiguous 500. */
  | { readonly kind: 'answerAfterEffect'; readonly answer: CannedAnswer }
  /** Waits, then answers as usual. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Resets the connection; the request has no effect. */
  | { readonly kind: 'reset' }
  /** Closes the connection without an answer after the request took effect. */
  | { readonly kind: 'dropReply' }
  /** Closes the connection after so many bytes of the body; status and headers are whole, and the request took effect. */
  | { readonly kind: 'cutAfterBytes'; readonly bytes: number }
  /** Never answers; the request has no effect. */
  | { readonly kind: 'hang' }
  /** Reads see the data of an earlier moment (`DevVault.snapshot()`), as on a standby that lags. */
  | { readonly kind: 'stale'; readonly snapshot: Snapshot };

export interface Fault {
  readonly match:
    | ((request: FaultRequest) => boolean)
    | { readonly method?: string; readonly pathPattern?: RegExp };
  /** How many requests it hits; without a number, all until it is removed. */
  readonly times?: number;
  readonly action: FaultAction;
}

/** A fault that was added. */
export interface ActiveFault {
  /** Requests hit so far. */
  readonly hits: number;
  remove(): void;
}

export class Faults {
  readonly #active = new Set<{ readonly fault: Fault; hits: number }>();

  /** Switches a fault on. Of several that match a request, the one added first hits. */
  add(fault: Fault): ActiveFault {
    const entry = { fault, hits: 0 };
    this.#active.add(entry);
    return {
      get hits() {
        return entry.hits;
      },
      remove: () => {
        this.#active.delete(entry);
      },
    };
  }

  clear(): void {
    this.#active.clear();
  }

  /** The action for a request, counted as a hit. */
  take(request: FaultRequest): FaultAction | undefined {
    for (const entry of this.#active) {
      const { fault } = entry;
      if (!matches(fault.match, request)) continue;
      entry.hits += 1;
      if (fault.times !== undefined && entry.hits >= fault.times) this.#active.delete(entry);
      return fault.action;
    }
    return undefined;
  }
}

function matches(match: Fault['match'], request: FaultRequest): boolean {
  if (typeof match === 'function') return match(request);
  const { method, pathPattern } = match;
  return (method ?? request.method) === request.method && request.path.search(pathPattern ?? /^/) >= 0;
}

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
