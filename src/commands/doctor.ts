import { exitCodes } from '../base/errors.ts';
import { Releasers } from '../base/releasers.ts';
import type { Config, Role } from '../config/config.ts';
import type { Loaded } from '../config/load.ts';
import { renderProblem } from '../config/problem.ts';
import type { CallScope } from '../cycle/ports.ts';
import { type CommandIo, colorFor, widthOf } from './command-io.ts';
import { checkConnection } from './doctor/check-connection.ts';
import { checkConsul } from './doctor/check-consul.ts';
import { checkSyncInfo } from './doctor/check-sync-info.ts';
import { checkTransforms } from './doctor/check-transforms.ts';
import { checkVault } from './doctor/check-vault.ts';
import { type DoctorContext, type DoctorSide, openDoctorSides } from './doctor/context.ts';
import { policiesJson, policiesText } from './doctor/policies.ts';
import { Report, type ReportListener } from './doctor/report.ts';
import { printingListener, summaryText } from './doctor/report-text.ts';
import type { GlobalOptions } from './global-options.ts';
import { writeJson } from './inspect-json.ts';
import { inspectScope } from './inspect-sides.ts';
import { configFor, exitCodeFor, loadFor, problemsAsError } from './load-config.ts';
import { nearerFile } from './nearer-file.ts';
import { nodeName } from './node-name.ts';

export interface DoctorOptions extends GlobalOptions {
  /** The process whose configuration it is; unset: as the configuration tells. */
  readonly role: Role | undefined;
  /** Warnings count as failures. */
  readonly strict: boolean;
  readonly writeProbe: boolean;
  /** Print the policies that the configuration needs, and check nothing. */
  readonly policies: boolean;
}

/**
 * `vsync doctor`: is everything reachable and permitted? Checks in the order in which one thing depends on another, and says how to fix
 * what fails. Writes nothing, unless `--write-probe` is given. Returns 0, 1 when a check failed (with `--strict`: or warned), 64.
 */
export async function doctorCommand(options: DoctorOptions, io: CommandIo): Promise<number> {
  if (options.policies) return printPolicies(options, io);
  const loaded = await loadFor(options.role, options, { interactive: true }, io);
  if (loaded.config === undefined && exitCodeFor(loaded.problems) === exitCodes.usage) {
    throw problemsAsError(loaded.problems, 'the flags are not right, so nothing was looked at');
  }
  const style = { width: widthOf(io.out), color: colorFor(io.out, io.env, options.color) };
  const scope = inspectScope(io);
  const report = new Report(options.json ? silent : printingListener(io, style), scope.signal);
  const name = loaded.config?.name ?? loaded.role;
  if (!options.json) io.out.write(`vsync doctor: ${nodeName({ role: loaded.role, name })}\n`);
  await examine(report, scope, loaded, options, io);

  const [failed, warned] = [report.count('fail'), report.count('warn')];
  const ok = failed === 0 && !(options.strict && warned > 0);
  if (options.json) {
    const summary = {
      pass: report.count('pass'),
      warn: warned,
      fail: failed,
      skip: report.count('skip'),
    };
    writeJson(io, 'doctor', { role: loaded.role, name, ok, summary, sections: report.sections });
  } else {
    io.out.write(summaryText(report));
  }
  return ok ? exitCodes.ok : exitCodes.failed;
}

const silent: ReportListener = { section: () => {}, check: () => {} };

async function examine(
  report: Report,
  scope: CallScope,
  loaded: Loaded,
  options: DoctorOptions,
  io: CommandIo,
): Promise<void> {
  report.section('Configuration');
  judgeConfig(report, loaded, io);
  const { config } = loaded;
  if (config === undefined) return;
  const releasers = new Releasers();
  try {
    const sides = await report.attempt('connections', () => openDoctorSides(config, scope, releasers));
    if (sides === undefined) return;
    await examineServers({ config, report, scope, sides, writeProbe: options.writeProbe });
  } finally {
    await releasers.release();
  }
}

function judgeConfig(report: Report, { problems, config, files }: Loaded, io: CommandIo): void {
  for (const problem of problems) {
    const { severity, code } = problem;
    if (severity === 'error') report.fail('config', renderProblem(problem), { code });
    else if (severity === 'warning') report.warn('config', renderProblem(problem), { code });
  }
  if (config === undefined) {
    report.skip('all else', 'nothing is sent with a configuration that is not valid');
    return;
  }
  const from = files.map((file) => nearerFile(file, io.cwd)).join(', ') || 'environment and flags';
  report.pass('config', `valid, from ${from}`);
}

async function examineServers(context: DoctorContext): Promise<void> {
  const { report, sides, config } = context;
  report.section('Connections');
  for (const side of sides) {
    for (const server of ['vault', 'consul'] as const) {
      const { address, tls } = side.settings[server];
      side.reachable[server] = await checkConnection(report, { side: side.side, server, address, tls });
    }
  }
  for (const side of sides) {
    report.section(`${titleOf(side)} Vault`);
    await checkVault(context, side);
  }
  for (const side of sides) {
    report.section(`${titleOf(side)} Consul`);
    await checkConsul(context, side);
  }
  report.section('Sync info');
  await checkSyncInfo(context);
  if (config.role !== 'destination') return;
  report.section('Targets');
  await checkTransforms(context, config);
}

function titleOf({ side }: DoctorSide): string {
  return side === 'origin' ? 'Origin' : 'Destination';
}

async function printPolicies(options: DoctorOptions, io: CommandIo): Promise<number> {
  const loaded = await configFor(options.role, options, { interactive: true, filesMayBeAbsent: true }, io);
  if ('exitCode' in loaded) return loaded.exitCode;
  const config: Config = loaded.config;
  if (options.json) writeJson(io, 'policies', policiesJson(config));
  else io.out.write(policiesText(config));
  return exitCodes.ok;
}
