import { VsyncError } from '../../base/errors.ts';
import type { Comparison } from '../../cycle/plan-destination.ts';
import type { Choice, ChosenTask } from '../../sync/narrow-plan.ts';
import { configHash, type DestinationConfig, indexHash } from '../plan/basis.ts';
import type { Change, PlanDocument } from '../plan/document.ts';

/** Whether a saved plan still stands on what it was made from. Each check throws what is wrong. */

/** Refuses what is no plan to be carried out, or one of other servers: no flag makes these another pair's. */
export function requirePlanOf(plan: PlanDocument, { origin, destination }: DestinationConfig): void {
  if (plan.type !== 'plan') {
    throw new VsyncError({
      code: 'PLAN_INVALID',
      message: 'this is the report of an apply, not a plan',
      hint: 'save a plan with: vsync plan --out FILE',
      note: 'Nothing was changed.',
    });
  }
  const made = [plan.origin.vault, plan.origin.sync_path, plan.destination.vault, plan.destination.sync_path];
  const wanted = [
    origin.vault.address,
    `${origin.syncPath}origin/`,
    destination.vault.address,
    `${destination.syncPath}destination/`,
  ];
  const other = made.findIndex((each, i) => each !== wanted[i]);
  if (other === -1) return;
  throw stale(
    'the plan was made for other servers than the configuration names',
    `the plan says ${made[other]}, the configuration ${wanted[other]}`,
    'use the configuration that the plan was made with, or plan again',
  );
}

export function requireSameConfig({ basis }: PlanDocument, config: DestinationConfig): void {
  if (basis.config_hash === configHash(config)) return;
  throw stale(
    'the configuration is not the one that the plan was made with',
    'servers, mounts, filters, transforms, guards, ignoreDeletes or onConflict differ',
  );
}

export function requireSameBasis({ basis }: PlanDocument, { origin, replaces }: Comparison): void {
  const own = replaces?.modifyIndex ?? 0;
  const moved = [
    originMoved() && `the origin's is at index ${origin.modifyIndex}, was ${basis.origin_index_modify}`,
    basis.destination_index_modify !== own &&
      `the destination's is at index ${own}, was ${basis.destination_index_modify}`,
  ].filter((each) => each !== false);
  if (moved.length === 0) return;
  throw stale('the plan is stale: sync info has been written since it was made', moved.join('; '));

  function originMoved(): boolean {
    return basis.origin_index_modify !== origin.modifyIndex || basis.origin_index_hash !== indexHash(origin);
  }
}

/** What a saved plan asks for, of what is to be done now. */
export function choiceOf({ changes, held, forgotten, errors }: PlanDocument): Choice {
  return {
    tasks: changes.map(chosen),
    ifApproved: held.map(chosen),
    drops: forgotten.map(chosen),
    seen: errors.map(({ path }) => path),
  };
}

function chosen({ op, path, destination_path }: Change): ChosenTask {
  return { kind: op, path, target: destination_path };
}

const planAgain = 'plan again; or --allow-stale to apply those of its tasks that are still to be done';

function stale(message: string, why: string, hint = planAgain): VsyncError {
  return new VsyncError({ code: 'PLAN_STALE', message, why, hint, note: 'Nothing was changed.' });
}
