import { shortSet } from '../../sync/delete-guard.ts';
import { type Row, rowLines } from '../plan/rows.ts';
import type { PlanTextOptions } from '../plan/text.ts';
import { ago } from '../terminal/relative-time.ts';
import { counted, grouped, percent, shownPath, type TextStyle, wrapped } from '../terminal/text-style.ts';
import { maxBucketBytes, type ScanDocument, type ScannedBucket } from './document.ts';

/** What an origin would publish, for a person to read: what differs from what is published, and the size of each bucket. */
export function scanText(scan: ScanDocument, { style, maxLines }: Omit<PlanTextOptions, 'ending'>): string {
  const { origin, changes, errors } = scan;
  const rows = changes.map((change) => changeRow(change, scan));
  const wrong = errors.map(
    ({ path, code, message, kept }): Row => ({
      mark: '!',
      path,
      versions: '-',
      word: 'unread',
      reason: `${message} (${code}); ${kept ? 'its last known state is kept' : 'left out, never seen before'}`,
    }),
  );
  const found = `Found ${counted(scan.listed, 'key')}: ${counted(origin.paths, 'secret')}, ${grouped(scan.without_secret)} deleted or without a version.`;
  const lines = [
    ...wrapped(
      `vsync origin --dry-run  ${shownPath(origin.vault)}  (name: ${shownPath(origin.name)})`,
      style.width,
      '  ',
    ),
    ...wrapped(found, style.width, '  '),
    '',
    ...rowLines(rows, wrong, style, maxLines),
  ];
  if (rows.length + wrong.length > 0) lines.push('');
  lines.push(...publication(scan, style), ...heldLines(scan, style), 'Nothing was changed.');
  return `${lines.join('\n')}\n`;
}

function changeRow({ op, path, from, to, reason }: ScanDocument['changes'][number], scan: ScanDocument): Row {
  const versions = [from, to].flatMap((each) => (each === undefined ? [] : [`v${each.version}`]));
  const words = { add: 'new', update: reason === 'recreated' ? 'recreated' : 'written', delete: 'gone' };
  const age = to === undefined ? '' : `, ${ago(to.updated_at, Date.parse(scan.created_at))}`;
  return {
    mark: { add: '+', update: '~', delete: '-' }[op] as Row['mark'],
    path,
    versions: versions.join(' -> '),
    word: op,
    reason: `${words[op]} since the last publication${age}`,
  };
}

function publication({ origin, buckets, summary }: ScanDocument, style: TextStyle): string[] {
  const changed = buckets.filter((bucket) => bucket.changed).length;
  const { add, update, delete: gone, unchanged } = summary;
  const differs =
    changed === 0
      ? 'nothing differs from what is published.'
      : `${counted(changed, 'bucket')} would be written: ${grouped(add)} added, ${grouped(update)} updated, ${grouped(gone)} gone, ${grouped(unchanged)} unchanged.`;
  const text = `Would publish ${counted(origin.paths, 'path')} in ${counted(buckets.length, 'bucket')}; ${differs}`;
  return [...wrapped(text, style.width, '  '), ...bucketLines(buckets)];
}

/** Lines that the table of buckets may take. */
const maxBucketLines = 16;

/** Each bucket, or the largest of many. */
function bucketLines(buckets: readonly ScannedBucket[]): string[] {
  const shown = buckets.length <= maxBucketLines ? buckets : [...buckets].sort(larger).slice(0, 10);
  const lines = shown.map(
    ({ id, paths, bytes, changed }) =>
      `  ${String(id).padStart(6)}  ${grouped(paths).padStart(9)}  ${grouped(bytes).padStart(9)}  ${percent(bytes, maxBucketBytes).padStart(10)}${changed ? '  changed' : ''}`,
  );
  const left = buckets.length - shown.length;
  const head = `  bucket      paths      bytes  of 512 KiB`;
  return [head, ...lines, ...(left > 0 ? [`  ... ${grouped(left)} smaller ones, use --json`] : [])];
}

function larger(a: ScannedBucket, b: ScannedBucket): number {
  return b.bytes - a.bytes;
}

function heldLines({ held }: ScanDocument, style: TextStyle): string[] {
  if (held === null) return [];
  const release =
    held.set === ''
      ? ''
      : ` If intended: --approve-deletes ${shortSet(held.set)}, or guards.allowEmptyOrigin.`;
  const text = `Guard: the origin lists no path at all - held, nothing would be published.${release}`;
  return wrapped(text, style.width, '  ');
}
