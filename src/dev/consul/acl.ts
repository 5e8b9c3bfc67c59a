/**
 * ACL tokens and what they allow, by `key_prefix` rules.
 * May import: `answer`, `key-bytes`.
 */

import { Refusal } from './answer.ts';
import { keyOfText } from './key-bytes.ts';

/** `key_prefix "<prefix>" { policy = "<policy>" }`. The longest prefix that covers a key decides. */
export interface AclRule {
  readonly prefix: string;
  readonly policy: 'read' | 'write' | 'deny';
}

export interface AclToken {
  /** The SecretID that clients send. */
  readonly token: string;
  readonly rules: readonly AclRule[];
  /** `session_prefix "" { policy = "write" }` (or `deny`); left out, the default policy decides. */
  readonly sessionWrite?: boolean;
  /** `agent_prefix "" { policy = "read" }` (or `deny`); left out, the default policy decides. */
  readonly agentRead?: boolean;
}

export interface AclOptions {
  readonly tokens: readonly AclToken[];
  /** What holds where no rule does, and for requests without a token. Default `deny`. */
  readonly defaultPolicy?: 'allow' | 'deny';
}

/** What one token may do. Keys are bytes. */
export interface Permissions {
  readKey(key: string): boolean;
  writeKey(key: string): boolean;
  /** Whether everything under a prefix may be deleted: write on the prefix, and no lesser rule anywhere below it. */
  writeTree(prefix: string): boolean;
  readonly sessionWrite: boolean;
  readonly agentRead: boolean;
}

const everything: Permissions = {
  readKey: () => true,
  writeKey: () => true,
  writeTree: () => true,
  sessionWrite: true,
  agentRead: true,
};

export class Acl {
  readonly #permissions: ReadonlyMap<string, Permissions> | undefined;

  /** Without options ACLs are off: every token, known or not, may do everything. */
  constructor(options: AclOptions | undefined) {
    if (options === undefined) return;
    const allowed = options.defaultPolicy === 'allow';
    const anonymous = { token: '', rules: [] };
    this.#permissions = new Map(
      [anonymous, ...options.tokens].map((token) => [token.token, permissionsOf(token, allowed)]),
    );
  }

  /** What a token may do; `''` is a request without one. Throws the 403 Refusal for a token that Consul does not know. */
  permissions(token: string): Permissions {
    if (this.#permissions === undefined) return everything;
    const permissions = this.#permissions.get(token);
    if (permissions === undefined) throw new Refusal(403, 'ACL not found');
    return permissions;
  }
}

export const permissionDenied = 'Permission denied';

/** Throws the 403 Refusal of a token that lacks a right. */
export function requirePermission(isAllowed: boolean): void {
  if (!isAllowed) throw new Refusal(403, permissionDenied);
}

function permissionsOf(token: AclToken, allowedByDefault: boolean): Permissions {
  const rules = token.rules
    .map(({ prefix, policy }) => ({ prefix: keyOfText(prefix), policy }))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  const policyOf = (key: string) =>
    rules.find((rule) => key.startsWith(rule.prefix))?.policy ?? (allowedByDefault ? 'write' : 'deny');
  return {
    readKey: (key) => policyOf(key) !== 'deny',
    writeKey: (key) => policyOf(key) === 'write',
    writeTree: (prefix) =>
      policyOf(prefix) === 'write' &&
      rules.every((rule) => rule.policy === 'write' || !rule.prefix.startsWith(prefix)),
    sessionWrite: token.sessionWrite ?? allowedByDefault,
    agentRead: token.agentRead ?? allowedByDefault,
  };
}
