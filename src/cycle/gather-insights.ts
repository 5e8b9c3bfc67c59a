import type { Insight } from '../sync/insight.ts';
import { type DataPath, dataPath, type Mount } from '../sync/mount-path.ts';
import type { PathFilter } from '../sync/path-filter.ts';
import type { ErrorChannel } from './error-channel.ts';
import { listPaths } from './list-paths.ts';
import type { CallScope, OriginMetadata } from './ports.ts';
import { WorkerPool } from './worker-pool.ts';

/** What a scan saw. `failed` paths are in the error channel. */
export interface Gathered {
  /** Keys that were listed. */
  readonly listed: number;
  /** Listed keys without a secret: deleted, destroyed, metadata only. */
  readonly withoutSecret: number;
}

/**
 * Lists every folder and reads the metadata of every key; `put` gets each insight. A key that cannot be read goes to the error
 * channel and the scan goes on; a folder that cannot be listed stops the cycle.
 */
export async function gatherInsights(options: {
  readonly vault: OriginMetadata;
  readonly mounts: readonly Mount[];
  readonly filter: PathFilter;
  readonly numWorkers: number;
  readonly put: (path: DataPath, insight: Insight) => void;
  readonly errors: ErrorChannel;
  readonly scope: CallScope;
  readonly onProgress?: (done: number) => void;
}): Promise<Gathered> {
  const { vault, mounts, filter, numWorkers, put, errors, scope } = options;
  const pool = new WorkerPool(numWorkers, scope.signal);
  let listed = 0;
  let done = 0;
  let withoutSecret = 0;

  const take = (path: DataPath, insight: Insight | undefined) => {
    if (insight === undefined) withoutSecret += 1;
    else put(path, insight);
  };
  const countDone = () => {
    done += 1;
    options.onProgress?.(done);
  };
  const readOne = async (mount: Mount, key: string) => {
    const path = dataPath(mount, key);
    try {
      take(path, await vault.readInsight(mount, key, scope));
    } catch (error) {
      errors.pathFailed(path, error);
    }
    countDone();
  };

  try {
    for await (const keys of listPaths(vault, mounts, { concurrency: numWorkers, filter, scope })) {
      for (const { mount, key, known } of keys) {
        if (scope.signal.aborted) break;
        listed += 1;
        if (known === undefined) {
          await pool.add(() => readOne(mount, key));
        } else {
          take(dataPath(mount, key), known.insight);
          countDone();
        }
      }
      if (scope.signal.aborted) break;
    }
  } catch (error) {
    errors.stop(error);
  }
  await pool.idle();
  return { listed, withoutSecret };
}
