import { type Bucket, emptyBucketHash } from '../sync/bucket.ts';
import { compareBuckets, differingBuckets, type Task } from '../sync/compare.ts';
import { alwaysAllowedDeletes, defaultGuards, type GuardSettings } from '../sync/delete-guard.ts';
import { type DataPath, locate, type Mount } from '../sync/mount-path.ts';
import type { PathFilter } from '../sync/path-filter.ts';
import { buildPlan, type Plan } from '../sync/plan.ts';
import { SyncInfo } from '../sync/sync-info.ts';
import { type Transform, transformPath } from '../sync/transform.ts';
import type { CycleRun } from './cycle-run.ts';
import { countOwnPaths, loadBuckets, loadOwnInfo, loadPaths, withIndexes } from './load-infos.ts';
import type {
  CallScope,
  DestinationVault,
  OwnIndex,
  StoredIndex,
  SyncInfoStore,
  WritableSyncInfoStore,
} from './ports.ts';
import { findTargetProblems } from './target-problems.ts';

/**
 * Load both sync infos -> compare -> plan. Reads Consul, and of Vault only mounts. Writes nothing.
 */

export interface PlanOptions {
  readonly originStore: SyncInfoStore;
  readonly store: WritableSyncInfoStore;
  readonly vault: Pick<DestinationVault, 'mountOf'>;
  readonly transforms: readonly Transform[];
  readonly filter: PathFilter;
  readonly originMounts: readonly Mount[];
  /** What the origin publishes of its mounts, as far as this configuration says. */
  readonly originFilter: PathFilter;
  /** `destination.mounts`: a target elsewhere is reported, not refused. Left out or empty: anywhere. */
  readonly destinationMounts?: readonly Mount[];
  /** Whether origin and destination are one Vault (the same cluster and namespace): then nothing is copied onto the origin. */
  readonly sameVault: boolean;
  readonly ignoreDeletes: boolean;
  readonly guards: GuardSettings;
  readonly approvedSets: (scope: CallScope) => Promise<readonly string[]>;
}

/** What a destination starts a cycle from. */
export interface Comparison {
  readonly origin: StoredIndex;
  /** What is stored of the destination now; `undefined`: nothing. */
  readonly replaces: StoredIndex | undefined;
  /** The destination's info in the origin's number of buckets; differing buckets are loaded. */
  readonly info: SyncInfo;
  /** The own info is corrupt: most secrets will be there already, and are found by comparing values (R6). */
  readonly rebuilt: boolean;
  readonly plan: Plan;
  /** True when both infos say the same, and there is nothing to save. */
  readonly inSync: boolean;
}

/** Two stored infos, by ModifyIndex, that differ and yet leave nothing to do: ignored deletes, filtered paths. */
export interface SettledPair {
  readonly origin: number;
  readonly own: number;
  /** On the monotonic clock: afterwards they are compared again. */
  readonly until: number;
}

/**
 * Compares. Throws `ORIGIN_INFO_MISSING`, `SYNC_INFO_CORRUPT` (the origin's; the own one is rebuilt).
 * A pair that was found to be `settled` before is not looked into again (R11).
 */
export async function planDestination(
  options: PlanOptions,
  run: CycleRun,
  settled?: SettledPair,
): Promise<Comparison> {
  return withIndexes(options, run, async (origin, own) => {
    const unchanged = settled?.origin === origin.modifyIndex && settled.own === own?.modifyIndex;
    return unchanged ? inSync(origin, own) : compareInfos(options, origin, own, run);
  });
}

/** Compares what these two indexes stand for. Throws `InfoMoved` when one of them is outdated. */
export async function compareInfos(
  options: PlanOptions,
  origin: StoredIndex,
  own: OwnIndex | undefined,
  run: CycleRun,
): Promise<Comparison> {
  const loadOrigin = (ids: readonly number[]) => loadBuckets(options.originStore, origin, ids, run);
  const renumbered = own?.index.length !== origin.index.length;
  // Both sides' at once: which buckets differ is known from the indexes, unless the own info has to be made anew first.
  const ahead = own === undefined || renumbered ? [] : differingBuckets(origin.index, own.index);
  const [{ info, rebuilt }, loaded] = await Promise.all([
    loadOwnInfo(options.store, origin, own, run),
    loadOrigin(ahead),
  ]);
  const ids = differingBuckets(origin.index, info.index);
  if (ids.length === 0 && !renumbered) return inSync(origin, own);

  const more = await loadOrigin(ids.filter((id) => !loaded.has(id)));
  const buckets = new Map([...loaded, ...more]);
  const tasks = ids.flatMap((id) => compareBuckets(buckets.get(id) as Bucket, info.bucket(id)));
  const wanted = options.filter.open
    ? tasks
    : tasks.filter(({ path }) => options.filter.matchesPath(path, options.originMounts));
  const plan = await planTasks(options, wanted, origin, info, run);
  const replaces = own?.corrupt === undefined ? own : { index: [], modifyIndex: own.modifyIndex };
  return { origin, replaces, info, rebuilt, plan, inSync: false };
}

/** Nothing to do and nothing to look at. */
function inSync(origin: StoredIndex, own: OwnIndex | undefined): Comparison {
  const plan = buildPlan({
    tasks: [],
    targetOf: (path) => ({ path, rule: undefined }),
    originPaths: undefined,
    targetProblem: () => undefined,
    isOriginPath: () => false,
    ignoreDeletes: false,
    guard: { settings: defaultGuards, destinationPaths: 0, originIsEmpty: false, approvedSets: [] },
  });
  const info = SyncInfo.stored(own?.index ?? []);
  return { origin, replaces: own, info, rebuilt: false, plan, inSync: true };
}

/** The plan of these tasks: where each acts, what is skipped, what the guard says. */
export async function planTasks(
  options: PlanOptions,
  tasks: readonly Task[],
  origin: StoredIndex,
  info: SyncInfo,
  run: CycleRun,
): Promise<Plan> {
  const targetOf = (path: DataPath) => transformPath(options.transforms, path);
  const meet = options.transforms.length > 0 && tasks.length > 0;
  const deletes = tasks.filter(({ kind }) => kind === 'delete').length;
  const targets = tasks.map(({ path }) => targetOf(path).path as DataPath);
  const originPaths = meet ? await loadPaths(options.originStore, origin, run) : undefined;
  // Whatever the configuration says of the origin's mounts, these paths are the origin's.
  const published = new Set(
    options.sameVault ? [...tasks.map(({ path }) => path), ...(originPaths ?? [])] : [],
  );
  const plan = buildPlan({
    tasks,
    targetOf,
    originPaths,
    targetProblem: await findTargetProblems(options.vault, targets, run),
    isOriginPath: (target) => isOriginsOwn(target, published, options),
    ignoreDeletes: options.ignoreDeletes,
    guard: {
      settings: options.guards,
      destinationPaths:
        deletes > alwaysAllowedDeletes ? await countOwnPaths(options.store, info, run) : info.size,
      originIsEmpty: origin.index.every((hash) => hash === emptyBucketHash),
      approvedSets: deletes === 0 ? [] : await options.approvedSets(run.scope),
    },
  });
  reportOutside(plan, options, run);
  return plan;
}

/** Copies that leave `destination.mounts`: the Go program allowed them, so they are made; most likely a transform is wrong. */
function reportOutside({ copies }: Plan, { destinationMounts = [] }: PlanOptions, run: CycleRun): void {
  if (destinationMounts.length === 0) return;
  const outside = copies.filter(({ target }) => locate(target, destinationMounts) === undefined);
  const [first] = outside;
  if (first === undefined) return;
  const message = `${outside.length} of the targets lie outside destination.mounts, the first: ${first.path} -> ${first.target}`;
  run.emit({ kind: 'note', level: 'warn', message });
}

/** Whether a path of the destination is the origin's own: one Vault, and `published` by the origin or scanned by its process. */
export function isOriginsOwn(
  target: DataPath,
  published: ReadonlySet<DataPath>,
  { sameVault, originMounts, originFilter }: PlanOptions,
): boolean {
  if (!sameVault || published.has(target)) return sameVault;
  const location = locate(target, originMounts);
  return location !== undefined && originFilter.matches(location.mount, location.key);
}
