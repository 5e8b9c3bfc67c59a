import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { assemble } from './assemble.ts';
import type { Assignment } from './assign.ts';
import type { Draft, Role } from './config.ts';
import { textNode } from './document.ts';
import { effectiveAssignments, isValue, settleExclusive } from './effective.ts';
import { type Environment, environmentAssignments } from './environment.ts';
import { type FlagValues, flagAssignments } from './flag-values.ts';
import { loadGrammars } from './grammars.ts';
import { keySpec } from './keys.ts';
import type { Problem } from './problem.ts';
import { readReferencedFiles } from './referenced-files.ts';
import { partOf, type Resolved, resolveKeys } from './resolve.ts';
import type { RuleContext } from './rule-context.ts';
import { checkRules, remindOfChoices } from './rules.ts';
import { otherSideNotes, shellAssignments, shellVariableFor, withConsulScheme } from './shell-environment.ts';
import { placeOf, type Source } from './source.ts';

export interface LoadOptions {
  /** Of the process; `undefined` = as the configuration tells: destination if it has one. */
  readonly role: Role | undefined;
  /** `--config` arguments: files, directories or `-`. Without any: `VSYNC_CONFIG`, else the usual places. */
  readonly files: readonly string[];
  readonly flags: FlagValues;
  readonly env: Environment;
  readonly cwd: string;
  readonly home: string | undefined;
  readonly readStdin?: () => Promise<Uint8Array>;
  /** Warnings are errors. */
  readonly strict?: boolean;
  /** It may be for another machine: a file that it names and that does not exist here is a warning. */
  readonly filesMayBeAbsent?: boolean;
  /** `~/.vault-token` may be used: a person runs the command, and it is no daemon. */
  readonly interactive?: boolean;
}

/** What is assigned to the keys of one process, or of one of the destinations it serves -> its values, checked by themselves and together. */
export interface One {
  readonly draft: Draft;
  readonly problems: readonly Problem[];
  /** Where the value of each key comes from; keys without a value are not in it. */
  readonly sources: ReadonlyMap<string, Source>;
}

export async function loadOne(
  assigned: readonly Assignment[],
  more: { readonly problems: readonly Problem[]; readonly isComplete: boolean },
  role: Role,
  options: LoadOptions,
): Promise<One> {
  const fromEnv = environmentAssignments(options.env);
  const fromFlags = flagAssignments(options.flags, role);
  const { effective, problems } = await settle(
    [...assigned, ...fromEnv.assignments, ...fromFlags.assignments],
    role,
    options,
  );

  const hintFor = (key: string) => shellHint(key, role, options.env);
  await loadGrammars([...effective.keys()].flatMap((key) => keySpec(key).grammar ?? []));
  const resolved = resolveKeys(effective, role, hintFor);
  const unreadable = await readReferencedFiles(resolved, { ...options, role });
  const found: Problem[] = [
    ...more.problems,
    ...fromEnv.problems,
    ...fromFlags.problems,
    ...problems,
    ...resolved.problems,
    ...unreadable,
  ];
  const draft = assemble(resolved.values, role);
  checkRules(contextFor(role, draft, effective, resolved, hintFor, found));
  // What a file that cannot be read would have set is not missing.
  const relevant = more.isComplete ? found : found.filter(({ code }) => code !== 'CONFIG_MISSING_VALUE');
  const all = options.strict ? relevant.map(asError) : relevant;
  remindOfChoices(contextFor(role, draft, effective, resolved, hintFor, all));
  return { draft, problems: all, sources: resolved.sources };
}

/** What counts of everything assigned, with what the shell adds for the side that the process lives on. */
async function settle(
  assignments: readonly Assignment[],
  role: Role,
  { env, home, interactive = false }: LoadOptions,
): Promise<{ effective: Map<string, Assignment>; problems: Problem[] }> {
  const effective = effectiveAssignments(assignments);
  const problems = settleExclusive(effective, role);
  const shell = shellAssignments(role, env, effective);
  for (const assignment of shell.assignments) effective.set(assignment.key, assignment);
  const consulAddress = effective.get(`${role}.consul.address`);
  if (consulAddress !== undefined) effective.set(consulAddress.key, withConsulScheme(consulAddress, env));
  if (interactive && home) await addHomeToken(effective, role, join(home, '.vault-token'));
  return { effective, problems: [...problems, ...shell.problems, ...otherSideNotes(role, env, effective)] };
}

async function addHomeToken(effective: Map<string, Assignment>, role: Role, file: string): Promise<void> {
  const logins = ['token', 'token_file', 'approle.role_id', 'approle.role_id_file'];
  if (logins.some((name) => isValue(effective.get(`${role}.vault.${name}`)))) return;
  const isThere = await stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
  const key = `${role}.vault.token_file`;
  if (!isThere) return;
  effective.set(key, { key, node: textNode(file), format: 'text', source: { kind: 'file', file }, rank: 0 });
}

/** Says so when a variable of the shell sets the key of the other side, as in Go vsync. */
function shellHint(key: string, role: Role, env: Environment): string | undefined {
  const { side } = keySpec(key);
  if (side === undefined || side === role) return undefined;
  const variable = shellVariableFor(key, side, env);
  return variable === undefined ? undefined : `${variable} is set, but counts for the ${role} only`;
}

function contextFor(
  role: Role,
  draft: Draft,
  effective: ReadonlyMap<string, Assignment>,
  resolved: Resolved,
  hintFor: RuleContext['hintFor'],
  problems: Problem[],
): RuleContext {
  return {
    role,
    draft,
    isSet: (key) => isValue(effective.get(key)),
    written: (key) => resolved.written.get(key),
    hintFor,
    report: ({ part = [], ...problem }) => {
      const assignment = effective.get(problem.key ?? '');
      const at = assignment && part.length > 0 ? partOf(assignment.node, part).at : undefined;
      const source = assignment?.source;
      const place = source && placeOf(source.kind === 'file' && at ? { ...source, at } : source);
      const key = `${problem.key}${part.map((index) => `[${index}]`).join('')}`;
      problems.push({ ...problem, key, ...(place !== undefined && { place }) });
    },
  };
}

function asError(problem: Problem): Problem {
  return problem.severity === 'warning' ? { ...problem, severity: 'error' } : problem;
}
