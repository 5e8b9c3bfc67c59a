import { type Row, rowLines } from '../plan/rows.ts';
import { originText, type PlanTextOptions } from '../plan/text.ts';
import { counted, grouped, shownPath, type TextStyle, wrapped } from '../terminal/text-style.ts';
import type { CheckDocument, Drift } from './document.ts';

/** What a check found, for a person to read: what drifted, then what could not be compared, then what to do. */
export function checkText(
  check: CheckDocument,
  { style, maxLines }: Omit<PlanTextOptions, 'ending'>,
): string {
  const { drift, errors } = check;
  const failed = drift.filter(({ repair }) => repair?.result === 'failed');
  const rows = drift.filter((each) => !failed.includes(each)).map(driftRow);
  const wrong = [
    ...failed.map(driftRow),
    ...errors.map(
      ({ path, code, message }): Row => ({
        mark: '!',
        path,
        versions: '-',
        word: 'not compared',
        reason: `${message} (${code})`,
      }),
    ),
  ];
  const lines = [...header(check, style), '', ...rowLines(rows, wrong, style, maxLines)];
  if (rows.length + wrong.length > 0) lines.push('');
  lines.push(...wrapped(summary(check), style.width, '  '), ...advice(check, style));
  return `${lines.join('\n')}\n`;
}

function header({ origin, destination, mode }: CheckDocument, style: TextStyle): string[] {
  const from = originText(origin);
  const to = `destination ${shownPath(destination.vault)}`;
  const name = `(name: ${shownPath(destination.name)})`;
  const line = `vsync check  ${to}  against  ${from}   ${name}`;
  const title =
    line.length <= style.width ? [line] : [`vsync check  ${name}`, `  ${to}`, `  against ${from}`];
  const facts = `Compared ${mode} of ${counted(origin.paths, 'path')} with what the origin published.`;
  return [...title, ...wrapped(facts, style.width, '  ')];
}

const marks = { changed: '~', missing: '+', pending: '?', extra: '-' } as const;

function driftRow({ kind, path, destination_path: target, why, repair, transform, ...versions }: Drift): Row {
  const moved =
    path === undefined || path === target ? [] : [`-> ${target}   transform "${transform ?? ''}"`];
  const because = repair?.message === undefined ? '' : ` (${repair.message})`;
  const repaired = {
    done: `; repaired${because}`,
    skipped: `; left alone${because}`,
    failed: `; repair failed: ${repair?.message ?? ''} (${repair?.code ?? ''})`,
  };
  return {
    mark: repair?.result === 'failed' ? '!' : marks[kind],
    path: path ?? target,
    versions: versionsText(versions),
    word: kind,
    reason: `${why}${repair === undefined ? '' : repaired[repair.result]}`,
    notes: moved,
  };
}

/** The version that is there, and the one that was written there: `v9, not v8`. */
function versionsText({
  destination_version: there,
  copied_version: copied,
}: Pick<Drift, 'destination_version' | 'copied_version'>): string {
  if (there === undefined) return '-';
  return copied === undefined || copied === there ? `v${there}` : `v${there}, not v${copied}`;
}

function summary({ summary: counts }: CheckDocument): string {
  const { in_sync: inSync, changed, missing, extra, pending, unverified, error, repaired } = counts;
  const parts = [
    [changed, 'changed'],
    [missing, 'missing'],
    [extra, 'extra'],
    [pending, 'pending'],
    [error, 'not compared'],
    [unverified, 'not to be told by metadata'],
    [repaired ?? 0, 'repaired'],
  ] as const;
  const found = parts.flatMap(([count, word]) => (count === 0 ? [] : [`${grouped(count)} ${word}`]));
  return `Check: ${found.length === 0 ? 'no drift' : found.join(', ')}.   ${grouped(inSync)} in sync.`;
}

function advice({ summary: counts, extras, errors, mode }: CheckDocument, style: TextStyle): string[] {
  const { changed, missing, unverified, repaired, extra } = counts;
  const lines: string[] = [];
  if (extras.looked_for === 'partly')
    lines.push(
      `Extras were not looked for below ${shownPath(extras.denied ?? '')}: the token may not list it. To grant: ${grant(extras.denied ?? '', 'list')}`,
    );
  if (extras.looked_for === 'no') lines.push('Extras were not looked for.');
  const denied = errors.find(({ code }) => code === 'VAULT_FORBIDDEN');
  if (denied !== undefined && mode === 'metadata')
    lines.push(`To read metadata grant: ${grant(shownPath(denied.destination_path ?? denied.path), 'read')}`);
  if (unverified > 0)
    lines.push('Where no record tells which version is our own, values do: vsync check --deep');
  if (repaired !== undefined) lines.push('Only what is marked as repaired was changed.');
  else {
    lines.push('Nothing was changed.');
    if (changed + missing > 0)
      lines.push('To write what changed or is missing again, from the origin: vsync check --repair');
  }
  if (extra > 0) lines.push('Extras are never deleted; --no-extras does not look for them.');
  return lines.flatMap((line) => wrapped(line, style.width, '  '));
}

/** A rule of a policy, for the whole mount. */
function grant(path: string, capability: 'list' | 'read'): string {
  const mount = path.split(/(?:meta)?data\//)[0] ?? '';
  const capabilities = capability === 'read' ? '"read", "list"' : '"list"';
  return `path "${mount}metadata/*" { capabilities = [${capabilities}] }`;
}
