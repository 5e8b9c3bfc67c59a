/**
 * Everything that one dev Consul knows, and the form of its endpoints.
 * May import: the stores and their types.
 */

import { Acl, type AclOptions, type Permissions } from './acl.ts';
import { type Answer, Refusal } from './answer.ts';
import { type BlockedEnding, BlockingQueries, type Reading } from './blocking.ts';
import type { Clock } from './clock.ts';
import { KvStore } from './kv-store.ts';
import type { QueryOptions } from './query.ts';
import { Sessions } from './sessions.ts';

export interface ConsulState {
  readonly datacenter: string;
  readonly nodeName: string;
  readonly acl: Acl;
  readonly kv: KvStore;
  readonly sessions: Sessions;
  readonly queries: BlockingQueries;
  /** The index of the next entry in the log. Writes that change nothing take one too, so indexes have gaps. */
  nextIndex(): number;
}

/** One request, decoded. */
export interface Call {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  /** Whether the path has an escape that cannot be decoded. */
  readonly isMalformed: boolean;
  /** The decoded path, as bytes (`key-bytes.ts`). */
  readonly path: string;
  /** The query as sent, without `?`. */
  readonly query: string;
  readonly params: URLSearchParams;
  /** The ACL token, `''` for none. */
  readonly token: string;
  readonly cacheControl: string;
  /** Empty where Content-Length is above what any endpoint takes. */
  readonly body: Buffer;
  /** `undefined` for a chunked body. */
  readonly contentLength: number | undefined;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** Set by a fault: how the query ends where it would block. */
  readonly blockedEnding?: BlockedEnding | undefined;
}

export type Endpoint = (state: ConsulState, call: Call) => Answer | Promise<Answer>;

interface StateOptions {
  readonly datacenter: string;
  readonly acl: AclOptions | undefined;
  readonly clock: Clock;
}

/** A fresh server. A real one has written about a dozen log entries of its own before the first of a client. */
export function createState({ datacenter, acl, clock }: StateOptions): ConsulState {
  let index = 13;
  const nextIndex = () => {
    index += 1;
    return index;
  };
  const queries = new BlockingQueries(clock);
  const kv = new KvStore((keys) => queries.changed({ table: 'kv', keys }));
  const changed = (ids: ReadonlySet<string>) => queries.changed({ table: 'sessions', ids });
  const sessions = new Sessions({ clock, kv, nextIndex, changed });
  return { datacenter, nodeName: 'vsync-dev', acl: new Acl(acl), kv, sessions, queries, nextIndex };
}

/** What the token of a call may do, in the datacenter it names. Throws a Refusal for another datacenter, or an unknown token. */
export function authorize(state: ConsulState, call: Call): Permissions {
  requireDatacenter(state, call);
  return state.acl.permissions(call.token);
}

/** This server knows its own datacenter only. Throws the 500 Refusal for any other. */
export function requireDatacenter(state: ConsulState, call: Call): void {
  const datacenter = call.params.get('dc') || state.datacenter;
  if (datacenter !== state.datacenter) throw new Refusal(500, 'No path to datacenter');
}

/** Runs a read that can block. */
export function runQuery<T>(
  state: ConsulState,
  call: Call,
  options: QueryOptions,
  read: (permissions: Permissions) => Reading<T>,
): Promise<Reading<T>> {
  const permissions = authorize(state, call);
  const wait = { ...options, signal: call.signal, ending: call.blockedEnding };
  return state.queries.run(wait, () => read(permissions));
}
