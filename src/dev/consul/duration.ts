/**
 * Go's durations (`15s`, `1h30m`, `1.5m`), as Consul takes them in `wait`, `TTL` and `LockDelay`.
 * May import: nothing.
 */

const nanosecondsOf = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['µs', 1e3],
  ['μs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
]);

const whole = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
/** Go counts nanoseconds in an int64. */
const largest = 2 ** 63;

/** Nanoseconds of a Go duration, `undefined` if it is none: a bare number but `0` lacks its unit. */
export function parseDuration(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  if (!whole.test(text)) return undefined;
  let nanoseconds = 0;
  for (const [, amount, unit] of text.matchAll(part)) {
    nanoseconds += Number(amount) * (nanosecondsOf.get(unit ?? '') ?? 0);
  }
  if (nanoseconds >= largest) return undefined;
  return text.startsWith('-') ? -nanoseconds : nanoseconds;
}
