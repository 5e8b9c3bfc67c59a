import { isMet, type Measure, ratioOf, type Spread, type Unit } from './measure.ts';

/** Measures as a table: Markdown that can be read in a terminal too. */

const columns = ['measure', 'secrets', 'token', 'vsync', 'raw limit', 'ratio', 'limit', ''] as const;

/** One section, `other` only where another program took part. */
export function tableOf(measures: readonly Measure[]): string {
  const withOther = measures.some(({ other }) => other !== undefined);
  const head = withOther ? [...columns.slice(0, 6), 'other program', ...columns.slice(6)] : [...columns];
  const rows = measures.map((measure) => cellsOf(measure, withOther));
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join(
    '\n',
  );
}

/** The notes of the rows that have one. */
export function notesOf(measures: readonly Measure[]): string {
  const notes = measures.flatMap(({ what, secrets, note }) =>
    note === undefined ? [] : [`* ${what} (${count(secrets)}): ${note}`],
  );
  return [...new Set(notes)].join('\n');
}

function cellsOf(measure: Measure, withOther: boolean): string[] {
  const { what, secrets, token, unit, vsync, raw, other } = measure;
  const ratio = ratioOf(measure);
  const cells = [
    what,
    secrets === 0 ? '' : count(secrets),
    token === undefined ? '' : token === 'lean' ? 'no default policy' : 'with default policy',
    spreadText(vsync, unit),
    raw === undefined ? '' : spreadText(raw, unit),
    ratio === undefined ? '' : ratio.toFixed(2),
  ];
  if (withOther) cells.push(other === undefined ? '' : spreadText(other, unit));
  const met = isMet(measure);
  cells.push(limitText(measure), met === undefined ? '' : met ? 'met' : '**missed**');
  return cells;
}

function limitText({ limit, unit }: Measure): string {
  if (limit === undefined) return '';
  if (limit.of === 'ratio') return `${limit.max.toFixed(2)} x raw`;
  const value = `${number(limit.max, unit)}${suffixOf(unit)}`;
  return limit.why === undefined ? value : `${value} (${limit.why})`;
}

/** The median and, of several runs, smallest and largest. */
function spreadText({ median, min, max, runs }: Spread, unit: Unit): string {
  const value = `${number(median, unit)}${suffixOf(unit)}`;
  return runs === 1 ? value : `${value} (${number(min, unit)} to ${number(max, unit)})`;
}

function suffixOf(unit: Unit): string {
  return unit === 'exponent' ? '' : unit === 'requests' ? '' : ` ${unit}`;
}

const digits: Readonly<Partial<Record<Unit, number>>> = { s: 2, ms: 1, KB: 1, exponent: 2 };

function number(value: number, unit: Unit): string {
  const fractionDigits = unit === 's' && value < 1 ? 3 : (digits[unit] ?? 0);
  return value.toLocaleString('en', {
    minimumFractionDigits: fractionDigits,
    maximumFractionDigits: fractionDigits,
  });
}

function count(value: number): string {
  return value.toLocaleString('en');
}
