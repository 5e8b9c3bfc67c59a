import { randomUUID } from 'node:crypto';
import type { CoreAnswer } from './core.ts';
import { formatTime } from './go-time.ts';
import { encodeJson, RawJson } from './json.ts';
import type { Auth, Flavour, LogicalError, LogicalRequest, LogicalResponse } from './logical.ts';

/** Answers as Vault puts them into HTTP. */

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** `X-Vault-Wrap-TTL`: the answer's data is withheld, and a token for it shown instead (it cannot be redeemed here). */
export interface Wrap {
  readonly ttlSeconds: number;
  readonly now: bigint;
}

const json = { 'Cache-Control': 'no-store', 'Content-Type': 'application/json' };

/** `{"errors":[…]}` and a newline; without a message, `errors` is empty: the 404 of something that is not there. */
export function errorAnswer(status: number, ...messages: string[]): HttpAnswer {
  return jsonAnswer(status, encodeJson({ errors: messages }));
}

export function refusal(error: LogicalError): HttpAnswer {
  return errorAnswer(error.status, error.message);
}

/** One line of JSON. */
export function jsonAnswer(status: number, text: string): HttpAnswer {
  return { status, headers: json, body: `${text}\n` };
}

/** What a backend answered, with the rules for empty answers: 404 for a read or a LIST without result, 204 for the rest. */
export function answerOf(
  flavour: Flavour,
  request: LogicalRequest,
  answer: CoreAnswer,
  wrap?: Wrap,
): HttpAnswer {
  const { response, mountType } = answer;
  if (response?.notFound) return notFoundAnswer(flavour, request, response);
  if (isEmpty(request, response)) return errorAnswer(404);
  if (response === undefined) return { status: 204, headers: json, body: '' };
  if (wrap !== undefined) return jsonAnswer(200, wrappedEnvelope(flavour, request, wrap));
  const text = envelope(flavour, request.id, response, mountType);
  return jsonAnswer(200, injected(request.path, response, text));
}

/** 404 with the usual envelope but no newline; with an empty body where there is nothing to say (PATCH of a missing key). */
function notFoundAnswer(flavour: Flavour, request: LogicalRequest, response: LogicalResponse): HttpAnswer {
  const bare = response.data === undefined && response.warnings === undefined;
  return { status: 404, headers: json, body: bare ? '' : envelope(flavour, request.id, response, '') };
}

function isEmpty({ operation }: LogicalRequest, response: LogicalResponse | undefined): boolean {
  if (operation === 'read') return response === undefined;
  if (operation !== 'list') return false;
  // A LIST without keys but with warnings is 200 and `"data":{}`: Vault has no paging, and warns of `after` and `limit`.
  const { data, warnings = [] } = response ?? {};
  return !(data instanceof Map && data.size > 0) && warnings.length === 0;
}

function envelope(flavour: Flavour, id: string, response: LogicalResponse, mountType: string): string {
  const { data, warnings = [], auth, leaseSeconds = 0 } = response;
  const text =
    `{"request_id":"${id}","lease_id":"","renewable":false,"lease_duration":${leaseSeconds},"data":${encodeJson(data ?? null)},` +
    `"wrap_info":null,"warnings":${warnings.length === 0 ? 'null' : encodeJson(warnings)},` +
    `"auth":${auth === undefined ? 'null' : authText(auth)}`;
  return `${text}${mountTypeField(flavour, mountType)}}`;
}

function mountTypeField(flavour: Flavour, mountType: string): string {
  return flavour === 'vault' ? `,"mount_type":${encodeJson(mountType)}` : '';
}

/** Fields in Vault's own order, which is not the sorted one. */
function authText(auth: Auth): string {
  const fields = {
    client_token: auth.clientToken,
    accessor: auth.accessor,
    policies: auth.policies,
    token_policies: auth.policies,
    metadata: auth.metadata,
    lease_duration: auth.leaseSeconds,
    renewable: auth.renewable,
    entity_id: auth.entityId,
    token_type: auth.tokenType,
    orphan: auth.orphan,
    mfa_requirement: null,
    num_uses: auth.numUses,
  };
  return `{${Object.entries(fields)
    .map(([name, value]) => `"${name}":${encodeJson(value)}`)
    .join(',')}}`;
}

const injectedPaths = /^sys\/(?:mounts(?:\/.*)?|auth(?:\/.*)?|capabilities-self)$/;

/** Some `sys/` answers show their data a second time, at the top level, for old clients. */
function injected(path: string, { data }: LogicalResponse, text: string): string {
  if (!injectedPaths.test(path) || data === undefined || data instanceof RawJson || data.size === 0)
    return text;
  return `${encodeJson(data).slice(0, -1)},${text.slice(1)}`;
}

function wrappedEnvelope(flavour: Flavour, request: LogicalRequest, wrap: Wrap): string {
  const info = {
    token: `hvs.${randomUUID()}`,
    accessor: randomUUID(),
    ttl: wrap.ttlSeconds,
    creation_time: formatTime(wrap.now),
    creation_path: request.path,
  };
  return envelope(flavour, '', {}, '').replace('"wrap_info":null', `"wrap_info":${encodeJson(info)}`);
}
