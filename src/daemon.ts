import { type Clock, systemClock } from './base/clock.ts';
import { asVsyncError, exitCodes, VsyncError } from './base/errors.ts';
import { errorFields, type Log } from './base/log.ts';
import { type Release, Releasers } from './base/releasers.ts';
import { shutdownTimeout } from './base/shutdown-timeout.ts';
import type { Config } from './config/config.ts';
import { runCycle } from './cycle/cycle-run.ts';
import type { Emit } from './cycle/events.ts';
import { logEvents } from './cycle/log-events.ts';
import type { CycleOutcome } from './cycle/outcome.ts';
import type { SignalChannel } from './cycle/signal-channel.ts';
import { cronSource, intervalSource, runTicker, type TriggerSource } from './cycle/ticker.ts';
import { openDestination } from './roles/destination.ts';
import { openOrigin } from './roles/origin.ts';
import type { OriginEnd } from './roles/origin-end.ts';
import { type AtWork, Reload, untilDrained } from './roles/reload.ts';
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
  /** Reads the configuration anew, for SIGHUP. `undefined`: it is not valid, and the log says why. */
  readonly load: () => Promise<Config | undefined>;
  /** Sets of deletes released on the command line. */
  readonly approvedSets: readonly string[];
  readonly signals: SignalChannel;
  /** Hears what happens in cycles, beside log and status. */
  readonly observe?: Emit;
  /** Of a destination that shares the origin with others in this process. */
  readonly originEnd?: OriginEnd;
  readonly clock?: Clock;
}

/** Runs until it is told to stop. Returns the exit code of the process. */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  const { config, log, once, signals } = options;
  let now: AtWork | undefined;
  const releasers = new Releasers();
  releasers.push(watchShutdown(options, () => (now?.config ?? config).shutdownTimeoutMs));
  const reload = new Reload(config, {
    log,
    load: options.load,
    open: (next) => openRole(next, options),
    draining: signals.draining,
  });
  // It must not end the process: Nomad and others send it when a token or the configuration has changed.
  const onHangUp = () => (once ? log.info('SIGHUP is ignored: this is one cycle') : reload.ask());
  releasers.push(signals.onHangUp(onHangUp));
  releasers.push(() => reload.close());
  releasers.push(() => now?.releasers.release());
  try {
    now = await openRole(config, options);
    const nextCycle = () => (once ? undefined : now?.timed.next?.());
    const emit = logEvents(log, nextCycle);
    await startUp(now.role, reload, options);
    for (;;) {
      const last = await runCycles(now, emit, reload, options);
      const next = signals.draining.aborted ? undefined : reload.take();
      if (next === undefined) return once ? exitCodeOf(last, signals) : daemonExitCode(last, log);
      await now.releasers.release();
      now = next;
      log.info('the configuration was read anew and is in use', { event: 'config.reload' });
    }
  } catch (error) {
    return endedBy(asVsyncError(error), options);
  } finally {
    await releasers.release();
  }
}

/** Opens what a configuration needs. What fails in between is released. */
async function openRole(
  config: Config,
  { log, signals, approvedSets, originEnd }: DaemonOptions,
): Promise<AtWork> {
  const releasers = new Releasers();
  const timed = timedSource(config);
  const context = { log, releasers, signals, approvedSets, nextCycle: () => timed.next?.() };
  try {
    const role =
      config.role === 'origin'
        ? await openOrigin({ ...context, config })
        : await openDestination({ ...context, config, originEnd });
    return { config, role, timed, releasers };
  } catch (error) {
    await releasers.release();
    throw error;
  }
}

/** Once a signal has asked for the end, `shutdownTimeout` is the limit: then the rest is given up. */
function watchShutdown({ log, signals }: DaemonOptions, limitMs: () => number): Release {
  let timer: NodeJS.Timeout | undefined;
  const onDrain = () => {
    log.info('finishing what is under way; a second signal aborts', { signal: signals.received });
    const shutdownTimeoutMs = limitMs();
    signals.finishWithinMs = shutdownTimeoutMs;
    timer = setTimeout(() => {
      const error = shutdownTimeout(shutdownTimeoutMs);
      log.error(error.message, { shutdownTimeoutMs, ...errorFields(error) });
      signals.giveUp();
    }, shutdownTimeoutMs);
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
  reload: Reload,
  { config, log, once, signals, clock = systemClock }: DaemonOptions,
): Promise<void> {
  const startedAt = clock.monotonic();
  for (let failures = 1; ; failures += 1) {
    try {
      return await untilDrained(signals.draining, role.check);
    } catch (thrown) {
      const error = asVsyncError(thrown);
      if (once || error.class !== 'transient') throw error;
      const waitedMs = clock.monotonic() - startedAt;
      if (config.startupTimeoutMs > 0 && waitedMs >= config.startupTimeoutMs)
        throw startupTimeout(config.startupTimeoutMs, error);
      const delayMs = backoffMs(config, failures);
      log.warn(`not ready yet, trying again in ${(delayMs / 1000).toFixed(1)} s`, errorFields(error));
      await untilDrained(signals.draining, ({ signal }) => clock.sleep(delayMs, signal));
    }
    // Another configuration has passed the checks meanwhile.
    if (reload.ready.aborted) return;
  }
}

/** Cycles until the end, or until another configuration takes over. */
async function runCycles(
  { config, role, timed }: AtWork,
  emit: Emit,
  reload: Reload,
  { log, once, signals, observe }: DaemonOptions,
): Promise<CycleOutcome | undefined> {
  const settings = settingsOf(config);
  const sources = once ? [] : [timed, ...role.sources, runNowSource(signals)];
  const last = await runTicker({
    sources,
    runOnStart: once || settings.runOnStart,
    stopping: AbortSignal.any([signals.draining, reload.ready]),
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
  return last;
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
