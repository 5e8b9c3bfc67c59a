import { VsyncError } from '../base/errors.ts';
import { openLog } from '../base/log.ts';
import type { Config, Role } from '../config/config.ts';
import { renderProblem } from '../config/problem.ts';
import { runDaemon } from '../daemon.ts';
import { runFleet } from '../fleet.ts';
import { version } from '../version.ts';
import { type CommandIo, colorFor } from './command-io.ts';
import { dryRun } from './dry-run.ts';
import type { GlobalOptions } from './global-options.ts';
import { configFor, loadFor } from './load-config.ts';
import { openProgress } from './terminal/progress.ts';

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
  const loaded = await configFor(
    role,
    options,
    { interactive: options.once || options.dryRun, several: true },
    io,
  );
  if ('exitCode' in loaded) return loaded.exitCode;
  const { config, configs, files } = loaded;
  if (options.dryRun) return dryRunEach(configs, options, io);
  // A daemon says what it does line by line; one cycle that a person waits for shows how far it is.
  const progress =
    options.once && configs.length === 1
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
    log.info(`vsync ${version}: ${role} ${configs.map(({ name }) => name).join(', ')}`, {
      config: files.length === 0 ? undefined : files.join(' '),
      cycles: options.once ? 'once' : scheduleOf(config),
    });
    const load = async (name: string) => {
      const next = await loadFor(role, options, { interactive: false }, io);
      for (const problem of next.problems) {
        const { severity, code } = problem;
        log.log(severity === 'warning' ? 'warn' : severity, renderProblem(problem), { 'error.id': code });
      }
      return next.configs.length > 1 ? next.configs.find((each) => each.name === name) : next.config;
    };
    const common = {
      log,
      once: options.once,
      approvedSets: options.approveDeletes,
      signals: io.signals,
      ...(progress && { observe: progress.observe }),
    };
    if (configs.length > 1) return await runFleet(configs, { ...common, load });
    return await runDaemon({ ...common, config, load: () => load(config.name) });
  } finally {
    progress?.stop();
    await log.close();
  }
}

/** One dry run after the other; the worst exit code. */
async function dryRunEach(
  configs: readonly Config[],
  options: CycleCommandOptions,
  io: CommandIo,
): Promise<number> {
  if (configs.length > 1 && options.json) {
    throw new VsyncError({
      code: 'USAGE',
      message: `--json prints one document, and the configuration has ${configs.length} destinations`,
      hint: `choose one with --node, e.g. --node ${configs[0]?.name}`,
    });
  }
  const codes: number[] = [];
  for (const config of configs) codes.push(await dryRun(config, options, io));
  return Math.max(...codes);
}

function scheduleOf(config: Config): string {
  const { cron, tickMs, timezone } = config.role === 'origin' ? config.origin : config.destination;
  return cron === undefined ? `every ${tickMs / 1000}s` : `cron "${cron}" ${timezone}`;
}
