import type { CycleEvent } from '../../cycle/events.ts';
import type { CycleOutcome } from '../../cycle/outcome.ts';
import { alwaysAllowedDeletes } from '../../sync/delete-guard.ts';
import type { Plan, PlannedTask } from '../../sync/plan.ts';
import type { DestinationConfig } from '../plan/basis.ts';
import { changesOf, guardsOf } from '../plan/build.ts';
import type { Change, PlanDocument } from '../plan/document.ts';

type Outcome = Required<Pick<Change, 'result'>> & Pick<Change, 'message' | 'code' | 'hint'>;

/** Hears what becomes of each task of a saved plan, and tells it in the plan's own shape. */
export class ApplyReport {
  readonly #saved: PlanDocument;
  readonly #outcomes = new Map<string, Outcome>();
  #plan: Plan | undefined;

  constructor(saved: PlanDocument) {
    this.#saved = saved;
  }

  /** Whether anything was going to be done at all. */
  get begun(): boolean {
    return this.#plan !== undefined;
  }

  /** Which tasks of the saved plan are going to be done. */
  begin(plan: Plan): void {
    this.#plan = plan;
  }

  observe(event: CycleEvent): void {
    switch (event.kind) {
      case 'path.add':
      case 'path.update':
      case 'path.delete': {
        const message = event.recorded ? 'equal already, no new version' : undefined;
        this.#outcomes.set(event.path, { result: 'done', ...(message && { message }) });
        return;
      }
      case 'path.skip':
        this.#outcomes.set(event.path, { result: 'skipped', message: event.why });
        return;
      case 'path.error': {
        const { message, code, hint } = event.error;
        this.#outcomes.set(event.path, { result: 'failed', message, code, ...(hint && { hint }) });
        return;
      }
      default:
        return;
    }
  }

  /** What was done and what was not, once the run has ended. */
  document(outcome: CycleOutcome, config: DestinationConfig, now: Date): PlanDocument {
    const saved = this.#saved;
    const plan = this.#plan as Plan;
    const begun = pathsOf([...plan.copies, ...plan.deletes]);
    const held = pathsOf(plan.held);
    const tasks = [
      ...saved.changes.filter(({ path }) => !held.has(path)),
      ...saved.held.filter(({ path }) => begun.has(path)),
    ];
    const changes = tasks.map((change): Change => {
      const known = this.#outcomes.get(change.path);
      if (known !== undefined) return { ...change, ...known };
      const message = begun.has(change.path) ? notDone(outcome) : 'no task any more';
      return { ...change, result: 'skipped', message };
    });
    const count = (result: Change['result'], op?: Change['op']) =>
      changes.filter((change) => change.result === result && (op ?? change.op) === change.op).length;
    const { guard } = plan;
    return {
      ...saved,
      type: 'apply',
      created_at: now.toISOString(),
      complete: outcome.error === undefined || outcome.result === 'held',
      changes,
      held: changesOf(plan.held),
      guards: guardsOf(
        guard,
        guard.deletes > alwaysAllowedDeletes ? guard.paths : saved.destination.paths,
        config,
      ),
      summary: {
        operation: 'apply',
        add: count('done', 'add'),
        update: count('done', 'update'),
        delete: count('done', 'delete'),
        error: saved.errors.length,
        held: plan.held.length,
        unchanged: saved.summary.unchanged,
        failed: count('failed'),
        skipped: count('skipped'),
      },
    };
  }
}

/** Why a task was not begun. */
function notDone({ error, result }: CycleOutcome): string {
  return result === 'held' || error === undefined
    ? 'deletes wait for a run in which nothing fails for a passing reason'
    : `not done: ${error.message}`;
}

function pathsOf(tasks: readonly PlannedTask[]): ReadonlySet<string> {
  return new Set(tasks.map(({ path }) => path));
}
