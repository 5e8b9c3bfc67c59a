import { type Json, JsonNumber } from './json.ts';

/** Times and durations as Go prints and reads them. Times are nanoseconds since 1970 as a bigint, durations whole seconds. */

export const nsPerSecond = 1_000_000_000n;

/** RFC 3339 in UTC with 0 to 9 fraction digits, trailing zeros cut: `2026-01-02T03:04:05.6789Z`. */
export function formatTime(ns: bigint): string {
  const seconds = ns / nsPerSecond;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const fraction = String(ns % nsPerSecond)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${whole}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** Go's `Duration.String()` for whole seconds: `0s`, `1m30s`, `25h0m3s`, `-1s`. */
export function formatDuration(seconds: number): string {
  const total = Math.abs(seconds);
  const [hours, minutes, rest] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const shownHours = hours > 0 ? `${hours}h` : '';
  const shownMinutes = total >= 60 ? `${minutes}m` : '';
  return `${seconds < 0 ? '-' : ''}${shownHours}${shownMinutes}${rest}s`;
}

/** A duration without zero elements, as the TTL warnings show it: `2h`, `30m`. */
export function formatShortDuration(seconds: number): string {
  return formatDuration(seconds).replace(/m0s$/, 'm').replace(/h0m/, 'h');
}

const unitSeconds: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

/**
 * Whole seconds of what a client sent as a duration: a number, digits, days (`2d`) or Go's notation (`1h30m`); `null` and `""` are 0.
 * Throws an `Error` with Go's text.
 */
export function parseDurationSeconds(raw: Json): number {
  if (raw === null) return 0;
  if (typeof raw !== 'string' && !(raw instanceof JsonNumber)) {
    throw new Error('could not parse duration from input');
  }
  const text = raw instanceof JsonNumber ? raw.text : raw;
  if (text === '') return 0;
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  if (/^[+-]?\d+d$/.test(text)) return Number(text.slice(0, -1)) * 86_400;
  return Math.trunc(parseGoDuration(text));
}

function parseGoDuration(text: string): number {
  const match = /^([+-]?)((?:\d*\.?\d*[^\d.]+)+)$/.exec(text);
  if (match === null) {
    const known = /^[+-]?[\d.]+$/.test(text) && /\d/.test(text);
    throw new Error(`time: ${known ? 'missing unit in' : 'invalid'} duration ${JSON.stringify(text)}`);
  }
  let seconds = 0;
  for (const [, number = '', unit = ''] of (match[2] ?? '').matchAll(/(\d*\.?\d*)([^\d.]+)/g)) {
    if (!/\d/.test(number)) throw new Error(`time: invalid duration ${JSON.stringify(text)}`);
    const factor = unitSeconds[unit];
    if (factor === undefined) {
      throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    }
    seconds += Number(number) * factor;
  }
  return match[1] === '-' ? -seconds : seconds;
}

/** Nanoseconds since 1970 by the system's clock, each call later than the one before: two writes get two times. */
export function systemClock(): () => bigint {
  const offset = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
  let last = 0n;
  return () => {
    const now = offset + process.hrtime.bigint();
    last = now > last ? now : last + 1n;
    return last;
  };
}
