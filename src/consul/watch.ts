import { type Clock, systemClock } from '../base/clock.ts';
import { asVsyncError, type VsyncError } from '../base/errors.ts';
import type { ConsulClient } from './client.ts';

/**
 * Watches one key with blocking queries: idle, it costs one request in each `waitMs`.
 * A return of Consul is not a change, so contents are compared; an index that goes back starts over (consul-template's loop).
 */

const waitMs = 60_000;
/** No two queries start within this time, however often the key is written. */
const pauseMs = 200;
const maxBackoffMs = 30_000;

/**
 * Calls `onChange` each time the value of `key` is another one than before, its coming and going included, until `signal` is
 * aborted; once at the start if the key exists, so that nothing is missed between a first read and the watch. `onError` hears of each
 * failure; the watch goes on by itself. Never rejects.
 */
export async function watchKey(options: {
  readonly consul: ConsulClient;
  readonly key: string;
  readonly signal: AbortSignal;
  readonly onChange: () => void;
  readonly onError: (error: VsyncError) => void;
  readonly clock?: Clock;
}): Promise<void> {
  const { consul, key, signal, onChange, onError, clock = systemClock } = options;
  let index = '0';
  let known: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const answer = await consul.getBlocking(key, index, waitMs, signal);
      failures = 0;
      const value = answer.entry?.value;
      if (value !== known) onChange();
      known = value;
      index = nextIndex(index, answer.index);
      await clock.sleep(pauseMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      onError(asVsyncError(error));
      failures += 1;
      index = '0';
      await clock.sleep(Math.min(maxBackoffMs, 250 * 2 ** failures), signal).catch(() => {});
    }
  }
}

/** Consul's rules: an index that went back means starting over, and one below 1 must not be used, or the query would not block. */
function nextIndex(previous: string, next: string): string {
  const value = BigInt(/^\d+$/.test(next) ? next : '0');
  if (value < BigInt(previous)) return '0';
  return value < 1n ? '1' : value.toString();
}
