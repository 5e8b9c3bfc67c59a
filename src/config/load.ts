import { withoutTokens } from '../base/secret.ts';
import { configFrom } from './assemble.ts';
import type { Assignment } from './assign.ts';
import type { Config, Draft, Role } from './config.ts';
import { checkDestinations } from './destinations.ts';
import { environmentAssignments } from './environment.ts';
import { type FlagValues, flagAssignments, isRoleIndependent } from './flag-values.ts';
import { type LoadOptions, loadOne, type One } from './load-one.ts';
import type { Problem } from './problem.ts';
import { readFiles } from './read-files.ts';
import type { Source } from './source.ts';

export interface Loaded {
  /** The role that it was read for. */
  readonly role: Role;
  /** There if no problem is an error. */
  readonly config?: Config;
  /** One for each destination that a process serves, `config` first: several only with a list of `destinations`. */
  readonly configs: readonly Config[];
  readonly problems: readonly Problem[];
  /** Where the value of each key of `config` comes from; keys without a value are not in it. */
  readonly sources: ReadonlyMap<string, Source>;
  /** The same for each of `configs`, in their order. */
  readonly allSources: readonly ReadonlyMap<string, Source>[];
  /** The files that were read, absolute. */
  readonly files: readonly string[];
}

/** Reads the configuration from all its sources. Never throws for what is in them: every problem is found and returned at once. */
export async function loadConfig(options: LoadOptions): Promise<Loaded> {
  const read = await readFiles(options);
  const fromEnv = environmentAssignments(options.env);
  const listed = read.destinations.flat();
  const role =
    options.role ?? inferRole([...read.assignments, ...listed, ...fromEnv.assignments], options.flags);
  const served = role === 'destination' && read.destinations.length > 0 ? read.destinations : [[]];
  const all = await Promise.all(
    served.map((own) => loadOne([...read.assignments, ...own], read, role, options)),
  );
  const problems = distinct([
    ...all.flatMap((each) => each.problems),
    ...(served.length > 1 ? checkDestinations(all.map(({ draft }) => identity(draft))) : []),
  ]);
  const isValid = !problems.some(({ severity }) => severity === 'error');
  const configs = isValid ? all.map(({ draft }) => configFrom(draft, role)) : [];
  const [config] = configs;
  return {
    role,
    ...(config && { config }),
    configs,
    problems,
    sources: (all[0] as One).sources,
    allSources: all.map(({ sources }) => sources),
    files: read.files,
  };
}

/** What several destinations share is wrong once, not once for each. A token that was taken for something else is not shown. */
function distinct(problems: readonly Problem[]): Problem[] {
  const texts = problems.map((problem) => withoutTokens(JSON.stringify(problem)));
  return [...new Set(texts)].map((text) => JSON.parse(text) as Problem);
}

/** What must differ between the destinations of one process. */
function identity({ name, destination }: Draft) {
  return {
    name: name ?? 'destination',
    consul: destination?.consul?.address ?? '',
    syncPath: destination?.syncPath ?? '',
  };
}

/** A configuration is a destination's if it says where the destination is. */
function inferRole(assignments: readonly Assignment[], flags: FlagValues): Role {
  const independent = Object.fromEntries(Object.entries(flags).filter(([name]) => isRoleIndependent(name)));
  const keys = [...assignments, ...flagAssignments(independent, 'origin').assignments].map(({ key }) => key);
  return keys.some((key) => /^destination\.(vault|consul)\./.test(key)) ? 'destination' : 'origin';
}
