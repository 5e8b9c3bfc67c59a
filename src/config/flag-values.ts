import { type Assignment, ranks } from './assign.ts';
import type { Role } from './config.ts';
import { didYouMeanText } from './did-you-mean.ts';
import { type DocumentNode, textNode } from './document.ts';
import { type FlagSpec, findFlag, flagSpecs } from './flags.ts';
import type { Problem } from './problem.ts';

/** Flags as given: name without `--`, and the value, the values, or `true` for none. */
export type FlagValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** The keys that flags set in a process of `role`. A flag counts even when its value is empty (Go vsync's rule). */
export function flagAssignments(
  flags: FlagValues,
  role: Role,
): { assignments: Assignment[]; problems: Problem[] } {
  const assignments: Assignment[] = [];
  const problems: Problem[] = [];
  for (const [name, given] of Object.entries(flags)) {
    if (given === undefined) continue;
    const place = `flag --${name}`;
    const spec = findFlag(name);
    if (spec === undefined) {
      const hint = didYouMeanText(
        `--${name}`,
        flagSpecs.map((each) => `--${each.name}`),
      );
      problems.push({
        severity: 'error',
        code: 'USAGE_UNKNOWN_FLAG',
        place,
        message: 'is not a flag',
        ...(hint && { hint }),
      });
      continue;
    }
    const key = spec.key[role];
    const texts = typeof given === 'object' ? given : [textOf(given, spec)];
    if (texts.some((text) => text === undefined)) {
      problems.push({ severity: 'error', code: 'USAGE', place, key, message: 'needs a value' });
      continue;
    }
    if (texts.length > 1 && !spec.repeatable) {
      const message = `is given ${texts.length} times; the last one counts`;
      problems.push({ severity: 'warning', code: 'USAGE', place, key, message });
    }
    if (spec.warning !== undefined) {
      problems.push({ severity: 'warning', code: 'USAGE', place, key, message: spec.warning });
    }
    const node = nodeOf(
      spec,
      texts.filter((text) => text !== undefined),
    );
    const source = { kind: 'flag', name: `--${name}` } as const;
    assignments.push({ key, node, format: 'text', source, rank: ranks.flag });
  }
  return { assignments, problems };
}

/** Whether a flag means the same key for both roles, so that it may decide which role a configuration is for. */
export function isRoleIndependent(name: string): boolean {
  const spec = findFlag(name);
  return spec !== undefined && spec.key.origin === spec.key.destination;
}

function textOf(given: string | boolean, spec: FlagSpec): string | undefined {
  if (typeof given === 'string') return given;
  if (spec.value === 'required') return undefined;
  if (given) return spec.implied;
  return spec.implied === 'true' ? 'false' : 'true';
}

function nodeOf(spec: FlagSpec, texts: readonly string[]): DocumentNode {
  const last = textNode(texts.at(-1) ?? '');
  if (!spec.repeatable || texts.length < 2) return last;
  return { kind: 'list', items: texts.flatMap((text) => text.split(/\s+/).filter(Boolean).map(textNode)) };
}
