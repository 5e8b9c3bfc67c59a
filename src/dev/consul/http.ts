/**
 * One HTTP request of the dev Consul, from the socket and back, with the fault that hits it.
 * May import: `router`, `faults`, `request-log`, `request-path`, `limits`, `send`, `state`, `answer`, `key-bytes`, types of `clock` and `fault-list`.
 */

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { CannedAnswer } from '../fault-list.ts';
import { type Answer, indexHeader, text, withHeaders } from './answer.ts';
import type { Clock } from './clock.ts';
import type { FaultAction, FaultRequest, Faults } from './faults.ts';
import { textOfKey } from './key-bytes.ts';
import { longestBody } from './limits.ts';
import type { RequestLog } from './request-log.ts';
import { decodePath, hasMalformedEscape } from './request-path.ts';
import { answerCall } from './router.ts';
import { send, sendCut } from './send.ts';
import type { Call, ConsulState } from './state.ts';

export interface HttpNeeds {
  readonly state: ConsulState;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly clock: Clock;
  /** Aborted when the server closes. */
  readonly closing: AbortSignal;
}

/** Serves one request. A client that goes away in the middle ends its request and nothing else. */
export async function serve(
  needs: HttpNeeds,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { state, faults, requests, clock, closing } = needs;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  requests.add(request.method ?? '', request.url ?? '');
  const body = await readBody(request).catch(() => undefined);
  if (body === undefined) return;
  const call = callOf(request, body, gone.signal);
  const action = faults.take(faultRequestOf(call));
  if (action?.kind === 'hang') return;
  if (action?.kind === 'reset') {
    request.socket.resetAndDestroy();
    return;
  }
  if (action?.kind === 'delay') await pause(clock, action.ms, closing);
  if (closing.aborted) return;
  const answer = await answerWith(state, call, action);
  if (gone.signal.aborted) return;
  if (action?.kind === 'dropReply') request.socket.destroy();
  else if (action?.kind === 'cutAfterBytes') sendCut(response, answer, action.bytes);
  else await send(request, response, answer);
}

/** The true answer, or the one that a fault puts in its place. */
async function answerWith(state: ConsulState, call: Call, action: FaultAction | undefined): Promise<Answer> {
  switch (action?.kind) {
    case 'answer':
      return canned(action.answer);
    case 'answerAfterEffect':
      await trueAnswer(state, call);
      return canned(action.answer);
    case 'oldIndex':
      return trueAnswer(state, { ...call, blockedEnding: 'oldIndex' });
    case 'indexBackwards': {
      const answer = await trueAnswer(state, call);
      const index = { [indexHeader]: String(action.index ?? 1) };
      return indexHeader in answer.headers ? withHeaders(answer, index) : answer;
    }
    default:
      return trueAnswer(state, call);
  }
}

function canned({ status, body = '', headers }: CannedAnswer): Answer {
  return text(status, body, headers);
}

/** A body above the limit was not kept, and the connection ends with the answer, as in Consul. */
async function trueAnswer(state: ConsulState, call: Call): Promise<Answer> {
  const answer = await answerCall(state, call);
  return isTooLong(call.contentLength) ? withHeaders(answer, { Connection: 'close' }) : answer;
}

function callOf(request: IncomingMessage, body: Buffer, signal: AbortSignal): Call {
  const { method = '', url: target = '', headers } = request;
  const at = target.indexOf('?');
  const [path, query] = at === -1 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
  const params = new URLSearchParams(query);
  return {
    method,
    target,
    isMalformed: hasMalformedEscape(path),
    path: decodePath(path),
    query,
    params,
    token: tokenOf(headers, params),
    cacheControl: headers['cache-control'] ?? '',
    body,
    contentLength: contentLengthOf(headers),
    signal,
  };
}

function faultRequestOf({ method, path, target, body }: Call): FaultRequest {
  return {
    method,
    path: textOfKey(path).replace(/^\/v1\//, ''),
    target,
    get body() {
      return body.toString('utf8');
    },
  };
}

/** The body; empty where Content-Length is above every limit: it is then read and thrown away, so that the client gets the 413. */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const isKept = !isTooLong(contentLengthOf(request.headers));
  for await (const chunk of request) if (isKept) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function isTooLong(contentLength: number | undefined): boolean {
  return (contentLength ?? 0) > longestBody;
}

/** `undefined` for a chunked body; 0 where there is none. */
function contentLengthOf(headers: IncomingHttpHeaders): number | undefined {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : undefined;
}

/** `?token=`, then `X-Consul-Token`, then `Authorization: Bearer`. */
function tokenOf(headers: IncomingHttpHeaders, params: URLSearchParams): string {
  const header = headers['x-consul-token'];
  const [, bearer] = /^bearer\s+(\S+)/i.exec(headers.authorization ?? '') ?? [];
  return params.get('token') || (typeof header === 'string' && header) || bearer || '';
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    signal.addEventListener('abort', end);
  });
}
