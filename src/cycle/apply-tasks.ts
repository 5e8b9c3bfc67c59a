import { VsyncError } from '../base/errors.ts';
import type { DataPath } from '../sync/mount-path.ts';
import type { Plan, PlannedTask } from '../sync/plan.ts';
import type { SyncInfo } from '../sync/sync-info.ts';
import { type CopyOptions, copySecret, type OnConflict } from './copy-secret.ts';
import { type CycleRun, interrupted } from './cycle-run.ts';
import type { DestinationVault, OriginSecrets } from './ports.ts';
import { WorkerPool } from './worker-pool.ts';

/**
 * Executes a plan with a worker pool: copies first, deletes last and only if nothing failed for a passing reason (R4).
 * Each finished task is recorded in the destination's sync info at once; `onRecorded` decides when that is saved.
 */

/** How often a delete is tried whose outcome is unclear. */
const maxDeletes = 3;

export interface ApplyOptions {
  readonly origin: OriginSecrets;
  readonly destination: DestinationVault;
  readonly numWorkers: number;
  readonly onConflict: OnConflict;
  /** See `CopyOptions.expectation`. */
  readonly expectExisting: boolean;
  /** A finished task was recorded. */
  readonly onRecorded: () => void;
}

export interface Applied {
  readonly added: number;
  readonly updated: number;
  readonly deleted: number;
  /** Equal already: recorded without a write. */
  readonly recorded: number;
  /** Not done, without fault: gone at the origin meanwhile, or someone else's value was kept. */
  readonly skipped: number;
}

export async function applyTasks(
  plan: Plan,
  info: SyncInfo,
  options: ApplyOptions,
  run: CycleRun,
): Promise<Applied> {
  const counts = { added: 0, updated: 0, deleted: 0, recorded: 0, skipped: 0 };
  const total = plan.copies.length + plan.deletes.length;
  let done = 0;

  const takenOver = takenOverBy(plan);
  const waiting = new Set([...takenOver.values()].flat());
  for (const drop of plan.drops) if (!waiting.has(drop)) info.remove(drop.path);
  for (const { path, code, message } of plan.skipped)
    fail(path, new VsyncError({ code, path, message, side: 'destination' }));

  const copyOptions: CopyOptions = {
    origin: options.origin,
    destination: options.destination,
    onConflict: options.onConflict,
    scope: run.scope,
    writeScope: run.saveScope,
    expectation: { existing: options.expectExisting },
  };
  await inPool(plan.copies, copy);
  if (mayDelete()) await inPool(plan.deletes, remove);
  if (run.draining.aborted && done < total) run.errors.stop(interrupted());
  return counts;

  async function inPool(
    tasks: readonly PlannedTask[],
    execute: (task: PlannedTask) => Promise<void>,
  ): Promise<void> {
    const pool = new WorkerPool(options.numWorkers, run.scope.signal);
    for (const task of tasks) {
      if (run.draining.aborted || run.scope.signal.aborted) break;
      await pool.add(async () => {
        if (run.draining.aborted) return;
        try {
          await execute(task);
        } catch (error) {
          fail(task.path, error);
        }
        done += 1;
        run.emit({ kind: 'progress', done, total });
      });
    }
    await pool.idle();
  }

  async function copy(task: PlannedTask): Promise<void> {
    const { path, target } = task;
    const formerOwners = takenOver.get(target) ?? [];
    const [former] = formerOwners;
    const inherits = task.from === undefined && former?.from !== undefined;
    const result = await copySecret(inherits ? { ...task, from: former.from } : task, copyOptions);
    if (result.kind === 'gone') return skip(task, 'it is gone at the origin; its next sync info will say so');
    if (result.kind === 'kept')
      return skip(task, `someone else's version ${result.version} at the destination is kept`);
    info.put(path, result.insight);
    for (const former of formerOwners) info.remove(former.path);
    if (result.overwrote !== undefined)
      run.emit({ kind: 'path.conflict', path, target, version: result.overwrote });
    if (!result.written) counts.recorded += 1;
    else if (task.kind === 'add') counts.added += 1;
    else counts.updated += 1;
    run.emit({
      kind: task.kind === 'add' ? 'path.add' : 'path.update',
      path,
      target,
      version: task.to?.version,
      fromVersion: task.from?.version,
      recorded: !result.written,
    });
    options.onRecorded();
  }

  /** R4: the origin is asked once more, and only a clean "not there" or a deleted version confirms. */
  async function remove(task: PlannedTask): Promise<void> {
    const { path, target } = task;
    const source = await options.origin.readSecret(path, run.scope);
    if (source.kind === 'live') return skip(task, 'the origin has it, although its sync info does not');
    await deleteOnce(task);
    info.remove(path);
    counts.deleted += 1;
    run.emit({
      kind: 'path.delete',
      path,
      target,
      version: undefined,
      fromVersion: task.from?.version,
      recorded: false,
    });
    options.onRecorded();
  }

  async function deleteOnce({ target, from }: PlannedTask): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await options.destination.deleteSecret(target, run.saveScope);
      } catch (error) {
        // R8: whether it took effect is read, not guessed.
        if (!(error instanceof VsyncError) || !error.ambiguous) throw error;
        const now = await options.destination.readSecret(target, run.saveScope);
        if (now.kind !== 'live') return;
        // What is there may have come after it: only the version that is known to be ours is deleted again.
        if (now.version !== from?.dv || tries === maxDeletes) throw error;
      }
    }
  }

  function mayDelete(): boolean {
    if (plan.deletes.length === 0 || run.errors.stopped !== undefined) return false;
    if (!run.errors.failedTransiently) return true;
    const message = `${plan.deletes.length} deletes wait for a cycle in which nothing fails for a passing reason`;
    run.emit({ kind: 'note', level: 'warn', message });
    return false;
  }

  function skip(task: PlannedTask, why: string): void {
    counts.skipped += 1;
    run.emit({ kind: 'path.skip', path: task.path, why });
  }

  function fail(path: PlannedTask['path'], thrown: unknown): void {
    const error = run.errors.pathFailed(path, thrown);
    if (error.class === 'path') run.emit({ kind: 'path.error', path, error });
  }
}

/**
 * The entries to forget whose target one of the copies takes over, by target. They tell that the version there is our own, so each is
 * kept until that copy is done.
 */
function takenOverBy({ copies, drops }: Plan): ReadonlyMap<DataPath, readonly PlannedTask[]> {
  const taken = new Map<DataPath, PlannedTask[]>(
    drops.length === 0 ? [] : copies.map(({ target }) => [target, []]),
  );
  for (const drop of drops) taken.get(drop.target)?.push(drop);
  return taken;
}
