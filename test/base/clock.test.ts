import { once } from 'node:events';
import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { maxDelayMs, systemClock } from '../../src/base/clock.ts';

describe('the system clock', () => {
  it('ends a sleep with the reason of the signal, also one that was aborted before', async () => {
    const reason = new Error('enough');
    const stop = new AbortController();
    const sleeping = systemClock.sleep(60_000, stop.signal);
    stop.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(systemClock.sleep(60_000, stop.signal)).rejects.toBe(reason);
  });

  it('hands on a reason that is no error', async () => {
    const stop = new AbortController();
    const sleeping = systemClock.sleep(60_000, stop.signal);
    stop.abort('a word');
    await expect(sleeping).rejects.toBe('a word');
  });

  it.each([{ ms: maxDelayMs + 1 }, { ms: 768 * 3_600_000 * 10 }, { ms: Number.POSITIVE_INFINITY }])(
    'does not end a sleep of $ms ms at once, as a timer beyond 2^31 ms does',
    async ({ ms }) => {
      const stop = new AbortController();
      const overflow = once(process, 'warning', { signal: stop.signal }).then(
        ([warning]) => String(warning),
        () => 'none',
      );
      const ended = systemClock.sleep(ms, stop.signal).then(
        () => 'ended',
        () => 'still sleeping',
      );
      await tick();
      await tick();
      stop.abort();
      expect({ overflow: await overflow, ended: await ended }).toEqual({
        overflow: 'none',
        ended: 'still sleeping',
      });
    },
  );

  it('has a monotonic time that does not go back, and a wall clock', () => {
    const [first, second] = [systemClock.monotonic(), systemClock.monotonic()];
    expect(second).toBeGreaterThanOrEqual(first);
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
  });
});
