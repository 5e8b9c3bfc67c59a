import { RE2JS, RE2JSSyntaxException } from 're2js';
import { VsyncError } from '../base/errors.ts';

/**
 * Transforms: rules that give a data path of the origin another one at the destination.
 * Same result for every path as the Go program: RE2 syntax, unanchored, leftmost match, and its rules for groups (vectors: `test/golden`).
 * Pure: no I/O.
 */

/** One rule as configured. `to` is split at `/`; a part equal to a group's name becomes that group's text. */
export interface TransformRule {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/** A compiled rule. */
export interface Transform extends TransformRule {
  /** What is legal but most likely not meant: no named group, not anchored, a name used twice. */
  readonly warnings: readonly string[];
  /** The target of `path`, or `undefined` when this rule does not match it. */
  apply(path: string): string | undefined;
}

/** Where a path goes and by which rule: `undefined` rule = no rule matched, the path stays. */
export interface Target {
  readonly path: string;
  readonly rule: string | undefined;
}

/** Compiles one rule. Throws `TRANSFORM_BAD_REGEX` with a caret under the fault. */
export function compileTransform(rule: TransformRule): Transform {
  const { pattern, renamed } = distinctGroupNames(rule.from);
  const regex = compile(rule, pattern);
  const names = Object.entries(regex.namedGroups())
    .sort(([, a], [, b]) => a - b)
    .map(([name]) => name);
  const pieces = rule.to.split('/');

  const apply = (path: string): string | undefined => {
    const match = regex.matcher(path);
    if (names.length === 0 || !match.find()) return undefined;
    const captured = new Map<string, string>();
    for (const name of names) {
      const text = match.group(name);
      // A named group that captured nothing makes the whole rule not match, optional groups too (Go program, `transformer`).
      if (text === null || text === '') return undefined;
      captured.set(renamed.get(name) ?? name, text);
    }
    return pieces
      .map((piece) => captured.get(piece) ?? piece)
      .join('/')
      .replace(/\/{2,}/g, '/');
  };

  const warnings: string[] = [];
  if (names.length === 0) warnings.push('`from` has no named group (?P<name>...), so it never matches');
  if (renamed.size > 0)
    warnings.push(`\`from\` uses the group name "${[...renamed.values()][0]}" twice; the last one counts`);
  if (!/^(\(\?[a-zA-Z]+\))?(\^|\\A)/.test(rule.from) || !/(\$|\\z)$/.test(rule.from)) {
    warnings.push(
      '`from` is not anchored with ^ and $: it also matches inside longer paths, and text outside the match is lost',
    );
  }
  return { ...rule, warnings, apply };
}

/** The target of a path: the first rule that matches decides, and without one the path stays as it is. */
export function transformPath(transforms: readonly Transform[], path: string): Target {
  for (const transform of transforms) {
    const target = transform.apply(path);
    if (target !== undefined) return { path: target, rule: transform.name };
  }
  return { path, rule: undefined };
}

function compile(rule: TransformRule, pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    const fragment = error.getPattern() ?? '';
    const reason = error.getDescription();
    // A missing `)` is reported with the whole pattern; the fault is then at its end.
    const at = fragment === rule.from ? rule.from.length : Math.max(0, rule.from.indexOf(fragment));
    throw new VsyncError({
      code: 'TRANSFORM_BAD_REGEX',
      message: `transform "${rule.name}": \`from\` is not a valid regular expression: ${reason}`,
      why: `${rule.from}\n${' '.repeat(at)}^ ${reason}`,
      hint: 'Go (RE2) syntax: (?P<name>...) groups; look-around and back-references do not exist',
      path: rule.name,
    });
  }
}

/**
 * The pattern with each repeated group name made distinct, since RE2 ports refuse what the Go program's regexp accepted.
 * `renamed` maps each made-up name to the name it stands for.
 */
function distinctGroupNames(from: string): { pattern: string; renamed: ReadonlyMap<string, string> } {
  const seen = new Set<string>();
  const renamed = new Map<string, string>();
  // Escapes, \Q...\E and character classes are passed over, so that only real groups are renamed.
  const tokens = /\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\(\?P?<([A-Za-z0-9_]+)>/gs;
  const pattern = from.replace(tokens, (token, name: string | undefined) => {
    if (name === undefined) return token;
    if (!seen.has(name)) {
      seen.add(name);
      return token;
    }
    const fresh = `${name}_again${renamed.size + 1}`;
    renamed.set(fresh, name);
    return `(?P<${fresh}>`;
  });
  return { pattern, renamed };
}
