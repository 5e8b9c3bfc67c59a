import type { TaskKind } from './compare.ts';
import type { DataPath } from './mount-path.ts';
import type { Plan, PlannedTask } from './plan.ts';

/**
 * The part of a plan that somebody chose: what a saved plan names, of what is to do now.
 * Pure. A choice can only leave tasks out: what is done, and where, is always what was compared.
 */

/** One task that was chosen. */
export interface ChosenTask {
  readonly kind: TaskKind;
  readonly path: string;
  readonly target: string;
}

export interface Choice {
  /** Tasks to be done. */
  readonly tasks: readonly ChosenTask[];
  /** Deletes to be done only if exactly the set that the guard holds was approved. */
  readonly ifApproved: readonly ChosenTask[];
  /** Entries to be forgotten. */
  readonly drops: readonly ChosenTask[];
  /** Further paths that the chooser has seen, to be reported if they are left alone. */
  readonly seen: readonly string[];
}

export function narrowPlan(plan: Plan, choice: Choice): Plan {
  const tasks = keysOf(choice.tasks);
  const ifApproved = keysOf(choice.ifApproved);
  const drops = keysOf(choice.drops);
  const seen = new Set([...choice.tasks, ...choice.ifApproved].map(({ path }) => path));
  for (const path of choice.seen) seen.add(path);

  const isChosen = (task: PlannedTask) => tasks.has(keyOf(task));
  const mayDelete = (task: PlannedTask) =>
    isChosen(task) || (plan.guard.approved && ifApproved.has(keyOf(task)));
  const held = plan.held.filter((task) => isChosen(task) || ifApproved.has(keyOf(task)));
  // An entry tells that the version at its target is our own: it is kept until the copy that takes the target over is made.
  const left = new Set<DataPath>(plan.copies.filter((task) => !isChosen(task)).map(({ target }) => target));
  return {
    copies: plan.copies.filter(isChosen),
    deletes: plan.deletes.filter(mayDelete),
    held,
    ignored: plan.ignored.filter(isChosen),
    drops: plan.drops.filter((task) => drops.has(keyOf(task)) && !left.has(task.target)),
    skipped: plan.skipped.filter(({ path }) => seen.has(path)),
    // A guard that holds other deletes than the chosen ones does not hold these.
    guard: held.length > 0 ? plan.guard : { ...plan.guard, held: false, guard: undefined },
  };
}

function keysOf(tasks: readonly ChosenTask[]): ReadonlySet<string> {
  return new Set(tasks.map(keyOf));
}

function keyOf({ kind, path, target }: ChosenTask): string {
  return JSON.stringify([kind, path, target]);
}
