/**
 * What can go wrong between a client and a Consul, for tests to order.
 * May import: types of `blocking`.
 */

import { type CannedAnswer, type CommonFaultAction, FaultList } from '../fault-list.ts';
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

export type FaultAction =
  | CommonFaultAction
  /** The true answer with a lower index, as after a restore or a restart. Default 1. */
  | { readonly kind: 'indexBackwards'; readonly index?: number }
  /** A query that would block returns at once, with the index it was asked for, as from a server that shuts down gracefully. */
  | { readonly kind: 'oldIndex' };

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

export class Faults extends FaultList<FaultRequest, FaultAction> {
  readonly #endBlocked: (ending: BlockedEnding) => void;

  constructor(endBlocked: (ending: BlockedEnding) => void) {
    super();
    this.#endBlocked = endBlocked;
  }

  /** Ends all queries that are blocked now: as in a graceful shutdown (`oldIndex`), or with an answer, as when the leader is lost. */
  endBlocked(ending: BlockedEnding): void {
    this.#endBlocked(ending);
  }
}
