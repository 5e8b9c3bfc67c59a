import { randomUUID } from 'node:crypto';
import { nsPerSecond } from './go-time.ts';
import { plainError } from './logical.ts';

/** Roles and secret ids of one AppRole auth method. */

export interface Role {
  readonly name: string;
  roleId: string;
  readonly entityId: string;
  bindSecretId: boolean;
  secretIdNumUses: number;
  secretIdTtl: number;
  /** Kept and shown, not enforced: all clients are on loopback. */
  secretIdBoundCidrs: readonly string[];
  tokenBoundCidrs: readonly string[];
  tokenPolicies: readonly string[];
  tokenNoDefaultPolicy: boolean;
  tokenTtl: number;
  tokenMaxTtl: number;
  tokenPeriod: number;
  tokenExplicitMaxTtl: number;
  tokenNumUses: number;
  tokenType: string;
  readonly secretIds: Map<string, SecretId>;
  /** Wrong secret ids in a row, and when the last one came. */
  failures: { readonly count: number; readonly at: bigint };
}

export interface SecretId {
  readonly accessor: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly expireTime: bigint | undefined;
  /** 0 is unlimited. */
  numUses: number;
}

export function newRole(name: string): Role {
  return {
    name,
    roleId: randomUUID(),
    entityId: randomUUID(),
    bindSecretId: true,
    secretIdNumUses: 0,
    secretIdTtl: 0,
    secretIdBoundCidrs: [],
    tokenBoundCidrs: [],
    tokenPolicies: [],
    tokenNoDefaultPolicy: false,
    tokenTtl: 0,
    tokenMaxTtl: 0,
    tokenPeriod: 0,
    tokenExplicitMaxTtl: 0,
    tokenNumUses: 0,
    tokenType: 'default',
    secretIds: new Map(),
    failures: { count: 0, at: 0n },
  };
}

/** After five wrong secret ids in a row a role is locked out for a quarter of an hour. */
const [lockoutFailures, lockoutSeconds] = [5, 900n];
const invalid = () => plainError(400, 'invalid role or secret ID');

/** Checks a login and returns the metadata of its secret id. Throws what Vault answers: 400, or 403 while the role is locked out. */
export function checkLogin(
  role: Role | undefined,
  secretId: string,
  now: bigint,
): ReadonlyMap<string, string> {
  if (role === undefined) throw invalid();
  const lockedUntil = role.failures.at + lockoutSeconds * nsPerSecond;
  const recent = now < lockedUntil ? role.failures.count : 0;
  if (recent >= lockoutFailures) throw plainError(403, 'permission denied');
  if (!role.bindSecretId) return new Map();
  if (secretId === '') throw plainError(400, 'missing secret_id');
  const entry = role.secretIds.get(secretId);
  if (entry === undefined || (entry.expireTime !== undefined && entry.expireTime <= now)) {
    role.failures = { count: recent + 1, at: now };
    throw invalid();
  }
  if (entry.numUses === 1) role.secretIds.delete(secretId);
  else if (entry.numUses > 1) entry.numUses -= 1;
  role.failures = { count: 0, at: 0n };
  return entry.metadata;
}
