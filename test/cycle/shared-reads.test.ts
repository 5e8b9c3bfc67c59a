import { beforeEach, describe, expect, it } from 'vitest';
import { RetryBudget } from '../../src/base/retry.ts';
import type { CallScope, OriginSecrets } from '../../src/cycle/ports.ts';
import { SharedReads } from '../../src/cycle/shared-reads.ts';
import type { Insight } from '../../src/sync/insight.ts';
import { at, FakeVault, failure } from './fakes.ts';

const published = (version: number): Insight => ({
  version,
  updateTime: `2026-01-01T00:00:0${version}Z`,
  type: 'kvV2',
});
const scopeOf = (signal = new AbortController().signal): CallScope => ({ signal, budget: new RetryBudget() });

let vault: FakeVault;
let now: number;
let reads: SharedReads;
const clock = { now: () => now, monotonic: () => now, sleep: async () => {} };
const readsMade = () => vault.calls.filter((call) => call.startsWith('read')).length;
const destinations = (count: number): OriginSecrets[] =>
  Array.from({ length: count }, () => reads.reader().origin);

beforeEach(() => {
  vault = new FakeVault();
  now = 0;
  reads = new SharedReads(vault, clock);
  vault.put('a', { k: 1 });
});

describe('one read at the origin', () => {
  it('serves every destination that wants the same, at once or soon after, and is then let go', async () => {
    const [one, two, three] = destinations(3) as [OriginSecrets, OriginSecrets, OriginSecrets];
    await Promise.all([one, two].map((each) => each.readSecret(at('a'), scopeOf(), published(1))));
    now = 20_000;
    expect(reads.waiting).toBe(1);
    expect(await three.readSecret(at('a'), scopeOf(), published(1))).toMatchObject({
      kind: 'live',
      version: 1,
    });
    expect(readsMade()).toBe(1);
    expect(reads.waiting).toBe(0);
  });

  it('is not kept for one destination alone', async () => {
    const [one] = destinations(1) as [OriginSecrets];
    await one.readSecret(at('a'), scopeOf(), published(1));
    expect(reads.waiting).toBe(0);
  });

  it('does not serve the same destination twice: it asks again because it wants to know again', async () => {
    const [one] = destinations(2) as [OriginSecrets];
    await one.readSecret(at('a'), scopeOf(), published(1));
    await one.readSecret(at('a'), scopeOf(), published(1));
    expect(readsMade()).toBe(2);
  });

  it('does not serve one that was told of another version', async () => {
    const [one, two] = destinations(2) as [OriginSecrets, OriginSecrets];
    await one.readSecret(at('a'), scopeOf(), published(1));
    await two.readSecret(at('a'), scopeOf(), published(2));
    expect(readsMade()).toBe(2);
  });

  it('does not serve one that comes too late', async () => {
    const [one, two] = destinations(2) as [OriginSecrets, OriginSecrets];
    await one.readSecret(at('a'), scopeOf(), published(1));
    now = 30_001;
    await two.readSecret(at('a'), scopeOf(), published(1));
    expect(readsMade()).toBe(2);
  });

  it('never confirms a delete: that is asked anew by each', async () => {
    const [one, two] = destinations(2) as [OriginSecrets, OriginSecrets];
    await Promise.all([one, two].map((each) => each.readSecret(at('a'), scopeOf())));
    expect(readsMade()).toBe(2);
    expect(reads.waiting).toBe(0);
  });

  it('that failed is not shared further', async () => {
    const [one, two] = destinations(2) as [OriginSecrets, OriginSecrets];
    vault.failures.plan(`read ${at('a')}`, failure.broken(), 1);
    await expect(one.readSecret(at('a'), scopeOf(), published(1))).rejects.toMatchObject({ status: 500 });
    expect(await two.readSecret(at('a'), scopeOf(), published(1))).toMatchObject({ kind: 'live' });
  });

  it('that ended with the cycle that began it is made again by who waits for it', async () => {
    const [one, two] = destinations(2) as [OriginSecrets, OriginSecrets];
    const stop = new AbortController();
    let first = true;
    vault.before = (call) => {
      if (!call.startsWith('read') || !first) return undefined;
      first = false;
      return new Promise((_, reject) =>
        stop.signal.addEventListener('abort', () => reject(stop.signal.reason)),
      );
    };
    const begun = one.readSecret(at('a'), scopeOf(stop.signal), published(1));
    const waiting = two.readSecret(at('a'), scopeOf(), published(1));
    stop.abort(new Error('this destination stops'));
    await expect(begun).rejects.toThrow('stops');
    expect(await waiting).toMatchObject({ kind: 'live' });
  });

  it('of large values is let go when too many wait', async () => {
    const [one, two] = destinations(2) as [OriginSecrets, OriginSecrets];
    const large = 'x'.repeat(9 * 1024 * 1024);
    for (const key of ['b', 'c', 'd', 'e']) vault.put(key, large);
    for (const key of ['b', 'c', 'd', 'e']) await one.readSecret(at(key), scopeOf(), published(1));
    expect(reads.waiting).toBe(3);
    expect(await two.readSecret(at('b'), scopeOf(), published(1))).toMatchObject({ kind: 'live' });
    expect(readsMade()).toBe(5);
  });

  it('is not kept for a destination that went away', async () => {
    const leaving = reads.reader();
    const [one] = destinations(1) as [OriginSecrets];
    leaving.release();
    await one.readSecret(at('a'), scopeOf(), published(1));
    expect(reads.waiting).toBe(0);
  });
});
