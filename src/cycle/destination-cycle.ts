import { isDeepStrictEqual } from 'node:util';
import { type Clock, systemClock } from '../base/clock.ts';
import { VsyncError } from '../base/errors.ts';
import { shortSet } from '../sync/delete-guard.ts';
import type { Plan } from '../sync/plan.ts';
import type { SyncInfo } from '../sync/sync-info.ts';
import { type Applied, type ApplyOptions, applyTasks } from './apply-tasks.ts';
import { type CycleRun, stoppedOutcome } from './cycle-run.ts';
import { type CycleCounts, type CycleOutcome, completeBatch } from './outcome.ts';
import { type Comparison, type PlanOptions, planDestination, type SettledPair } from './plan-destination.ts';
import type { DestinationVault, KeyValue, OriginSecrets, StoredIndex } from './ports.ts';

/**
 * One cycle of a destination: load both -> compare -> guard -> apply -> save, the save also while it goes on (R10).
 * The destination's info gets the origin's insights, so both say the same when all is copied.
 */

export interface DestinationCycleOptions extends PlanOptions {
  readonly origin: OriginSecrets;
  readonly vault: DestinationVault;
  readonly numWorkers: number;
  readonly onConflict: ApplyOptions['onConflict'];
  /** Tasks after which progress is saved. */
  readonly batchSize: number;
  /** What to tell of a cycle that finds nothing to do: written with the request that finds it. */
  readonly heartbeat?: () => Promise<KeyValue>;
  readonly clock?: Clock;
}

/** When secrets that were left alone, say those of a mount that the origin publishes no more, are looked at again. */
const lookAgainAfterMs = 10 * 60_000;

/** A destination's cycles. Between them only what Consul confirms is kept (R9). */
export class DestinationCycle {
  readonly #options: DestinationCycleOptions;
  #settled: SettledPair | undefined;
  /** The own index as it was stored or read last; confirmed before it is believed. */
  #own: StoredIndex | undefined;

  constructor(options: DestinationCycleOptions) {
    this.#options = options;
  }

  /** Compares only. */
  compare(run: CycleRun): Promise<Comparison> {
    return planDestination(this.#options, run);
  }

  async run(run: CycleRun): Promise<CycleOutcome> {
    const settled = (this.#settled?.until ?? 0) > this.#now() ? this.#settled : undefined;
    const own = this.#own;
    this.#settled = undefined;
    this.#own = undefined;
    if (own !== undefined && (await this.#nothingMoved(own, settled, run))) {
      this.#settled = settled;
      this.#own = own;
      return { ...noop(undefined), told: this.#options.heartbeat !== undefined };
    }
    const comparison = await planDestination(this.#options, run, settled);
    if (comparison.inSync) {
      this.#settled = settled;
      this.#own = comparison.replaces;
      return noop(comparison.info.unloaded.length === 0 ? comparison.info.size : undefined);
    }
    const { outcome, applied, stored } = await this.#execute(comparison, run);
    if (outcome.error === undefined) this.#own = stored;
    if (outcome.result === 'noop' && stored !== undefined) {
      // What was left alone depends on the Vaults too, not only on both infos: it is looked at again after a while.
      const until = applied.skipped === 0 ? Number.POSITIVE_INFINITY : this.#now() + lookAgainAfterMs;
      this.#settled = { origin: comparison.origin.modifyIndex, own: stored.modifyIndex, until };
    }
    return outcome;
  }

  /** R11: whether both infos are what they were when they said the same, in two requests. */
  async #nothingMoved(own: StoredIndex, settled: SettledPair | undefined, run: CycleRun): Promise<boolean> {
    const { originStore, store, heartbeat } = this.#options;
    const origin = await originStore.loadIndex(run.scope);
    const same =
      isDeepStrictEqual(origin?.index, own.index) ||
      (settled !== undefined && settled.origin === origin?.modifyIndex && settled.own === own.modifyIndex);
    return same && store.confirm(own, await heartbeat?.(), run.saveScope);
  }

  #now(): number {
    return (this.#options.clock ?? systemClock).monotonic();
  }

  /** Applies the plan of a comparison that the caller made, say a part of what differs, and saves like any cycle. */
  async execute(comparison: Comparison, run: CycleRun): Promise<CycleOutcome> {
    return (await this.#execute(comparison, run)).outcome;
  }

  async #execute(
    comparison: Comparison,
    run: CycleRun,
  ): Promise<{
    readonly outcome: CycleOutcome;
    readonly applied: Applied;
    readonly stored: StoredIndex | undefined;
  }> {
    const { plan, info } = comparison;
    if (plan.guard.held) run.emit({ kind: 'guard.held', verdict: plan.guard });

    const progress = new Progress(this.#options, comparison, run);
    const applied = await applyTasks(
      plan,
      info,
      {
        origin: this.#options.origin,
        destination: this.#options.vault,
        numWorkers: this.#options.numWorkers,
        onConflict: this.#options.onConflict,
        expectExisting: comparison.rebuilt,
        onRecorded: () => progress.recorded(),
      },
      run,
    );
    // Also when the cycle was stopped: what was written is recorded, so that no later cycle writes it again.
    await progress.finish();
    info.abort();
    const outcome = this.#outcome(resultOf(plan, applied, run), comparison, applied, run);
    return { outcome, applied, stored: progress.stored };
  }

  #outcome(
    result: CycleOutcome['result'],
    { plan, info }: Comparison,
    applied: Applied,
    run: CycleRun,
  ): CycleOutcome {
    const { added, updated, deleted, recorded } = applied;
    const counts: CycleCounts = {
      // Not all of it is looked at in each cycle.
      paths: info.unloaded.length === 0 ? info.size : undefined,
      failed: run.errors.failedPaths.size,
      changes: { added, updated, deleted, recorded },
    };
    if (run.errors.stopped !== undefined) return stoppedOutcome(run.errors, counts);
    return {
      result,
      counts,
      failedPaths: run.errors.failedPaths,
      ...(plan.guard.held && { held: plan.guard, error: deletesHeld(plan) }),
    };
  }
}

/** Nothing was found to do. */
function noop(paths: number | undefined): CycleOutcome {
  const changes = { added: 0, updated: 0, deleted: 0, recorded: 0 };
  return { result: 'noop', counts: { paths, failed: 0, changes }, failedPaths: new Map() };
}

function resultOf(plan: Plan, applied: Applied, run: CycleRun): CycleOutcome['result'] {
  if (plan.guard.held) return 'held';
  if (run.errors.failedPaths.size > 0) return 'partial';
  const { added, updated, deleted, recorded } = applied;
  return added + updated + deleted + recorded + plan.drops.length > 0 ? 'success' : 'noop';
}

/** How many times longer than a save the pause after it is: of a large info a save is long, and copying must not wait for it. */
const pauseFactor = 19;

/** Saves what is recorded, one save at a time, while the workers go on. */
class Progress {
  readonly #options: DestinationCycleOptions;
  readonly #clock: Clock;
  readonly #info: SyncInfo;
  readonly #run: CycleRun;
  #stored: StoredIndex | undefined;
  #unsaved = 0;
  #pauseUntil = 0;
  #saving: Promise<void> | undefined;
  #failed = false;

  constructor(options: DestinationCycleOptions, { info, replaces }: Comparison, run: CycleRun) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#info = info;
    this.#run = run;
    this.#stored = replaces;
  }

  /** What is stored now. */
  get stored(): StoredIndex | undefined {
    return this.#stored;
  }

  /** Counts a recorded task. After each batch a save begins in the background, unless the last one was too short a time ago. */
  recorded(): void {
    this.#unsaved += 1;
    if (this.#unsaved < this.#options.batchSize || this.#saving !== undefined) return;
    if (this.#clock.monotonic() < this.#pauseUntil || this.#run.errors.stopped !== undefined) return;
    this.#start();
  }

  /** Saves the rest. A failed save stops the cycle; what it held is found by comparing next time (R6). */
  async finish(): Promise<void> {
    await this.#saving;
    if (this.#failed) return;
    this.#start();
    await this.#saving;
  }

  #start(): void {
    this.#unsaved = 0;
    this.#saving = this.#save()
      .catch((error: unknown) => {
        this.#failed = true;
        this.#run.errors.stop(error);
      })
      .finally(() => {
        this.#saving = undefined;
      });
  }

  async #save(): Promise<void> {
    const begunAt = this.#clock.monotonic();
    const changes = this.#info.checkpoint();
    if (changes.buckets.length === 0) return;
    const batch = completeBatch(changes, { everyEntryConfirmed: true });
    this.#stored = await this.#options.store.save(batch, this.#stored, this.#run.saveScope);
    const endedAt = this.#clock.monotonic();
    this.#pauseUntil = endedAt + pauseFactor * (endedAt - begunAt);
  }
}

function deletesHeld({ guard, held }: Plan): VsyncError {
  const { deletes, paths, limit, set } = guard;
  const part = paths === 0 ? '' : ` (${((deletes / paths) * 100).toFixed(1)} %)`;
  const empty = guard.guard === 'empty_origin';
  return new VsyncError({
    code: empty ? 'ORIGIN_EMPTY' : 'DELETES_HELD',
    side: 'destination',
    message: empty
      ? `the origin lists no path at all; ${deletes} destination secrets would be deleted`
      : `${deletes} of ${paths} destination secrets${part} would be deleted; the limit is ${limit}`,
    why: empty
      ? 'likely a wrong mount, a lost policy, or a fresh Vault behind the same address'
      : `at the origin they are gone; the first of them: ${held[0]?.path}`,
    hint: `if intended: vsync approve ${shortSet(set)} (valid for this exact set only); else check the origin`,
    note: 'Adds and updates were applied; no delete was made.',
  });
}
