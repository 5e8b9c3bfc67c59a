import type { VsyncError } from '../base/errors.ts';
import { errorFields, type Log, type LogFields } from '../base/log.ts';
import { shortSet } from '../sync/delete-guard.ts';
import type { CycleEvent, Emit } from './events.ts';
import type { CycleOutcome } from './outcome.ts';

/** Repeats of a failure that are counted before it is logged again. */
const repeatEvery = 10;

/**
 * What a cycle's events look like in the log: one line a changed path, one a cycle, and of what repeats only the first time, then a
 * count, then the recovery (R13).
 */
export function logEvents(base: Log, next: () => Date | undefined = () => undefined): Emit {
  let log = base;
  const cycleFailures = new Repeats();
  const pathFailures = new Map<string, Repeats>();
  /** Why a path was left alone the last time. */
  const pathSkips = new Map<string, string>();
  let failedThisCycle = new Set<string>();
  let skippedThisCycle = new Set<string>();

  return (event: CycleEvent) => {
    switch (event.kind) {
      case 'cycle.start':
        failedThisCycle = new Set();
        skippedThisCycle = new Set();
        log = base.with({ cycle: event.cycle });
        log.debug('cycle started', { event: event.kind, trigger: event.trigger });
        return;
      case 'cycle.end':
        if (event.outcome.error === undefined || event.outcome.result === 'held') recoverPaths();
        return cycleEnd(event);
      case 'path.add':
      case 'path.update':
      case 'path.delete':
        return log.info(event.recorded ? 'secret recorded, equal already' : pathMessages[event.kind], {
          event: event.kind,
          path: event.path,
          destinationPath: event.target === event.path ? undefined : event.target,
          fromVersion: event.fromVersion,
          version: event.version,
        });
      case 'path.conflict':
        return log.warn("someone else's write at the destination was overwritten", {
          event: event.kind,
          path: event.path,
          destinationPath: event.target,
          version: event.version,
          'error.id': 'DEST_EDITED',
        });
      case 'path.error':
        failedThisCycle.add(event.path);
        return repeated(failuresOf(event.path), event.error, (suppressed) =>
          log.warn('secret failed', {
            event: event.kind,
            path: event.path,
            ...suppressed,
            ...errorFields(event.error),
          }),
        );
      case 'path.skip':
        return skipped(event.path, event.why);
      case 'guard.held':
        return log.warn('deletes are held', {
          event: event.kind,
          guard: event.verdict.guard,
          deletes: event.verdict.deletes,
          limit: event.verdict.limit,
          set: shortSet(event.verdict.set),
        });
      case 'note':
        return log.log(event.level, event.message);
      case 'progress':
        return;
    }
  };

  function cycleEnd({ trigger, durationMs, outcome }: Extract<CycleEvent, { kind: 'cycle.end' }>): void {
    const fields: LogFields = {
      event: 'cycle.end',
      trigger,
      result: outcome.result,
      ...countFields(outcome),
      took: `${(durationMs / 1000).toFixed(1)}s`,
      durationMs: Math.round(durationMs),
      next: relative(next()),
    };
    const { error } = outcome;
    if (error === undefined) {
      const recovered = cycleFailures.recover();
      if (recovered > 0) log.info('cycles work again', { failures: recovered });
      log.info('completed sync cycle', fields);
      return;
    }
    if (error.class === 'abort' && error.code !== 'CYCLE_TIMEOUT') {
      log.info('cycle stopped', { ...fields, why: error.message });
      return;
    }
    repeated(cycleFailures, error, (suppressed) => {
      const failed = outcome.result === 'failed' || outcome.result === 'timeout';
      log.log(failed ? 'error' : 'warn', failed ? 'cycle failed' : 'cycle held', {
        ...fields,
        ...suppressed,
        ...errorFields(error),
      });
    });
  }

  function failuresOf(path: string): Repeats {
    const known = pathFailures.get(path) ?? new Repeats();
    pathFailures.set(path, known);
    return known;
  }

  /** Left alone for the same reason as before: said once. */
  function skipped(path: string, why: string): void {
    const level = pathSkips.get(path) === why ? 'debug' : 'info';
    pathSkips.set(path, why);
    skippedThisCycle.add(path);
    log.log(level, 'secret left alone', { event: 'path.skip', path, why });
  }

  /** Paths that failed or were left alone before and were not in this cycle. */
  function recoverPaths(): void {
    for (const path of pathSkips.keys()) if (!skippedThisCycle.has(path)) pathSkips.delete(path);
    for (const [path, failures] of pathFailures) {
      if (failedThisCycle.has(path)) continue;
      pathFailures.delete(path);
      log.info('secret works again', { path, failures: failures.recover() });
    }
  }
}

/** `49s`: how long until then. */
function relative(date: Date | undefined): string | undefined {
  return date === undefined ? undefined : `${Math.max(0, Math.round((date.getTime() - Date.now()) / 1000))}s`;
}

const pathMessages = {
  'path.add': 'secret added',
  'path.update': 'secret updated',
  'path.delete': 'secret deleted',
} as const;

/** The counts of an outcome as log fields: an origin's cycle changes no secret and has none of those. */
function countFields({ counts }: CycleOutcome): LogFields {
  const { paths, changes, failed } = counts;
  if (changes === undefined) return { paths, failed };
  const { added, updated, deleted, recorded } = changes;
  return {
    paths,
    add: added,
    update: updated,
    delete: deleted,
    recorded: recorded > 0 ? recorded : undefined,
    failed,
  };
}

/** Counts a failure that repeats; a failure of another kind begins anew. */
class Repeats {
  #code: string | undefined;
  #count = 0;

  /** How many times this failure has come in a row, this one included. */
  count(code: string): number {
    if (this.#code !== code) this.#count = 0;
    this.#code = code;
    this.#count += 1;
    return this.#count;
  }

  /** Ends the row; returns how long it was. */
  recover(): number {
    const length = this.#count;
    this.#code = undefined;
    this.#count = 0;
    return length;
  }
}

function repeated(failures: Repeats, error: VsyncError, write: (fields: LogFields) => void): void {
  const count = failures.count(error.code);
  if (count === 1) write({});
  else if (count % repeatEvery === 0) write({ suppressed: repeatEvery - 1, times: count });
}
