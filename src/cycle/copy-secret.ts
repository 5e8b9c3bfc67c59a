import { VsyncError } from '../base/errors.ts';
import { compareTimes, type Insight } from '../sync/insight.ts';
import type { PlannedTask } from '../sync/plan.ts';
import { isEarlierCopy } from './earlier-copy.ts';
import type { CallScope, DestinationVault, OriginSecrets, SecretState } from './ports.ts';

/**
 * Copies one secret: read at the origin, write at the destination with check-and-set (R7), no write where nothing differs (R6), and
 * an unclear failure resolved by reading (R8).
 */

/** What to do about someone else's write at the destination. */
export type OnConflict = 'overwrite' | 'skip' | 'fail';

export type CopyResult =
  /** `insight` is to be recorded; with `written` false the destination had that value already. */
  | {
      readonly kind: 'done';
      readonly insight: Insight;
      readonly version: number;
      readonly written: boolean;
      readonly overwrote: number | undefined;
    }
  /** Nothing was done and nothing is wrong: the origin has no secret there any more, its next sync info will say so. */
  | { readonly kind: 'gone' }
  /** Someone else's value stays, as configured. */
  | { readonly kind: 'kept'; readonly version: number };

export interface CopyOptions {
  readonly origin: OriginSecrets;
  readonly destination: DestinationVault;
  readonly onConflict: OnConflict;
  readonly scope: CallScope;
  /** For writes: not cancelled when the cycle stops, so that what was begun is finished and recorded. */
  readonly writeScope: CallScope;
  /** Whether a new key is likely to be there already; the copies of one cycle share it and learn from each other. */
  readonly expectation: { existing: boolean };
}

/** How often a write is tried when others write the same key in between. */
const maxWrites = 3;

export async function copySecret(task: PlannedTask, options: CopyOptions): Promise<CopyResult> {
  const { origin, destination, scope, expectation } = options;
  const isNew = task.kind === 'add' && task.from === undefined;
  const readFirst = isNew ? expectation.existing : knownVersion(task) === undefined;
  const read = origin.readSecret(task.path, scope, task.to);
  const [source, current] = readFirst
    ? await Promise.all([read, destination.readSecret(task.target, scope)])
    : [await read, undefined];
  if (source.kind !== 'live') return { kind: 'gone' };
  refuseStale(task, source);

  // Without a read, what our own record says: a new key, or the version we wrote last.
  let known: SecretState = current ?? assumed(task);
  let assumption = current === undefined;
  for (let attempt = 1; ; attempt += 1) {
    const foreign = !assumption && (await isForeign(task, source, known, options));
    const settled = assumption ? undefined : settle(task, source, known, foreign, options);
    if (settled !== undefined) return settled;
    const cas = known.kind === 'absent' ? 0 : known.version;
    const overwrote = foreign ? cas : undefined;
    try {
      const version = await destination.writeSecret(task.target, source.value, cas, options.writeScope);
      if (isNew) expectation.existing = false;
      return { kind: 'done', insight: recordOf(task, source, version), version, written: true, overwrote };
    } catch (error) {
      known = await afterFailedWrite(task, cas, error, attempt, options);
      assumption = false;
      if (isNew && known.kind !== 'absent') expectation.existing = true;
    }
  }
}

/** What there is to do without a write: record an equal value, or leave someone else's alone. `undefined`: write. */
function settle(
  task: PlannedTask,
  source: Extract<SecretState, { kind: 'live' }>,
  current: SecretState,
  foreign: boolean,
  { onConflict }: CopyOptions,
): CopyResult | undefined {
  if (current.kind !== 'live') return undefined;
  if (current.value.sameAs(source.value)) {
    const insight = recordOf(task, source, current.version);
    return { kind: 'done', insight, version: current.version, written: false, overwrote: undefined };
  }
  if (!foreign || onConflict === 'overwrite') return undefined;
  if (onConflict === 'skip') return { kind: 'kept', version: current.version };
  throw new VsyncError({
    code: 'DEST_EDITED',
    side: 'destination',
    server: 'vault',
    path: task.target,
    message: `${task.target} was written by someone else at the destination (version ${current.version})`,
    hint: 'restore it there, or set destination.onConflict to overwrite or skip',
  });
}

/**
 * A write failed: reads what is there now. Returns it when the write can be decided anew (another version came in between, or the
 * outcome was unclear); throws the failure when the destination refuses the write for a reason of its own.
 */
async function afterFailedWrite(
  task: PlannedTask,
  cas: number,
  error: unknown,
  attempt: number,
  { destination, writeScope }: CopyOptions,
): Promise<SecretState> {
  const unclear = error instanceof VsyncError && error.ambiguous;
  const refused = error instanceof VsyncError && error.status === 400;
  if (!unclear && !refused) throw error;
  const now = await destination.readSecret(task.target, writeScope);
  const version = now.kind === 'absent' ? 0 : now.version;
  // The check would have passed, so it was not the check that was refused.
  if (refused && version === cas) throw error;
  if (attempt >= maxWrites) throw error;
  return now;
}

/**
 * Another value, of a version that is neither the one we recorded, nor one that we know nothing of because a Go node recorded it, nor one
 * that we wrote and could not record. A new path has a `from` only if it takes over the target of another one.
 */
async function isForeign(
  task: PlannedTask,
  source: Extract<SecretState, { kind: 'live' }>,
  current: SecretState,
  options: CopyOptions,
): Promise<boolean> {
  if (current.kind !== 'live' || current.value.sameAs(source.value)) return false;
  const { from } = task;
  const recorded = from !== undefined && (from.dv === undefined || from.dv === current.version);
  return !recorded && !(await isEarlierCopy(task, current.value, source.version, options));
}

/** The version at the destination that an update may count on: only if what changed is plainly a newer version. */
function knownVersion(task: PlannedTask): number | undefined {
  return task.reason === 'version_ahead' ? task.from?.dv : undefined;
}

function assumed(task: PlannedTask): SecretState {
  const version = knownVersion(task);
  // "deleted" stands for a version whose value is not known: the check-and-set is all that counts.
  return version === undefined ? { kind: 'absent' } : { kind: 'deleted', version };
}

/**
 * What the destination's info says afterwards: the origin's insight, as it is published. The version written is added only when the
 * value is exactly that of the insight: if the origin has moved on meanwhile, its next update must compare before it writes (R6).
 */
function recordOf(
  task: PlannedTask,
  source: Extract<SecretState, { kind: 'live' }>,
  version: number,
): Insight {
  const { version: published, updateTime, type } = task.to as Insight;
  const exact = source.version === published && compareTimes(source.createdTime, updateTime) <= 0;
  return { version: published, updateTime, type, ...(exact && { dv: version }) };
}

/**
 * A standby that lags behind answers with an older version than was published: copying it would go back in time.
 * Throws `ORIGIN_STALE`.
 */
export function refuseStale(task: PlannedTask, source: Extract<SecretState, { kind: 'live' }>): void {
  const to = task.to as Insight;
  if (source.version >= to.version || compareTimes(source.createdTime, to.updateTime) > 0) return;
  throw new VsyncError({
    code: 'ORIGIN_STALE',
    side: 'origin',
    server: 'vault',
    path: task.path,
    retryable: true,
    message: `the origin Vault answered version ${source.version} of ${task.path}, but published version ${to.version}`,
    why: 'a standby that lags behind, or the origin was restored from a snapshot; its next sync info will tell',
    hint: 'nothing needs to be done unless it stays; then check origin.vault.address',
  });
}
