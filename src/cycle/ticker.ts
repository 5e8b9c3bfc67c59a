import { Cron } from 'croner';
import { maxDelayMs } from '../base/clock.ts';
import type { Release } from '../base/releasers.ts';
import type { TriggerName } from './events.ts';
import type { CycleOutcome } from './outcome.ts';

/**
 * What starts cycles: an interval, a cron expression, a watch, a signal. One cycle at a time: a tick that falls into a running one is
 * counted and skipped, anything else that comes meanwhile, however often, makes one more cycle afterwards.
 */

/** Fires `fire` whenever a cycle is due, until released. `next` tells when the next one is due, where that is known. */
export interface TriggerSource {
  readonly start: (fire: (trigger: TriggerName) => void) => Release;
  readonly next?: () => Date | undefined;
}

export interface TickerOptions {
  readonly sources: readonly TriggerSource[];
  /** Runs one cycle; never rejects. */
  readonly runCycle: (trigger: TriggerName) => Promise<CycleOutcome>;
  /** Whether the first cycle starts at once. */
  readonly runOnStart: boolean;
  /** Waits before a failed cycle is tried again, by the number of failures in a row; the sources go on meanwhile. */
  readonly retryDelayMs: (failures: number) => number;
  /** Called after each cycle; true ends the ticker. */
  readonly isLast: (outcome: CycleOutcome) => boolean;
  /** Aborted: no further cycle; the running one is awaited. */
  readonly stopping: AbortSignal;
  readonly onSkippedTick?: (count: number) => void;
}

/** Runs cycles until told to stop. Resolves with the last outcome, `undefined` when there was none. */
export async function runTicker(options: TickerOptions): Promise<CycleOutcome | undefined> {
  const { stopping } = options;
  let due: TriggerName | undefined = options.runOnStart ? 'startup' : undefined;
  let running = false;
  let skipped = 0;
  let wake = () => {};
  let retry: NodeJS.Timeout | undefined;
  let failures = 0;
  let last: CycleOutcome | undefined;

  const fire = (trigger: TriggerName) => {
    if (running && (trigger === 'tick' || trigger === 'cron')) {
      skipped += 1;
      options.onSkippedTick?.(skipped);
      return;
    }
    due ??= trigger;
    wake();
  };
  const onStop = () => wake();
  stopping.addEventListener('abort', onStop, { once: true });
  const releases = options.sources.map((source) => source.start(fire));
  try {
    while (!stopping.aborted) {
      if (due === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const trigger = due;
      due = undefined;
      clearTimeout(retry);
      running = true;
      last = await options.runCycle(trigger);
      running = false;
      if (options.isLast(last)) break;
      failures = last.result === 'failed' || last.result === 'timeout' ? failures + 1 : 0;
      if (failures > 0) retry = setTimeout(() => fire('retry'), options.retryDelayMs(failures));
    }
  } finally {
    clearTimeout(retry);
    stopping.removeEventListener('abort', onStop);
    for (const release of releases) await release();
  }
  return last;
}

/** A tick each `everyMs`, and up to `jitterMs` later, so that many nodes do not come at once. */
export function intervalSource(
  everyMs: number,
  jitterMs = 0,
  random: () => number = Math.random,
): TriggerSource {
  let nextAt: number | undefined;
  return {
    next: () => (nextAt === undefined ? undefined : new Date(nextAt)),
    start: (fire) => {
      let timer: NodeJS.Timeout;
      const schedule = () => {
        const delayMs = Math.min(maxDelayMs, everyMs + random() * jitterMs);
        nextAt = Date.now() + delayMs;
        timer = setTimeout(() => {
          fire('tick');
          schedule();
        }, delayMs);
      };
      schedule();
      return () => clearTimeout(timer);
    },
  };
}

/** A trigger at each time of a cron expression (5 or 6 fields, or `@hourly` and the like) in a time zone. Throws for a bad one. */
export function cronSource(expression: string, timezone: string): TriggerSource {
  const cron = new Cron(expression, { timezone, paused: true });
  return {
    next: () => cron.nextRun() ?? undefined,
    start: (fire) => {
      cron.schedule(() => fire('cron'));
      cron.resume();
      return () => cron.stop();
    },
  };
}
