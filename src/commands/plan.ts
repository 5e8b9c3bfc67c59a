import { exitCodes, VsyncError } from '../base/errors.ts';
import { type DestinationRole, openDestination } from '../roles/destination.ts';
import type { CommandIo } from './command-io.ts';
import type { GlobalOptions } from './global-options.ts';
import { configFor } from './load-config.ts';
import { endedBySignal, readOnlyPass, type Session, withSession } from './one-shot.ts';
import type { DestinationConfig } from './plan/basis.ts';
import { planDocument } from './plan/build.ts';
import type { PlanDocument } from './plan/document.ts';
import { requirePlace, savePlan } from './plan/file.ts';
import { type PlanForm, printPlan } from './plan/print.ts';

export interface PlanCommandOptions extends GlobalOptions, PlanForm {
  /** 2 for differences, 4 for held deletes, instead of 0 for both. */
  readonly detailedExitcode: boolean;
  readonly approveDeletes: readonly string[];
}

/** `vsync plan`: what a cycle of the destination would do, path by path. Writes nothing anywhere, but for `--out`. */
export async function planCommand(options: PlanCommandOptions, io: CommandIo): Promise<number> {
  requireOneForm(options);
  if (options.out !== undefined) await requirePlace(options.out, io.cwd);
  const loaded = await configFor('destination', options, { interactive: true }, io);
  if ('exitCode' in loaded) return loaded.exitCode;
  const config = loaded.config as DestinationConfig;
  return endedBySignal(io, options.json, () =>
    withSession(config, { ...options, label: 'comparing' }, io, async (session) => {
      const role = await openDestination(session.context);
      const plan = await makePlan(role, session, io);
      session.progress.stop();
      if (options.out !== undefined) await savePlan(options.out, plan, io.cwd);
      printPlan(plan, options, io);
      return options.detailedExitcode ? detailedExitCode(plan) : exitCodes.ok;
    }),
  );
}

/** Compares, and gives the result as a document. Throws what kept it from that. */
export async function makePlan(
  role: DestinationRole,
  session: Session<DestinationConfig>,
  io: CommandIo,
): Promise<PlanDocument> {
  return readOnlyPass(
    async (run) => {
      await role.checkReadOnly(run.scope);
      const [survey, status] = await Promise.all([role.survey(run), role.originStatus(run.scope)]);
      return planDocument(survey, status, session.config, new Date());
    },
    session,
    io,
  );
}

/** A path that is left alone because something is wrong with it is a difference too. */
function detailedExitCode({ changes, forgotten, errors, held }: PlanDocument): number {
  if (held.length > 0) return exitCodes.held;
  const differences = changes.length + forgotten.length + errors.length;
  return differences > 0 ? exitCodes.differences : exitCodes.ok;
}

function requireOneForm({ json, plain, paths }: PlanForm): void {
  const forms = [json && '--json', plain && '--plain', paths && '--paths'].filter(Boolean);
  if (forms.length < 2) return;
  throw new VsyncError({ code: 'USAGE', message: `${forms.join(' and ')} exclude each other` });
}
