import { asVsyncError, exitCodes } from '../base/errors.ts';
import { errorFields, type Log } from '../base/log.ts';
import { Releasers } from '../base/releasers.ts';
import type { Config } from '../config/config.ts';
import { type CycleRun, runCycle } from '../cycle/cycle-run.ts';
import type { CycleEvent } from '../cycle/events.ts';
import type { CycleOutcome } from '../cycle/outcome.ts';
import { countPaths } from '../cycle/plan-destination.ts';
import { type DestinationRole, openDestination } from '../roles/destination.ts';
import { openOrigin } from '../roles/origin.ts';
import { type CommandIo, colorFor, widthOf } from './command-io.ts';
import { planText } from './plan-text.ts';
import { scanText } from './scan-text.ts';

/** What a cycle would do, printed; nothing is written anywhere, not even a probe key. */
export async function dryRun(
  options: {
    readonly config: Config;
    readonly log: Log;
    readonly approvedSets: readonly string[];
    readonly color: 'auto' | 'always' | 'never';
  },
  io: CommandIo,
): Promise<number> {
  const { config, log } = options;
  const releasers = new Releasers();
  const context = {
    log,
    releasers,
    signals: io.signals,
    approvedSets: options.approvedSets,
    nextCycle: () => undefined,
  };
  const style = { width: widthOf(io.out), color: colorFor(io.out, io.env, options.color) };
  try {
    if (config.role === 'origin') {
      const role = await openOrigin({ ...context, config });
      return await once(async (run) => {
        await role.checkReadOnly(run.scope);
        const scan = await role.originCycle.scan(run);
        if (scan !== undefined) io.out.write(scanText(scan, run.errors.failedPaths, config, style));
      });
    }
    const role: DestinationRole = await openDestination({ ...context, config });
    return await once(async (run) => {
      await role.checkReadOnly(run.scope);
      const comparison = await role.destinationCycle().plan(run);
      const totals = await countPaths(role.stores, comparison, run);
      io.out.write(planText(comparison, totals, config, style));
    });
  } finally {
    await releasers.release();
  }

  async function once(body: (run: CycleRun) => Promise<void>): Promise<number> {
    const settings = config.role === 'origin' ? config.origin : config.destination;
    const outcome = await runCycle(
      async (run): Promise<CycleOutcome> => {
        await body(run);
        const { stopped, failedPaths } = run.errors;
        const counts = { paths: undefined, failed: failedPaths.size };
        return { result: stopped === undefined ? 'noop' : 'failed', error: stopped, counts, failedPaths };
      },
      {
        trigger: 'manual',
        timeoutMs: settings.timeoutMs,
        draining: io.signals.draining,
        aborting: io.signals.aborting,
        drainStops: true,
        emit: (event: CycleEvent) => {
          if (event.kind === 'note') log.log(event.level, event.message);
        },
      },
    );
    if (outcome.error === undefined) return exitCodes.ok;
    const error = asVsyncError(outcome.error);
    if (error.code === 'INTERRUPTED')
      return io.signals.received === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted;
    log.error(error.message, errorFields(error));
    return error.exitCode;
  }
}
