import { randomBytes } from 'node:crypto';
import { nsPerSecond } from './go-time.ts';
import type { Auth, Flavour } from './logical.ts';

/** The tokens of the server: their leases, uses and parents. Times are nanoseconds since 1970, durations seconds. */

export interface Token {
  readonly id: string;
  readonly accessor: string;
  readonly policies: readonly string[];
  readonly type: 'service' | 'batch';
  readonly displayName: string;
  /** API path that made it: `auth/token/create`, `auth/approle/login`. */
  readonly path: string;
  readonly meta: ReadonlyMap<string, string> | null;
  readonly entityId: string;
  /** Id of the token that made it; it dies with that one. `undefined` for an orphan. */
  readonly parent: string | undefined;
  readonly issueTime: bigint;
  readonly renewable: boolean;
  /** The TTL it was made with; 0 never expires. */
  readonly creationTtl: number;
  /** The TTL that a renewal without `increment` asks for: that of the last renewal. */
  leaseTtl: number;
  readonly period: number;
  readonly explicitMaxTtl: number;
  /** The most that renewals may add up to, from a role; 0 is the server's own limit. */
  readonly maxTtl: number;
  expireTime: bigint | undefined;
  lastRenewal: bigint | undefined;
  /** Uses left; 0 is unlimited, -1 is a last use that is running. */
  numUses: number;
}

export type NewToken = Omit<
  Token,
  'id' | 'accessor' | 'issueTime' | 'leaseTtl' | 'expireTime' | 'lastRenewal'
> & { readonly id?: string | undefined };

/** `default_lease_ttl` and `max_lease_ttl` of the server. */
export const systemTtlSeconds = 2_764_800;

export class TokenStore {
  readonly #flavour: Flavour;
  readonly #clock: () => bigint;
  readonly #tokens = new Map<string, Token>();

  constructor(flavour: Flavour, clock: () => bigint) {
    this.#flavour = flavour;
    this.#clock = clock;
  }

  create(fields: NewToken): Token {
    const issueTime = this.#clock();
    const { creationTtl } = fields;
    const token: Token = {
      ...fields,
      id: fields.id ?? this.#newId(fields.type),
      accessor: fields.type === 'batch' ? '' : randomText(24),
      issueTime,
      leaseTtl: creationTtl,
      expireTime: creationTtl === 0 ? undefined : issueTime + BigInt(creationTtl) * nsPerSecond,
      lastRenewal: undefined,
    };
    this.#tokens.set(token.id, token);
    return token;
  }

  #newId(type: 'service' | 'batch'): string {
    if (this.#flavour === 'openbao') return type === 'batch' ? `b.${randomText(100)}` : `s.${randomText(24)}`;
    return type === 'batch' ? `hvb.${randomText(134)}` : `hvs.${randomText(24)}`;
  }

  /** The token, unless it is expired or revoked, or a parent of it is. */
  lookup(id: string): Token | undefined {
    const token = this.#tokens.get(id);
    if (token === undefined) return undefined;
    const expired = token.expireTime !== undefined && token.expireTime <= this.#clock();
    const orphaned = token.parent !== undefined && this.lookup(token.parent) === undefined;
    if (!expired && !orphaned) return token;
    this.#tokens.delete(id);
    return undefined;
  }

  /** Counts one use. The last one makes `numUses` -1: the request still runs, then the token is to be revoked. */
  use(token: Token): void {
    if (token.numUses > 0) token.numUses = token.numUses === 1 ? -1 : token.numUses - 1;
  }

  /** Ends a token; those it made end with it. */
  revoke(id: string): void {
    this.#tokens.delete(id);
  }

  /** Ends what an auth method handed out, when the method is disabled. */
  revokeFrom(pathPrefix: string): void {
    for (const token of this.#tokens.values()) if (token.path.startsWith(pathPrefix)) this.revoke(token.id);
  }
}

function randomText(length: number): string {
  return randomBytes(length).toString('base64url').replaceAll(/[-_]/g, 'x').slice(0, length);
}

/** The `auth` block that hands a token to its user. */
export function authOf(token: Token): Auth {
  return {
    clientToken: token.id,
    accessor: token.accessor,
    policies: token.policies,
    metadata: token.meta,
    leaseSeconds: token.leaseTtl,
    renewable: token.renewable,
    entityId: token.entityId,
    tokenType: token.type,
    orphan: token.parent === undefined,
    numUses: Math.max(token.numUses, 0),
  };
}

/** Lower-cased, trimmed, sorted names without repeats, with `default` if asked; `root` stands alone. */
export function sanitizePolicies(names: readonly string[], addDefault: boolean): string[] {
  const cleaned = new Set(names.map((name) => name.trim().toLowerCase()).filter((name) => name !== ''));
  if (cleaned.has('root')) return ['root'];
  if (addDefault) cleaned.add('default');
  return [...cleaned].sort();
}
