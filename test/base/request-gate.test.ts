import { setMaxListeners } from 'node:events';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VsyncError } from '../../src/base/errors.ts';
import { RequestGate } from '../../src/base/request-gate.ts';

/** Requests that stay under way until they are answered. */
function requests(gate: RequestGate) {
  const answers: (() => void)[] = [];
  let underWay = 0;
  let most = 0;
  const start = (count: number) =>
    Array.from({ length: count }, () =>
      gate.run(async () => {
        underWay += 1;
        most = Math.max(most, underWay);
        await new Promise<void>((resolve) => answers.push(resolve));
        underWay -= 1;
      }),
    );
  return {
    start,
    underWay: () => underWay,
    most: () => most,
    /** Answers the oldest ones, as many as there are at most. */
    answer: async (count = Number.POSITIVE_INFINITY) => {
      for (const resolve of answers.splice(0, count)) resolve();
      await new Promise(setImmediate);
    },
  };
}

describe('requests under way at once', () => {
  it('are never more than the limit; the others wait for a place', async () => {
    const gate = new RequestGate(3);
    const made = requests(gate);
    const all = made.start(10);
    expect(made.underWay()).toBe(3);
    await made.answer(2);
    expect(made.underWay()).toBe(3);
    for (let round = 0; round < 4; round += 1) await made.answer();
    await Promise.all(all);
    expect(made.most()).toBe(3);
  });

  it('are halved when the server asks for less, down to one', async () => {
    const gate = new RequestGate(8);
    const limits = [gate.inFlightLimit];
    for (let i = 0; i < 5; i += 1) {
      gate.slowDown();
      limits.push(gate.inFlightLimit);
    }
    expect(limits).toEqual([8, 4, 2, 1, 1, 1]);
    const made = requests(gate);
    const all = made.start(3);
    expect(made.underWay()).toBe(1);
    for (let round = 0; round < 3; round += 1) await made.answer();
    await Promise.all(all);
  });

  it('grow back by one for each round of answers, up to the limit', () => {
    const gate = new RequestGate(4);
    gate.slowDown();
    gate.slowDown();
    const limits = Array.from({ length: 12 }, () => {
      gate.succeeded(1);
      return gate.inFlightLimit;
    });
    expect(limits).toEqual([2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4]);
  });

  it('begin to grow anew after another 429', () => {
    const gate = new RequestGate(8);
    gate.slowDown();
    for (let i = 0; i < 3; i += 1) gate.succeeded(1);
    gate.slowDown();
    gate.succeeded(1);
    expect(gate.inFlightLimit, 'the answers before the second 429 do not count').toBe(2);
    gate.succeeded(1);
    expect(gate.inFlightLimit).toBe(3);
  });

  it('let waiting ones start when the limit grows', async () => {
    const gate = new RequestGate(2);
    gate.slowDown();
    const made = requests(gate);
    const all = made.start(2);
    expect(made.underWay()).toBe(1);
    gate.succeeded(1);
    await new Promise(setImmediate);
    expect(made.underWay()).toBe(2);
    await made.answer();
    await Promise.all(all);
  });

  it('pass on what a request returns or throws, and free its place', async () => {
    const gate = new RequestGate(1);
    const error = new Error('failed');
    const failed = gate.run(() => Promise.reject(error));
    const passed = gate.run(async () => 42);
    await expect(failed).rejects.toBe(error);
    await expect(passed).resolves.toBe(42);
  });
});

describe('requests per second', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** No window of one second, wherever it begins, holds more than `limit` starts. */
  function expectRate(starts: readonly number[], limit: number): void {
    for (let i = limit; i < starts.length; i += 1) {
      const span = (starts[i] as number) - (starts[i - limit] as number);
      expect(span, `${limit + 1} requests started within ${span} ms`).toBeGreaterThanOrEqual(1000);
    }
  }

  it('are as many as allowed in any second, and not fewer when many wait', async () => {
    const gate = new RequestGate(100, 5);
    const starts: number[] = [];
    const begun = Date.now();
    const all = Array.from({ length: 23 }, () => gate.run(async () => starts.push(Date.now() - begun)));
    await vi.advanceTimersByTimeAsync(10_000);
    await Promise.all(all);
    expect(starts).toEqual([0, 1000, 2000, 3000, 4000].flatMap((at) => new Array(5).fill(at)).slice(0, 23));
  });

  it('are exact also over the edge of a second, however the requests come in', async () => {
    const arrivals = fc.array(fc.tuple(fc.nat(700), fc.integer({ min: 1, max: 6 })), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 7 }), arrivals, async (limit, batches) => {
        const gate = new RequestGate(100, limit);
        const starts: number[] = [];
        const all: Promise<unknown>[] = [];
        for (const [pauseMs, count] of batches) {
          await vi.advanceTimersByTimeAsync(pauseMs);
          for (let i = 0; i < count; i += 1) all.push(gate.run(async () => starts.push(Date.now())));
        }
        await vi.advanceTimersByTimeAsync(100_000);
        await Promise.all(all);
        expect(starts).toHaveLength(all.length);
        expectRate(starts, limit);
      }),
      { numRuns: 50 },
    );
  });

  it('are not spent on requests that were aborted while they waited', async () => {
    const gate = new RequestGate(100, 5);
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const reason = new Error('the cycle ends');
    let started = 0;
    const request = async () => {
      started += 1;
    };
    const all = Array.from({ length: 500 }, () =>
      gate.run(request, stop.signal).catch((error: unknown) => error),
    );
    stop.abort(reason);
    const ends = await Promise.all(all);
    expect(ends.filter((end) => end === reason)).toHaveLength(495);
    expect(started).toBe(5);
    const next = gate.run(request, new AbortController().signal);
    await vi.advanceTimersByTimeAsync(1000);
    await next;
    expect(started, 'the next cycle does not wait for what was given up').toBe(6);
  });

  it('leave a request that runs alone when its signal is aborted: it ends by itself, and keeps its place', async () => {
    const gate = new RequestGate(1, 100);
    const stop = new AbortController();
    let finish = () => {};
    const running = gate.run(
      () =>
        new Promise<string>((resolve) => {
          finish = () => resolve('written');
        }),
      stop.signal,
    );
    const waiting = gate.run(async () => 'second');
    stop.abort(new Error('the cycle ends'));
    await vi.advanceTimersByTimeAsync(5000);
    finish();
    expect(await running).toBe('written');
    expect(await waiting).toBe('second');
  });

  it('refuse a request whose signal is aborted already', async () => {
    const gate = new RequestGate(1, 100);
    const reason = new Error('too late');
    await expect(gate.run(async () => 'sent', AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(await gate.run(async () => 'sent')).toBe('sent');
  });
});

describe('answers that become slow', () => {
  const round = (gate: RequestGate, latencyMs: number, answers = 4 * gate.inFlightLimit) => {
    for (let i = 0; i < answers; i += 1) gate.succeeded(latencyMs);
  };

  it('halve the number when they take several times as long as they did with as many under way', () => {
    const gate = new RequestGate(8);
    round(gate, 60);
    round(gate, 170);
    expect(gate.inFlightLimit).toBe(8);
    round(gate, 200);
    expect(gate.inFlightLimit).toBe(4);
  });

  it('do not when they are fast all the same', () => {
    const gate = new RequestGate(8);
    round(gate, 2);
    round(gate, 90);
    expect(gate.inFlightLimit).toBe(8);
  });

  it('do not for a single late one', () => {
    const gate = new RequestGate(8);
    round(gate, 40);
    gate.succeeded(1500);
    round(gate, 40, 31);
    expect(gate.inFlightLimit).toBe(8);
  });

  it('are measured anew after each change, so a server that stays slow is not starved', () => {
    const gate = new RequestGate(8);
    round(gate, 60);
    round(gate, 300);
    expect(gate.inFlightLimit).toBe(4);
    for (let i = 0; i < 20; i += 1) round(gate, 300);
    expect(gate.inFlightLimit).toBe(8);
  });

  it('are learnt from requests that run through the gate', async () => {
    const gate = new RequestGate(4);
    const refused = new VsyncError({ code: 'RATE_LIMITED', message: 'slow down', status: 429 });
    await expect(gate.run(() => Promise.reject(refused))).rejects.toBe(refused);
    expect(gate.inFlightLimit).toBe(2);
    await gate.run(async () => 1);
    await gate.run(async () => 1);
    expect(gate.inFlightLimit).toBe(3);
  });
});

describe('requests under way whose number is found', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** 64 workers send one request after the other for `seconds`, to a server that answers `most` at once, each after 10 ms. */
  async function work(gate: RequestGate, most: number, seconds: number): Promise<void> {
    const end = Date.now() + seconds * 1000;
    const free = new RequestGate(most);
    const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const worker = async () => {
      while (Date.now() < end) {
        await gate.run(async () => {
          const since = performance.now();
          await free.run(() => sleep(10));
          gate.succeeded(performance.now() - since);
        });
      }
    };
    const all = Promise.all(Array.from({ length: 64 }, worker));
    await vi.advanceTimersByTimeAsync(seconds * 1000 + 1000);
    await all;
  }

  it('are as many as the cap where the server takes them all', async () => {
    const gate = new RequestGate(32, undefined, true);
    expect(gate.inFlightLimit).toBe(16);
    await work(gate, 1000, 3);
    expect(gate.inFlightLimit).toBeGreaterThanOrEqual(28);
    expect(gate.inFlightLimit).toBeLessThanOrEqual(32);
  });

  it('are about as many as the server answers at once', async () => {
    const gate = new RequestGate(64, undefined, true);
    await work(gate, 20, 20);
    expect(gate.inFlightLimit).toBeGreaterThan(13);
    expect(gate.inFlightLimit).toBeLessThan(28);
  });

  it('are halved after a 429, and found again', async () => {
    const gate = new RequestGate(24, undefined, true);
    await work(gate, 1000, 2);
    const before = gate.inFlightLimit;
    gate.slowDown();
    expect(gate.inFlightLimit).toBe(Math.floor(before / 2));
    await work(gate, 1000, 4);
    expect(gate.inFlightLimit).toBeGreaterThan(20);
  });

  it('stay what they are while fewer are wanted: that says nothing of the server', async () => {
    const gate = new RequestGate(64, undefined, true);
    for (let i = 0; i < 2000; i += 1) await gate.run(async () => gate.succeeded(1));
    expect(gate.inFlightLimit).toBe(16);
  });
});
