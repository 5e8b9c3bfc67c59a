/** Failures that a test orders of an in-memory server. None happens unless it was added. */

/** An answer that takes the place of the true one. */
export interface CannedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What can go wrong at any server. */
export type CommonFaultAction =
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
  | { readonly kind: 'hang' };

interface Addressed {
  readonly method: string;
  /** Decoded path without `/v1/`. */
  readonly path: string;
}

export interface Fault<Request extends Addressed, Action> {
  readonly match:
    | ((request: Request) => boolean)
    | {
        readonly method?: string;
        /** Tested on the decoded path without `/v1/`. */
        readonly pathPattern?: RegExp;
      };
  /** How many requests it hits; every matching one if left out. */
  readonly times?: number;
  readonly action: Action;
}

/** A fault that was added. */
export interface ActiveFault {
  /** How many requests it has hit. */
  readonly hits: number;
  remove(): void;
}

export class FaultList<Request extends Addressed, Action> {
  readonly #active = new Set<{ readonly fault: Fault<Request, Action>; hits: number }>();

  /** Adds a fault. Of several that match a request, the one added first hits it. */
  add(fault: Fault<Request, Action>): ActiveFault {
    const counted = { fault, hits: 0 };
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

  /** The action that hits a request, if any. It counts as a hit. */
  take(request: Request): Action | undefined {
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

function isMatch<Request extends Addressed>(
  match: Fault<Request, unknown>['match'],
  request: Request,
): boolean {
  if (typeof match === 'function') return match(request);
  const { method = request.method, pathPattern } = match;
  return method === request.method && request.path.search(pathPattern ?? /^/) >= 0;
}
