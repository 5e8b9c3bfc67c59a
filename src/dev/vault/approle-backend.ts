import { randomUUID } from 'node:crypto';
import { checkLogin, newRole, type Role } from './approle.ts';
import { type Backend, type BackendPath, backendOf, type Fields, type FieldTypes } from './framework.ts';
import { nsPerSecond } from './go-time.ts';
import { isJsonObject, sortUtf8 } from './json.ts';
import { parseJson } from './json-parse.ts';
import { type LogicalResponse, listResponse, plainError, wrappedError } from './logical.ts';
import { authOf, sanitizePolicies, type TokenStore } from './tokens.ts';
import { grantTtl } from './ttl.ts';
import { weakString } from './weak-decode.ts';

/** An AppRole auth method: roles, role ids, secret ids, login. CIDR bounds are kept but not enforced. */

export interface AppRoleParts {
  /** With its slash: `approle/`. */
  readonly mount: string;
  readonly tokens: TokenStore;
  readonly clock: () => bigint;
}

const roleFields: FieldTypes = {
  name: 'string',
  role_id: 'string',
  bind_secret_id: 'bool',
  secret_id_num_uses: 'int',
  secret_id_ttl: 'duration',
  secret_id_bound_cidrs: 'commaStrings',
  token_bound_cidrs: 'commaStrings',
  token_policies: 'commaStrings',
  policies: 'commaStrings',
  token_no_default_policy: 'bool',
  token_ttl: 'duration',
  token_max_ttl: 'duration',
  token_period: 'duration',
  token_explicit_max_ttl: 'duration',
  token_num_uses: 'int',
  token_type: 'string',
};

export function appRoleBackend(parts: AppRoleParts): Backend {
  const roles = new Map<string, Role>();
  const named = (fields: Fields) => roles.get(fields.string('name').toLowerCase());
  const role: BackendPath = {
    pattern: /^role\/(?<name>[\w.-]+)$/,
    fields: roleFields,
    exists: (fields) => named(fields) !== undefined,
    operations: {
      read: (fields) => viewOf(named(fields)),
      update: (fields) => {
        const name = fields.string('name').toLowerCase();
        roles.set(name, configured(fields, roles.get(name) ?? newRole(name)));
        return undefined;
      },
      delete: (fields) => {
        roles.delete(fields.string('name').toLowerCase());
        return undefined;
      },
    },
  };
  const list: BackendPath = {
    pattern: /^role\/?$/,
    fields: {},
    operations: { list: () => listResponse(sortUtf8(roles.keys())) },
  };
  return backendOf([list, role, roleIdPath(named), ...secretIdPaths(parts, named), loginPath(parts, roles)]);
}

/** `role` with the fields of a write. Throws what Vault answers to settings that contradict each other. */
function configured(fields: Fields, role: Role): Role {
  const has = (name: string) => fields.has(name);
  const next: Role = { ...role };
  if (has('role_id')) next.roleId = fields.string('role_id');
  if (has('bind_secret_id')) next.bindSecretId = fields.bool('bind_secret_id');
  if (has('secret_id_num_uses')) next.secretIdNumUses = fields.int('secret_id_num_uses');
  if (has('secret_id_ttl')) next.secretIdTtl = fields.seconds('secret_id_ttl');
  if (has('secret_id_bound_cidrs')) next.secretIdBoundCidrs = fields.strings('secret_id_bound_cidrs');
  if (has('token_bound_cidrs')) next.tokenBoundCidrs = fields.strings('token_bound_cidrs');
  if (has('policies')) next.tokenPolicies = fields.strings('policies');
  if (has('token_policies')) next.tokenPolicies = fields.strings('token_policies');
  if (has('token_no_default_policy')) next.tokenNoDefaultPolicy = fields.bool('token_no_default_policy');
  if (has('token_ttl')) next.tokenTtl = fields.seconds('token_ttl');
  if (has('token_max_ttl')) next.tokenMaxTtl = fields.seconds('token_max_ttl');
  if (has('token_period')) next.tokenPeriod = fields.seconds('token_period');
  if (has('token_explicit_max_ttl')) next.tokenExplicitMaxTtl = fields.seconds('token_explicit_max_ttl');
  if (has('token_num_uses')) next.tokenNumUses = fields.int('token_num_uses');
  if (has('token_type')) next.tokenType = fields.string('token_type');
  return checked(next);
}

function checked(role: Role): Role {
  if (role.tokenMaxTtl > 0 && role.tokenTtl > role.tokenMaxTtl) {
    throw plainError(400, "'token_ttl' cannot be greater than 'token_max_ttl'");
  }
  if (role.tokenType.includes('batch') && role.tokenPeriod > 0) {
    throw plainError(
      400,
      "'token_type' cannot be 'batch' or 'default_batch' when set to generate periodic tokens",
    );
  }
  if (!role.bindSecretId && role.secretIdBoundCidrs.length === 0 && role.tokenBoundCidrs.length === 0) {
    throw wrappedError(500, 'at least one constraint should be enabled on the role');
  }
  return role;
}

function viewOf(role: Role | undefined): LogicalResponse | undefined {
  if (role === undefined) return undefined;
  return {
    data: new Map<string, boolean | number | string | readonly string[] | null>([
      ['bind_secret_id', role.bindSecretId],
      ['local_secret_ids', false],
      ['secret_id_bound_cidrs', role.secretIdBoundCidrs.length === 0 ? null : role.secretIdBoundCidrs],
      ['secret_id_num_uses', role.secretIdNumUses],
      ['secret_id_ttl', role.secretIdTtl],
      ['token_bound_cidrs', role.tokenBoundCidrs],
      ['token_explicit_max_ttl', role.tokenExplicitMaxTtl],
      ['token_max_ttl', role.tokenMaxTtl],
      ['token_no_default_policy', role.tokenNoDefaultPolicy],
      ['token_num_uses', role.tokenNumUses],
      ['token_period', role.tokenPeriod],
      ['token_policies', role.tokenPolicies],
      ['token_ttl', role.tokenTtl],
      ['token_type', role.tokenType],
    ]),
  };
}

type NamedRole = (fields: Fields) => Role | undefined;

function roleIdPath(named: NamedRole): BackendPath {
  return {
    pattern: /^role\/(?<name>[\w.-]+)\/role-id$/,
    fields: { name: 'string', role_id: 'string' },
    operations: {
      read: (fields) => {
        const role = named(fields);
        return role && { data: new Map([['role_id', role.roleId]]) };
      },
      update: (fields) => {
        existing(named, fields).roleId = fields.string('role_id');
        return undefined;
      },
    },
  };
}

function existing(named: NamedRole, fields: Fields): Role {
  const role = named(fields);
  if (role === undefined) throw plainError(404, `role "${fields.string('name')}" does not exist`);
  return role;
}

const secretIdFields: FieldTypes = {
  name: 'string',
  secret_id: 'string',
  metadata: 'string',
  num_uses: 'int',
  ttl: 'duration',
};

function secretIdPaths(parts: AppRoleParts, named: NamedRole): BackendPath[] {
  const destroy: BackendPath = {
    pattern: /^role\/(?<name>[\w.-]+)\/secret-id\/destroy$/,
    fields: secretIdFields,
    operations: {
      update: (fields) => {
        existing(named, fields).secretIds.delete(fields.string('secret_id'));
        return undefined;
      },
    },
  };
  const add = ['secret-id', 'custom-secret-id'].map((kind) => ({
    pattern: new RegExp(`^role/(?<name>[\\w.-]+)/${kind}$`),
    fields: secretIdFields,
    operations: {
      update: (fields) => {
        const id = kind === 'secret-id' ? randomUUID() : fields.string('secret_id');
        return addSecretId(existing(named, fields), id, fields, parts.clock());
      },
    } satisfies BackendPath['operations'],
  }));
  return [destroy, ...add];
}

function addSecretId(role: Role, id: string, fields: Fields, now: bigint): LogicalResponse {
  if (!role.bindSecretId) throw plainError(400, 'bind_secret_id is not set on the role');
  if (id === '') throw plainError(400, "missing 'secret_id'");
  const numUses = fields.has('num_uses') ? fields.int('num_uses') : role.secretIdNumUses;
  const ttl = fields.has('ttl') ? fields.seconds('ttl') : role.secretIdTtl;
  const metadata = parseJson(fields.string('metadata')).value;
  const accessor = randomUUID();
  role.secretIds.set(id, {
    accessor,
    metadata: new Map(
      [...(isJsonObject(metadata) ? metadata : [])].map(([key, value]) => [key, weakString(value)]),
    ),
    expireTime: ttl === 0 ? undefined : now + BigInt(ttl) * nsPerSecond,
    numUses,
  });
  return {
    data: new Map<string, string | number>([
      ['secret_id', id],
      ['secret_id_accessor', accessor],
      ['secret_id_num_uses', numUses],
      ['secret_id_ttl', ttl],
    ]),
  };
}

function loginPath(parts: AppRoleParts, roles: ReadonlyMap<string, Role>): BackendPath {
  return {
    pattern: /^login$/,
    fields: { role_id: 'string', secret_id: 'string' },
    operations: {
      update: (fields) => {
        const roleId = fields.string('role_id').trim();
        // Vault fails before its login handler, and so with 500, where it cannot tell who logs in.
        if (roleId === '') throw plainError(500, 'failed to determine alias name from login request');
        const role = [...roles.values()].find((candidate) => candidate.roleId === roleId);
        const metadata = checkLogin(role, fields.string('secret_id').trim(), parts.clock());
        return role && loggedIn(parts, role, metadata);
      },
    },
  };
}

function loggedIn(parts: AppRoleParts, role: Role, metadata: ReadonlyMap<string, string>): LogicalResponse {
  const { ttl, warnings } = grantTtl({
    increment: 0,
    ttl: role.tokenTtl,
    period: role.tokenPeriod,
    maxTtl: role.tokenMaxTtl,
    explicitMaxTtl: role.tokenExplicitMaxTtl,
    age: 0,
  });
  const type = role.tokenType === 'batch' ? 'batch' : 'service';
  const token = parts.tokens.create({
    policies: sanitizePolicies(role.tokenPolicies, !role.tokenNoDefaultPolicy),
    type,
    displayName: parts.mount.replace(/\/$/, '').replaceAll('/', '-'),
    path: `auth/${parts.mount}login`,
    meta: new Map([...metadata, ['role_name', role.name]]),
    entityId: role.entityId,
    parent: undefined,
    renewable: type === 'service',
    creationTtl: ttl,
    period: role.tokenPeriod,
    explicitMaxTtl: role.tokenExplicitMaxTtl,
    maxTtl: role.tokenMaxTtl,
    numUses: role.tokenNumUses,
  });
  return { auth: authOf(token), warnings };
}
