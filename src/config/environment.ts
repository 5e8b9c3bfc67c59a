import { aliases, environmentAliases } from './aliases.ts';
import { type Assignment, ranks, unknownKeyText } from './assign.ts';
import { didYouMeanText } from './did-you-mean.ts';
import { textNode } from './document.ts';
import { envName, groupSpecs, keySpecs } from './keys.ts';
import type { Problem } from './problem.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const keyByName = new Map([
  ...keySpecs.map((spec) => [spec.env, spec.key] as const),
  ...Object.entries(environmentAliases),
]);
const aliasByName = new Map(aliases.map((alias) => [envName(alias.from), alias]));
const groupByName = new Map(groupSpecs.map((spec) => [envName(spec.group), spec.group]));

/** Names of this prefix that are read elsewhere. */
const readElsewhere = new Set(['VSYNC_CONFIG', 'VSYNC_NO_COLOR']);

/** Kubernetes sets these in every container beside a service called `vsync` or `vsync-...`. */
const ofKubernetes =
  /^VSYNC_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

/** The keys that `VSYNC_*` variables set. An empty variable is not set (Go vsync's rule). */
export function environmentAssignments(env: Environment): { assignments: Assignment[]; problems: Problem[] } {
  const assignments: Assignment[] = [];
  const problems: Problem[] = [];
  for (const name of Object.keys(env).sort()) {
    const text = env[name];
    if (!name.startsWith('VSYNC_') || text === undefined || text === '' || readElsewhere.has(name)) continue;
    const assign = (key: string, rank: number): void => {
      assignments.push({ key, node: textNode(text), format: 'text', source: { kind: 'env', name }, rank });
    };
    const key = keyByName.get(name);
    const alias = aliasByName.get(name);
    if (key !== undefined) assign(key, ranks.environment);
    else if (alias !== undefined) {
      for (const target of alias.to) assign(target, ranks.environment + ranks.alias);
      const hint =
        alias.to.length === 0 ? alias.hint : `set ${alias.to.map(envName).join(' and ')} (used as that)`;
      problems.push({ ...warning(name, 'is an old name', hint), code: 'CONFIG_DEPRECATED_KEY' });
    } else if (!ofKubernetes.test(name)) problems.push(unknownName(name));
  }
  return { assignments, problems };
}

function unknownName(name: string): Problem {
  const group = groupByName.get(name);
  if (group !== undefined) {
    return warning(
      name,
      `names ${group}, which holds keys, not a value; it is ignored`,
      `set its keys, such as ${example(group)}`,
    );
  }
  const dotted = name.slice('VSYNC_'.length).toLowerCase().replaceAll('_', '.');
  const [message] = unknownKeyText(dotted);
  if (message === 'is not supported yet') return warning(name, `${message}; it is ignored`, undefined);
  return warning(name, 'is not a variable of vsync; it is ignored', didYouMeanText(name, keyByName.keys()));
}

function example(group: string): string {
  return keySpecs.find((spec) => spec.key.startsWith(`${group}.`))?.env ?? '';
}

function warning(name: string, message: string, hint: string | undefined): Problem {
  return {
    severity: 'warning',
    code: 'CONFIG_UNKNOWN_KEY',
    place: `env ${name}`,
    message,
    ...(hint !== undefined && { hint }),
  };
}
