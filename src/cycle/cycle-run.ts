import { type Clock, systemClock } from '../base/clock.ts';
import { VsyncError } from '../base/errors.ts';
import { RetryBudget } from '../base/retry.ts';
import { ErrorChannel } from './error-channel.ts';
import type { Emit, TriggerName } from './events.ts';
import type { CycleCounts, CycleOutcome } from './outcome.ts';
import type { CallScope } from './ports.ts';

/** What one cycle is run with: fresh for each, so a failed one leaves nothing behind (R9). */
export interface CycleRun {
  readonly errors: ErrorChannel;
  /** For every request: cancelled when the cycle stops, retries from one budget. */
  readonly scope: CallScope;
  /** For saves: not cancelled with the cycle, since half a save helps nobody. */
  readonly saveScope: CallScope;
  /** Aborted when no new work is to be begun, while what is under way may finish. */
  readonly draining: AbortSignal;
  readonly emit: Emit;
}

const noCounts: CycleCounts = { paths: undefined, failed: 0 };

/**
 * Runs one cycle to its outcome: within `timeoutMs`, stopped by `draining`, with its start and end told to `emit`. Never rejects.
 * `drainStops`: whether draining stops the cycle at once (a scan has nothing to keep) or lets it finish what is under way.
 */
export async function runCycle(
  body: (run: CycleRun) => Promise<CycleOutcome>,
  options: {
    readonly trigger: TriggerName;
    readonly timeoutMs: number;
    readonly draining: AbortSignal;
    /** Cancels everything, saves included. */
    readonly aborting: AbortSignal;
    readonly drainStops: boolean;
    readonly emit: Emit;
    readonly clock?: Clock;
  },
): Promise<CycleOutcome> {
  const { trigger, timeoutMs, draining, emit, clock = systemClock } = options;
  const cycle = crypto.randomUUID();
  const startedAt = clock.monotonic();
  const errors = new ErrorChannel();
  emit({ kind: 'cycle.start', cycle, trigger });

  const timer = setTimeout(() => errors.stop(cycleTimeout(timeoutMs)), timeoutMs);
  const onDrain = () => errors.stop(interrupted());
  if (options.drainStops) {
    if (draining.aborted) onDrain();
    else draining.addEventListener('abort', onDrain, { once: true });
  }
  const onAbort = () => errors.stop(interrupted());
  options.aborting.addEventListener('abort', onAbort, { once: true });
  let outcome: CycleOutcome;
  try {
    const budget = new RetryBudget();
    const scope = { signal: errors.signal, budget };
    outcome = await body({ errors, scope, saveScope: { signal: options.aborting, budget }, draining, emit });
  } catch (error) {
    errors.stop(error);
    outcome = stoppedOutcome(errors, noCounts);
  } finally {
    clearTimeout(timer);
    draining.removeEventListener('abort', onDrain);
    options.aborting.removeEventListener('abort', onAbort);
  }
  emit({ kind: 'cycle.end', cycle, trigger, durationMs: clock.monotonic() - startedAt, outcome });
  return outcome;
}

/** The outcome of a cycle that was stopped. */
export function stoppedOutcome(errors: ErrorChannel, counts: CycleCounts): CycleOutcome {
  const error = errors.stopped;
  const result = error?.class !== 'abort' ? 'failed' : error.code === 'CYCLE_TIMEOUT' ? 'timeout' : 'aborted';
  return { result, error, counts, failedPaths: errors.failedPaths };
}

function cycleTimeout(timeoutMs: number): VsyncError {
  return new VsyncError({
    code: 'CYCLE_TIMEOUT',
    message: `the cycle took longer than ${timeoutMs / 1000} s and was dropped`,
    hint: 'raise `timeout` or `numWorkers`',
  });
}

/** A signal asked for the end. */
export function interrupted(): VsyncError {
  return new VsyncError({ code: 'INTERRUPTED', message: 'interrupted by a signal' });
}
