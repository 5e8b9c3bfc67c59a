/**
 * Go durations (`time.ParseDuration`): one or more of decimal number and unit, without spaces, such as `90s`, `1h2m3s`, `.5s`.
 * No package has this grammar: `ms` takes `10` as 10 ms and fails on `1h30m`, `parse-duration` takes `10` and `1d`.
 */

const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  '\u00b5s': 1e-3,
  '\u03bcs': 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const term = /(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;

/** Longer texts are no durations; the limit keeps matching linear on hostile input. */
const maxLength = 64;

/** The longest duration a timer of Node can wait for (2^31-1 ms): a longer one would fire at once. */
export const maxDurationMs = 2 ** 31 - 1;

/** Milliseconds (whole, rounded, a positive one at least 1) of a Go duration; `undefined` when `text` is none. */
export function parseDuration(text: string): number | undefined {
  if (text.length > maxLength) return undefined;
  const sign = text.startsWith('-') ? -1 : 1;
  const unsigned = text.replace(/^[+-]/, '');
  if (unsigned === '0') return 0;
  if (unsigned === '') return undefined;
  let total = 0;
  term.lastIndex = 0;
  while (term.lastIndex < unsigned.length) {
    const match = term.exec(unsigned);
    if (match === null) return undefined;
    total += Number(match[1]) * (unitsMs[match[2] ?? ''] ?? 0);
  }
  return sign * (total > 0 ? Math.max(1, Math.round(total)) : 0);
}

/** A duration as a person writes it: `1h30m`, `250ms`, `0s`. */
export function formatDuration(ms: number): string {
  const parts: [number, string][] = [
    [Math.floor(ms / 3_600_000), 'h'],
    [Math.floor(ms / 60_000) % 60, 'm'],
    [Math.floor(ms / 1000) % 60, 's'],
    [Math.round(ms % 1000), 'ms'],
  ];
  const text = parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join('');
  return text === '' ? '0s' : text;
}

/** The correct spelling of what was most likely meant: `10` -> `10s`, `1d` -> `24h`, `10 S` -> `10s`, `5 minutes` -> `5m`. */
export function suggestDuration(text: string): string | undefined {
  if (text.length > maxLength) return undefined;
  const spelled = text
    .toLowerCase()
    .replace(/[\s,_]+/g, '')
    .replace(/^[+-]/, '')
    .replace(/(?<=\d)(milliseconds?|millis|msecs?)/g, 'ms')
    .replace(/(?<=\d)(seconds?|secs?)/g, 's')
    .replace(/(?<=\d)(minutes?|mins?)/g, 'm')
    .replace(/(?<=\d)(hours?|hrs?)/g, 'h')
    .replace(/(\d+)(weeks?|w)/g, (_, weeks: string) => `${Number(weeks) * 168}h`)
    .replace(/(\d+)(days?|d)/g, (_, days: string) => `${Number(days) * 24}h`)
    .replace(/^(\d+\.?\d*)$/, '$1s');
  const ms = parseDuration(spelled);
  return ms !== undefined && ms > 0 && ms <= maxDurationMs ? spelled : undefined;
}
