import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VsyncError } from '../../src/base/errors.ts';
import type { TriggerName } from '../../src/cycle/events.ts';
import type { CycleOutcome } from '../../src/cycle/outcome.ts';
import {
  cronSource,
  intervalSource,
  runTicker,
  type TickerOptions,
  type TriggerSource,
} from '../../src/cycle/ticker.ts';

const fine: CycleOutcome = {
  result: 'noop',
  counts: { paths: undefined, failed: 0 },
  failedPaths: new Map(),
};
const failed: CycleOutcome = {
  ...fine,
  result: 'failed',
  error: new VsyncError({ code: 'VAULT_UNREACHABLE', message: 'gone' }),
};

/** A source that a test fires by hand. */
function manual() {
  let fire: (trigger: TriggerName) => void = () => {};
  const released = { times: 0 };
  const source: TriggerSource = {
    start: (given) => {
      fire = given;
      return () => {
        released.times += 1;
      };
    },
  };
  return { source, released, fire: (trigger: TriggerName = 'watch') => fire(trigger) };
}

/** Cycles that last until they are told to end. */
function cycles() {
  const started: TriggerName[] = [];
  let end: (outcome: CycleOutcome) => void = () => {};
  const runCycle = (trigger: TriggerName) => {
    started.push(trigger);
    return new Promise<CycleOutcome>((resolve) => {
      end = resolve;
    });
  };
  const settle = async (outcome = fine) => {
    end(outcome);
    await vi.advanceTimersByTimeAsync(0);
  };
  return { started, runCycle, settle };
}

const start = (over: Partial<TickerOptions> & Pick<TickerOptions, 'runCycle'>) => {
  const stop = new AbortController();
  const ended = runTicker({
    sources: [],
    runOnStart: true,
    retryDelayMs: () => 250,
    isLast: () => false,
    stopping: stop.signal,
    ...over,
  });
  return { ended, stop: () => stop.abort() };
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the ticker', () => {
  it('starts the first cycle at once, then one each tick', async () => {
    const { started, runCycle, settle } = cycles();
    const { ended, stop } = start({ runCycle, sources: [intervalSource(60_000)] });
    expect(started).toEqual(['startup']);
    await settle();
    await vi.advanceTimersByTimeAsync(59_999);
    expect(started).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(started).toEqual(['startup', 'tick']);
    await settle();
    stop();
    await ended;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits for the first tick when it is told to', async () => {
    const { started, runCycle, settle } = cycles();
    const { ended, stop } = start({ runCycle, sources: [intervalSource(1000)], runOnStart: false });
    expect(started).toEqual([]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(started).toEqual(['tick']);
    await settle();
    stop();
    await ended;
  });

  it('never overlaps: ticks in a running cycle are counted and skipped', async () => {
    const { started, runCycle, settle } = cycles();
    const skipped: number[] = [];
    const { ended, stop } = start({
      runCycle,
      sources: [intervalSource(1000)],
      onSkippedTick: (count) => skipped.push(count),
    });
    await vi.advanceTimersByTimeAsync(3500);
    expect(started).toEqual(['startup']);
    expect(skipped).toEqual([1, 2, 3]);
    await settle();
    expect(started).toEqual(['startup']);
    await vi.advanceTimersByTimeAsync(500);
    expect(started).toEqual(['startup', 'tick']);
    await settle();
    stop();
    await ended;
  });

  it('collapses a burst of watch events during a cycle into one more cycle', async () => {
    const { source, fire } = manual();
    const { started, runCycle, settle } = cycles();
    const { ended, stop } = start({ runCycle, sources: [source] });
    for (let i = 0; i < 50; i += 1) fire();
    await settle();
    expect(started).toEqual(['startup', 'watch']);
    await settle();
    expect(started).toHaveLength(2);
    stop();
    await ended;
  });

  it('tries again after a failure, later each time, and not after a success', async () => {
    const { started, runCycle, settle } = cycles();
    const delays: number[] = [];
    const { ended, stop } = start({
      runCycle,
      retryDelayMs: (failures) => {
        delays.push(failures);
        return 100 * failures;
      },
    });
    await settle(failed);
    await vi.advanceTimersByTimeAsync(100);
    await settle(failed);
    await vi.advanceTimersByTimeAsync(199);
    expect(started).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(started).toEqual(['startup', 'retry', 'retry']);
    await settle(fine);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(started).toHaveLength(3);
    expect(delays).toEqual([1, 2]);
    stop();
    await ended;
  });

  it('ends after the last cycle, with its outcome, and releases its sources', async () => {
    const { source, released } = manual();
    const { runCycle, settle } = cycles();
    const { ended } = start({ runCycle, sources: [source, intervalSource(1000)], isLast: () => true });
    await settle(failed);
    expect(await ended).toBe(failed);
    expect(released.times).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('told to stop, awaits the running cycle and starts no other', async () => {
    const { source, fire } = manual();
    const { started, runCycle, settle } = cycles();
    const { ended, stop } = start({ runCycle, sources: [source] });
    fire();
    stop();
    let over = false;
    void ended.then(() => {
      over = true;
    });
    await vi.advanceTimersByTimeAsync(100);
    expect(over).toBe(false);
    await settle();
    expect(over).toBe(true);
    expect(started).toEqual(['startup']);
  });
});

describe('sources', () => {
  it('an interval is spread by jitter', async () => {
    const fired: number[] = [];
    const release = intervalSource(1000, 500, () => 0.5).start(() => fired.push(Date.now()));
    const from = Date.now();
    await vi.advanceTimersByTimeAsync(2500);
    expect(fired.map((at) => at - from)).toEqual([1250, 2500]);
    await release();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('cron fires at its times in its time zone', async () => {
    vi.setSystemTime(new Date('2026-06-01T09:58:30Z'));
    const fired: string[] = [];
    const source = cronSource('*/5 12 * * *', 'Europe/Berlin');
    expect(source.next?.()?.toISOString()).toBe('2026-06-01T10:00:00.000Z');
    const release = source.start((trigger) => fired.push(`${trigger} ${new Date().toISOString()}`));
    await vi.advanceTimersByTimeAsync(7 * 60_000);
    expect(fired).toEqual(['cron 2026-06-01T10:00:00.000Z', 'cron 2026-06-01T10:05:00.000Z']);
    await release();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a bad cron expression is refused', () => {
    expect(() => cronSource('61 * * * *', 'UTC')).toThrow();
  });
});
