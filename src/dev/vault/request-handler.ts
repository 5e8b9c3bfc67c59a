import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { asLogicalError, type Core, type Snapshot } from './core.ts';
import { answerOf, errorAnswer, type HttpAnswer, refusal, type Wrap } from './envelope.ts';
import { parseDurationSeconds } from './go-time.ts';
import type { Json, JsonObject } from './json.ts';
import { type LogicalRequest, type Operation, plainError } from './logical.ts';
import { bodyFields, checkPatchType } from './request-body.ts';
import { cleanRedirect, hasPrintablePath, parseQuery, type Target } from './request-target.ts';
import type { SysStatus } from './sys-status.ts';
import { parseGoBool } from './weak-decode.ts';

/** From an HTTP request to its answer, in the order in which Vault's listener and core look at it. */

export interface HttpRequest {
  readonly verb: string;
  readonly target: Target;
  readonly headers: IncomingHttpHeaders;
  /** `undefined` if it is longer than the server accepts. */
  readonly body: Buffer | undefined;
}

export interface HandlerParts {
  readonly core: Core;
  readonly status: SysStatus;
  readonly redirectStatus: 301 | 307;
}

const operations: Readonly<Record<string, Operation>> = {
  GET: 'read',
  HEAD: 'head',
  LIST: 'list',
  SCAN: 'scan',
  POST: 'update',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
  OPTIONS: 'options',
};

/** The answer to a request. Never throws: a defect of this server is shown as a 500. */
export function answerRequest(parts: HandlerParts, request: HttpRequest, snapshot?: Snapshot): HttpAnswer {
  if (!hasPrintablePath(request.target)) return { status: 400, headers: {}, body: '' };
  const namespace = header(request.headers, 'x-vault-namespace');
  const isRoot = ['', 'root'].includes(namespace.replace(/^\/|\/$/g, ''));
  if (parts.core.flavour === 'openbao' && !isRoot) return errorAnswer(404, 'namespace not found');
  const answer = routed(parts, request, snapshot);
  if (namespace === '') return answer;
  // Vault's community edition ignores the namespace, and says it back.
  return { ...answer, headers: { ...answer.headers, 'X-Vault-Namespace': namespace } };
}

function routed(parts: HandlerParts, request: HttpRequest, snapshot?: Snapshot): HttpAnswer {
  const { target, verb } = request;
  const location = cleanRedirect(target) ?? (target.path === '/v1' ? '/v1/' : undefined);
  if (location !== undefined) return redirect(parts.redirectStatus, verb, location);
  if (target.path.startsWith('/ui/')) return { status: 404, headers: {}, body: '404 page not found\n' };
  if (!target.path.startsWith('/v1/')) return redirect(307, verb, '/ui/');
  try {
    return logicalAnswer(parts, request, snapshot);
  } catch (error) {
    return refusal(asLogicalError(error));
  }
}

/** Go's redirect: a link as the body, for GET and HEAD only. It comes before any look at the token. */
function redirect(status: 301 | 307, verb: string, location: string): HttpAnswer {
  const headers = { 'Cache-Control': 'no-store', Location: location };
  if (verb !== 'GET' && verb !== 'HEAD') return { status, headers, body: '' };
  const text = status === 301 ? 'Moved Permanently' : 'Temporary Redirect';
  return {
    status,
    headers: { ...headers, 'Content-Type': 'text/html; charset=utf-8' },
    body: `<a href="${location.replaceAll('&', '&amp;')}">${text}</a>.\n\n`,
  };
}

function logicalAnswer(parts: HandlerParts, request: HttpRequest, snapshot?: Snapshot): HttpAnswer {
  const { core, status } = parts;
  const query = parseQuery(request.target.query);
  const operation = operationOf(core, request.verb, query);
  if (typeof operation === 'number') return errorAnswer(operation);
  const logical = logicalRequest(core, request, operation, query);
  const early = status.answer(request.verb, logical, query);
  if (early !== undefined) return early;
  if (core.flavour === 'openbao' && logical.path.split('/').some((segment) => /^\.\.?$/.test(segment))) {
    throw plainError(400, 'relative paths not supported');
  }
  const wrap = wrapOf(core, request.headers);
  return answerOf(core.flavour, logical, core.handle(logical, snapshot), wrap);
}

/** The operation, or the status of the answer to a verb or `?list=` that the server does not know. */
function operationOf(core: Core, verb: string, query: Map<string, Json>): Operation | number {
  const openbao = core.flavour === 'openbao';
  if (!Object.hasOwn(operations, verb) || (verb === 'SCAN' && !openbao)) return 405;
  if (verb !== 'GET') return operations[verb] ?? 405;
  const [list, scan] = [flag(query, 'list'), openbao ? flag(query, 'scan') : false];
  if (list === undefined || scan === undefined || (list && scan)) return 400;
  if (list) query.delete('list');
  if (scan) query.delete('scan');
  return list ? 'list' : scan ? 'scan' : 'read';
}

function flag(query: JsonObject, name: string): boolean | undefined {
  const value = [query.get(name) ?? ''].flat()[0];
  return typeof value === 'string' ? parseGoBool(value) : undefined;
}

function logicalRequest(
  core: Core,
  { verb, target, headers, body }: HttpRequest,
  operation: Operation,
  query: Map<string, Json>,
): LogicalRequest {
  const contentType = header(headers, 'content-type');
  if (operation === 'patch') checkPatchType(contentType);
  query.delete('help');
  const hasBody = operation === 'update' || operation === 'patch';
  const path = target.path.slice('/v1/'.length);
  const isFolder = operation === 'list' || operation === 'scan';
  return {
    id: randomUUID(),
    operation,
    path: isFolder && !path.endsWith('/') ? `${path}/` : path,
    validUtf8: target.validUtf8,
    data: hasBody ? bodyFields(core.flavour, body, contentType) : verb === 'OPTIONS' ? new Map() : query,
    token: tokenOf(headers),
  };
}

/** `X-Vault-Token`, else `Authorization: Bearer`. */
function tokenOf(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer (.*)$/s.exec(header(headers, 'authorization'))?.[1]?.trim() ?? '';
  return header(headers, 'x-vault-token') || bearer || undefined;
}

function wrapOf(core: Core, headers: IncomingHttpHeaders): Wrap | undefined {
  const text = header(headers, 'x-vault-wrap-ttl');
  if (text === '') return undefined;
  try {
    const ttlSeconds = parseDurationSeconds(text);
    return ttlSeconds === 0 ? undefined : { ttlSeconds, now: core.clock() };
  } catch (error) {
    throw plainError(400, `error parsing X-Vault-Wrap-TTL header: ${(error as Error).message}`);
  }
}

function header(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
}
