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
