import { describe, expect, it } from 'vitest';
import { compareBuckets, differingBuckets } from '../../src/sync/compare.ts';
import type { Insight } from '../../src/sync/insight.ts';
import type { DataPath } from '../../src/sync/mount-path.ts';

const path = 'secret/data/a' as DataPath;
const at = (version: number, updateTime = '2026-01-01T00:00:00Z', type = 'kvV2'): Insight => ({
  version,
  updateTime,
  type,
});
const bucket = (insight?: Insight) => new Map(insight === undefined ? [] : [[path, insight]]);

describe('compare', () => {
  it.each([
    {
      name: 'missing at the destination',
      origin: at(1),
      destination: undefined,
      task: { kind: 'add', reason: 'missing' },
    },
    { name: 'equal', origin: at(1), destination: at(1), task: undefined },
    {
      name: 'equal but for the version written there',
      origin: at(1),
      destination: { ...at(1), dv: 4 },
      task: undefined,
    },
    { name: 'ahead', origin: at(3), destination: at(1), task: { kind: 'update', reason: 'version_ahead' } },
    {
      name: 'ahead with an older time',
      origin: at(3, '2020-01-01T00:00:00Z'),
      destination: at(1),
      task: { kind: 'update', reason: 'version_ahead' },
    },
    {
      name: 'recreated: same version, later time',
      origin: at(1, '2026-02-01T00:00:00Z'),
      destination: at(1),
      task: { kind: 'update', reason: 'recreated' },
    },
    {
      name: 'recreated: same version, earlier time',
      origin: at(1, '2020-01-01T00:00:00Z'),
      destination: at(1),
      task: { kind: 'update', reason: 'recreated' },
    },
    {
      name: 'recreated: lower version, later time',
      origin: at(1, '2026-02-01T00:00:00Z'),
      destination: at(5),
      task: { kind: 'update', reason: 'recreated' },
    },
    {
      name: 'restored from a snapshot: lower version, older time',
      origin: at(2, '2020-01-01T00:00:00Z'),
      destination: at(5),
      task: { kind: 'update', reason: 'recreated' },
    },
    {
      name: 'another type',
      origin: at(1, undefined, 'kvV3'),
      destination: at(2),
      task: { kind: 'update', reason: 'type_changed' },
    },
    {
      name: 'gone at the origin',
      origin: undefined,
      destination: at(2),
      task: { kind: 'delete', reason: 'deleted_in_origin' },
    },
  ])('$name', ({ origin, destination, task }) => {
    const tasks = compareBuckets(bucket(origin), bucket(destination));
    expect(tasks).toHaveLength(task === undefined ? 0 : 1);
    if (task !== undefined) {
      expect(tasks[0]).toMatchObject(task);
      expect(tasks[0]?.from).toEqual(destination);
      expect(tasks[0]?.to).toEqual(origin);
    }
  });

  it('looks only at buckets whose hashes differ', () => {
    expect(differingBuckets(['a', 'b', 'c'], ['a', 'x', 'c'])).toEqual([1]);
    expect(() => differingBuckets(['a'], ['a', 'b'])).toThrow(RangeError);
  });
});
