/**
 * Indexes and flags are uint64, which JavaScript's numbers cannot hold: they are read and written as `bigint`.
 * May import: nothing.
 */

const largest = 2n ** 64n - 1n;

/** Why a text is not a uint64, in the words of Go's `strconv`. */
export type Uint64Problem = 'invalid syntax' | 'value out of range';

/** Reads decimal digits, and nothing else: no sign, no space. */
export function parseUint64(text: string): bigint | Uint64Problem {
  if (!/^\d+$/.test(text)) return 'invalid syntax';
  const value = BigInt(text);
  return value <= largest ? value : 'value out of range';
}

/** Marks, in front of its digits, an integer that `parseJsonWithUint64` kept as a string. No client's string begins with it by chance. */
const mark = '\u0000uint64 ';

/** Text that may hold an integer too long for a double. False for nearly every body, so it costs one scan. */
const mayHoldLongInteger = /[^"\w]\d{16,}/;
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** `JSON.parse`, with integers that a double cannot hold kept exact for `uint64OfJson`. Throws SyntaxError. */
export function parseJsonWithUint64(text: string): unknown {
  if (!mayHoldLongInteger.test(text)) return JSON.parse(text);
  const exact = text.replace(stringOrNumber, (token) =>
    /^\d{16,}$/.test(token) ? JSON.stringify(mark + token) : token,
  );
  return JSON.parse(exact);
}

/** The uint64 in a value that `parseJsonWithUint64` made, or `undefined` if it is none. */
export function uint64OfJson(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 ? BigInt(value) : undefined;
  if (typeof value !== 'string' || !value.startsWith(mark)) return undefined;
  const parsed = parseUint64(value.slice(mark.length));
  return typeof parsed === 'bigint' ? parsed : undefined;
}
