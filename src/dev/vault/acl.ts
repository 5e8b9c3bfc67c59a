import { sortUtf8 } from './json.ts';
import type { Operation } from './logical.ts';
import type { PathRule } from './policy-hcl.ts';

/**
 * Judges requests by the rules of a token's policies, as Vault does: an exact rule wins over all others, then the longest
 * prefix or the best `+` pattern; rules of several policies for one path add up, and `deny` among them denies all.
 */

interface Rule {
  readonly capabilities: Set<string>;
  paginationLimit: number | undefined;
}

interface Match {
  readonly wildcardAt: number;
  readonly isPrefix: boolean;
  readonly wildcards: number;
  readonly path: string;
  readonly rule: Rule;
}

const needed: Partial<Record<Operation, string>> = {
  create: 'create',
  read: 'read',
  update: 'update',
  patch: 'patch',
  delete: 'delete',
  list: 'list',
  scan: 'scan',
};

export class Acl {
  readonly isRoot: boolean;
  readonly #exact = new Map<string, Rule>();
  readonly #prefixes = new Map<string, Rule>();
  readonly #patterns = new Map<string, Rule>();

  constructor(rules: readonly PathRule[], isRoot = false) {
    this.isRoot = isRoot;
    // A rule with a template names an entity, and no token here has one that policies could name.
    for (const rule of rules) if (!rule.path.includes('{{')) this.#add(rule);
  }

  #add({ path, capabilities, paginationLimit }: PathRule): void {
    const isPattern = path === '+' || path.startsWith('+/') || path.includes('/+');
    const isPrefix = path.endsWith('*') && !isPattern;
    const rules = isPattern ? this.#patterns : isPrefix ? this.#prefixes : this.#exact;
    const key = isPrefix ? path.slice(0, -1) : path;
    const rule = rules.get(key) ?? { capabilities: new Set(), paginationLimit: undefined };
    for (const capability of capabilities) rule.capabilities.add(capability);
    if (paginationLimit !== undefined) rule.paginationLimit = paginationLimit;
    if (rule.capabilities.has('deny')) {
      rule.capabilities.clear();
      rule.capabilities.add('deny');
    }
    rules.set(key, rule);
  }

  allows(operation: Operation, path: string): boolean {
    const capability = needed[operation];
    if (this.isRoot) return true;
    return (
      capability !== undefined && (this.#ruleFor(path, operation)?.capabilities.has(capability) ?? false)
    );
  }

  /** Whether the token has root's powers on a path: as root, or by the `sudo` capability. */
  isSudo(operation: Operation, path: string): boolean {
    return this.isRoot || (this.#ruleFor(path, operation)?.capabilities.has('sudo') ?? false);
  }

  /** OpenBao's `pagination_limit` for a LIST of this path. */
  paginationLimit(path: string): number | undefined {
    return this.isRoot ? undefined : this.#ruleFor(path, 'list')?.paginationLimit;
  }

  /** Sorted, `["root"]` or `["deny"]` where there is nothing to list. */
  capabilities(path: string): string[] {
    if (this.isRoot) return ['root'];
    const granted = sortUtf8(this.#ruleFor(path.replace(/^\/+/, ''), 'list')?.capabilities ?? []);
    return granted.length === 0 ? ['deny'] : granted;
  }

  /** Whether the token may do anything at all on a mount or below it: what `sys/internal/ui/mounts` filters by. */
  hasMountAccess(mount: string): boolean {
    if (!this.capabilities(mount).includes('deny')) return true;
    const grants = (rule: Rule) => rule.capabilities.size > 0 && !rule.capabilities.has('deny');
    for (const rules of [this.#exact, this.#prefixes]) {
      for (const [path, rule] of rules) if (path.startsWith(mount) && grants(rule)) return true;
    }
    return [...this.#patterns].some(([pattern, rule]) => grants(rule) && reaches(pattern, mount));
  }

  /** LIST and SCAN are judged on the path with its slash, then without it. */
  #ruleFor(path: string, operation: Operation): Rule | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    if ((operation !== 'list' && operation !== 'scan') || !path.endsWith('/')) return this.#bestMatch(path);
    const bare = path.slice(0, -1);
    return this.#exact.get(bare) ?? this.#bestMatch(bare) ?? this.#bestMatch(path);
  }

  #bestMatch(path: string): Rule | undefined {
    let best: Match | undefined;
    for (const [prefix, rule] of this.#prefixes) {
      if (!path.startsWith(prefix)) continue;
      best = better(best, { wildcardAt: prefix.length, isPrefix: true, wildcards: 0, path: prefix, rule });
    }
    for (const [pattern, rule] of this.#patterns) {
      if (!matches(pattern, path)) continue;
      best = better(best, {
        wildcardAt: pattern.indexOf('+'),
        isPrefix: pattern.endsWith('*'),
        wildcards: pattern.split('/').filter((segment) => segment === '+').length,
        path: pattern.replace(/\*$/, ''),
        rule,
      });
    }
    return best?.rule;
  }
}

/** Vault's order: the later wildcard, no glob, fewer `+`, the longer path, the greater text. */
function better(a: Match | undefined, b: Match): Match {
  if (a === undefined) return b;
  const order =
    a.wildcardAt - b.wildcardAt ||
    Number(b.isPrefix) - Number(a.isPrefix) ||
    b.wildcards - a.wildcards ||
    a.path.length - b.path.length ||
    (a.path < b.path ? -1 : 1);
  return order < 0 ? b : a;
}

/** Whether a pattern with `+` segments, and perhaps a `*` at its end, matches the whole path. */
function matches(pattern: string, path: string): boolean {
  const isPrefix = pattern.endsWith('*');
  const wanted = pattern.replace(/\*$/, '').split('/');
  const segments = path.split('/');
  if (isPrefix ? segments.length < wanted.length : segments.length !== wanted.length) return false;
  return wanted.every((want, i) => {
    const segment = segments[i] ?? '';
    const last = isPrefix && i === wanted.length - 1;
    return want === '+' || want === segment || (last && segment.startsWith(want));
  });
}

/** Whether a pattern matches something at or below the mount. */
function reaches(pattern: string, mount: string): boolean {
  const wanted = pattern.replace(/\*$/, '').split('/');
  const segments = mount.split('/').slice(0, -1);
  return (
    segments.every((segment, i) => wanted[i] === '+' || wanted[i] === segment) &&
    wanted.length > segments.length
  );
}
