import { VsyncError } from '../base/errors.ts';
import { type DataPath, dataPath, type Mount } from '../sync/mount-path.ts';
import type { PathFilter } from '../sync/path-filter.ts';
import type { CycleRun } from './cycle-run.ts';
import type { MetadataReader } from './judge-secret.ts';
import { listPaths } from './list-paths.ts';
import { WorkerPool } from './worker-pool.ts';

/** A live secret of the destination that no path of the origin leads to. */
export interface Extra {
  readonly target: DataPath;
  readonly version: number;
  /** It was copied from a path that the origin has no more: its delete is pending, held or ignored. */
  readonly wasCopied: boolean;
}

export interface Extras {
  readonly found: readonly Extra[];
  /** The folder that the token may not list: what lies below was not looked at. */
  readonly denied: string | undefined;
}

/** Lists the destination's mounts and reads the metadata of what is not `expected`. Any failure but a refused listing ends the run. */
export async function findExtras(options: {
  readonly metadata: MetadataReader;
  readonly mounts: readonly Mount[];
  readonly filter: PathFilter;
  readonly expected: (path: DataPath) => boolean;
  readonly wasCopied: (path: DataPath) => boolean;
  readonly numWorkers: number;
  readonly run: CycleRun;
}): Promise<Extras> {
  const { metadata, mounts, filter, expected, numWorkers, run } = options;
  const { scope, errors } = run;
  const found: Extra[] = [];
  const pool = new WorkerPool(numWorkers, scope.signal);
  const judge = async (mount: Mount, key: string, target: DataPath) => {
    try {
      const insight = await metadata.readInsight(mount, key, scope);
      if (insight !== undefined)
        found.push({ target, version: insight.version, wasCopied: options.wasCopied(target) });
    } catch (error) {
      errors.pathFailed(target, error);
    }
  };
  let denied: string | undefined;
  try {
    for await (const keys of listPaths(metadata, mounts, { concurrency: numWorkers, filter, scope })) {
      for (const { mount, key } of keys) {
        if (scope.signal.aborted) break;
        const target = dataPath(mount, key);
        if (!expected(target)) await pool.add(() => judge(mount, key, target));
      }
      if (scope.signal.aborted) break;
    }
  } catch (error) {
    if (!(error instanceof VsyncError) || error.code !== 'VAULT_LIST_DENIED') errors.stop(error);
    else denied = error.where.path ?? '';
  }
  await pool.idle();
  return { found: found.sort((a, b) => (a.target < b.target ? -1 : 1)), denied };
}
