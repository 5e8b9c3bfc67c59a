import { VsyncError } from '../base/errors.ts';
import type { Task } from '../sync/compare.ts';
import { type DataPath, locate, type Mount } from '../sync/mount-path.ts';
import { pathFilter } from '../sync/path-filter.ts';
import type { PlannedTask, SkippedPath } from '../sync/plan.ts';
import type { SyncInfo } from '../sync/sync-info.ts';
import { transformPath } from '../sync/transform.ts';
import type { CycleRun } from './cycle-run.ts';
import { type Extras, findExtras } from './find-extras.ts';
import { type Finding, judgeByMetadata, judgeByValue, type MetadataReader } from './judge-secret.ts';
import { loadBuckets, loadOwnInfo, withIndexes } from './load-infos.ts';
import { type Comparison, isOriginsOwn, type PlanOptions, planTasks } from './plan-destination.ts';
import type { DestinationVault, OriginSecrets, OwnIndex, StoredIndex } from './ports.ts';
import { WorkerPool } from './worker-pool.ts';

/**
 * Compares what is really at the destination with what the origin published: by metadata, or (`deep`) by values. Reads only.
 * What a destination is writing at the same time may be told as changed, since that is recorded after it is written.
 */

export interface CheckOptions extends PlanOptions {
  readonly origin: OriginSecrets;
  readonly vault: Pick<DestinationVault, 'mountOf' | 'readSecret'>;
  readonly metadata: MetadataReader;
  /** Where extras are looked for; empty: on the mounts that the origin's paths lead to. */
  readonly mounts: readonly Mount[];
  readonly numWorkers: number;
  /** Values are read at both ends and compared, instead of the destination's metadata. */
  readonly deep: boolean;
  readonly lookForExtras: boolean;
}

/** A secret that is not what it should be. */
export interface Drifted {
  readonly task: PlannedTask;
  readonly finding: Extract<Finding, { kind: 'missing' | 'changed' | 'pending' }>;
}

export interface CheckResult {
  readonly drifted: readonly Drifted[];
  /** `undefined`: not looked for. */
  readonly extras: Extras | undefined;
  /** Paths that lead nowhere, so there is nothing to compare. */
  readonly skipped: readonly SkippedPath[];
  readonly counts: CheckCounts;
  /** What a repair starts from: its plan is empty. */
  readonly basis: Comparison;
}

export interface CheckCounts {
  /** Paths of the origin that take part. */
  readonly origin: number;
  /** Paths in the destination's info. */
  readonly destination: number;
  readonly inSync: number;
  readonly unverified: number;
}

/** Checks everything. Paths that cannot be read are in the run's error channel. Throws like `planDestination`. */
export async function checkDestination(options: CheckOptions, run: CycleRun): Promise<CheckResult> {
  const { basis, tasks } = await withIndexes(options, run, (origin, own) =>
    everyPath(options, origin, own, run),
  );
  await options.metadata.readClock(run.scope);
  const mounts = new Set<Mount>();
  const judged = await judgeAll(basis.plan.copies, mounts, options, run);
  if (run.errors.stopped !== undefined) throw run.errors.stopped;
  const extras = options.lookForExtras ? await extrasOf(tasks, basis.info, mounts, options, run) : undefined;
  if (run.errors.stopped !== undefined) throw run.errors.stopped;
  return {
    drifted: judged.drifted,
    extras,
    skipped: basis.plan.skipped,
    counts: {
      origin: tasks.length,
      destination: basis.info.size,
      inSync: judged.inSync,
      unverified: judged.unverified,
    },
    basis: { ...basis, plan: { ...basis.plan, copies: [], skipped: [] } },
  };
}

/** The comparison that rewrites what is missing or changed, for `DestinationCycle.execute`. */
export function repairOf({ basis, drifted }: CheckResult): Comparison {
  const wanted = drifted.filter(({ finding }) => finding.kind !== 'pending');
  return { ...basis, plan: { ...basis.plan, copies: wanted.map(({ task }) => task) } };
}

/** Every path that takes part, as a task to rewrite it, in a comparison with all of the own info loaded. */
async function everyPath(
  options: CheckOptions,
  origin: StoredIndex,
  own: OwnIndex | undefined,
  run: CycleRun,
): Promise<{ readonly basis: Comparison; readonly tasks: readonly Task[] }> {
  const { info } = await loadOwnInfo(options.store, origin, own, run);
  if (own !== undefined && info.unloaded.length > 0) {
    for (const [id, bucket] of await loadBuckets(options.store, own, info.unloaded, run))
      info.load(id, new Map(bucket));
  }
  const buckets = await loadBuckets(options.originStore, origin, [...origin.index.keys()], run);
  const all = [...buckets.values()].flatMap((bucket) => [...bucket]);
  const tasks = all
    .filter(([path]) => options.filter.matchesPath(path, options.originMounts))
    .map(([path, to]) => taskFor(path, to, info));
  const plan = await planTasks(options, tasks, origin, info, run);
  const replaces = own?.corrupt === undefined ? own : { index: [], modifyIndex: own.modifyIndex };
  // Most of it is there already: a repair compares before it writes (R6).
  return { basis: { origin, replaces, info, rebuilt: true, plan, inSync: false }, tasks };
}

function taskFor(path: DataPath, to: NonNullable<Task['to']>, info: SyncInfo): Task {
  const from = info.get(path);
  return from === undefined
    ? { kind: 'add', path, to, reason: 'drifted' }
    : { kind: 'update', path, from, to, reason: 'drifted' };
}

/** Judges each task's target with a worker pool; `mounts` gets those that were met. */
async function judgeAll(
  tasks: readonly PlannedTask[],
  mounts: Set<Mount>,
  options: CheckOptions,
  run: CycleRun,
): Promise<{ readonly drifted: Drifted[]; readonly inSync: number; readonly unverified: number }> {
  const { origin, vault, metadata } = options;
  const drifted: Drifted[] = [];
  const counts = { in_sync: 0, unverified: 0 };
  let done = 0;
  let refused = 0;
  const pool = new WorkerPool(options.numWorkers, run.scope.signal);
  for (const task of tasks) {
    if (run.scope.signal.aborted) break;
    if (locate(task.target, mounts) === undefined) mounts.add(await vault.mountOf(task.target, run.scope));
    await pool.add(async () => {
      try {
        const finding = await judge(task);
        if (finding.kind === 'in_sync' || finding.kind === 'unverified') counts[finding.kind] += 1;
        else drifted.push({ task, finding });
      } catch (error) {
        if (run.errors.pathFailed(task.path, error).status === 403) refused += 1;
        const onlyRefusals = refused === done + 1 && refused >= Math.min(refusalsThatTell, tasks.length);
        if (onlyRefusals && !options.deep) run.errors.stop(metadataDenied(task.target));
      }
      done += 1;
      run.emit({ kind: 'progress', done, total: tasks.length });
    });
  }
  await pool.idle();
  drifted.sort((a, b) => (a.task.path < b.task.path ? -1 : 1));
  return { drifted, inSync: counts.in_sync, unverified: counts.unverified };

  function judge(task: PlannedTask): Promise<Finding> {
    if (options.deep) return judgeByValue(task, { origin, destination: vault }, run.scope);
    const at = locate(task.target, mounts) as NonNullable<ReturnType<typeof locate>>;
    return judgeByMetadata(task, at, metadata, run.scope);
  }
}

/** So many refusals and nothing else mean a policy without the right, not a few secrets. */
const refusalsThatTell = 32;

function metadataDenied(target: DataPath): VsyncError {
  const mount = target.slice(0, target.indexOf('data/'));
  return new VsyncError({
    code: 'VAULT_FORBIDDEN',
    class: 'fatal',
    side: 'destination',
    server: 'vault',
    status: 403,
    message: "the destination Vault's token may read no metadata (403)",
    why: `its policies give no "read" on ${mount}metadata/*`,
    hint: `path "${mount}metadata/*" { capabilities = ["read", "list"] }; or check by value: vsync check --deep`,
    note: 'Nothing was changed.',
  });
}

async function extrasOf(
  tasks: readonly Task[],
  own: SyncInfo,
  met: ReadonlySet<Mount>,
  options: CheckOptions,
  run: CycleRun,
): Promise<Extras> {
  const { metadata, numWorkers, transforms } = options;
  // Also of paths that are skipped: what their target holds is told with them.
  const targetOf = (path: DataPath) => transformPath(transforms, path).path as DataPath;
  const expected = new Set(tasks.map(({ path }) => targetOf(path)));
  const published = new Set(tasks.map(({ path }) => path));
  const former = new Set([...own.paths()].filter((path) => !published.has(path)).map(targetOf));
  return findExtras({
    metadata,
    mounts: options.mounts.length > 0 ? options.mounts : [...met],
    // A filter is on the origin's paths: behind transforms it says nothing of the destination's.
    filter: transforms.length === 0 ? options.filter : pathFilter([], []),
    wasCopied: (path) => former.has(path),
    expected: (path) => expected.has(path) || isOriginsOwn(path, published, options),
    numWorkers,
    run,
  });
}
