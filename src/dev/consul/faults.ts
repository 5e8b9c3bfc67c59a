/**
 * What can go wrong between a client and a Consul, for tests to order. Nothing goes wrong unless it was added.
 * May import: types of `blocking`.
 */

import type { BlockedEnding } from './blocking.ts';

/** What a fault is matched against. */
export interface FaultRequest {
  readonly method: string;
  /** Decoded path without `/v1/`. */
  readonly path: string;
  /** Path and query as sent. */
  readonly target: string;
  readonly body: string;
}

export type FaultMatch =
  | ((request: FaultRequest) => boolean)
  | {
      readonly method?: string;
      /** Tested on the decoded path without `/v1/`. */
      readonly pathPattern?: RegExp;
    };

/** An answer that takes the place of the true one. */
export interface CannedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type FaultAction =
  /** Answers this, and the request has no effect. */
  | { readonly kind: 'answer'; readonly answer: CannedAnswer }
  /** Answers this after the request took effect: what makes every 500 on a write ambiguous. */
  | { readonly kind: 'answerAfterEffect'; readonly answer: CannedAnswer }
  /** The request takes effect, and is answered, only after a while; also if the client has given up by then: a late write. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Resets the connection; the request has no effect. */
  | { readonly kind: 'reset' }
  /** Ends the connection without an answer after the request took effect. */
  | { readonly kind: 'dropReply' }
  /** Ends the connection after so many bytes of the body; status and headers are whole, and the request took effect. */
  | { readonly kind: 'cutAfterBytes'; readonly bytes: number }
  /** Never answers; the request has no effect. */
  | { readonly kind: 'hang' }
  /** The true answer with a lower index, as after a restore or a restart. Default 1. */
  | { readonly kind: 'indexBackwards'; readonly index?: number }
  /** A query that would block returns at once, with the index it was asked for, as from a server that shuts down gracefully. */
  | { readonly kind: 'oldIndex' };

export interface Fault {
  readonly match: FaultMatch;
  /** How many requests it hits; every matching one if left out. */
  readonly times?: number;
  readonly action: FaultAction;
}

/** A fault that was added. */
export interface ActiveFault {
  /** How many requests it has hit. */
  readonly hits: number;
  remove(): void;
}

/** Answers of a Consul cluster in trouble, word for word. */
export const cannedAnswers = {
  /** A real one takes about 7 s for this. */
  noLeader: { status: 500, body: 'No cluster leader' },
  /** What blocked queries get at once when the leader dies. */
  leaderLost: { status: 500, body: 'rpc error making call: EOF' },
  rateLimited: { status: 429 },
  permissionDenied: { status: 403, body: 'Permission denied' },
  emptyNotFound: { status: 404 },
} as const satisfies Record<string, CannedAnswer>;

interface Counted {
  readonly fault: Fault;
  hits: number;
}

export class Faults {
  readonly #active = new Set<Counted>();
  readonly #endBlocked: (ending: BlockedEnding) => void;

  constructor(endBlocked: (ending: BlockedEnding) => void) {
    this.#endBlocked = endBlocked;
  }

  /** Adds a fault. Of several that match a request, the one added first hits it. */
  add(fault: Fault): ActiveFault {
    const counted: Counted = { fault, hits: 0 };
    this.#active.add(counted);
    return {
      get hits() {
        return counted.hits;
      },
      remove: () => {
        this.#active.delete(counted);
      },
    };
  }

  /** Removes all faults. */
  clear(): void {
    this.#active.clear();
  }

  /** Ends all queries that are blocked now: as in a graceful shutdown (`oldIndex`), or with an answer, as when the leader is lost. */
  endBlocked(ending: BlockedEnding): void {
    this.#endBlocked(ending);
  }

  /** The action that hits a request, if any. It counts as a hit. */
  take(request: FaultRequest): FaultAction | undefined {
    for (const counted of this.#active) {
      const { match, times, action } = counted.fault;
      if (!isMatch(match, request)) continue;
      counted.hits += 1;
      if (counted.hits >= (times ?? Number.POSITIVE_INFINITY)) this.#active.delete(counted);
      return action;
    }
    return undefined;
  }
}

function isMatch(match: FaultMatch, request: FaultRequest): boolean {
  if (typeof match === 'function') return match(request);
  const { method = request.method, pathPattern } = match;
  return method === request.method && request.path.search(pathPattern ?? /^/) >= 0;
}
