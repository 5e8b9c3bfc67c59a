/**
 * From a request to its endpoint.
 * May import: the endpoints, `state`, `answer`, `request-path`.
 */

import { readDatacenters, readLeader, readPeers, readSelf } from './agent-endpoint.ts';
import { type Answer, bare, Refusal, text } from './answer.ts';
import { deleteKv, putKv } from './kv-change.ts';
import { readKv } from './kv-read.ts';
import { cleanPath, hasMalformedEscape, isUnprintable, redirect } from './request-path.ts';
import {
  createSession,
  destroySession,
  listSessions,
  readSession,
  renewSession,
} from './session-endpoint.ts';
import type { Call, ConsulState, Endpoint } from './state.ts';
import { runTxn } from './txn.ts';

/** By path, then by method, in the order of the `Allow` header. A path that ends in `/` is a prefix. */
const routes: Readonly<Record<string, Readonly<Record<string, Endpoint>>>> = {
  '/v1/kv/': { GET: readKv, PUT: putKv, DELETE: deleteKv },
  '/v1/txn': { PUT: runTxn },
  '/v1/session/create': { PUT: createSession },
  '/v1/session/destroy/': { PUT: destroySession },
  '/v1/session/renew/': { PUT: renewSession },
  '/v1/session/info/': { GET: readSession },
  '/v1/session/list': { GET: listSessions },
  '/v1/status/leader': { GET: readLeader },
  '/v1/status/peers': { GET: readPeers },
  '/v1/agent/self': { GET: readSelf },
  '/v1/catalog/datacenters': { GET: readDatacenters },
};
const prefixes = Object.keys(routes).filter((path) => path.endsWith('/'));

/** Answers a call. Never throws: what an endpoint refuses is an answer, and so is a defect of this server, a 500. */
export async function answerCall(state: ConsulState, call: Call): Promise<Answer> {
  const { method, path, query } = call;
  if (call.isMalformed) return { ...text(400, '400 Bad Request'), headers: { Connection: 'close' } };
  if (isUnprintable(path)) return bare(400);
  const clean = cleanPath(path);
  const target = prefixes.includes(`${clean}/`) ? `${clean}/` : clean;
  if (target !== path) return redirect(method, target, query);
  const methods = routes[prefixes.find((prefix) => path.startsWith(prefix)) ?? path];
  if (methods === undefined) return bare(404);
  return runEndpoint(methods, state, call);
}

async function runEndpoint(
  methods: Readonly<Record<string, Endpoint>>,
  state: ConsulState,
  call: Call,
): Promise<Answer> {
  if (hasMalformedEscape(call.query)) return text(500, '');
  const allow = { Allow: ['OPTIONS', ...Object.keys(methods)].join(',') };
  if (call.method === 'OPTIONS') return text(200, '', allow);
  const endpoint = methods[call.method];
  if (endpoint === undefined) return text(405, `method ${call.method} not allowed`, allow);
  try {
    return await endpoint(state, call);
  } catch (error) {
    if (error instanceof Refusal) return text(error.status, error.message);
    return text(500, `the dev Consul has a defect: ${String(error)}`);
  }
}
