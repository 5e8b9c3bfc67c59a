import type { Config } from '../../config/config.ts';
import type { NodeStatus } from '../../consul/node-store.ts';
import { shortSet } from '../../sync/delete-guard.ts';
import { nodeName } from '../node-name.ts';
import { ago, inFuture, span } from '../terminal/relative-time.ts';
import {
  type Color,
  counted,
  grouped,
  paint,
  quotedWord,
  shownPath,
  type TextStyle,
} from '../terminal/text-style.ts';
import { wrapText } from '../terminal/wrap-text.ts';
import type { DestinationPair, Fleet, FleetNode } from './fleet.ts';
import type { StatusWord } from './word.ts';

/** The fleet for a person to read: a row for each node, below it what needs one's attention, and last how the sync infos compare. */

const colors: Readonly<Record<StatusWord, Color>> = {
  Failed: 'boldRed',
  Paused: 'yellow',
  Held: 'boldRed',
  Degraded: 'yellow',
  Progressing: 'green',
  Unknown: 'yellow',
  OutOfSync: 'yellow',
  InSync: 'green',
};

export interface StatusContext {
  /** What the process of these files serves. */
  readonly configs: readonly Config[];
  /** The files of the configuration, as a command for this node names them. */
  readonly files: readonly string[];
  readonly style: TextStyle;
  readonly nowMs: number;
}

export function statusText(fleet: Fleet, context: StatusContext): string {
  const { style } = context;
  const lines = [
    `vsync status: ${paint(fleet.word, colors[fleet.word], style)}`,
    '',
    ...(fleet.nodes.length === 0
      ? [wrapText(fleet.errors.length === 0 ? nobody : 'No node could be read.', style.width)]
      : nodeLines(fleet.nodes, context)),
  ];
  const infos = infoLines(fleet, context);
  if (infos.length > 0) lines.push('', ...infos);
  return `${lines.join('\n')}\n`;
}

const nobody = 'No node has told anything yet: vsync origin and vsync destination do after each cycle.';

/** The cells of a node's row, and their headings. */
const headings = ['NODE', 'STATUS', 'LAST CYCLE', 'NEXT', 'PATHS', 'VERSION'] as const;

function nodeLines(nodes: readonly FleetNode[], context: StatusContext): string[] {
  const { style } = context;
  const rows = nodes.map((node) => ({ node, cells: cellsOf(node, context.nowMs) }));
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...rows.map(({ cells }) => (cells[i] as string).length)),
  );
  const fits = widths.reduce((sum, width) => sum + width + 2, 0) <= style.width;
  if (!fits)
    return rows.flatMap(({ node, cells }) => [...block(cells, node, style), ...details(node, context)]);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] as number))
      .join('  ')
      .trimEnd();
  return [
    paint(line(headings), 'dim', style),
    ...rows.flatMap(({ node, cells }) => [
      line(cells).replace(/(?<= {2})\S+/, (word) => paint(word, colors[node.word], style)),
      ...details(node, context),
    ]),
  ];
}

/** One node without room for a row. */
function block(cells: readonly string[], node: FleetNode, style: TextStyle): string[] {
  const [name, word, last, next, paths, version] = cells as [string, string, string, string, string, string];
  return [
    `${name}: ${paint(word, colors[node.word], style)}`,
    `  last cycle  ${last}`,
    `  next        ${next}`,
    `  paths       ${paths}, vsync ${version}`,
  ];
}

function cellsOf({ status, word, paths }: FleetNode, nowMs: number): string[] {
  const { result, cycleEndedAt, nextCycleAt, vsyncVersion } = status;
  return [
    nodeName(status),
    word,
    `${ago(cycleEndedAt, nowMs)}, ${result}${changesOf(status)}`,
    nextCycleAt === undefined ? '-' : inFuture(nextCycleAt, nowMs),
    paths === undefined ? '-' : grouped(paths),
    vsyncVersion,
  ].map(shownPath);
}

/** What the last cycle did at a destination, with the marks of a plan: ` +3 ~1`. */
function changesOf({ counts }: NodeStatus): string {
  const marks = [
    ['+', counts.added],
    ['~', counts.updated],
    ['-', counts.deleted],
  ] as const;
  return marks.map(([mark, count]) => (count ? ` ${mark}${grouped(count)}` : '')).join('');
}

/** What needs attention, each on lines of its own. */
function details(node: FleetNode, context: StatusContext): string[] {
  const { status, silentSince } = node;
  const { errorCode, errorMessage, counts } = status;
  const lines: string[] = [];
  if (silentSince !== undefined) lines.push(silentText(status, silentSince, context.nowMs));
  const failed = counts.failed ?? 0;
  if (failed > 0) lines.push(`${counted(failed, 'path')} failed in the last cycle`);
  if (status.held === undefined && errorCode !== undefined) lines.push(`${errorCode}: ${errorMessage ?? ''}`);
  const { width } = context.style;
  const shown = lines.map((line) => wrapText(`    ${shownPath(line)}`, width, '    '));
  return [...shown, ...heldLines(node, context)];
}

function silentText({ health, sync, nextCycleAt }: NodeStatus, since: string, nowMs: number): string {
  const said = health === 'Healthy' ? sync : health;
  const due = nextCycleAt === undefined ? '' : `, though a cycle was due ${ago(nextCycleAt, nowMs)}`;
  return `silent since ${since}${due}; it last said ${said}`;
}

function heldLines({ status, approval }: FleetNode, context: StatusContext): string[] {
  const { configs, files, style, nowMs } = context;
  const { held, role, name } = status;
  if (held === undefined) return [];
  const { deletes, paths, limit } = held;
  const set = shownPath(shortSet(held.set));
  const isOwn = configs.some((config) => role === config.role && name === config.name);
  const flags = [
    ...(role === 'origin' ? ['--role origin'] : []),
    ...(isOwn ? files.map((file) => `-c ${quotedWord(file)}`) : ['-c <its configuration>']),
    ...(isOwn && configs.length > 1 ? [`--node ${quotedWord(name)}`] : []),
  ];
  const numbers = `${counted(deletes, 'delete')} of ${counted(paths, 'path')} held, the limit is ${grouped(limit)}`;
  if (approval?.set === held.set) {
    const until = `${approval.until} (${inFuture(approval.until, nowMs)})`;
    const text = `${numbers}; approved by ${shownPath(approval.by)} until ${until}: the next cycle makes them`;
    return [wrapText(`    ${text}`, style.width, '    ')];
  }
  return [
    wrapText(`    ${numbers}; if intended:`, style.width, '    '),
    `      vsync approve ${[set, ...flags].join(' ')}`,
  ];
}

function infoLines({ infos, pairs, nodes }: Fleet, { nowMs, style }: StatusContext): string[] {
  const lines = infos.map(({ side, prefix, numBuckets, paths }) => {
    const published = side === 'origin' ? publishedAt(nodes) : undefined;
    const when = published === undefined ? '' : `, published ${ago(published, nowMs)}`;
    return `${side} info at ${shownPath(prefix)}: ${counted(paths, 'path')} in ${counted(numBuckets, 'bucket')}${when}`;
  });
  const compared = pairs.map((pair) => {
    const whose = pairs.length > 1 ? `${shownPath(pair.destination)}: ` : '';
    const adopts =
      pair.adopts === undefined
        ? ''
        : ` The destination adopts ${counted(pair.adopts, 'bucket')} in its next cycle.`;
    return `${whose}${pairText(pair, nowMs)}${adopts}`;
  });
  return [...lines, ...compared].map((line) => wrapText(line, style.width, '  '));
}

/** When the origin last found its published info to be right. */
function publishedAt(nodes: readonly FleetNode[]): string | undefined {
  return nodes.find(({ status }) => status.role === 'origin')?.status.lastSuccessAt;
}

function pairText(pair: DestinationPair, nowMs: number): string {
  const { inSync, differing, of, pending, ignored, oldestPendingAt } = pair;
  const stays =
    ignored === 0
      ? ''
      : ` (${counted(ignored, 'difference')} ${ignored === 1 ? 'stays' : 'stay'} as configured)`;
  if (inSync) return `The infos are in sync${stays}.`;
  const buckets = `${grouped(differing)} of ${counted(of, 'bucket')} ${differing === 1 ? 'differs' : 'differ'}`;
  const tasks = (['add', 'update', 'delete'] as const)
    .filter((kind) => pending[kind] > 0)
    .map((kind) => `${grouped(pending[kind])} to ${kind}`)
    .join(', ');
  const lag = oldestPendingAt === undefined ? '' : `; lag ${span(nowMs - Date.parse(oldestPendingAt))}`;
  return `${buckets}: ${tasks}${lag}${stays}.`;
}
