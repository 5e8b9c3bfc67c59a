import { VsyncError } from '../base/errors.ts';
import { type DataPath, locate, type Mount, possibleLocations, segmentsProblem } from '../sync/mount-path.ts';
import type { SkippedPath } from '../sync/plan.ts';
import type { CycleRun } from './cycle-run.ts';
import type { DestinationVault } from './ports.ts';

type Problem = Pick<SkippedPath, 'code' | 'message'>;

/** Looks up the mounts of all targets, each mount once, and tells of each target why it cannot be written, if so. */
export async function findTargetProblems(
  vault: Pick<DestinationVault, 'mountOf'>,
  targets: Iterable<DataPath>,
  run: Pick<CycleRun, 'scope'>,
): Promise<(target: DataPath) => Problem | undefined> {
  const mounts = new Set<Mount>();
  const problems = new Map<DataPath, Problem>();
  const withoutMount = new Map<string, Problem>();
  for (const target of targets) {
    const problem = await problemOf(target);
    if (problem !== undefined) problems.set(target, problem);
  }
  return (target) => problems.get(target);

  async function problemOf(target: DataPath): Promise<Problem | undefined> {
    const unaddressable = segmentsProblem(target);
    if (unaddressable !== undefined) {
      const message = `${JSON.stringify(target)} cannot be written: ${unaddressable}`;
      return { code: 'PATH_NOT_ADDRESSABLE', message };
    }
    if (locate(target, mounts) !== undefined) return undefined;
    // A mount that was not found is not looked for again for each path below.
    const place = possibleLocations(target)[0]?.mount ?? target;
    const known = withoutMount.get(place);
    if (known !== undefined) return known;
    try {
      mounts.add(await vault.mountOf(target, run.scope));
      return undefined;
    } catch (error) {
      if (!(error instanceof VsyncError)) throw error;
      if (error.status === 400) return refusedName(target);
      if (error.code !== 'TRANSFORM_BAD_TARGET') throw error;
      const problem: Problem = { code: error.code, message: `${error.message}: ${error.why}` };
      withoutMount.set(place, problem);
      return problem;
    }
  }
}

/** The server takes no such name. That is the path's own failure: of others below the same mount it says nothing. */
function refusedName(target: DataPath): Problem {
  const message = `${JSON.stringify(target)} cannot be written: the destination Vault refuses the name (400)`;
  return { code: 'PATH_NOT_ADDRESSABLE', message };
}
