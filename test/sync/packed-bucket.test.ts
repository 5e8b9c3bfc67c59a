import { describe, expect, it } from 'vitest';
import { type Insight, kvV2 } from '../../src/sync/insight.ts';
import type { DataPath } from '../../src/sync/mount-path.ts';
import { PackedBucket } from '../../src/sync/packed-bucket.ts';

const insight = (version: number, updateTime = '2026-01-01T00:00:00.123456789Z'): Insight => ({
  version,
  updateTime,
  type: kvV2,
});
const pathOf = (name: string) => `secret/data/${name}` as DataPath;

describe('a packed bucket', () => {
  it('gives back what was added', () => {
    const names = ['a', 'team/app', '\u0000', 'ü', '€/\n', '\u{1f511}', 'x'.repeat(5_000)];
    const bucket = new PackedBucket();
    const wanted = new Map(
      names.map((name, i) => [pathOf(name), insight(Number.MAX_SAFE_INTEGER - i, `t${i}`)]),
    );
    for (const [path, each] of wanted) expect(bucket.add(path, each)).toBe(true);
    expect(bucket.toMap()).toEqual(wanted);
  });

  it('grows from block to block', () => {
    const bucket = new PackedBucket();
    const wanted = new Map(Array.from({ length: 5_000 }, (_, i) => [pathOf(`app-${i}`), insight(i)]));
    for (const [path, each] of wanted) bucket.add(path, each);
    expect(bucket.toMap()).toEqual(wanted);
  });

  it('holds the last of several for one path', () => {
    const bucket = new PackedBucket();
    for (const version of [1, 3, 2]) bucket.add(pathOf('a'), insight(version));
    expect(bucket.toMap()).toEqual(new Map([[pathOf('a'), insight(2)]]));
  });

  it('is empty until something is added', () => {
    const bucket = new PackedBucket();
    expect([bucket.isEmpty, bucket.toMap().size]).toEqual([true, 0]);
    bucket.add(pathOf('a'), insight(1));
    expect(bucket.isEmpty).toBe(false);
  });

  it.each([
    { name: 'another type', path: pathOf('a'), entry: { ...insight(1), type: 'other' } },
    { name: "a destination's version", path: pathOf('a'), entry: { ...insight(1), dv: 1 } },
    { name: 'a path that is no Unicode', path: pathOf('\ud800'), entry: insight(1) },
    { name: 'a time that is no Unicode', path: pathOf('a'), entry: insight(1, '\udfff') },
    { name: 'a time that is far too long', path: pathOf('a'), entry: insight(1, '9'.repeat(86)) },
  ])('refuses $name, which it could not give back', ({ path, entry }) => {
    const bucket = new PackedBucket();
    expect(bucket.add(path, entry)).toBe(false);
    expect(bucket.isEmpty).toBe(true);
  });
});
