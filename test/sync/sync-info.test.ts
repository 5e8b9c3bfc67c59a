import { describe, expect, it } from 'vitest';
import { bucketHash, emptyBucketHash } from '../../src/sync/bucket.ts';
import type { DataPath } from '../../src/sync/mount-path.ts';
import { SyncInfo } from '../../src/sync/sync-info.ts';

const path = (name: string) => `secret/data/${name}` as DataPath;
const insight = (version: number) => ({ version, updateTime: '2026-01-02T03:04:05.6Z', type: 'kvV2' });
const ids = (changes: { buckets: readonly { id: number }[] }) => changes.buckets.map(({ id }) => id);

describe('sync info', () => {
  it('takes puts of any number of workers, the last one counts', async () => {
    const info = SyncInfo.empty(7);
    await Promise.all(
      Array.from({ length: 1000 }, async (_, i) => {
        await Promise.resolve();
        info.put(path(`k${i % 100}`), insight(i));
      }),
    );
    expect(info.size).toBe(100);
    expect([...info.paths()].every((p) => (info.get(p)?.version ?? 0) >= 900)).toBe(true);
  });

  it.each([
    { name: 'reindexing', seal: (info: SyncInfo) => void info.reindex([]) },
    { name: 'an abort', seal: (info: SyncInfo) => info.abort() },
  ])('is sealed by $name: put, remove, load and every way to save throw', ({ seal }) => {
    const info = SyncInfo.empty(1);
    info.put(path('a'), insight(1));
    seal(info);
    expect(() => info.put(path('b'), insight(1))).toThrow('sealed');
    expect(() => info.remove(path('a'))).toThrow('sealed');
    expect(() => info.load(0, new Map())).toThrow('sealed');
    expect(() => info.checkpoint()).toThrow('sealed');
    expect(() => info.reindex([])).toThrow('sealed');
    expect(() => info.rebucket(2)).toThrow('sealed');
  });

  it('an abort after reindexing changes nothing', () => {
    const info = SyncInfo.empty(1);
    const changes = info.reindex([]);
    info.abort();
    expect(changes.buckets[0]?.json()).toBe('{}');
  });

  it('has every bucket to save where nothing is stored, also the empty ones', () => {
    expect(ids(SyncInfo.empty(3).reindex([]))).toEqual([0, 1, 2]);
    expect(ids(SyncInfo.empty(3).checkpoint())).toEqual([0, 1, 2]);
    expect(ids(SyncInfo.empty(3).reindex([emptyBucketHash]))).toEqual([0, 1, 2]);
  });

  it('has only the buckets to save whose hash differs from the stored index', () => {
    const build = () => {
      const info = SyncInfo.empty(4);
      for (let i = 0; i < 40; i += 1) info.put(path(`k${i}`), insight(1));
      return info;
    };
    const { index } = build().reindex([]);
    expect(ids(build().reindex(index))).toEqual([]);
    const changed = build();
    changed.put(path('k3'), insight(2));
    expect(ids(changed.reindex(index))).toEqual([SyncInfo.empty(4).bucketId(path('k3'))]);
  });

  it('checkpoints only what was touched since the last one, and keeps its text as it was then', () => {
    const info = SyncInfo.empty(2);
    info.checkpoint();
    info.put(path('a'), insight(1));
    const first = info.checkpoint();
    info.put(path('a'), insight(2));
    expect(ids(first)).toEqual([info.bucketId(path('a'))]);
    expect(first.buckets[0]?.json()).toContain('"version":1');
    expect(info.checkpoint().buckets[0]?.json()).toContain('"version":2');
    expect(info.checkpoint().buckets).toEqual([]);
  });

  it('refuses to look into a bucket that is not loaded: absence is not evidence', () => {
    const { index } = (() => {
      const info = SyncInfo.empty(1);
      info.put(path('a'), insight(1));
      return info.reindex([]);
    })();
    const stored = SyncInfo.stored(index);
    expect(stored.unloaded).toEqual([0]);
    expect(() => stored.get(path('a'))).toThrow('not loaded');
    expect(() => stored.put(path('a'), insight(1))).toThrow('not loaded');
    expect(SyncInfo.stored([emptyBucketHash]).get(path('a'))).toBeUndefined();
  });

  it('keeps every insight in another number of buckets', () => {
    const info = SyncInfo.empty(3);
    for (let i = 0; i < 50; i += 1) info.put(path(`k${i}`), { ...insight(i), dv: i });
    const other = info.rebucket(16);
    expect(other.numBuckets).toBe(16);
    expect([...other.paths()].sort()).toEqual([...info.paths()].sort());
    expect(other.get(path('k7'))).toEqual({ ...insight(7), dv: 7 });
  });

  it('knows the hash of each bucket in another number at once, so that a comparison misses none', () => {
    const info = SyncInfo.empty(1);
    for (let i = 0; i < 20; i += 1) info.put(path(`k${i}`), insight(1));
    const other = info.rebucket(4);
    expect(other.index).toEqual([0, 1, 2, 3].map((id) => bucketHash(other.bucket(id))));
    expect(ids(other.checkpoint())).toEqual([0, 1, 2, 3]);
  });

  it.each([0, -1, 1.5, 65_536, Number.NaN])('refuses %s buckets', (n) => {
    expect(() => SyncInfo.empty(n)).toThrow(RangeError);
  });
});
