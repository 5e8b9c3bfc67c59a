import { maxDelayMs } from '../base/clock.ts';
import { VsyncError } from '../base/errors.ts';
import { type Log, openLog } from '../base/log.ts';
import { Releasers } from '../base/releasers.ts';
import type { Config } from '../config/config.ts';
import { type CycleRun, runCycle } from '../cycle/cycle-run.ts';
import type { CycleEvent, Emit } from '../cycle/events.ts';
import { logEvents } from '../cycle/log-events.ts';
import type { CycleOutcome } from '../cycle/outcome.ts';
import { exitCodeOf } from '../daemon.ts';
import type { RoleContext } from '../roles/role.ts';
import { type CommandIo, colorFor } from './command-io.ts';
import type { GlobalOptions } from './global-options.ts';
import { openProgress, type Progress } from './terminal/progress.ts';

/** What commands have in common that open a role, do one thing with it and print a result: `plan`, `apply`, `check`, dry runs. */

export interface Session<C extends Config> {
  readonly config: C;
  readonly log: Log;
  readonly progress: Progress;
  /** What a role is opened with. */
  readonly context: RoleContext<C>;
}

/** Opens log and progress, and releases at the end what was opened with them. `label` says what is going on: `comparing`. */
export async function withSession<C extends Config, T>(
  config: C,
  options: GlobalOptions & { readonly approveDeletes?: readonly string[]; readonly label: string },
  io: CommandIo,
  body: (session: Session<C>) => Promise<T>,
): Promise<T> {
  const progress = openProgress(io, options);
  const color = colorFor(io.err, io.env, options.color);
  const log = openLog({ level: config.log.level, type: config.log.type, stream: progress.stream, color });
  progress.useLog(log);
  io.signals.finishWithinMs = config.shutdownTimeoutMs;
  const releasers = new Releasers();
  releasers.push(() => log.close());
  const context = {
    config,
    log,
    releasers,
    signals: io.signals,
    approvedSets: options.approveDeletes ?? [],
    nextCycle: () => undefined,
  };
  try {
    return await body({ config, log, progress, context });
  } finally {
    progress.stop();
    await releasers.release();
  }
}

/**
 * Runs `body` once, stopped by a signal, without a limit of time: it writes nothing that could stay half done. Throws what stopped it.
 */
export async function readOnlyPass<T>(
  body: (run: CycleRun) => Promise<T>,
  { log, progress }: Pick<Session<Config>, 'log' | 'progress'>,
  io: CommandIo,
): Promise<T> {
  let result: { readonly value: T } | undefined;
  const outcome = await runCycle(
    async (run): Promise<CycleOutcome> => {
      result = { value: await body(run) };
      const { stopped, failedPaths } = run.errors;
      const counts = { paths: undefined, failed: failedPaths.size };
      return { result: stopped === undefined ? 'noop' : 'failed', error: stopped, counts, failedPaths };
    },
    {
      trigger: 'manual',
      timeoutMs: maxDelayMs,
      draining: io.signals.draining,
      aborting: io.signals.aborting,
      drainStops: true,
      emit: (event: CycleEvent) => {
        progress.observe(event);
        if (event.kind === 'note') log.log(event.level, event.message);
      },
    },
  );
  if (outcome.error !== undefined) throw outcome.error;
  return (result as { readonly value: T }).value;
}

/** Runs `body` once, which writes: a first signal lets it finish what it has begun, a second one cancels that, too. */
export function writingPass(
  body: (run: CycleRun) => Promise<CycleOutcome>,
  { timeoutMs, observe }: { readonly timeoutMs: number; readonly observe: Emit },
  session: Session<Config>,
  io: CommandIo,
): Promise<CycleOutcome> {
  const write = writingEvents(session);
  return runCycle(body, {
    trigger: 'manual',
    timeoutMs,
    draining: io.signals.draining,
    aborting: io.signals.aborting,
    drainStops: false,
    emit: (event) => {
      write(event);
      observe(event);
    },
  });
}

/** A signal ends a command by its code and one line, not by an error. `consequence` tells what was changed by then. */
export async function endedBySignal(
  io: CommandIo,
  json: boolean,
  command: () => Promise<number>,
  consequence = () => 'nothing was changed',
): Promise<number> {
  try {
    return await command();
  } catch (error) {
    if (!(error instanceof VsyncError) || error.code !== 'INTERRUPTED') throw error;
    const code = exitCodeOf(undefined, io.signals);
    const message = `interrupted; ${consequence()}`;
    const line = json ? JSON.stringify({ type: 'exit_error', code, id: error.code, message }) : message;
    io.err.write(`${line}\n`);
    return code;
  }
}

/**
 * Hears a run that writes: for machines, and with -v, every line of the log that a cycle has; for a person, who gets the result as a
 * list, only what is not in it.
 */
function writingEvents({ config, log, progress }: Session<Config>): Emit {
  const write = logEvents(log);
  const all = config.log.type === 'json' || log.isOn('debug');
  return (event) => {
    progress.observe(event);
    if (all || event.kind === 'note' || event.kind === 'path.conflict') write(event);
  };
}
