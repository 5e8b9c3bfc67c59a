import type { Config } from '../../config/config.ts';
import { findTargetProblems } from '../../cycle/target-problems.ts';
import { isSameVault } from '../../roles/preflight.ts';
import type { DataPath } from '../../sync/mount-path.ts';
import { pathFilter } from '../../sync/path-filter.ts';
import { type Target, transformPath } from '../../sync/transform.ts';
import { mountOf } from '../../vault/mounts.ts';
import { counted } from '../terminal/text-style.ts';
import { findUncopied, type PathProblem } from '../transform-test.ts';
import { type DoctorContext, publishedPaths } from './context.ts';
import type { Check } from './report.ts';

/** Where the published paths go at the destination: rules that match nothing, paths that meet, targets that cannot be written. */

type DestinationConfiguration = Extract<Config, { role: 'destination' }>;

/** Problems of one kind that are named; the rest is counted. */
const maxNamed = 3;

export async function checkTransforms(
  context: DoctorContext,
  config: DestinationConfiguration,
): Promise<void> {
  const { report, sides } = context;
  const [origin, destination] = sides;
  const sameVault =
    origin?.health !== undefined &&
    destination?.health !== undefined &&
    isSameVault(config, origin.health, destination.health);
  if (sameVault) report.add(loopbackCheck(config));
  else if (origin?.health !== undefined && destination?.health !== undefined)
    report.pass('two Vaults', 'origin and destination are not one Vault');

  const filter = pathFilter(config.destination.include, config.destination.exclude);
  const published = await publishedPaths(context);
  const paths = published.filter((path) => filter.matchesPath(path, config.origin.mounts ?? []));
  if (paths.length === 0) return report.skip('targets', 'no path is published that would be copied');
  const targets = paths.map((path) => transformPath(config.destination.transforms, path));
  judgeRules(context, config, targets);
  const problems = await report.attempt('targets', async () =>
    findUncopied(config, paths, { sameVault, targetProblem: await targetProblems(context, targets) }),
  );
  if (problems === undefined) return;
  if (problems.size === 0) {
    report.pass('targets', `each of ${counted(paths.length, 'published path')} has a target of its own`);
  }
  judgeProblems(context, problems);
}

function loopbackCheck({ origin }: DestinationConfiguration): Check {
  const topic = 'two Vaults';
  const message = 'origin and destination are one Vault';
  if (origin.mounts !== undefined)
    return { status: 'pass', topic, message: `${message}: what is on origin.mounts is never written` };
  return {
    status: 'fail',
    topic,
    message: `${message}, and origin.mounts does not say what must not be written`,
    code: 'CONFIG_MISSING_VALUE',
    fix: 'name in origin.mounts the mounts that the origin publishes',
  };
}

function judgeRules(
  { report }: DoctorContext,
  { destination }: DestinationConfiguration,
  targets: readonly Target[],
): void {
  for (const { name } of destination.transforms) {
    const matched = targets.filter(({ rule }) => rule === name).length;
    const message = `"${name}" decides ${counted(matched, 'published path')}`;
    if (matched > 0) report.pass('transform', message);
    else report.warn('transform', message, { fix: `try it: vsync transform test <path>` });
  }
}

/** Asks the destination's Vault for the mounts of all targets, each mount once; without it nothing is asked. */
async function targetProblems(
  { sides, scope }: DoctorContext,
  targets: readonly Target[],
): Promise<(target: DataPath) => PathProblem | undefined> {
  const destination = sides.find(({ side }) => side === 'destination');
  if (destination?.health === undefined) return () => undefined;
  const { client } = destination.vault;
  return findTargetProblems(
    { mountOf: (path) => mountOf(client, path, scope) },
    targets.map(({ path }) => path as DataPath),
    { scope },
  );
}

function judgeProblems({ report }: DoctorContext, problems: ReadonlyMap<string, PathProblem>): void {
  const named = new Map<PathProblem['code'], number>();
  for (const [path, { code, message }] of problems) {
    const count = (named.get(code) ?? 0) + 1;
    named.set(code, count);
    if (count > maxNamed) continue;
    report.fail('targets', `${path} is not copied: ${message}`, {
      code,
      fix: 'correct destination.transforms; try it: vsync transform test <path>',
    });
  }
  for (const [code, count] of named) {
    if (count > maxNamed) report.fail('targets', `... and ${count - maxNamed} more paths: ${code}`, { code });
  }
}
