import { locate, type Mount, possibleLocations } from '../../sync/mount-path.ts';
import { transformPath } from '../../sync/transform.ts';
import { describeMount } from '../../vault/mounts.ts';
import { checkRights } from './check-rights.ts';
import { type DoctorContext, type DoctorSide, publishedPaths } from './context.ts';

/** The mounts that one side's process works on: there, KV version 2, and the rights on them. */
export async function checkMounts(context: DoctorContext, side: DoctorSide): Promise<void> {
  const { report, scope } = context;
  const paths = await pathsHere(context, side);
  const mounts = side.settings.mounts ?? mountsOf(paths);
  if (mounts.length === 0) {
    return report.skip(
      'mounts',
      `${side.side}.mounts is not set, and no path is published yet that tells them`,
    );
  }
  for (const mount of mounts) {
    const found = await report.attempt('mount', () => describeMount(side.vault.client, mount, scope));
    if (found === undefined) continue;
    report.pass('mount', `${mount} is KV version 2 (uuid ${found.id})`);
    await checkRights(
      context,
      side,
      mount,
      paths.filter((path) => locate(path, [mount]) !== undefined),
    );
  }
}

/** The paths of real secrets that this side's Vault is asked for: the published ones, or where transforms lead them. */
async function pathsHere(context: DoctorContext, { side }: DoctorSide): Promise<string[]> {
  const published = await publishedPaths(context);
  const { config } = context;
  if (side === 'origin' || config.role === 'origin') return published;
  return published.map((path) => transformPath(config.destination.transforms, path).path);
}

/** The mounts that paths most likely lie on: what comes before the first `/data/`. */
function mountsOf(paths: readonly string[]): Mount[] {
  return [...new Set(paths.flatMap((path) => possibleLocations(path)[0]?.mount ?? []))].sort();
}
