import {
  type Backend,
  type BackendPath,
  backendOf,
  type Fields,
  type FieldTypes,
  type Handler,
} from './framework.ts';
import { formatTime, nsPerSecond, parseDurationSeconds } from './go-time.ts';
import type { Encodable } from './json.ts';
import { type LogicalRequest, type LogicalResponse, plainError } from './logical.ts';
import type { PolicyStore } from './policies.ts';
import { authOf, sanitizePolicies, type Token, type TokenStore } from './tokens.ts';
import { grantTtl, positive } from './ttl.ts';
import { weakString } from './weak-decode.ts';

/** `auth/token/`: tokens that make, look up, renew and revoke tokens. */

export interface TokenBackendParts {
  readonly flavour: 'vault' | 'openbao';
  readonly tokens: TokenStore;
  readonly policies: PolicyStore;
  readonly clock: () => bigint;
}

const createFields: FieldTypes = {
  id: 'string',
  policies: 'stringList',
  ttl: 'string',
  period: 'string',
  explicit_max_ttl: 'string',
  num_uses: 'int',
  no_default_policy: 'bool',
  no_parent: 'bool',
  type: 'string',
  renewable: 'bool',
  display_name: 'string',
  meta: 'map',
};

export function tokenBackend(parts: TokenBackendParts): Backend {
  const own: Handler = (_fields, request) => lookup(parts, request.token ?? '');
  return backendOf([
    path('create', createFields, { update: (fields, request) => create(parts, fields, request, false) }),
    path('create-orphan', createFields, {
      update: (fields, request) => create(parts, fields, request, true),
    }),
    path('lookup-self', { token: 'string' }, { read: own, update: own }),
    path('lookup', { token: 'string' }, { update: (fields) => lookup(parts, fields.string('token')) }),
    path(
      'renew-self',
      { token: 'string', increment: 'duration' },
      { update: (fields, request) => renew(parts, request.token ?? '', fields) },
    ),
    path(
      'renew',
      { token: 'string', increment: 'duration' },
      { update: (fields) => renew(parts, fields.string('token'), fields) },
    ),
    path('revoke-self', {}, { update: (_fields, request) => revoke(parts, request.token ?? '') }),
    path('revoke', { token: 'string' }, { update: (fields) => revoke(parts, fields.string('token')) }),
  ]);
}

function path(name: string, fields: FieldTypes, operations: BackendPath['operations']): BackendPath {
  return { pattern: new RegExp(`^${name}$`), fields, operations };
}

function create(
  parts: TokenBackendParts,
  fields: Fields,
  request: LogicalRequest,
  orphan: boolean,
): LogicalResponse {
  const parent = parentOf(parts, request);
  const isSudo = parts.policies.aclOf(parent.policies).isSudo('update', `auth/token/${request.path}`);
  const type = tokenType(fields);
  if (fields.int('num_uses') < 0) throw plainError(400, 'number of uses cannot be negative');
  const policies = childPolicies(fields, parent, isSudo);
  checkPrivileges(fields, isSudo);
  if (policies.includes('root')) checkRootChild(parent, type);
  const { ttl, period, explicitMaxTtl, warnings } = childTtl(fields, policies);
  const token = parts.tokens.create({
    id: fields.string('id') || undefined,
    policies,
    type,
    displayName: displayName(fields.string('display_name')),
    path: `auth/token/${request.path}`,
    meta: fields.has('meta') ? metaOf(fields) : null,
    entityId: '',
    parent: orphan || fields.bool('no_parent') ? undefined : parent.id,
    renewable: type === 'service' && ttl > 0 && (!fields.has('renewable') || fields.bool('renewable')),
    creationTtl: ttl,
    period,
    explicitMaxTtl,
    maxTtl: 0,
    numUses: fields.int('num_uses'),
  });
  return { auth: authOf(token), warnings: [...warnings, ...creationWarnings(parts, fields, token)] };
}

/** The request's token, if it is one that may have children. */
function parentOf(parts: TokenBackendParts, request: LogicalRequest): Token {
  const parent = parts.tokens.lookup(request.token ?? '');
  if (parent === undefined) throw plainError(400, 'parent token lookup failed: no parent found');
  if (parent.type === 'batch') throw plainError(400, 'batch tokens cannot create more tokens');
  if (parent.numUses > 0) throw plainError(400, 'restricted use token cannot generate child tokens');
  return parent;
}

function creationWarnings(parts: TokenBackendParts, fields: Fields, token: Token): string[] {
  const custom =
    'Supplying a custom ID for the token uses the weaker SHA1 hashing instead of the more secure SHA2-256 HMAC for token obfuscation. ' +
    'SHA1 hashed tokens on the wire leads to less secure lookups.';
  const unknown = token.policies.filter((name) => parts.policies.text(name) === undefined);
  return [
    ...(fields.string('id') === '' ? [] : [custom]),
    ...unknown.map((name) => `Policy "${name}" does not exist`),
  ];
}

function tokenType(fields: Fields): 'service' | 'batch' {
  const type = fields.string('type');
  if (type === '' || type === 'service') return 'service';
  if (type !== 'batch') throw plainError(400, "invalid 'token_type' value");
  for (const name of ['explicit_max_ttl', 'num_uses', 'period']) {
    const value = name === 'num_uses' ? fields.int(name) : seconds(fields, name);
    if (value !== 0) throw plainError(400, `batch tokens cannot have "${name}" set`);
  }
  return 'batch';
}

/** Policies of the child: its parent's by default, else a subset of them unless the parent has root's powers here. */
function childPolicies(fields: Fields, parent: Token, isSudo: boolean): string[] {
  const asked = fields.strings('policies');
  const withoutDefault = fields.bool('no_default_policy');
  let addDefault = isSudo && asked.length > 0;
  if (!isSudo && asked.length > 0) {
    const allowed = new Set(parent.policies);
    if (
      !parent.policies.includes('root') &&
      !sanitizePolicies(asked, false).every((name) => allowed.has(name))
    ) {
      throw plainError(400, 'child policies must be subset of parent');
    }
    addDefault = parent.policies.includes('default');
  }
  const policies = sanitizePolicies(
    asked.length > 0 ? asked : parent.policies,
    addDefault && !withoutDefault,
  );
  return withoutDefault ? policies.filter((name) => name !== 'default') : policies;
}

function checkPrivileges(fields: Fields, isSudo: boolean): void {
  if (isSudo) return;
  const needs = (what: string) => plainError(400, `root or sudo privileges required to ${what}`);
  if (fields.string('id') !== '') throw needs('specify token id');
  if (fields.bool('no_parent')) throw needs('create orphan token');
  if (seconds(fields, 'period') > 0) throw needs('create periodic token');
}

function checkRootChild(parent: Token, type: 'service' | 'batch'): void {
  if (!parent.policies.includes('root')) {
    throw plainError(400, 'root tokens may not be created without parent token being root');
  }
  if (type === 'batch') throw plainError(400, 'batch tokens cannot be root tokens');
}

function childTtl(fields: Fields, policies: readonly string[]) {
  const explicitMaxTtl = positive('explicit_max_ttl', seconds(fields, 'explicit_max_ttl'));
  const period = positive('period', seconds(fields, 'period'));
  const asked = positive('ttl', seconds(fields, 'ttl'));
  // A root token without a TTL of its own never expires.
  if (policies.includes('root') && asked === 0 && period === 0) {
    return { ttl: explicitMaxTtl, period, explicitMaxTtl, warnings: [] };
  }
  const granted = grantTtl({ increment: 0, ttl: asked, period, maxTtl: 0, explicitMaxTtl, age: 0 });
  return { ...granted, period, explicitMaxTtl };
}

function seconds(fields: Fields, name: string): number {
  try {
    return parseDurationSeconds(fields.string(name));
  } catch (error) {
    throw plainError(400, (error as Error).message);
  }
}

function displayName(name: string): string {
  return name === '' ? 'token' : `token-${name}`.replaceAll(/[^a-zA-Z0-9-]/g, '-').replace(/-$/, '');
}

function metaOf(fields: Fields): ReadonlyMap<string, string> {
  return new Map([...(fields.map('meta') ?? [])].map(([key, value]) => [key, weakString(value)]));
}

function lookup(parts: TokenBackendParts, id: string): LogicalResponse {
  const token = parts.tokens.lookup(id);
  if (token === undefined) throw plainError(403, 'bad token');
  const now = parts.clock();
  const data = new Map<string, Encodable>([
    ['accessor', token.accessor],
    ['creation_time', Number(token.issueTime / nsPerSecond)],
    ['creation_ttl', token.creationTtl],
    ['display_name', token.displayName],
    ['entity_id', token.entityId],
    ['expire_time', token.expireTime === undefined ? null : formatTime(token.expireTime)],
    ['explicit_max_ttl', token.explicitMaxTtl],
    ['id', token.id],
    ['issue_time', formatTime(token.issueTime)],
    ['meta', token.meta],
    ['num_uses', token.numUses],
    ['orphan', token.parent === undefined],
    ['path', token.path],
    ['policies', token.policies],
    ['renewable', token.renewable],
    ['ttl', token.expireTime === undefined ? 0 : secondsLeft(token.expireTime, now)],
    ['type', token.type],
  ]);
  if (token.period > 0) data.set('period', token.period);
  if (token.lastRenewal !== undefined) {
    data.set('last_renewal', formatTime(token.lastRenewal));
    data.set('last_renewal_time', Number(token.lastRenewal / nsPerSecond));
  }
  return { data };
}

/** Whole seconds from now, rounded to a second, as Vault shows them. */
function secondsLeft(expireTime: bigint, now: bigint): number {
  const rounded = ((now + nsPerSecond / 2n) / nsPerSecond) * nsPerSecond;
  return Number((expireTime - rounded) / nsPerSecond);
}

function renew(parts: TokenBackendParts, id: string, fields: Fields): LogicalResponse {
  const token = parts.tokens.lookup(id);
  if (token === undefined) throw plainError(400, 'token not found');
  if (token.type === 'batch') throw plainError(400, 'batch tokens cannot be renewed');
  if (!token.renewable || token.expireTime === undefined) {
    const first = parts.flavour === 'openbao' && token.path === 'auth/token/root';
    throw plainError(400, first ? 'invalid lease ID' : 'lease is not renewable');
  }
  const now = parts.clock();
  const { ttl, warnings } = grantTtl({
    increment: fields.seconds('increment'),
    ttl: token.leaseTtl,
    period: token.period,
    maxTtl: token.maxTtl,
    explicitMaxTtl: token.explicitMaxTtl,
    age: Number(now / nsPerSecond - token.issueTime / nsPerSecond),
  });
  token.leaseTtl = ttl;
  token.expireTime = now + BigInt(ttl) * nsPerSecond;
  token.lastRenewal = now;
  return { auth: authOf(token), warnings };
}

function revoke(parts: TokenBackendParts, id: string): undefined {
  if (id === '') throw plainError(400, 'missing token ID');
  const token = parts.tokens.lookup(id);
  if (token?.type === 'batch') throw plainError(400, 'batch tokens cannot be revoked');
  parts.tokens.revoke(id);
}
