import { describe, expect, it } from 'vitest';
import type { DataPath } from '../../src/sync/mount-path.ts';
import { type Choice, narrowPlan } from '../../src/sync/narrow-plan.ts';
import type { Plan, PlannedTask } from '../../src/sync/plan.ts';

function task(kind: PlannedTask['kind'], path: string, target = path): PlannedTask {
  return { kind, path: path as DataPath, target: target as DataPath, rule: undefined, reason: 'missing' };
}

const [add, update, gone, former] = [
  task('add', 'a'),
  task('update', 'u'),
  task('delete', 'd'),
  task('delete', 'f', 'a'),
];

const plan: Plan = {
  copies: [add, update],
  deletes: [gone],
  held: [],
  ignored: [],
  drops: [former],
  skipped: [{ path: 's' as DataPath, target: 's', code: 'TRANSFORM_LOOP', message: 'm' }],
  guard: { held: false, guard: undefined, deletes: 1, limit: 5, paths: 9, set: 'x', approved: false },
};
const none: Choice = { tasks: [], ifApproved: [], drops: [], seen: [] };
const all: Choice = { tasks: [add, update, gone], ifApproved: [], drops: [former], seen: ['s'] };

describe('a choice among the tasks of a plan', () => {
  it('of all of them is the plan', () => {
    expect(narrowPlan(plan, all)).toEqual(plan);
  });

  it('of none of them does nothing', () => {
    expect(narrowPlan(plan, none)).toEqual({ ...plan, copies: [], deletes: [], drops: [], skipped: [] });
  });

  it.each([
    ['another kind', { ...add, kind: 'delete' as const }],
    ['another target', { ...add, target: 'elsewhere' as DataPath }],
    ['another path', { ...add, path: 'z' as DataPath }],
  ])('does not take a task of %s for one of the plan', (_name, forged) => {
    expect(narrowPlan(plan, { ...none, tasks: [forged] })).toMatchObject({ copies: [], deletes: [] });
  });

  it('keeps an entry until the copy that takes its target over is made', () => {
    expect(narrowPlan(plan, { ...all, tasks: [update] }).drops).toEqual([]);
    expect(narrowPlan(plan, { ...all, tasks: [add] }).drops).toEqual([former]);
  });

  it('reports a path that is left alone now only to who has seen it', () => {
    const isSeen = narrowPlan(plan, { ...none, tasks: [task('add', 's')] });
    expect(isSeen.skipped).toEqual(plan.skipped);
  });

  describe('of held deletes', () => {
    const guard = { ...plan.guard, held: true, guard: 'max_deletes' as const };
    const held: Plan = { ...plan, deletes: [], held: [gone], guard };

    it('is held', () => {
      for (const choice of [all, { ...none, ifApproved: [gone] }])
        expect(narrowPlan(held, choice)).toMatchObject({ deletes: [], held: [gone], guard: { held: true } });
    });

    it('that are not chosen is not held', () => {
      expect(narrowPlan(held, { ...none, tasks: [add] })).toMatchObject({ held: [], guard: { held: false } });
    });

    it('is made once exactly that set is approved, and not because fewer are left', () => {
      const ifApproved: Choice = { ...none, ifApproved: [gone] };
      const approved: Plan = { ...plan, guard: { ...plan.guard, approved: true } };
      expect(narrowPlan(approved, ifApproved).deletes).toEqual([gone]);
      expect(narrowPlan(plan, ifApproved).deletes).toEqual([]);
    });
  });
});
