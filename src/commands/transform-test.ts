import type { Config } from '../config/config.ts';
import { isSameVault } from '../roles/preflight.ts';
import { defaultGuards } from '../sync/delete-guard.ts';
import { kvV2 } from '../sync/insight.ts';
import { type DataPath, locate, type Mount, possibleLocations, segmentsProblem } from '../sync/mount-path.ts';
import { pathFilter } from '../sync/path-filter.ts';
import { buildPlan, type SkippedPath } from '../sync/plan.ts';
import { transformPath } from '../sync/transform.ts';

/** Tries transforms on paths, by the same plan that a cycle makes. No I/O: what only the servers know is not looked at. */

type DestinationConfiguration = Extract<Config, { role: 'destination' }>;

export type PathProblem = Pick<SkippedPath, 'code' | 'message'>;

export interface TestedPath {
  readonly path: string;
  readonly target: string;
  /** The rule that matched; `undefined`: none did. */
  readonly rule: string | undefined;
  /** Why it would not be copied. */
  readonly problem: PathProblem | undefined;
  /** What else is worth knowing. */
  readonly notes: readonly string[];
}

/** What becomes of each of these paths if the origin has exactly these. */
export function testPaths(config: DestinationConfiguration, paths: readonly string[]): TestedPath[] {
  const problems = findUncopied(config, paths, {
    sameVault: isSameVault(config, { clusterId: '' }, { clusterId: '' }),
    targetProblem: (target) => targetProblem(target, config.destination.mounts),
  });
  return paths.map((path) => {
    const { path: target, rule } = transformPath(config.destination.transforms, path);
    return { path, target, rule, problem: problems.get(path), notes: notesOn(path, config) };
  });
}

/** Why paths would not be copied, if the origin has exactly these: they meet at one target, or their target cannot be written. */
export function findUncopied(
  config: DestinationConfiguration,
  paths: readonly string[],
  facts: {
    readonly sameVault: boolean;
    readonly targetProblem: (target: DataPath) => PathProblem | undefined;
  },
): ReadonlyMap<string, PathProblem> {
  const originMounts = config.origin.mounts ?? [];
  const filter = pathFilter(config.origin.include, config.origin.exclude);
  const given = new Set(paths);
  const isPublished = (path: string) => {
    const location = locate(path, originMounts);
    return location !== undefined && filter.matches(location.mount, location.key);
  };
  const { skipped } = buildPlan({
    tasks: paths.map((path) => ({
      kind: 'add',
      path: path as DataPath,
      to: { version: 1, updateTime: '', type: kvV2 },
      reason: 'missing',
    })),
    targetOf: (path) => transformPath(config.destination.transforms, path),
    originPaths: paths as readonly DataPath[],
    targetProblem: facts.targetProblem,
    isOriginPath: (target) => facts.sameVault && (given.has(target) || isPublished(target)),
    ignoreDeletes: false,
    guard: { settings: defaultGuards, destinationPaths: 0, originIsEmpty: false, approvedSets: [] },
  });
  return new Map(skipped.map((each) => [each.path, each]));
}

/** What can be said of a target without asking the Vault. */
function targetProblem(target: DataPath, mounts: readonly Mount[] | undefined): PathProblem | undefined {
  const unaddressable = segmentsProblem(target);
  if (unaddressable !== undefined) {
    return { code: 'PATH_NOT_ADDRESSABLE', message: `${target} cannot be written: ${unaddressable}` };
  }
  if (possibleLocations(target).length === 0) {
    return { code: 'TRANSFORM_BAD_TARGET', message: `${target} is not <mount>data/<key>` };
  }
  if (mounts === undefined || locate(target, mounts) !== undefined) return undefined;
  const known = `destination.mounts: ${mounts.join(', ')}`;
  return { code: 'TRANSFORM_BAD_TARGET', message: `${target} lies on none of the mounts in ${known}` };
}

function notesOn(path: string, { origin, destination }: DestinationConfiguration): string[] {
  const mounts = origin.mounts ?? [];
  const mount = mounts.find((each) => path.startsWith(each));
  if (possibleLocations(path).length === 0) {
    const meant = mount === undefined ? '<mount>data/<key>' : `${mount}data/${path.slice(mount.length)}`;
    return [`origin paths are data paths; was ${meant} meant?`];
  }
  if (mounts.length > 0 && locate(path, mounts) === undefined) {
    return [`it lies on none of origin.mounts: ${mounts.join(', ')}`];
  }
  const sides = [
    ['origin', origin],
    ['destination', destination],
  ] as const;
  return sides.flatMap(([side, { include, exclude }]) =>
    pathFilter(include, exclude).matchesPath(path, mounts)
      ? []
      : [`it is left out by ${side}.include or ${side}.exclude`],
  );
}
