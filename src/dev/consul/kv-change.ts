/**
 * `PUT` and `DELETE /v1/kv/…`.
 * May import: `state`, `kv-read`, `kv-operations`, `query`, `limits`, `acl`, `answer`, `uint64`.
 */

import { requirePermission } from './acl.ts';
import { type Answer, json, Refusal } from './answer.ts';
import { type KvContent, lock, removeIfIndex, set, setIfIndex, unlock } from './kv-operations.ts';
import { keyOfPath, requireKey } from './kv-read.ts';
import type { KvWrite } from './kv-store.ts';
import { refuseLongBody } from './limits.ts';
import { parseQueryOptions } from './query.ts';
import { requireLiveSession } from './session-endpoint.ts';
import { authorize, type Call, type ConsulState } from './state.ts';
import { parseUint64 } from './uint64.ts';

/** Answers a PUT: `true`, or `false` where check-and-set or the lock said no. */
export function putKv(state: ConsulState, call: Call): Answer {
  const { params } = call;
  parseQueryOptions(params, call.cacheControl);
  const key = requireKey(call);
  refuseConflict(params, ['cas', 'acquire', 'release']);
  const flags = uint64Parameter(params, 'flags') ?? 0n;
  const index = uint64Parameter(params, 'cas');
  refuseLongBody(call, 'kv_max_value_size');
  requirePermission(authorize(state, call).writeKey(key));
  const content = { key, value: call.body, flags };
  const acquire = params.get('acquire');
  const release = params.get('release');
  if (release !== null) return apply(state, (write) => giveBack(write, content, release));
  if (acquire !== null) return acquireLock(state, content, acquire);
  if (index !== undefined) return apply(state, (write) => setIfIndex(write, content, index) !== undefined);
  return apply(state, (write) => set(write, content) !== undefined);
}

/** Answers a DELETE: `true` even where nothing was there. `recurse` goes by string prefix: `app` takes `apple` too. */
export function deleteKv(state: ConsulState, call: Call): Answer {
  const { params } = call;
  parseQueryOptions(params, call.cacheControl);
  refuseConflict(params, ['recurse', 'cas']);
  const isTree = params.has('recurse');
  const key = isTree ? keyOfPath(call.path) : requireKey(call);
  const index = uint64Parameter(params, 'cas');
  const permissions = authorize(state, call);
  requirePermission(isTree ? permissions.writeTree(key) : permissions.writeKey(key));
  if (index !== undefined) return apply(state, (write) => removeIfIndex(write, key, index));
  return apply(state, (write) => {
    if (isTree) write.removeTree(key);
    else write.remove(key);
    return true;
  });
}

/** The lock delay comes first: during it even a session that is dead gets `false`, not an error. */
function acquireLock(state: ConsulState, content: KvContent, session: string): Answer {
  if (state.sessions.isDelayed(content.key)) return json('false');
  requireLiveSession(state.sessions, session);
  return apply(state, (write) => lock(write, content, session) !== undefined);
}

function giveBack(write: KvWrite, content: KvContent, session: string): boolean {
  if (session === '') throw new Refusal(500, 'missing session');
  return unlock(write, content, session) !== undefined;
}

function apply(state: ConsulState, run: (write: KvWrite) => boolean): Answer {
  const isApplied = state.kv.write(state.nextIndex(), run, (done) => done);
  return json(String(isApplied));
}

function uint64Parameter(params: URLSearchParams, name: string): bigint | undefined {
  const value = params.get(name);
  if (value === null) return undefined;
  const parsed = parseUint64(value);
  if (typeof parsed === 'bigint') return parsed;
  throw new Refusal(500, `strconv.ParseUint: parsing ${JSON.stringify(value)}: ${parsed}`);
}

/** At most one of these parameters at a time. Throws the 400 Refusal, which shows the whole query in the order of its names. */
function refuseConflict(params: URLSearchParams, exclusive: readonly string[]): void {
  if (exclusive.filter((name) => params.has(name)).length < 2) return;
  const sorted = new URLSearchParams(params);
  sorted.sort();
  throw new Refusal(400, `Conflicting flags: ${sorted}`);
}
