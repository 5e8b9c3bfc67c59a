import { Acl } from './acl.ts';
import { sortUtf8 } from './json.ts';
import type { Flavour } from './logical.ts';
import { type PathRule, parsePolicy } from './policy-hcl.ts';

/** The named policies of the server, and the access control that a set of them makes. */

/** What a token may do about itself: part of every token that is not made without it. */
const defaultPolicy = `
# Allow tokens to look up, renew and revoke themselves
path "auth/token/lookup-self" {
    capabilities = ["read"]
}
path "auth/token/renew-self" {
    capabilities = ["update"]
}
path "auth/token/revoke-self" {
    capabilities = ["update"]
}

# Allow a token to look up its own capabilities on a path
path "sys/capabilities-self" {
    capabilities = ["update"]
}

# Allow a token to manage its own cubbyhole
path "cubbyhole/*" {
    capabilities = ["create", "read", "update", "delete", "list"]
}
`;

interface Policy {
  readonly text: string;
  readonly rules: readonly PathRule[];
}

export class PolicyStore {
  readonly #flavour: Flavour;
  readonly #policies = new Map<string, Policy>();
  /** By the names it is made of; emptied by every change. */
  readonly #acls = new Map<string, Acl>();

  constructor(flavour: Flavour) {
    this.#flavour = flavour;
    this.set('default', defaultPolicy);
  }

  /** Names in order, with `root`, which has no text. */
  names(): string[] {
    return sortUtf8([...this.#policies.keys(), 'root']);
  }

  text(name: string): string | undefined {
    return name === 'root' ? '' : this.#policies.get(name)?.text;
  }

  /** Throws an `Error` where the text cannot be read. */
  set(name: string, text: string): void {
    this.#policies.set(name, { text, rules: parsePolicy(text, this.#flavour) });
    this.#acls.clear();
  }

  delete(name: string): void {
    this.#policies.delete(name);
    this.#acls.clear();
  }

  /** What a token with these policies may do. A name without a policy grants nothing. */
  aclOf(names: readonly string[]): Acl {
    const key = names.join('\n');
    let acl = this.#acls.get(key);
    if (acl === undefined) {
      const rules = names.flatMap((name) => this.#policies.get(name)?.rules ?? []);
      acl = new Acl(rules, names.includes('root'));
      this.#acls.set(key, acl);
    }
    return acl;
  }
}
