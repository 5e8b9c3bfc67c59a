import { type Clock, systemClock } from './base/clock.ts';
import { asVsyncError, exitCodes, VsyncError } from './base/errors.ts';
import { errorFields, type Log } from './base/log.ts';
import { type Release, Releasers } from './base/releasers.ts';
import { RetryBudget } from './base/retry.ts';
import type { Config } from './config/config.ts';
import { interrupted, runCycle } from './cycle/cycle-run.ts';
import type { Emit } from './cycle/events.ts';
import { logEvents } from './cycle/log-events.ts';
import type { CycleOutcome } from './cycle/outcome.ts';
import type { CallScope } from './cycle/ports.ts';
import type { SignalChannel } from './cycle/signal-channel.ts';
import { cronSource, intervalSource, runTicker, type TriggerSource } from './cycle/ticker.ts';
import { openDestination } from './roles/destination.ts';
import { openOrigin } from './roles/origin.ts';
import type { Role } from './roles/role.ts';

/**
 * START HERE. What `vsync origin` and `vsync destination` do: configuration -> clients -> checks -> ticker, until a signal or, with
 * `once`, for one cycle. Everything that is opened is released on the way out, last in, first out.
 */

export interface DaemonOptions {
  readonly config: Config;
  readonly log: Log;
  /** One cycle, then the end. */
  readonly once: boolean;
  /** Sets of deletes released on the command line. */
  readonly approvedSets: readonly string[];
  readonly signals: SignalChannel;
  /** Hears what happens in cycles, beside log and status. */
  readonly observe?: Emit;
  readonly clock?: Clock;
}

/** Runs until it is told to stop. Returns the exit code of the process. */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  const { config, log, signals } = options;
  const releasers = new Releasers();
  releasers.push(watchShutdown(options));
  // Nomad and systemd send it when a token or the configuration has changed: it must not end the process.
  releasers.push(signals.onHangUp(() => log.info(hangUpNote)));
  const timed = timedSource(config);
  const context = {
    log,
    releasers,
    signals,
    approvedSets: options.approvedSets,
    nextCycle: () => timed.next?.(),
  };
  try {
    const role =
      config.role === 'origin'
        ? await openOrigin({ ...context, config })
        : await openDestination({ ...context, config });
    await startUp(role, options);
    return await runCycles(role, timed, options);
  } catch (error) {
    return endedBy(asVsyncError(error), options);
  } finally {
    await releasers.release();
  }
}

const hangUpNote =
  'SIGHUP: token files are read again by themselves; a changed configuration needs a restart';

/** Once a signal has asked for the end, `shutdownTimeout` is the limit: then the rest is given up. */
function watchShutdown({ config, log, signals }: DaemonOptions): Release {
  let timer: NodeJS.Timeout | undefined;
  const onDrain = () => {
    log.info('finishing what is under way; a second signal aborts', { signal: signals.received });
    timer = setTimeout(() => {
      log.error('not ended within shutdownTimeout, giving up', {
        shutdownTimeoutMs: config.shutdownTimeoutMs,
      });
      signals.giveUp();
    }, config.shutdownTimeoutMs);
    timer.unref();
  };
  signals.draining.addEventListener('abort', onDrain, { once: true });
  return () => {
    clearTimeout(timer);
    signals.draining.removeEventListener('abort', onDrain);
  };
}

/** The checks before the first cycle. A daemon waits for servers that cannot be reached yet; what no retry can cure ends it. */
async function startUp(
  role: Role,
  { config, log, once, signals, clock = systemClock }: DaemonOptions,
): Promise<void> {
  const startedAt = clock.monotonic();
  for (let failures = 1; ; failures += 1) {
    signals.draining.throwIfAborted();
    const stop = new AbortController();
    const onStop = () => stop.abort(interrupted());
    signals.draining.addEventListener('abort', onStop, { once: true });
    const scope: CallScope = { signal: stop.signal, budget: new RetryBudget() };
    try {
      await role.check(scope);
      return;
    } catch (thrown) {
      const error = asVsyncError(thrown);
      if (once || error.class !== 'transient') throw error;
      const waitedMs = clock.monotonic() - startedAt;
      if (config.startupTimeoutMs > 0 && waitedMs >= config.startupTimeoutMs)
        throw startupTimeout(config.startupTimeoutMs, error);
      const delayMs = backoffMs(config, failures);
      log.warn(`not ready yet, trying again in ${(delayMs / 1000).toFixed(1)} s`, errorFields(error));
      await clock.sleep(delayMs, stop.signal);
    } finally {
      signals.draining.removeEventListener('abort', onStop);
    }
  }
}

async function runCycles(
  role: Role,
  timed: TriggerSource,
  { config, log, once, signals, observe }: DaemonOptions,
): Promise<number> {
  const settings = settingsOf(config);
  const sources = once ? [] : [timed, ...role.sources, runNowSource(signals)];
  const emit = logEvents(log, () => (once ? undefined : timed.next?.()));
  const last = await runTicker({
    sources,
    runOnStart: once || settings.runOnStart,
    stopping: signals.draining,
    retryDelayMs: (failures) => backoffMs(config, failures),
    isLast: ({ error }) => once || error?.class === 'fatal',
    onSkippedTick: (count) => log.debug('tick skipped, a cycle is running', { skipped: count }),
    runCycle: (trigger) =>
      runCycle(role.cycle, {
        trigger,
        timeoutMs: settings.timeoutMs,
        draining: signals.draining,
        aborting: signals.aborting,
        drainStops: config.role === 'origin',
        emit: (event) => {
          observe?.(event);
          emit(event);
          role.observe(event);
        },
      }),
  });
  await role.idle();
  return once ? exitCodeOf(last, signals) : daemonExitCode(last, log);
}

/** What a one-shot returns for its cycle. */
export function exitCodeOf(outcome: CycleOutcome | undefined, signals: SignalChannel): number {
  if (outcome === undefined || outcome.result === 'aborted') return interruptCode(signals);
  if (outcome.result === 'held') return exitCodes.held;
  if (outcome.error !== undefined) return outcome.error.exitCode;
  return outcome.failedPaths.size > 0 ? exitCodes.somePathsFailed : exitCodes.ok;
}

function daemonExitCode(last: CycleOutcome | undefined, log: Log): number {
  if (last?.error?.class === 'fatal') {
    log.error('stopping: no retry can cure this', errorFields(last.error));
    return last.error.exitCode;
  }
  return exitCodes.ok;
}

/** The process ends by a failure before or beside the cycles. */
function endedBy(error: VsyncError, { log, once, signals }: DaemonOptions): number {
  if (error.class === 'abort' && signals.received !== undefined)
    return once ? interruptCode(signals) : exitCodes.ok;
  log.error(error.message, errorFields(error));
  return error.exitCode;
}

function interruptCode(signals: SignalChannel): number {
  return signals.received === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted;
}

/** The keys of the side that the process lives on. */
function settingsOf(config: Config) {
  return config.role === 'origin' ? config.origin : config.destination;
}

/** The interval or the cron expression that starts cycles. */
export function timedSource(config: Config): TriggerSource {
  const { cron, timezone, tickMs, jitterMs } = settingsOf(config);
  return cron === undefined ? intervalSource(tickMs, jitterMs) : cronSource(cron, timezone);
}

/** SIGUSR2 runs a cycle now. */
function runNowSource(signals: SignalChannel): TriggerSource {
  return { start: (fire) => signals.onRunNow(() => fire('manual')) };
}

/** The wait after so many failures in a row: doubling from `retry.base` to `retry.max`. */
export function backoffMs({ retry }: Config, failures: number): number {
  return Math.min(retry.maxMs, retry.baseMs * 2 ** Math.min(30, failures - 1));
}

function startupTimeout(limitMs: number, last: VsyncError): VsyncError {
  return new VsyncError({
    code: 'STARTUP_TIMEOUT',
    message: `not ready after ${limitMs / 1000} s (startupTimeout)`,
    why: last.message,
    hint: last.hint,
  });
}
