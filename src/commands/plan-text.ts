import type { Config } from '../config/config.ts';
import type { Comparison } from '../cycle/plan-destination.ts';
import { differingBuckets } from '../sync/compare.ts';
import { shortSet } from '../sync/delete-guard.ts';
import type { PlannedTask } from '../sync/plan.ts';
import { type Color, counted, grouped, paint, shownPath, type TextStyle } from './text-style.ts';

/** A plan for a person to read: what would be done, path by path, and why; what is held and what is wrong come last. */

/** How many paths each side has. */
export interface PlanTotals {
  readonly origin: number;
  readonly destination: number;
}

interface Row {
  readonly mark: '+' | '~' | '-' | '!';
  readonly path: string;
  readonly versions: string;
  readonly word: string;
  readonly reason: string;
  /** A second line: where the path goes. */
  readonly target?: string | undefined;
}

const colors = { '+': 'green', '~': 'yellow', '-': 'red', '!': 'boldRed' } as const satisfies Record<
  Row['mark'],
  Color
>;

export function planText(
  comparison: Comparison,
  totals: PlanTotals,
  config: Config,
  style: TextStyle,
): string {
  const { plan } = comparison;
  const rows = [
    ...plan.copies.map(copyRow),
    ...plan.drops.map((task) =>
      row('-', task, 'forget', 'its target belongs to another path; nothing is deleted'),
    ),
    ...plan.deletes.map((task) =>
      row('-', task, 'delete', 'deleted in origin; the latest version will be soft-deleted'),
    ),
    ...plan.ignored.map((task) => row('!', task, 'keep', 'deleted in origin; ignoreDeletes keeps it')),
    ...plan.held.map((task) => row('!', task, 'held', 'deleted in origin; the guard holds it')),
    ...plan.skipped.map(
      ({ path, message }): Row => ({ mark: '!', path, versions: '-', word: 'skip', reason: message }),
    ),
  ];
  const lines = [...header(comparison, totals, config), '', ...layOut(rows, style)];
  if (rows.length > 0) lines.push('');
  lines.push(summary(comparison, totals), ...guardLines(comparison), 'Nothing was changed.');
  return `${lines.join('\n')}\n`;
}

function header({ origin, info }: Comparison, totals: PlanTotals, config: Config): string[] {
  const destination = config.role === 'destination' ? config.destination.vault.address : '';
  const differ = differingBuckets(origin.index, info.index).length;
  return [
    `vsync plan  origin ${config.origin.vault.address}  ->  destination ${destination}  (name: ${config.name})`,
    `Origin info has ${counted(totals.origin, 'path')} in ${counted(origin.index.length, 'bucket')}; destination info has ${counted(totals.destination, 'path')}; ${grouped(differ)} of ${counted(origin.index.length, 'bucket')} ${differ === 1 ? 'differs' : 'differ'}.`,
  ];
}

function copyRow(task: PlannedTask): Row {
  const reasons = {
    missing: 'new in origin',
    version_ahead: `origin is ${counted((task.to?.version ?? 0) - (task.from?.version ?? 0), 'version')} ahead`,
    recreated: 'recreated in origin',
    type_changed: 'another type in origin',
    drifted: 'changed at the destination',
    deleted_in_origin: 'deleted in origin',
  } as const;
  return row(task.kind === 'add' ? '+' : '~', task, task.kind, reasons[task.reason]);
}

function row(mark: Row['mark'], task: PlannedTask, word: string, reason: string): Row {
  const versions = [task.from?.version, task.to?.version]
    .filter((version) => version !== undefined)
    .map((version) => `v${version}`);
  const target = task.target === task.path ? undefined : `${task.target}  (transform "${task.rule ?? ''}")`;
  return { mark, path: task.path, versions: versions.join(' -> '), word, reason, target };
}

/** Columns where they fit, else the reason on a line of its own. */
function layOut(rows: readonly Row[], style: TextStyle): string[] {
  const longest = (pick: (row: Row) => string) =>
    rows.reduce((max, each) => Math.max(max, pick(each).length), 0);
  const [pathWidth, versionWidth, wordWidth] = [
    longest(({ path }) => path),
    longest(({ versions }) => versions),
    longest(({ word }) => word),
  ];
  const fits =
    4 + pathWidth + 2 + versionWidth + 2 + wordWidth + 2 + longest(({ reason }) => reason) <= style.width;
  return rows.flatMap(({ mark, path, versions, word, reason, target }) => {
    const lead = `  ${paint(mark, colors[mark], style)} `;
    const more = target === undefined ? [] : [`      -> ${shownPath(target)}`];
    if (fits)
      return [
        `${lead}${shownPath(path).padEnd(pathWidth)}  ${versions.padEnd(versionWidth)}  ${word.padEnd(wordWidth)}  ${reason}`,
        ...more,
      ];
    return [
      `${lead}${shownPath(path)}`,
      ...more,
      `      ${word}${versions === '' ? '' : ` ${versions}`}: ${reason}`,
    ];
  });
}

function summary({ plan }: Comparison, totals: PlanTotals): string {
  const adds = plan.copies.filter(({ kind }) => kind === 'add').length;
  const updates = plan.copies.length - adds;
  const skipped = plan.skipped.length > 0 ? `, ${grouped(plan.skipped.length)} skipped` : '';
  const touched = plan.copies.length + plan.skipped.length;
  return `Plan: ${grouped(adds)} to add, ${grouped(updates)} to update, ${grouped(plan.deletes.length)} to delete${skipped}.   ${grouped(Math.max(0, totals.origin - touched))} unchanged.`;
}

function guardLines({ plan }: Comparison): string[] {
  const { guard } = plan;
  if (guard.deletes === 0) return [];
  const numbers = `deletes ${grouped(guard.deletes)} of ${grouped(guard.paths)}, limit ${grouped(guard.limit)}`;
  if (!guard.held) return [`Guard: ${numbers} - ${guard.approved ? 'approved' : 'ok'}.`];
  const why = guard.guard === 'empty_origin' ? 'the origin lists no path at all' : numbers;
  return [
    `Guard: ${why} - held. If intended: vsync approve ${shortSet(guard.set)} (valid for this exact set only).`,
  ];
}
