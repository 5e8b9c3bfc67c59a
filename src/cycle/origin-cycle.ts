import { VsyncError } from '../base/errors.ts';
import { bucketIdOf, emptyBucketHash } from '../sync/bucket.ts';
import { type GuardSettings, type GuardVerdict, guardDeletes } from '../sync/delete-guard.ts';
import type { Insight } from '../sync/insight.ts';
import type { DataPath, Mount } from '../sync/mount-path.ts';
import type { PathFilter } from '../sync/path-filter.ts';
import { SyncInfo } from '../sync/sync-info.ts';
import { type CycleRun, stoppedOutcome } from './cycle-run.ts';
import { type Gathered, gatherInsights } from './gather-insights.ts';
import { type CycleCounts, type CycleOutcome, completeScan } from './outcome.ts';
import type {
  CallScope,
  MountState,
  OriginMetadata,
  OwnIndex,
  StoredIndex,
  WritableSyncInfoStore,
} from './ports.ts';

/**
 * One cycle of an origin: check mounts -> list and read metadata -> carry forward what failed -> reindex -> save.
 * The origin's Vault is only read (R14), and nothing is saved unless everything was seen (R1, R3).
 */

export interface OriginCycleOptions {
  readonly vault: OriginMetadata;
  readonly store: WritableSyncInfoStore;
  readonly mounts: readonly Mount[];
  readonly filter: PathFilter;
  readonly numWorkers: number;
  /** `undefined`: keep the published number, or choose one by the number of paths. */
  readonly numBuckets: number | undefined;
  /** Part of the listed paths that may fail, 0 to 1; one always may. */
  readonly maxFailedPaths: number;
  readonly guards: GuardSettings;
  /** Sets of deletes that an operator released: to publish nothing over something needs one, or `allowEmptyOrigin`. */
  readonly approvedSets: (scope: CallScope) => Promise<readonly string[]>;
}

/** What was saved last and is still all there, if its mark is: spares reading it again. */
interface Published {
  readonly stored: StoredIndex;
  readonly mark: string;
}

/** What is published now, as far as it can be used. */
interface Previous {
  /** What a save has to replace; `undefined` when nothing is stored. */
  readonly replaces: StoredIndex | undefined;
  /** Whether the insights in it can be carried forward: false when it is corrupt or was lost. */
  readonly usable: boolean;
  /** The store's mark from before it was read. */
  readonly mark: string;
}

/** What `origin --dry-run` shows: what a cycle would publish. */
export interface ScanResult {
  readonly info: SyncInfo;
  readonly previous: Previous;
  readonly gathered: Gathered;
}

/** An origin's cycles. Between them only what Consul confirms is kept (R9). */
export class OriginCycle {
  readonly #options: OriginCycleOptions;
  #published: Published | undefined;
  #everPublished = false;

  constructor(options: OriginCycleOptions) {
    this.#options = options;
  }

  /** Scans and publishes. */
  async run(run: CycleRun): Promise<CycleOutcome> {
    const published = this.#published;
    this.#published = undefined;
    const scan = await this.scan(run, published);
    if (scan === undefined) return stoppedOutcome(run.errors, countsOf(undefined, run));
    const { info, previous } = scan;

    const held = await this.holdEmpty(scan, run);
    if (held !== undefined) {
      run.emit({ kind: 'guard.held', verdict: held });
      const counts = countsOf(0, run);
      return { result: 'held', counts, held, error: originEmpty(held), failedPaths: run.errors.failedPaths };
    }

    const changes = info.reindex(previous.replaces?.index ?? []);
    const counts = countsOf(info.size, run);
    const stopped = run.errors.stopped;
    if (stopped !== undefined) return stoppedOutcome(run.errors, counts);
    const work = completeScan(changes, { everyFolderListed: true, everyPathHandled: true, stopped });
    const changed = work.buckets.length > 0;
    if (changed) {
      const stored = await this.#options.store.save(work, previous.replaces, run.saveScope);
      // The index is written last, so its ModifyIndex is the highest below the prefix: any later write moves the mark.
      this.#published = { stored, mark: String(stored.modifyIndex) };
    } else if (previous.replaces !== undefined) {
      this.#published = { stored: previous.replaces, mark: previous.mark };
    }
    this.#everPublished = true;
    const result = run.errors.failedPaths.size > 0 ? 'partial' : changed ? 'success' : 'noop';
    return { result, counts, failedPaths: run.errors.failedPaths };
  }

  /** Everything but the save. `undefined` when the cycle was stopped. Writes nothing. */
  async scan(run: CycleRun, published?: Published): Promise<ScanResult | undefined> {
    const { vault, mounts, filter, numWorkers, numBuckets } = this.#options;
    const { scope, errors } = run;
    const previous = await this.#previous(run, published);
    const before = await this.#describeMounts(scope);
    await vault.readClock(scope);

    const known = numBuckets ?? (previous.usable ? previous.replaces?.index.length : undefined);
    const gatheredInto = SyncInfo.empty(known ?? 1);
    const gathered = await gatherInsights({
      vault,
      mounts,
      filter,
      numWorkers,
      put: (path, insight) => gatheredInto.put(path, insight),
      errors,
      scope,
      onProgress: (done) => run.emit({ kind: 'progress', done, total: undefined }),
    });
    if (errors.stopped === undefined) {
      requireSameMounts(before, await this.#describeMounts(scope));
      this.#requireFewFailures(gathered, previous, run);
      await this.#carryForward(gatheredInto, previous, run);
    }
    if (errors.stopped !== undefined) {
      gatheredInto.abort();
      return undefined;
    }
    for (const [path, error] of errors.failedPaths) run.emit({ kind: 'path.error', path, error });
    const info =
      known === undefined
        ? gatheredInto.rebucket(chooseNumBuckets(gathered.listed - gathered.withoutSecret))
        : gatheredInto;
    return { info, previous, gathered };
  }

  /** What is stored, verified bucket by bucket unless it is known to be what this process saved last (R5). */
  async #previous(run: CycleRun, published: Published | undefined): Promise<Previous> {
    const { store } = this.#options;
    const mark = await store.mark(run.scope);
    if (published !== undefined && published.mark === mark)
      return { replaces: published.stored, usable: true, mark };
    const stored = await store.loadOwnIndex(run.scope);
    if (stored === undefined) {
      if (this.#everPublished) noteRebuilt(run, store.prefix, 'it is gone');
      return { replaces: undefined, usable: !this.#everPublished, mark };
    }
    const corrupt = stored.corrupt ?? (await this.#verify(stored, run.scope));
    if (corrupt === undefined) return { replaces: stored, usable: true, mark };
    noteRebuilt(run, store.prefix, corrupt.message);
    return { replaces: { index: [], modifyIndex: stored.modifyIndex }, usable: false, mark };
  }

  /** Reads all buckets, a few at a time. What is wrong with them, or `undefined`. */
  async #verify(stored: OwnIndex, scope: CallScope): Promise<VsyncError | undefined> {
    const ids = [...stored.index.keys()];
    try {
      for (let at = 0; at < ids.length; at += 64) {
        await this.#loadPublished(stored, ids.slice(at, at + 64), scope);
      }
      return undefined;
    } catch (error) {
      if (error instanceof VsyncError && error.code === 'SYNC_INFO_CORRUPT') return error;
      throw error;
    }
  }

  async #loadPublished(stored: StoredIndex, ids: readonly number[], scope: CallScope) {
    const loaded = await this.#options.store.loadBuckets(stored, ids, scope);
    if (loaded.kind === 'verified') return loaded.buckets;
    throw new VsyncError({
      code: 'SYNC_INFO_CONFLICT',
      side: 'origin',
      server: 'consul',
      path: this.#options.store.prefix,
      message: 'another process published origin sync info during the cycle',
      hint: 'run one origin for each sync path',
      note: 'Nothing was overwritten; the next cycle starts from what is there now.',
    });
  }

  async #describeMounts(scope: CallScope): Promise<MountState[]> {
    return Promise.all(this.#options.mounts.map((mount) => this.#options.vault.describeMount(mount, scope)));
  }

  /** R2: a few paths may fail, not many; without usable previous info, none. */
  #requireFewFailures(gathered: Gathered, previous: Previous, run: CycleRun): void {
    const failed = run.errors.failedPaths;
    const limit = Math.max(1, Math.floor(gathered.listed * this.#options.maxFailedPaths));
    if (failed.size === 0 || (previous.usable && failed.size <= limit)) return;
    const [first] = failed.values();
    run.errors.stop(
      new VsyncError({
        code: 'TOO_MANY_FAILED_PATHS',
        side: 'origin',
        server: 'vault',
        exitCode: first?.exitCode,
        message: `${failed.size} of ${gathered.listed} paths at the origin could not be read`,
        why: `the first of them: ${first?.message}`,
        hint: previous.usable
          ? `the limit is ${limit} (origin.maxFailedPaths)`
          : 'the previous sync info is lost, so no path may fail',
        note: 'Nothing was published: a path that is missing would look like a delete to every destination.',
      }),
    );
  }

  /** R2: a path that could not be read keeps its previous insight. */
  async #carryForward(info: SyncInfo, previous: Previous, run: CycleRun): Promise<void> {
    const stored = previous.replaces;
    const failed = [...run.errors.failedPaths.keys()];
    if (run.errors.stopped !== undefined || stored === undefined || failed.length === 0) return;
    const idOf = (path: DataPath) => bucketIdOf(path, stored.index.length);
    const buckets = await this.#loadPublished(stored, [...new Set(failed.map(idOf))], run.scope);
    for (const path of failed) {
      const insight: Insight | undefined = buckets.get(idOf(path))?.get(path);
      if (insight !== undefined) info.put(path, insight);
    }
  }

  /** R4: an origin that suddenly has no paths publishes nothing over its non-empty info. `undefined`: nothing is held. */
  async holdEmpty({ info, previous }: ScanResult, run: CycleRun): Promise<GuardVerdict | undefined> {
    const { replaces: stored, usable } = previous;
    const hadPaths =
      stored !== undefined && (!usable || stored.index.some((hash) => hash !== emptyBucketHash));
    if (!info.isEmpty || !hadPaths || this.#options.guards.allowEmptyOrigin) return undefined;
    const ids = [...stored.index.keys()];
    const buckets = await this.#loadPublished(stored, ids, run.scope);
    const deletes = [...buckets.values()].flatMap((bucket) => [...bucket.keys()]);
    const verdict = guardDeletes({
      deletes,
      destinationPaths: deletes.length,
      originIsEmpty: true,
      settings: this.#options.guards,
      approvedSets: await this.#options.approvedSets(run.scope),
    });
    // Corrupt info names no paths, and yet there were some: hold without a set that could be approved.
    return verdict.held || deletes.length === 0
      ? { ...verdict, held: true, guard: 'empty_origin' }
      : undefined;
  }
}

/** A fresh sync path gets a power of two near paths/256, 1 to 4096. */
export function chooseNumBuckets(paths: number): number {
  return Math.min(4096, 2 ** Math.max(0, Math.round(Math.log2(Math.max(1, paths / 256)))));
}

function requireSameMounts(before: readonly MountState[], after: readonly MountState[]): void {
  const changed = before.find(({ id }, i) => id !== after[i]?.id);
  if (changed === undefined) return;
  throw new VsyncError({
    code: 'VAULT_LIST_UNKNOWN',
    side: 'origin',
    server: 'vault',
    path: changed.mount,
    message: `mount ${changed.mount} was made anew while it was scanned`,
    note: 'Nothing was published; the next cycle scans it as it is now.',
  });
}

function noteRebuilt(run: CycleRun, prefix: string, why: string): void {
  const message = `the origin's own sync info at ${prefix} cannot be used (${why}); it is published anew from a full scan`;
  run.emit({ kind: 'note', level: 'warn', message });
}

function originEmpty(verdict: GuardVerdict): VsyncError {
  return new VsyncError({
    code: 'ORIGIN_EMPTY',
    side: 'origin',
    message: `the origin lists no path at all; ${verdict.deletes} published paths would vanish`,
    why: 'likely a wrong mount, a lost policy, or a fresh Vault behind the same address',
    hint: 'check the origin; only if it is meant to be empty: guards.allowEmptyOrigin',
    note: 'Nothing was published.',
  });
}

function countsOf(paths: number | undefined, run: CycleRun): CycleCounts {
  return { paths, failed: run.errors.failedPaths.size };
}
