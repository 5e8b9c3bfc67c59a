import { wrapText } from './wrap-text.ts';

/** How text is laid out for a person: the width to keep, and whether to colour. */
export interface TextStyle {
  readonly width: number;
  readonly color: boolean;
}

const codes = { red: 31, green: 32, yellow: 33, boldRed: '1;31', bold: 1, dim: 2 } as const;

export type Color = keyof typeof codes;

export function paint(text: string, color: Color, style: TextStyle): string {
  return style.color ? `\u001b[${codes[color]}m${text}\u001b[0m` : text;
}

/** A number with thin groups: 4 209. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** `1 secret`, `2 secrets`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** A path as it may be shown: control characters, which could move the cursor, as escapes. */
export function shownPath(path: string): string {
  return path.replace(/\p{C}/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}

/**
 * Text in lines of at most `width`, the first behind `first` (spaces), all others behind `indent`; broken at wide gaps before it is
 * broken at single spaces.
 */
export function wrapped(text: string, width: number, indent: string, first = ''): string[] {
  if (first.length + text.length <= width) return [first + text];
  const parts = text.split(/ {2,}/);
  if (parts.length > 1)
    return parts.flatMap((part, i) => wrapped(part, width, indent, i === 0 ? first : indent));
  return wrapText(first + text, width, indent).split('\n');
}

/** A part of a whole: `19.3 %`, `0.02 %`. */
export function percent(part: number, whole: number): string {
  const value = whole === 0 ? 0 : (part / whole) * 100;
  return `${value.toFixed(value < 1 ? 2 : 1)} %`;
}

/** A word of a command line as a shell takes it. */
export function quotedWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
