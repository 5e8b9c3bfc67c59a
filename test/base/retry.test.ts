import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VsyncError } from '../../src/base/errors.ts';
import {
  defaultRetryPolicy,
  parseRetryAfter,
  RetryBudget,
  type RetryRules,
  type RetryScope,
  retryDelayMs,
  withRetry,
} from '../../src/base/retry.ts';
import { hastyClock, ManualClock } from './manual-clock.ts';

const policy = { retries: 4, baseMs: 250, maxMs: 60_000 };

function failure(
  fields: { retryable?: boolean; retryAfterMs?: number; ambiguous?: boolean } = {},
): VsyncError {
  return new VsyncError({ code: 'VAULT_UNAVAILABLE', message: 'failed', retryable: true, ...fields });
}

/** Runs a call that fails so often, or for ever; what it threw or returned, how often it was called, and the waits in between. */
async function run(
  error: unknown,
  { signal, budget, ...rules }: Partial<RetryRules> & RetryScope = {},
  failures = Number.POSITIVE_INFINITY,
) {
  const clock = hastyClock();
  let calls = 0;
  const result = await withRetry(
    async () => {
      calls += 1;
      if (calls <= failures) throw error;
      return 'done';
    },
    { policy, clock, random: () => 0.5, ...rules },
    { signal, budget },
  ).catch((thrown: unknown) => thrown);
  return { result, calls, waits: clock.slept };
}

describe('withRetry', () => {
  it('gives up after the retries of the policy, with the last failure', async () => {
    const error = failure();
    expect(await run(error)).toEqual({ result: error, calls: 5, waits: [125, 250, 500, 1000] });
  });

  it('ends with the first success', async () => {
    expect(await run(failure(), {}, 2)).toEqual({ result: 'done', calls: 3, waits: [125, 250] });
  });

  it('sends nothing again when the policy says 0', async () => {
    expect(await run(failure(), { policy: { ...policy, retries: 0 } })).toMatchObject({
      calls: 1,
      waits: [],
    });
  });

  it.each([
    { name: 'a failure that is not retryable', error: failure({ retryable: false }) },
    { name: 'what is no VsyncError', error: new Error('a defect') },
    { name: 'a TypeError', error: new TypeError('a defect') },
  ])('does not retry $name, and throws it as it is', async ({ error }) => {
    const { result, calls } = await run(error);
    expect(result).toBe(error);
    expect(calls).toBe(1);
  });

  it('does not retry what the caller refuses, as an ambiguous write', async () => {
    const budget = new RetryBudget(1);
    const allow = (error: VsyncError) => !error.ambiguous;
    expect(await run(failure({ ambiguous: true }), { allow, budget })).toMatchObject({ calls: 1, waits: [] });
    expect(await run(failure(), { allow }, 1)).toMatchObject({ result: 'done', calls: 2 });
    expect(budget.take(), 'a refused retry is not taken from the budget').toBe(true);
  });

  it('waits as long as the server asks for, and a little longer', async () => {
    expect(await run(failure({ retryAfterMs: 3000 }), {}, 1)).toMatchObject({ waits: [3125] });
    expect(await run(failure({ retryAfterMs: 0 }), {}, 1)).toMatchObject({ waits: [125] });
  });

  it('stops when the budget is spent, and earns a tenth back with each success', async () => {
    const budget = new RetryBudget(3);
    expect(await run(failure(), { budget }, 2)).toMatchObject({ result: 'done', calls: 3 });
    expect(await run(failure(), { budget })).toMatchObject({ calls: 2 });
    for (let success = 0; success < 9; success += 1) await run(undefined, { budget }, 0);
    expect(await run(failure(), { budget }), 'one retry was earned by ten successes').toMatchObject({
      calls: 2,
    });
    expect(await run(failure(), { budget })).toMatchObject({ calls: 1 });
  });

  it('earns no more than its limit', () => {
    const budget = new RetryBudget(2);
    for (let i = 0; i < 100; i += 1) budget.earn();
    expect([budget.take(), budget.take(), budget.take()]).toEqual([true, true, false]);
  });

  it('tells of each retry before the wait', async () => {
    const heard: unknown[] = [];
    const error = failure();
    await run(error, { onRetry: (...args) => heard.push(args) }, 2);
    expect(heard).toEqual([
      [error, 1, 125],
      [error, 2, 250],
    ]);
  });

  it('ends the wait when the signal is aborted, with its reason', async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    let calls = 0;
    const running = withRetry(
      () => {
        calls += 1;
        return Promise.reject(failure());
      },
      { policy, clock },
      { signal: stop.signal },
    );
    await clock.untilSleeping();
    const reason = new Error('the cycle ends');
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(calls).toBe(1);
  });

  it('does not retry once the signal is aborted, but keeps a success that came all the same', async () => {
    const stop = new AbortController();
    stop.abort();
    const error = failure();
    expect(await run(error, { signal: stop.signal })).toMatchObject({ result: error, calls: 1, waits: [] });
    expect(await run(error, { signal: stop.signal }, 0)).toMatchObject({ result: 'done', calls: 1 });
  });
});

describe('the wait before a retry', () => {
  it('is anything from 0 to base * 2^n, and no more than the maximum', () => {
    const attempts = fc.integer({ min: 1, max: 80 });
    const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(attempts, fraction, (attempt, random) => {
        const ceiling = Math.min(policy.maxMs, policy.baseMs * 2 ** (attempt - 1));
        const delay = retryDelayMs(failure(), attempt, policy, () => random);
        expect(delay).toBe(random * ceiling);
        expect(delay).toBeLessThan(ceiling);
      }),
    );
  });

  it.each([
    { attempt: 1, ceiling: 250 },
    { attempt: 2, ceiling: 500 },
    { attempt: 3, ceiling: 1000 },
    { attempt: 9, ceiling: 60_000 },
    { attempt: 5000, ceiling: 60_000 },
  ])('uses all of 0 to $ceiling ms before attempt $attempt + 1: full jitter', ({ attempt, ceiling }) => {
    const delays = [0, 0.5, 0.999].map((random) =>
      retryDelayMs(failure(), attempt, defaultRetryPolicy, () => random),
    );
    expect(delays).toEqual([0, ceiling * 0.5, ceiling * 0.999]);
  });

  it('is never shorter than what the server asks for, and never longer than the maximum', () => {
    fc.assert(
      fc.property(fc.nat(200_000), fc.double({ min: 0, max: 1, noNaN: true }), (retryAfterMs, random) => {
        const delay = retryDelayMs(failure({ retryAfterMs }), 1, policy, () => random);
        expect(delay).toBeGreaterThanOrEqual(Math.min(retryAfterMs, policy.maxMs));
        expect(delay).toBeLessThanOrEqual(policy.maxMs);
      }),
    );
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-01-02T03:04:05Z');
  it.each([
    { header: undefined, expected: undefined },
    { header: '0', expected: 0 },
    { header: '7', expected: 7000 },
    { header: ' 7 ', expected: 7000 },
    { header: 'Fri, 02 Jan 2026 03:04:15 GMT', expected: 10_000 },
    { header: 'Friday, 02-Jan-26 03:04:15 GMT', expected: 10_000 },
    { header: 'Fri, 02 Jan 2026 03:04:00 GMT', expected: 0 },
    { header: '', expected: undefined },
    { header: '-5', expected: undefined },
    { header: '1.5', expected: undefined },
    { header: 'soon', expected: undefined },
    { header: 'in 5 minutes', expected: undefined },
    { header: '7, 8', expected: undefined },
  ])('$header means $expected ms', ({ header, expected }) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });
});
