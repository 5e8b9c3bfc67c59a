import { describe, expect, it } from 'vitest';
import {
  defaultGuards,
  deleteLimit,
  deleteSetHash,
  guardDeletes,
  shortSet,
} from '../../src/sync/delete-guard.ts';
import type { DataPath } from '../../src/sync/mount-path.ts';

const paths = (count: number, prefix = 'p') =>
  Array.from({ length: count }, (_, i) => `secret/data/${prefix}${i}` as DataPath);
const judge = (deletes: readonly DataPath[], over: Partial<Parameters<typeof guardDeletes>[0]> = {}) =>
  guardDeletes({
    deletes,
    destinationPaths: 200,
    originIsEmpty: false,
    settings: defaultGuards,
    approvedSets: [],
    ...over,
  });

describe('R4: the delete guard', () => {
  it.each([
    [4, 5],
    [8, 5],
    [40, 20],
    [80, 40],
    [200, 50],
    [500, 50],
    [4209, 420],
    [20_000, 2000],
    [0, 5],
    [11, 5],
    [13, 6],
  ])('of %i paths lets %i deletes pass', (count, limit) => {
    expect(deleteLimit(count, defaultGuards)).toBe(limit);
  });

  it('holds one delete more than the limit, and not the limit itself', () => {
    expect(judge(paths(50))).toMatchObject({ held: false, guard: undefined, limit: 50 });
    expect(judge(paths(51))).toMatchObject({ held: true, guard: 'max_deletes', limit: 50, deletes: 51 });
  });

  it('holds any delete of an origin without paths, also when the delete guard is off', () => {
    const settings = { ...defaultGuards, enabled: false };
    expect(judge(paths(1), { originIsEmpty: true, settings })).toMatchObject({
      held: true,
      guard: 'empty_origin',
    });
    expect(
      judge(paths(1), { originIsEmpty: true, settings: { ...settings, allowEmptyOrigin: true } }).held,
    ).toBe(false);
    expect(judge([], { originIsEmpty: true }).held).toBe(false);
  });

  it('switched off, it holds nothing', () => {
    expect(judge(paths(200), { settings: { ...defaultGuards, enabled: false } }).held).toBe(false);
  });

  it('an approval releases exactly the set it names, in any order, and no other', () => {
    const set = deleteSetHash(paths(60));
    expect(judge(paths(60).reverse(), { approvedSets: [shortSet(set)] })).toMatchObject({
      held: false,
      approved: true,
      set,
    });
    expect(judge(paths(61), { approvedSets: [set] })).toMatchObject({ held: true, approved: false });
    expect(judge(paths(60, 'q'), { approvedSets: [set] }).held).toBe(true);
    expect(judge(paths(60), { approvedSets: [set.slice(0, 7), ''] }).held).toBe(true);
  });
});
