import { openLog } from '../base/log.ts';
import type { Role } from '../config/config.ts';
import { renderProblem } from '../config/problem.ts';
import { runDaemon } from '../daemon.ts';
import { version } from '../version.ts';
import { type CommandIo, colorFor } from './command-io.ts';
import { dryRun } from './dry-run.ts';
import type { GlobalOptions } from './global-options.ts';
import { configFor, loadFor } from './load-config.ts';
import { openProgress } from './progress.ts';

/** What `vsync origin` and `vsync destination` were called with. */
export interface CycleCommandOptions extends GlobalOptions {
  readonly once: boolean;
  readonly dryRun: boolean;
  /** Of a dry run: every line, also on a terminal. */
  readonly full?: boolean;
  readonly approveDeletes: readonly string[];
}

/** `vsync origin` and `vsync destination`: a daemon, one cycle (`--once`), or what it would do (`--dry-run`). */
export async function cycleCommand(role: Role, options: CycleCommandOptions, io: CommandIo): Promise<number> {
  const loaded = await configFor(role, options, { interactive: options.once || options.dryRun }, io);
  if ('exitCode' in loaded) return loaded.exitCode;
  const { config, files } = loaded;
  if (options.dryRun) return dryRun(config, options, io);
  // A daemon says what it does line by line; one cycle that a person waits for shows how far it is.
  const progress = options.once
    ? openProgress(io, { label: role === 'origin' ? 'scanning' : 'copying', quiet: options.quiet })
    : undefined;
  const color = colorFor(io.err, io.env, options.color);
  const { level, type } = config.log;
  const log = openLog({ level, type, stream: progress?.stream ?? io.err, color }).with({
    role,
    name: config.name,
  });
  progress?.useLog(log);
  try {
    const settings = config.role === 'origin' ? config.origin : config.destination;
    const every =
      settings.cron === undefined
        ? `every ${settings.tickMs / 1000}s`
        : `cron "${settings.cron}" ${settings.timezone}`;
    log.info(`vsync ${version}: ${role} ${config.name}`, {
      config: files.length === 0 ? undefined : files.join(' '),
      cycles: options.once ? 'once' : every,
    });
    return await runDaemon({
      config,
      log,
      once: options.once,
      load: async () => {
        const next = await loadFor(role, options, { interactive: false }, io);
        for (const problem of next.problems) {
          const { severity, code } = problem;
          log.log(severity === 'warning' ? 'warn' : severity, renderProblem(problem), { 'error.id': code });
        }
        return next.config;
      },
      approvedSets: options.approveDeletes,
      signals: io.signals,
      ...(progress && { observe: progress.observe }),
    });
  } finally {
    progress?.stop();
    await log.close();
  }
}
