import { type Color, grouped, paint, shownPath, type TextStyle, wrapped } from '../terminal/text-style.ts';

/** Lists of paths for a person: one row a path, in columns where they fit, else each on two lines; readable without colour. */

export interface Row {
  /** Carries the meaning without colour. */
  readonly mark: '+' | '~' | '-' | '!' | '?';
  readonly path: string;
  readonly versions: string;
  /** What happens to it, in one word. */
  readonly word: string;
  readonly reason: string;
  /** Lines of their own below: where the path goes, what to do. */
  readonly notes?: readonly string[];
}

const colors = {
  '+': 'green',
  '~': 'yellow',
  '-': 'red',
  '!': 'boldRed',
  '?': 'dim',
} as const satisfies Record<Row['mark'], Color>;

/** Lines that a list on a terminal may take. */
export const maxListLines = 200;

/**
 * The lines of two lists, the second of which holds what is wrong: it stands last, where the eye goes, and is cut less. With `maxLines`
 * they are cut to it in all, and say how many more there are.
 */
export function rowLines(
  plain: readonly Row[],
  wrong: readonly Row[],
  style: TextStyle,
  maxLines: number,
): string[] {
  const lay = layout([...plain.slice(0, maxLines), ...wrong.slice(0, maxLines)], style);
  const wrongLines = cut(wrong, lay, Math.max(Math.ceil(maxLines / 2), maxLines - plain.length));
  return [...cut(plain, lay, maxLines - wrongLines.length), ...wrongLines];
}

/** As many whole rows as fit, the line that counts the others included. The others are not laid out. */
function cut(rows: readonly Row[], lay: (row: Row) => string[], maxLines: number): string[] {
  const shown: string[][] = [];
  let lines = 0;
  for (const row of rows) {
    const laid = lay(row);
    shown.push(laid);
    lines += laid.length;
    if (lines > maxLines) break;
  }
  if (lines <= maxLines) return shown.flat();
  while (lines > maxLines - 1) lines -= shown.pop()?.length ?? lines;
  return [...shown.flat(), `  ... ${grouped(rows.length - shown.length)} more, use --json or --full`];
}

function layout(rows: readonly Row[], style: TextStyle): (row: Row) => string[] {
  const longest = (pick: (row: Row) => string) =>
    rows.reduce((max, each) => Math.max(max, pick(each).length), 0);
  const pathWidth = longest(({ path }) => shownPath(path));
  const versionWidth = longest(({ versions }) => versions);
  const wordWidth = longest(({ word }) => word);
  const before = 4 + pathWidth + 2 + versionWidth + 2 + wordWidth + 2;
  const fits = before + longest(({ reason }) => shownPath(reason)) <= style.width;
  return (row) => {
    const lead = `  ${paint(row.mark, colors[row.mark], style)} `;
    const path = shownPath(row.path);
    const reason = shownPath(row.reason);
    const notes = (row.notes ?? []).flatMap((note) =>
      wrapped(shownPath(note), style.width, '        ', '      '),
    );
    if (fits) {
      const columns = [path.padEnd(pathWidth), row.versions.padEnd(versionWidth), row.word.padEnd(wordWidth)];
      return [`${lead}${columns.join('  ')}  ${reason}`.trimEnd(), ...notes];
    }
    const what = `${row.word}${row.versions === '' || row.versions === '-' ? '' : ` ${row.versions}`}`;
    return [`${lead}${path}`, ...wrapped(`${what}: ${reason}`, style.width, '        ', '      '), ...notes];
  };
}
