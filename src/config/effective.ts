import type { Assignment } from './assign.ts';
import type { Role } from './config.ts';
import { keySpec } from './keys.ts';
import type { Problem } from './problem.ts';
import { placeOf } from './source.ts';

/** The assignment of each key that counts: the highest in rank, of equal ones the last. */
export function effectiveAssignments(assignments: Iterable<Assignment>): Map<string, Assignment> {
  const effective = new Map<string, Assignment>();
  for (const assignment of assignments) {
    const other = effective.get(assignment.key);
    if (other === undefined || assignment.rank >= other.rank) effective.set(assignment.key, assignment);
  }
  return effective;
}

/** Whether an assignment gives a value: an empty text does not, where empty means not set. */
export function isValue(assignment: Assignment | undefined): assignment is Assignment {
  if (assignment === undefined) return false;
  const { kind, emptyRefused } = keySpec(assignment.key);
  const mayBeEmpty = (kind === 'string' || kind === 'secret' || kind === 'enum') && emptyRefused !== true;
  return !(mayBeEmpty && assignment.node.kind === 'scalar' && assignment.node.text === '');
}

/** Keys of which only one can count. */
const exclusive: readonly (readonly [string, string])[] = (['origin', 'destination'] as const).flatMap(
  (side) => [
    [`${side}.vault.token`, `${side}.vault.token_file`] as const,
    [`${side}.vault.approle.role_id`, `${side}.vault.approle.role_id_file`] as const,
    [`${side}.vault.approle.secret_id`, `${side}.vault.approle.secret_id_file`] as const,
    [`${side}.consul.token`, `${side}.consul.token_file`] as const,
    [`${side}.tick`, `${side}.cron`] as const,
  ],
);

/**
 * Of two keys that exclude each other, the one from the better source counts and the other is taken out: `--cron` beats the `tick` of
 * a file. From one source they are an error.
 */
export function settleExclusive(effective: Map<string, Assignment>, role: Role): Problem[] {
  const problems: Problem[] = [];
  for (const pair of exclusive) {
    const [a, b] = pair.map((key) => effective.get(key));
    if (!isValue(a) || !isValue(b) || !keySpec(a.key).readBy.includes(role)) continue;
    const [winner, loser] = a.rank >= b.rank ? [a, b] : [b, a];
    if (Math.ceil(winner.rank) === Math.ceil(loser.rank)) {
      const message = `is set, and so is ${a.key}`;
      const hint = 'remove one of them';
      problems.push({
        severity: 'error',
        code: codeOf(b),
        place: placeOf(b.source),
        key: b.key,
        message,
        hint,
      });
      continue;
    }
    effective.delete(loser.key);
    const message = `is not used, since ${winner.key} is set by ${placeOf(winner.source)}`;
    problems.push({
      severity: 'info',
      code: 'CONFIG_CONFLICT',
      place: placeOf(loser.source),
      key: loser.key,
      message,
    });
  }
  return problems;
}

function codeOf({ source }: Assignment): Problem['code'] {
  return source.kind === 'flag' ? 'USAGE' : 'CONFIG_CONFLICT';
}
