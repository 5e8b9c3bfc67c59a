import { VsyncError } from '../base/errors.ts';
import { type Bucket, emptyBucketHash } from '../sync/bucket.ts';
import { compareBuckets, differingBuckets, type Task } from '../sync/compare.ts';
import { alwaysAllowedDeletes, defaultGuards, type GuardSettings } from '../sync/delete-guard.ts';
import { type DataPath, locate, type Mount, possibleLocations, segmentsProblem } from '../sync/mount-path.ts';
import type { PathFilter } from '../sync/path-filter.ts';
import { buildPlan, type Plan, type SkippedPath } from '../sync/plan.ts';
import { SyncInfo } from '../sync/sync-info.ts';
import { type Transform, transformPath } from '../sync/transform.ts';
import type { CycleRun } from './cycle-run.ts';
import type {
  CallScope,
  DestinationVault,
  OwnIndex,
  StoredIndex,
  SyncInfoStore,
  WritableSyncInfoStore,
} from './ports.ts';

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
}

/** How often a comparison is begun anew because a writer was faster. */
const maxRestarts = 5;

/**
 * Compares. Throws `ORIGIN_INFO_MISSING`, `SYNC_INFO_CORRUPT` (the origin's; the own one is rebuilt).
 * A pair that was found to be `settled` before is not looked into again (R11).
 */
export async function planDestination(
  options: PlanOptions,
  run: CycleRun,
  settled?: SettledPair,
): Promise<Comparison> {
  for (let restart = 0; restart < maxRestarts; restart += 1) {
    const [origin, own] = await Promise.all([
      options.originStore.loadIndex(run.scope),
      options.store.loadOwnIndex(run.scope),
    ]);
    if (origin === undefined) throw originInfoMissing(options.originStore.prefix);
    const isSettled = settled?.origin === origin.modifyIndex && settled.own === own?.modifyIndex;
    const comparison = isSettled ? unchanged(origin, own) : await compare(options, origin, own, run);
    if (comparison !== 'moved') return comparison;
  }
  throw new VsyncError({
    code: 'SYNC_INFO_CONFLICT',
    message: 'sync info changed each time it was read',
    why: 'another process writes it all the time',
    hint: 'run one origin for each sync path, and one destination for each destination.syncPath',
    note: 'Nothing was compared or deleted.',
  });
}

/** Nothing to do and nothing to look at. */
function unchanged(origin: StoredIndex, own: OwnIndex | undefined): Comparison {
  const plan = buildPlan({
    tasks: [],
    targetOf: (path) => ({ path, rule: undefined }),
    originPaths: undefined,
    targetProblem: () => undefined,
    isOriginPath: () => false,
    ignoreDeletes: false,
    guard: { settings: defaultGuards, destinationPaths: 0, originIsEmpty: false, approvedSets: [] },
  });
  return {
    origin,
    replaces: own,
    info: SyncInfo.stored(own?.index ?? []),
    rebuilt: false,
    plan,
    inSync: true,
  };
}

async function compare(
  options: PlanOptions,
  origin: StoredIndex,
  own: OwnIndex | undefined,
  run: CycleRun,
): Promise<Comparison | 'moved'> {
  const loaded = await loadOwn(options, origin, own, run);
  if (loaded === 'moved') return 'moved';
  const { info, rebuilt } = loaded;
  const replaces = own?.corrupt === undefined ? own : { index: [], modifyIndex: own.modifyIndex };

  const ids = differingBuckets(origin.index, info.index);
  const inSync =
    ids.length === 0 && own !== undefined && own.index.length === origin.index.length && !rebuilt;
  if (inSync) return unchanged(origin, own);
  const buckets = await loadAll(options.originStore, origin, ids, run);
  if (buckets === 'moved') return 'moved';
  const tasks = ids.flatMap((id) => compareBuckets(buckets.get(id) as Bucket, info.bucket(id)));
  const wanted = options.filter.open
    ? tasks
    : tasks.filter(({ path }) => options.filter.matchesPath(path, options.originMounts));
  const plan = await planTasks(options, wanted, origin, info, run);
  if (plan === 'moved') return 'moved';
  return { origin, replaces, info, rebuilt, plan, inSync: false };
}

/** The own info, loaded where it differs from the origin's; re-bucketed when the origin has another number of buckets. */
async function loadOwn(
  options: PlanOptions,
  origin: StoredIndex,
  own: OwnIndex | undefined,
  run: CycleRun,
): Promise<{ info: SyncInfo; rebuilt: boolean } | 'moved'> {
  const { store } = options;
  const numBuckets = origin.index.length;
  const rebuild = (why: string) => {
    const message = `this destination's own sync info at ${store.prefix} cannot be used (${why}); values are compared instead`;
    run.emit({ kind: 'note', level: 'warn', message });
    return { info: SyncInfo.empty(numBuckets), rebuilt: true };
  };
  if (own === undefined) return { info: SyncInfo.empty(numBuckets), rebuilt: false };
  if (own.corrupt !== undefined) return rebuild(own.corrupt.message);
  const renumber = own.index.length !== numBuckets;
  const info = SyncInfo.stored(own.index);
  const ids = renumber
    ? info.unloaded
    : differingBuckets(origin.index, own.index).filter((id) => info.unloaded.includes(id));
  try {
    const buckets = await loadAll(store, own, ids, run);
    if (buckets === 'moved') return 'moved';
    for (const [id, bucket] of buckets) info.load(id, new Map(bucket));
  } catch (error) {
    if (error instanceof VsyncError && error.code === 'SYNC_INFO_CORRUPT') return rebuild(error.message);
    throw error;
  }
  if (!renumber) return { info, rebuilt: false };
  const message = `origin sync info has ${numBuckets} buckets, this destination's has ${own.index.length}; adopting ${numBuckets}`;
  run.emit({ kind: 'note', level: 'info', message });
  return { info: info.rebucket(numBuckets), rebuilt: false };
}

async function loadAll(
  store: SyncInfoStore,
  stored: StoredIndex,
  ids: readonly number[],
  run: CycleRun,
): Promise<ReadonlyMap<number, Bucket> | 'moved'> {
  const wanted = ids.filter((id) => stored.index[id] !== emptyBucketHash);
  const loaded = await store.loadBuckets(stored, wanted, run.scope);
  if (loaded.kind === 'moved') return 'moved';
  return new Map(ids.map((id) => [id, loaded.buckets.get(id) ?? new Map()]));
}

async function planTasks(
  options: PlanOptions,
  tasks: readonly Task[],
  origin: StoredIndex,
  info: SyncInfo,
  run: CycleRun,
): Promise<Plan | 'moved'> {
  const { transforms, guards } = options;
  const targetOf = (path: DataPath) => transformPath(transforms, path);
  const originPaths =
    transforms.length === 0 || tasks.length === 0
      ? undefined
      : await allPaths(options.originStore, origin, run);
  if (originPaths === 'moved') return 'moved';
  const deletes = tasks.filter(({ kind }) => kind === 'delete').length;
  const destinationPaths =
    deletes > alwaysAllowedDeletes ? await countOwnPaths(options.store, info, run) : info.size;
  if (destinationPaths === 'moved') return 'moved';
  const targetProblem = await targetProblems(
    options,
    tasks.map(({ path }) => targetOf(path).path as DataPath),
    run,
  );
  return buildPlan({
    tasks,
    targetOf,
    originPaths,
    targetProblem,
    isOriginPath: (target) => options.sameVault && isOnOrigin(target, options),
    ignoreDeletes: options.ignoreDeletes,
    guard: {
      settings: guards,
      destinationPaths,
      originIsEmpty: origin.index.every((hash) => hash === emptyBucketHash),
      approvedSets: deletes === 0 ? [] : await options.approvedSets(run.scope),
    },
  });
}

/** Every path that the origin publishes, needed to see which of them meet at one target. */
async function allPaths(
  store: SyncInfoStore,
  origin: StoredIndex,
  run: CycleRun,
): Promise<DataPath[] | 'moved'> {
  const buckets = await loadAll(store, origin, [...origin.index.keys()], run);
  return buckets === 'moved' ? 'moved' : [...buckets.values()].flatMap((bucket) => [...bucket.keys()]);
}

/** How many paths both sides have; for people, so an info that has moved meanwhile is not counted again. */
export async function countPaths(
  { originStore, store }: Pick<PlanOptions, 'originStore' | 'store'>,
  { origin, info }: Comparison,
  run: CycleRun,
): Promise<{ readonly origin: number; readonly destination: number }> {
  const paths = await allPaths(originStore, origin, run);
  const own = await countOwnPaths(store, info, run);
  return { origin: paths === 'moved' ? 0 : paths.length, destination: own === 'moved' ? info.size : own };
}

/** The number of paths in the destination's info, with the buckets that are not loaded. */
async function countOwnPaths(
  store: WritableSyncInfoStore,
  info: SyncInfo,
  run: CycleRun,
): Promise<number | 'moved'> {
  const { unloaded } = info;
  if (unloaded.length === 0) return info.size;
  const own = await store.loadIndex(run.scope);
  if (own === undefined || unloaded.some((id) => own.index[id] !== info.index[id])) return 'moved';
  const buckets = await loadAll(store, own, unloaded, run);
  if (buckets === 'moved') return 'moved';
  return [...buckets.values()].reduce((sum, bucket) => sum + bucket.size, info.size);
}

/** Looks up the mounts of all targets, each mount once, and says what is wrong with a target. */
async function targetProblems(options: PlanOptions, targets: readonly DataPath[], run: CycleRun) {
  const mounts = new Set<Mount>();
  const problems = new Map<DataPath, Pick<SkippedPath, 'code' | 'message'>>();
  const noMount = new Map<string, Pick<SkippedPath, 'code' | 'message'>>();
  for (const target of targets) {
    // Where a lookup failed once, it is not made again for each path below.
    const place = possibleLocations(target)[0]?.mount ?? target;
    const known = noMount.get(place);
    if (known !== undefined) {
      problems.set(target, known);
      continue;
    }
    const unaddressable = segmentsProblem(target);
    if (unaddressable !== undefined) {
      problems.set(target, {
        code: 'PATH_NOT_ADDRESSABLE',
        message: `${JSON.stringify(target)} cannot be written: ${unaddressable}`,
      });
    } else if (locate(target, mounts) === undefined) {
      try {
        mounts.add(await options.vault.mountOf(target, run.scope));
      } catch (error) {
        if (!(error instanceof VsyncError) || error.code !== 'TRANSFORM_BAD_TARGET') throw error;
        const problem = { code: error.code, message: `${error.message}: ${error.why}` };
        noMount.set(place, problem);
        problems.set(target, problem);
      }
    }
  }
  return (target: DataPath) => problems.get(target);
}

/** Whether the origin's process scans what lies at `target`. */
function isOnOrigin(target: DataPath, { originMounts, originFilter }: PlanOptions): boolean {
  const location = locate(target, originMounts);
  return location !== undefined && originFilter.matches(location.mount, location.key);
}

function originInfoMissing(prefix: string): VsyncError {
  return new VsyncError({
    code: 'ORIGIN_INFO_MISSING',
    side: 'origin',
    server: 'consul',
    path: `${prefix}index`,
    message: `there is no origin sync info at ${prefix}index`,
    why: 'the origin has not finished its first cycle, or origin.syncPath differs',
    hint: 'start `vsync origin` first; a daemon goes on by itself when the key appears',
  });
}
