import type { CycleEvent } from '../cycle/events.ts';
import type { Comparison } from '../cycle/plan-destination.ts';
import { exitCodeOf } from '../daemon.ts';
import { type DestinationRole, openDestination } from '../roles/destination.ts';
import { narrowPlan } from '../sync/narrow-plan.ts';
import type { Plan } from '../sync/plan.ts';
import { choiceOf, requirePlanOf, requireSameBasis, requireSameConfig } from './apply/basis.ts';
import { ApplyReport } from './apply/report.ts';
import type { CommandIo } from './command-io.ts';
import type { GlobalOptions } from './global-options.ts';
import { configFor } from './load-config.ts';
import { endedBySignal, type Session, withSession, writingPass } from './one-shot.ts';
import type { DestinationConfig } from './plan/basis.ts';
import type { PlanDocument } from './plan/document.ts';
import { readPlan } from './plan/file.ts';
import { maxLinesFor, printJson, styleFor } from './plan/print.ts';
import { planText } from './plan/text.ts';
import { confirm } from './terminal/confirm.ts';
import { counted } from './terminal/text-style.ts';

export interface ApplyCommandOptions extends GlobalOptions {
  /** A plan whose basis has moved is applied as far as it is still to be done. */
  readonly allowStale: boolean;
  readonly yes: boolean;
  readonly full: boolean;
  readonly approveDeletes: readonly string[];
}

/**
 * `vsync apply PLAN`: does exactly what a saved plan says, or refuses. Both sync infos are compared anew and the plan only chooses among
 * the tasks that this yields, so no file can make it write or delete anything else; values are read at the origin now.
 */
export async function applyCommand(
  file: string,
  options: ApplyCommandOptions,
  io: CommandIo,
): Promise<number> {
  const saved = await readPlan(file, io.cwd);
  const loaded = await configFor('destination', options, { interactive: true }, io);
  if ('exitCode' in loaded) return loaded.exitCode;
  const config = loaded.config as DestinationConfig;
  requirePlanOf(saved, config);
  if (!options.allowStale) requireSameConfig(saved, config);
  const report = new ApplyReport(saved);
  return endedBySignal(
    io,
    options.json,
    async () => {
      await askBeforeDeletes(saved, options, io);
      return withSession(config, { ...options, label: 'applying' }, io, (session) =>
        applySaved(saved, report, session, options, io),
      );
    },
    () => (report.begun ? 'what was done is recorded' : 'nothing was changed'),
  );
}

async function applySaved(
  saved: PlanDocument,
  report: ApplyReport,
  session: Session<DestinationConfig>,
  options: ApplyCommandOptions,
  io: CommandIo,
): Promise<number> {
  const { config, context, progress } = session;
  const role = await openDestination(context);
  const status = new StatusGate(role);
  const outcome = await writingPass(
    async (run) => {
      await role.checkReadOnly(run.scope);
      const cycle = role.destinationCycle();
      const comparison = await cycle.compare(run);
      if (!options.allowStale) requireSameBasis(saved, comparison);
      await role.beginWriting(run.scope);
      const plan = narrowPlan(comparison.plan, choiceOf(saved));
      report.begin(plan);
      status.begin(plan, comparison);
      return cycle.execute({ ...comparison, plan }, run);
    },
    {
      timeoutMs: config.destination.timeoutMs,
      observe: (event) => {
        report.observe(event);
        status.observe(event);
      },
    },
    session,
    io,
  );
  await role.idle();
  progress.stop();
  if (report.begun) printReport(report.document(outcome, config, new Date()), options, io);
  if (outcome.error !== undefined) throw outcome.error;
  return exitCodeOf(outcome, io.signals);
}

/** The node's status says how the destination stands: it is written only if all that there is to do was part of the plan. */
class StatusGate {
  readonly #role: DestinationRole;
  #open = false;

  constructor(role: DestinationRole) {
    this.#role = role;
  }

  begin(chosen: Plan, { plan }: Comparison): void {
    const lists = ['copies', 'deletes', 'held', 'drops', 'skipped'] as const;
    this.#open = lists.every((list) => chosen[list].length === plan[list].length);
  }

  observe(event: CycleEvent): void {
    if (this.#open) this.#role.observe(event);
  }
}

async function askBeforeDeletes(
  { changes, held, destination }: PlanDocument,
  options: ApplyCommandOptions,
  io: CommandIo,
): Promise<void> {
  const deletes = changes.filter(({ op }) => op === 'delete').length;
  const released = options.approveDeletes.length > 0 ? held.length : 0;
  // Where there is no terminal, a saved plan is what was agreed to.
  if (deletes + released === 0 || !(options.noInput || process.stdin.isTTY)) return;
  await confirm(
    `Delete ${counted(deletes + released, 'secret')} at the destination ${destination.vault}?`,
    options,
    io,
  );
}

function printReport(report: PlanDocument, options: ApplyCommandOptions, io: CommandIo): void {
  if (options.json) {
    printJson(report, io);
    return;
  }
  const ending = report.complete ? [] : ['The run was stopped; what was done is recorded.'];
  const style = styleFor(options, io);
  io.out.write(planText(report, { style, maxLines: maxLinesFor(options, io), ending }));
}
