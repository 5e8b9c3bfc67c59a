import type { Assignment } from './assign.ts';
import { coerce, expected, type Fault, got } from './coerce.ts';
import type { Role } from './config.ts';
import { type DocumentNode, placed } from './document.ts';
import { isValue } from './effective.ts';
import { type KeySpec, keySpecs } from './keys.ts';
import type { RefusalParams } from './leaf.ts';
import type { Problem } from './problem.ts';
import { placeOf, type Source } from './source.ts';

/** The values of all keys that a process of one role reads. */
export interface Resolved {
  /** As the schema yields them, defaults included. */
  readonly values: Map<string, unknown>;
  /** As written, converted to the type of the key but not repaired. */
  readonly written: ReadonlyMap<string, unknown>;
  /** Where each value comes from. */
  readonly sources: Map<string, Source>;
  readonly problems: readonly Problem[];
}

type Issue = {
  readonly code?: string | undefined;
  readonly path: PropertyKey[];
  readonly message: string;
  readonly params?: unknown;
};

/**
 * Converts and checks what is assigned, key by key, so that every problem is found. What a role does not use is checked as well, but a
 * fault in it is a warning. `hintFor` says more about a required key that is not set.
 */
export function resolveKeys(
  effective: ReadonlyMap<string, Assignment>,
  role: Role,
  hintFor: (key: string) => string | undefined,
): Resolved {
  const values = new Map<string, unknown>();
  const written = new Map<string, unknown>();
  const sources = new Map<string, Source>();
  const problems: Problem[] = [];
  for (const spec of keySpecs) {
    const assignment = effective.get(spec.key);
    const isUsed = spec.readBy.includes(role);
    const result = check(spec, isValue(assignment) ? assignment : undefined);
    if (result.missing) {
      if (isUsed) problems.push(missing(spec, assignment, hintFor(spec.key)));
      continue;
    }
    for (const problem of result.problems) problems.push(isUsed ? problem : asUnused(problem, role));
    if (result.written !== undefined) written.set(spec.key, result.written);
    if (spec.side === 'destination' && role === 'origin') continue;
    const value =
      'value' in result ? result.value : isUsed ? undefined : spec.schema.safeParse(undefined).data;
    if (value === undefined) continue;
    values.set(spec.key, value);
    sources.set(
      spec.key,
      result.written === undefined || assignment === undefined ? { kind: 'default' } : assignment.source,
    );
  }
  return { values, written, sources, problems };
}

/** Of one value. A list of a thousand wrong entries is one mistake. */
const maxProblems = 20;

interface Checked {
  readonly value?: unknown;
  readonly written?: unknown;
  readonly missing?: true;
  readonly problems: readonly Problem[];
}

/** Checks one value, or takes the default without one. */
export function check(spec: KeySpec, assignment: Assignment | undefined): Checked {
  const coerced =
    assignment === undefined ? { faults: [] } : coerce(spec, assignment.node, assignment.format);
  const errors = coerced.faults.filter(({ severity }) => severity === 'error');
  const problems = (errors.length > 0 ? errors : coerced.faults)
    .slice(0, maxProblems)
    .map((fault) => fromFault(spec, fault, assignment?.source));
  if (errors.length > 0) return { problems };
  const result = spec.schema.safeParse(coerced.value);
  if (result.success)
    return { value: result.data, problems, ...(coerced.value !== undefined && { written: coerced.value }) };
  if (coerced.value === undefined || assignment === undefined) return { missing: true, problems };
  const { source, node } = assignment;
  const issues = result.error.issues
    .slice(0, maxProblems)
    .map((issue) => fromIssue(spec, issue, source, node));
  return { problems: [...problems, ...issues] };
}

function fromFault(spec: KeySpec, fault: Fault, source: Source | undefined): Problem {
  const { severity, code = 'CONFIG_BAD_VALUE', message, hint, at, part = '' } = fault;
  return {
    severity,
    code: source?.kind === 'flag' ? 'USAGE' : code,
    ...(source && {
      place: placeOf(part !== '' && source.kind === 'file' && at ? { ...source, at } : source),
    }),
    key: `${spec.key}${part}`,
    message,
    ...(hint !== undefined && { hint }),
  };
}

function fromIssue(spec: KeySpec, issue: Issue, source: Source, node: DocumentNode): Problem {
  const part = partOf(node, issue.path);
  const refusal = issue.code === 'custom' ? (issue.params as RefusalParams | undefined) : undefined;
  const atPart = issue.path.length > 0 && source.kind === 'file' ? { ...source, ...placed(part.at) } : source;
  const name = issue.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`));
  return {
    severity: 'error',
    code: source.kind === 'flag' ? 'USAGE' : (refusal?.code ?? 'CONFIG_BAD_VALUE'),
    place: placeOf(atPart),
    key: `${spec.key}${name.join('')}`,
    message: messageOf(spec, issue, part),
    ...(refusal?.detail !== undefined && { detail: refusal.detail }),
    ...(refusal?.hint !== undefined && { hint: refusal.hint }),
  };
}

function messageOf(spec: KeySpec, { code, message, params }: Issue, part: DocumentNode): string {
  if (code !== 'custom') return expected(spec, part);
  // Errors of other modules name the value themselves.
  const isComplete = (params as RefusalParams | undefined)?.code !== undefined || /\bempty\b/.test(message);
  return isComplete ? message : `${message}${got(spec, part)}`;
}

/** The part of a value that a path of list indexes and keys leads to, or the nearest one around it. */
export function partOf(node: DocumentNode, path: readonly PropertyKey[]): DocumentNode {
  const [step, ...rest] = path;
  if (step === undefined) return node;
  if (node.kind === 'map') {
    const entry = node.entries.find(({ key }) => key.toLowerCase() === String(step).toLowerCase());
    return entry === undefined ? node : partOf(entry.value, rest);
  }
  const item = node.kind === 'list' && typeof step === 'number' ? node.items[step] : undefined;
  if (item !== undefined) return partOf(item, rest);
  // One map, or one text, counts as a list of one.
  return node.kind === 'scalar' ? node : partOf(node, rest);
}

function missing(spec: KeySpec, empty: Assignment | undefined, more: string | undefined): Problem {
  const hint = `set it in the file, or ${spec.env}, or ${spec.flag}${more === undefined ? '' : `; ${more}`}`;
  const place = empty === undefined ? {} : { place: placeOf(empty.source) };
  return {
    severity: 'error',
    code: 'CONFIG_MISSING_VALUE',
    ...place,
    key: spec.key,
    message: 'is missing',
    hint,
  };
}

function asUnused(problem: Problem, role: Role): Problem {
  const message = `${problem.message}; the ${role} does not use it`;
  return { ...problem, severity: problem.severity === 'error' ? 'warning' : problem.severity, message };
}
