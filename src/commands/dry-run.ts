import { asVsyncError, exitCodes } from '../base/errors.ts';
import { errorFields } from '../base/log.ts';
import type { Config } from '../config/config.ts';
import type { CycleRun } from '../cycle/cycle-run.ts';
import type { ScanResult } from '../cycle/origin-cycle.ts';
import type { CycleOutcome } from '../cycle/outcome.ts';
import { scanChanges } from '../cycle/scan-changes.ts';
import { runTicker } from '../cycle/ticker.ts';
import { backoffMs, timedSource } from '../daemon.ts';
import { openDestination } from '../roles/destination.ts';
import { type OriginRole, openOrigin } from '../roles/origin.ts';
import { bucketJson } from '../sync/bucket.ts';
import type { CommandIo } from './command-io.ts';
import type { GlobalOptions } from './global-options.ts';
import { endedBySignal, readOnlyPass, type Session, withSession } from './one-shot.ts';
import type { DestinationConfig } from './plan/basis.ts';
import { maxLinesFor, printJson, printPlan, styleFor } from './plan/print.ts';
import { makePlan } from './plan.ts';
import { type ScanDocument, scanDocument } from './scan/document.ts';
import { scanText } from './scan/text.ts';

export interface DryRunOptions extends GlobalOptions {
  readonly once: boolean;
  readonly full?: boolean;
  readonly approveDeletes: readonly string[];
}

/**
 * `--dry-run`: what a cycle would do, printed; nothing is written anywhere, not even a probe key. With an explicit `--tick` or `--cron`
 * it is printed again each time, until a signal.
 */
export async function dryRun(config: Config, options: DryRunOptions, io: CommandIo): Promise<number> {
  const { flags } = options;
  const isTimed = ['tick', 'cron'].some(
    (name) => (flags[name] ?? flags[`${config.role}.${name}`]) !== undefined,
  );
  const label = config.role === 'origin' ? 'scanning' : 'comparing';
  return endedBySignal(io, options.json, () =>
    withSession(config, { ...options, label }, io, async (session) => {
      const pass = await passOf(session, options, io);
      if (isTimed && !options.once) return repeat(pass, session, io);
      try {
        await pass();
        return exitCodes.ok;
      } catch (thrown) {
        const error = asVsyncError(thrown);
        if (options.json || error.code === 'INTERRUPTED') throw error;
        session.log.error(error.message, errorFields(error));
        return error.exitCode;
      }
    }),
  );
}

/** One comparison or scan, printed. */
async function passOf(
  session: Session<Config>,
  options: DryRunOptions,
  io: CommandIo,
): Promise<() => Promise<void>> {
  const { config, context, progress } = session;
  if (config.role === 'destination') {
    const destination = { ...session, config, context: { ...context, config } };
    const role = await openDestination(destination.context);
    return async () => {
      const plan = await makePlan(role, destination as Session<DestinationConfig>, io);
      progress.stop();
      printPlan(plan, options, io);
    };
  }
  const role = await openOrigin(context);
  return async () => {
    const scan = await makeScan(role, session, io);
    progress.stop();
    if (options.json) printJson(scan, io);
    else io.out.write(scanText(scan, { style: styleFor(options, io), maxLines: maxLinesFor(options, io) }));
  };
}

/** A pass each time that a cycle would be due. A failure that no retry can cure ends it, any other is logged. */
async function repeat(
  pass: () => Promise<void>,
  { config, log }: Session<Config>,
  io: CommandIo,
): Promise<number> {
  const last = await runTicker({
    sources: [timedSource(config)],
    runOnStart: true,
    stopping: io.signals.draining,
    retryDelayMs: (failures) => backoffMs(config, failures),
    isLast: ({ error }) => error?.class === 'fatal',
    runCycle: async (): Promise<CycleOutcome> => {
      const counts = { counts: { paths: undefined, failed: 0 }, failedPaths: new Map() };
      try {
        await pass();
        return { result: 'noop', ...counts };
      } catch (thrown) {
        const error = asVsyncError(thrown);
        if (error.class !== 'abort') log.error(error.message, errorFields(error));
        return { result: error.class === 'abort' ? 'aborted' : 'failed', error, ...counts };
      }
    },
  });
  return last?.error?.class === 'fatal' ? last.error.exitCode : exitCodes.ok;
}

async function makeScan(role: OriginRole, session: Session<Config>, io: CommandIo): Promise<ScanDocument> {
  return readOnlyPass(
    async (run) => {
      await role.checkReadOnly(run.scope);
      const scan = await role.originCycle.scan(run);
      // It was stopped: whoever runs the pass throws why.
      if (scan === undefined) throw run.errors.stopped;
      return documentOf(role, scan, session.config, run);
    },
    session,
    io,
  );
}

async function documentOf(
  role: OriginRole,
  scan: ScanResult,
  config: Config,
  run: CycleRun,
): Promise<ScanDocument> {
  const { info, previous } = scan;
  const held = await role.originCycle.holdEmpty(scan, run);
  const changed = new Set(info.reindex(previous.replaces?.index ?? []).buckets.map(({ id }) => id));
  const published = previous.usable ? previous.replaces : undefined;
  const changes = await scanChanges(role.store, info, published, run);
  const buckets = [...info.index.keys()].map((id) => {
    const bucket = info.bucket(id);
    return { id, paths: bucket.size, bytes: Buffer.byteLength(bucketJson(bucket)), changed: changed.has(id) };
  });
  return scanDocument(
    scan,
    { buckets, changes, held, failedPaths: run.errors.failedPaths },
    config,
    new Date(),
  );
}
