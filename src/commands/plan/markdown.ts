import { grouped, shownPath } from '../terminal/text-style.ts';
import type { Change, PlanDocument } from './document.ts';
import { guardText, reasonText, summaryText, versionsText } from './text.ts';

/** A plan as Markdown, for pull requests and summaries of CI runs. Paths may be anyone's: none of them can leave its cell. */

/** Rows of a table; a comment on GitHub holds 65 536 characters. */
const maxRows = 200;

export function markdownText(plan: PlanDocument, full = false): string {
  const { type, origin, destination, created_at: createdAt } = plan;
  const rows = [
    ...plan.changes.map((change) => changeCells(change, plan)),
    ...plan.forgotten.map((change) => cells('-', change, 'forget', 'its target belongs to another path')),
    ...plan.kept.map((change) => cells('!', change, 'keep', 'ignoreDeletes keeps it')),
    ...plan.held.map((change) => cells('!', change, 'held', 'the guard holds it')),
    ...plan.errors.map(({ path, code, message }) => [
      '`!`',
      codeText(path),
      '',
      'skip',
      text(`${message} (${code})`),
    ]),
  ];
  const shown = full ? rows : rows.slice(-maxRows);
  const left = rows.length - shown.length;
  const guard = guardText(plan);
  const name = origin.name === undefined || origin.name === 'origin' ? '' : `${text(origin.name)} `;
  return [
    `### vsync ${type}`,
    '',
    `**${text(summaryText(plan))}**`,
    '',
    `origin ${name}${codeText(origin.vault)} → destination ${text(destination.name)} ${codeText(destination.vault)}, ${codeText(createdAt)}`,
    '',
    ...(left > 0 ? [`The last ${grouped(shown.length)} of ${grouped(rows.length)}:`, ''] : []),
    ...(shown.length > 0 ? ['| | path | versions | | why |', '|---|---|---|---|---|'] : []),
    ...shown.map((row) => `| ${row.join(' | ')} |`),
    ...(shown.length > 0 ? [''] : []),
    ...(guard === undefined ? [] : [text(guard), '']),
    ...(plan.complete ? [] : ['The run was stopped before its end.', '']),
  ].join('\n');
}

const marks = { add: '+', update: '~', delete: '-' } as const;

function changeCells(change: Change, plan: PlanDocument): string[] {
  const { op, result, message, code } = change;
  const why = [message, code && `(${code})`].filter(Boolean).join(' ');
  if (result === undefined) return cells(marks[op], change, op, reasonText(change, plan));
  const mark = result === 'done' ? marks[op] : result === 'failed' ? '!' : '?';
  return cells(mark, change, op, why === '' ? result : `${result}: ${why}`);
}

function cells(mark: string, change: Change, word: string, why: string): string[] {
  const { path, destination_path: target, transform } = change;
  const moved = target === path ? '' : `<br>→ ${codeText(target)} by ${codeText(transform ?? '')}`;
  // A lone - or + would begin a list.
  return [`\`${mark}\``, `${codeText(path)}${moved}`, text(versionsText(change)), word, text(why)];
}

/** Text of anyone as code. Entities cannot be read as Markdown, so what would end a code span or a cell is written as them. */
function codeText(value: string): string {
  const shown = shownPath(value);
  if (shown === '') return '';
  return /[`|]/.test(shown) ? `<code>${entities(shown)}</code>` : `\`${shown}\``;
}

/** Text of anyone as text. */
function text(value: string): string {
  return entities(shownPath(value));
}

/** Everything that could mean something in Markdown or HTML as an entity. */
function entities(value: string): string {
  return value.replace(/[^\p{L}\p{N} .,:;/()'%+-]/gu, (char) => `&#${char.codePointAt(0)};`);
}
