import { shortSet } from '../../sync/delete-guard.ts';
import { ago } from '../terminal/relative-time.ts';
import { counted, grouped, percent, shownPath, type TextStyle, wrapped } from '../terminal/text-style.ts';
import type { Change, MaxDeletesGuard, OriginPart, PlanDocument } from './document.ts';
import { type Row, rowLines } from './rows.ts';

/** A plan, or what came of one, for a person to read: path by path, and why; what is held and what is wrong come last. */

export interface PlanTextOptions {
  readonly style: TextStyle;
  /** Lines that the list of paths may take. */
  readonly maxLines: number;
  /** The last lines: what was changed, and what to do next. */
  readonly ending: readonly string[];
}

export function planText(plan: PlanDocument, { style, maxLines, ending }: PlanTextOptions): string {
  const failed = plan.changes.filter(({ result }) => result === 'failed');
  const rows = [
    ...plan.changes.filter(({ result }) => result !== 'failed').map((change) => changeRow(change, plan)),
    ...plan.forgotten.map((change) => forgottenRow(change)),
  ];
  const wrong = [
    ...plan.kept.map((change) => row('!', change, 'keep', 'deleted in origin; ignoreDeletes keeps it')),
    ...plan.held.map((change) => row('!', change, 'held', 'deleted in origin; the guard holds it')),
    ...failedRows(failed),
    ...plan.errors.map(
      ({ path, code, message }): Row => ({
        mark: '!',
        path,
        versions: '-',
        word: 'skip',
        reason: `${message} (${code})`,
      }),
    ),
  ];
  const lines = [...header(plan, style), '', ...rowLines(rows, wrong, style, maxLines)];
  if (rows.length + wrong.length > 0) lines.push('');
  lines.push(...wrapped(summaryText(plan), style.width, '  '), ...guardLines(plan, style), ...ending);
  return `${lines.join('\n')}\n`;
}

/** What would be or was done, as one sentence. */
export function summaryText({ summary, forgotten, kept }: PlanDocument): string {
  const { add, update, error, failed = 0, skipped = 0, held, unchanged } = summary;
  const more = [
    [forgotten.length, 'forgotten'],
    [kept.length, 'kept'],
    [held, 'held'],
    [failed, 'failed'],
    [summary.operation === 'plan' ? error : error + skipped, 'skipped'],
  ] as const;
  const rest = more.flatMap(([count, word]) => (count === 0 ? [] : [`, ${grouped(count)} ${word}`])).join('');
  const words =
    summary.operation === 'plan'
      ? ['Plan', 'to add', 'to update', 'to delete']
      : ['Applied', 'added', 'updated', 'deleted'];
  const [head, added, updated, deleted] = words;
  return `${head}: ${grouped(add)} ${added}, ${grouped(update)} ${updated}, ${grouped(summary.delete)} ${deleted}${rest}.   ${grouped(unchanged)} unchanged.`;
}

/** `v7 -> v9` */
export function versionsText({ from, to }: Change): string {
  return [from, to].flatMap((each) => (each === undefined ? [] : [`v${each.version}`])).join(' -> ');
}

/** Why a change is made, as of when the plan was. */
export function reasonText({ reason, from, to }: Change, plan: PlanDocument): string {
  const ahead = (to?.version ?? 0) - (from?.version ?? 0);
  const reasons = {
    missing: 'new in origin',
    version_ahead: `origin is ${counted(ahead, 'version')} ahead`,
    recreated:
      ahead === 0
        ? 'recreated in origin (same version, later time)'
        : `recreated in origin (v${to?.version} follows v${from?.version})`,
    type_changed: 'another type in origin',
    drifted: 'changed at the destination',
    deleted_in_origin: 'deleted in origin; latest version will be soft-deleted',
  } as const;
  const age = to === undefined || reason === 'recreated' ? undefined : agoIn(plan, to.updated_at);
  return age === undefined ? reasons[reason] : `${reasons[reason]}, ${age}`;
}

/** How long before the plan a time was; a file may hold what is no time. */
function agoIn({ created_at: createdAt }: PlanDocument, time: string): string | undefined {
  const [at, now] = [Date.parse(time), Date.parse(createdAt)];
  return Number.isNaN(at) || Number.isNaN(now) ? undefined : ago(time, now);
}

/** `Guard: deletes 1 of 4 209 (0.02 %), limit 420 - ok.` Without deletes there is nothing to say. */
export function guardText({ guards: [deletes, empty] }: PlanDocument): string | undefined {
  if (deletes.value === 0) return undefined;
  if (empty.held) return `Guard: the origin lists no path at all - held. ${releaseText(deletes)}`;
  const numbers = `deletes ${grouped(deletes.value)} of ${grouped(deletes.paths)} (${percent(deletes.value, deletes.paths)}), limit ${grouped(deletes.limit)}`;
  if (!deletes.held) return `Guard: ${numbers} - ${deletes.approved ? 'approved' : 'ok'}.`;
  return `Guard: ${numbers} - held. ${releaseText(deletes)}`;
}

function releaseText({ set }: MaxDeletesGuard): string {
  if (set === undefined) return '';
  const short = shortSet(set);
  return `If intended: vsync approve ${short}, or --approve-deletes ${short} (valid for this exact set only).`;
}

function guardLines(plan: PlanDocument, style: TextStyle): string[] {
  const text = guardText(plan);
  return text === undefined ? [] : wrapped(text, style.width, '  ');
}

function header(plan: PlanDocument, style: TextStyle): string[] {
  const { type, origin, destination, basis } = plan;
  const from = originText(origin);
  const to = `destination ${shownPath(destination.vault)}`;
  const name = `(name: ${shownPath(destination.name)})`;
  const line = `vsync ${type}  ${from}  ->  ${to}   ${name}`;
  const title = line.length <= style.width ? [line] : [`vsync ${type}  ${name}`, `  ${from}`, `  ->  ${to}`];
  const age = origin.published_at === undefined ? undefined : agoIn(plan, origin.published_at);
  const published = age === undefined ? '' : ` published ${age}`;
  const unreadable =
    origin.unreadable === undefined ? '' : `; ${grouped(origin.unreadable)} unreadable in its last cycle`;
  const differing = basis.differing_buckets;
  const facts = `Origin info${published} (${counted(origin.paths, 'path')}, ${counted(origin.buckets, 'bucket')}${unreadable}); destination info ${counted(destination.paths, 'path')}; ${grouped(differing)} of ${counted(origin.buckets, 'bucket')} ${differing === 1 ? 'differs' : 'differ'}`;
  return [...title, ...wrapped(facts, style.width, '  ')];
}

/** The origin as it calls itself, where that says more than its role. */
export function originText({ name, vault }: OriginPart): string {
  const known = name === undefined || name === 'origin' ? '' : `${shownPath(name)} `;
  return `origin ${known}${shownPath(vault)}`;
}

const marks = { add: '+', update: '~', delete: '-' } as const;

function changeRow(change: Change, plan: PlanDocument): Row {
  const { op, result, message } = change;
  const why = message === undefined ? '' : `: ${message}`;
  if (result === 'skipped') return row('?', change, op, `skipped${why}`);
  return row(marks[op], change, op, result === 'done' ? `done${why}` : reasonText(change, plan));
}

function forgottenRow(change: Change): Row {
  const { result, message } = change;
  const reason = 'its target belongs to another path; nothing is deleted';
  return row('-', change, 'forget', result === 'skipped' ? `skipped: ${message ?? ''}` : reason);
}

/** What to do about a failure stands below the first of its kind. */
function failedRows(failed: readonly Change[]): Row[] {
  const seen = new Set<string>();
  return failed.map((change) => {
    const { op, message = '', code = '', hint } = change;
    const first = !seen.has(code) && hint !== undefined;
    seen.add(code);
    return row('!', change, op, `failed: ${message} (${code})`, first ? [`fix: ${hint}`] : []);
  });
}

function row(
  mark: Row['mark'],
  change: Change,
  word: string,
  reason: string,
  notes: readonly string[] = [],
): Row {
  const { path, destination_path: target, transform } = change;
  const moved = target === path ? [] : [`-> ${target}   transform "${transform ?? ''}"`];
  return { mark, path, versions: versionsText(change), word, reason, notes: [...moved, ...notes] };
}
