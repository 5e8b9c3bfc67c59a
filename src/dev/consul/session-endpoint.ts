/**
 * `/v1/session/…`.
 * May import: `state`, `sessions`, `session-request`, `answer`, `acl`, `query`, types of `blocking`.
 */

import { requirePermission } from './acl.ts';
import { type Answer, json, jsonString, queryMeta, Refusal } from './answer.ts';
import type { Change } from './blocking.ts';
import { parseQueryOptions, type QueryOptions } from './query.ts';
import { checkSession, decodeSession } from './session-request.ts';
import type { Session, Sessions } from './sessions.ts';
import { authorize, type Call, type ConsulState, runQuery } from './state.ts';

/** Throws the 500 Refusal for an id without a session: it cannot take a lock. */
export function requireLiveSession(sessions: Sessions, id: string): void {
  if (id === '') throw new Refusal(500, 'missing session');
  if (sessions.get(id) === undefined) throw new Refusal(500, `invalid session ${JSON.stringify(id)}`);
}

/** `PUT /v1/session/create`. A chunked body is not read: the session is then the default one. */
export function createSession(state: ConsulState, call: Call): Answer {
  const body = call.contentLength === undefined ? '' : call.body.toString('utf8');
  const fields = decodeSession(body, state.nodeName);
  const permissions = authorize(state, call);
  if (fields.node === '') throw new Refusal(500, 'Must provide Node');
  requirePermission(permissions.sessionWrite);
  const session = state.sessions.create(checkSession(fields, state.nodeName));
  return json(`{"ID":${jsonString(session.id)}}`);
}

/** `PUT /v1/session/destroy/<id>`: `true`, also for a session that is gone. */
export function destroySession(state: ConsulState, call: Call): Answer {
  const id = idOfPath(call);
  const permissions = authorize(state, call);
  if (state.sessions.get(id) !== undefined) requirePermission(permissions.sessionWrite);
  state.sessions.destroy(id);
  return json('true');
}

/** `PUT /v1/session/renew/<id>`: the session in a list, or 404. */
export function renewSession(state: ConsulState, call: Call): Answer {
  parseQueryOptions(call.params, call.cacheControl);
  const id = idOfPath(call);
  const permissions = authorize(state, call);
  const session = state.sessions.get(id);
  if (session === undefined) throw new Refusal(404, `Session id '${id}' not found`);
  requirePermission(permissions.sessionWrite);
  state.sessions.renew(session);
  return json(`[${sessionJson(session)}]`);
}

/** `GET /v1/session/info/<id>`: a list of one, or an empty one. It blocks on the index of all sessions, and wakes for its own. */
export function readSession(state: ConsulState, call: Call): Promise<Answer> {
  const options = parseQueryOptions(call.params, call.cacheControl);
  const id = idOfPath(call);
  return readSessions(state, call, options, (sessions) => {
    const session = sessions.get(id);
    if (session === undefined) return { found: [], wakes: isOfSessions };
    return { found: [session], wakes: (change) => isOfSessions(change) && change.ids.has(session.id) };
  });
}

/** `GET /v1/session/list`. */
export function listSessions(state: ConsulState, call: Call): Promise<Answer> {
  const options = parseQueryOptions(call.params, call.cacheControl);
  return readSessions(state, call, options, (sessions) => ({ found: sessions.list(), wakes: isOfSessions }));
}

interface SessionsFound {
  readonly found: readonly Session[];
  readonly wakes: (change: Change) => boolean;
}

/** A token without rights to sessions sees none. */
async function readSessions(
  state: ConsulState,
  call: Call,
  options: QueryOptions,
  find: (sessions: Sessions) => SessionsFound,
): Promise<Answer> {
  const { found, index } = await runQuery(state, call, options, (permissions) => {
    const all = find(state.sessions);
    return { ...all, found: permissions.sessionWrite ? all.found : [], index: state.sessions.index };
  });
  return json(`[${found.map(sessionJson).join(',')}]`, queryMeta(index));
}

function isOfSessions(change: Change): change is Extract<Change, { table: 'sessions' }> {
  return change.table === 'sessions';
}

/** The last part of the path. Throws the 400 Refusal where it is missing. */
function idOfPath(call: Call): string {
  const id = call.path.slice(call.path.lastIndexOf('/') + 1);
  if (id === '') throw new Refusal(400, 'Missing session');
  return id;
}

function sessionJson(session: Session): string {
  const { id, name, node, lockDelayNs, behavior, ttl, nodeChecks, createIndex } = session;
  return (
    `{"ID":${jsonString(id)},"Name":${jsonString(name)},"Node":${jsonString(node)},"LockDelay":${lockDelayNs},` +
    `"Behavior":"${behavior}","TTL":${jsonString(ttl)},"NodeChecks":${JSON.stringify(nodeChecks)},` +
    `"ServiceChecks":null,"CreateIndex":${createIndex},"ModifyIndex":${createIndex}}`
  );
}
