import { maxDelayMs } from '../base/clock.ts';
import { exitCodes } from '../base/errors.ts';
import { type CheckResult, repairOf } from '../cycle/check-destination.ts';
import type { CycleRun } from '../cycle/cycle-run.ts';
import type { Emit } from '../cycle/events.ts';
import type { CycleOutcome } from '../cycle/outcome.ts';
import { type DestinationRole, openDestination } from '../roles/destination.ts';
import { type CheckDocument, checkDocument, RepairReport } from './check/document.ts';
import { checkText } from './check/text.ts';
import type { CommandIo } from './command-io.ts';
import type { GlobalOptions } from './global-options.ts';
import { configFor } from './load-config.ts';
import { endedBySignal, readOnlyPass, type Session, withSession, writingPass } from './one-shot.ts';
import type { DestinationConfig } from './plan/basis.ts';
import { maxLinesFor, printJson, styleFor } from './plan/print.ts';

export interface CheckCommandOptions extends GlobalOptions {
  /** Values are compared, in memory. */
  readonly deep: boolean;
  /** What is missing or changed is written again. */
  readonly repair: boolean;
  readonly extras: boolean;
  readonly full: boolean;
}

/** `vsync check`: what is really at the destination, against what the origin published. */
export async function checkCommand(options: CheckCommandOptions, io: CommandIo): Promise<number> {
  const loaded = await configFor('destination', options, { interactive: true }, io);
  if ('exitCode' in loaded) return loaded.exitCode;
  const config = loaded.config as DestinationConfig;
  return endedBySignal(
    io,
    options.json,
    () =>
      withSession(config, { ...options, label: 'checking' }, io, async (session) => {
        const role = await openDestination(session.context);
        const { result, check } = await makeCheck(role, session, options, io);
        if (!options.repair) return print(check, session, options, io);
        const repair = await repairAll(role, result, session, io);
        const code = print(repair.report.added(check), session, options, io);
        if (repair.outcome.error !== undefined) throw repair.outcome.error;
        return code;
      }),
    () => (options.repair ? 'what was repaired is recorded' : 'nothing was changed'),
  );
}

async function makeCheck(
  role: DestinationRole,
  session: Session<DestinationConfig>,
  { deep, extras, repair }: CheckCommandOptions,
  io: CommandIo,
): Promise<{ readonly result: CheckResult; readonly check: CheckDocument }> {
  return readOnlyPass(
    async (run) => {
      await role.checkReadOnly(run.scope, repair);
      const [result, status] = await Promise.all([
        role.compareVaults({ deep, lookForExtras: extras }, run),
        role.originStatus(run.scope),
      ]);
      const { failedPaths } = run.errors;
      return {
        result,
        check: checkDocument({ result, failedPaths, status, deep }, session.config, new Date()),
      };
    },
    session,
    io,
  );
}

/** Writes what is missing or changed through the copying of a cycle: with check-and-set, and not where it is equal after all. */
async function repairAll(
  role: DestinationRole,
  result: CheckResult,
  session: Session<DestinationConfig>,
  io: CommandIo,
): Promise<{ readonly report: RepairReport; readonly outcome: CycleOutcome }> {
  const report = new RepairReport();
  const repair = async (run: CycleRun) => {
    await role.beginWriting(run.scope);
    return role.destinationCycle().execute(repairOf(result), run);
  };
  const observe: Emit = (event) => report.observe(event);
  const outcome = await writingPass(repair, { timeoutMs: maxDelayMs, observe }, session, io);
  return { report, outcome };
}

/** Prints, and gives the exit code. */
function print(
  check: CheckDocument,
  { progress }: Session<DestinationConfig>,
  options: CheckCommandOptions,
  io: CommandIo,
): number {
  progress.stop();
  if (options.json) printJson(check, io);
  else io.out.write(checkText(check, { style: styleFor(options, io), maxLines: maxLinesFor(options, io) }));
  const failed = check.drift.some(({ repair }) => repair?.result === 'failed');
  if (check.summary.error > 0 || failed) return exitCodes.somePathsFailed;
  return check.drift.some(({ repair }) => repair?.result !== 'done') ? exitCodes.differences : exitCodes.ok;
}
