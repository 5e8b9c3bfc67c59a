import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Where the time of a CPU profile went: by part of the program, by function, and by function with all that it calls. */

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[];
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

const rowsShown = 45;

/** The profile of a program whose files have source maps beside them. */
export function summarize(profileFile: string): string {
  const profile = JSON.parse(readFileSync(profileFile, 'utf8')) as Profile;
  const placeOf = places();
  const self = selfTimes(profile);
  const total = [...self.values()].reduce((sum, us) => sum + us, 0);
  const byPart = new Map<string, number>();
  const byFunction = new Map<string, number>();
  for (const { id, callFrame } of profile.nodes) {
    const us = self.get(id) ?? 0;
    const { part, place } = placeOf(callFrame);
    add(byPart, part, us);
    add(byFunction, place, us);
  }
  return [
    `sampled ${(total / 1e6).toFixed(2)} s`,
    `\nby part\n${topOf(byPart, total)}`,
    `\nby function, without what it calls\n${topOf(byFunction, total)}`,
    `\nby function of src, with all that it calls\n${topOf(inclusiveTimes(profile, self, placeOf), total)}`,
  ].join('\n');
}

function selfTimes({ samples, timeDeltas }: Profile): ReadonlyMap<number, number> {
  const self = new Map<number, number>();
  // A delta is the time since the sample before: it belongs to that one.
  for (let i = 0; i + 1 < samples.length; i += 1) add(self, samples[i] as number, timeDeltas[i + 1] ?? 0);
  return self;
}

/** Each function counts once for a stack that it is in, however often. */
function inclusiveTimes(
  { nodes }: Profile,
  self: ReadonlyMap<number, number>,
  placeOf: (frame: CallFrame) => Place,
): ReadonlyMap<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const inclusive = new Map<string, number>();
  const visit = (node: ProfileNode, above: ReadonlySet<string>) => {
    const { part, place } = placeOf(node.callFrame);
    const stack = part.startsWith('src/') && !above.has(place) ? new Set([...above, place]) : above;
    for (const each of stack) add(inclusive, each, self.get(node.id) ?? 0);
    for (const child of node.children ?? []) visit(byId.get(child) as ProfileNode, stack);
  };
  visit(nodes[0] as ProfileNode, new Set());
  return inclusive;
}

interface Place {
  /** `src/vault`, `undici`, `node:internal`, `(idle)` */
  readonly part: string;
  readonly place: string;
}

function places(): (frame: CallFrame) => Place {
  const maps = new Map<string, SourceMap | undefined>();
  const mapOf = (url: string): SourceMap | undefined => {
    const file = `${fileURLToPath(url)}.map`;
    if (!maps.has(file))
      maps.set(file, existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, 'utf8'))) : undefined);
    return maps.get(file);
  };
  return ({ functionName, url, lineNumber, columnNumber }) => {
    const name = functionName === '' ? '(anonymous)' : functionName;
    if (url === '') return { part: name.startsWith('(') ? name : 'native', place: name };
    if (!url.startsWith('file:')) return { part: 'node', place: `${name} ${url}` };
    const entry = mapOf(url)?.findEntry(lineNumber, columnNumber);
    const source = entry !== undefined && 'originalSource' in entry ? entry.originalSource : url;
    const line = entry !== undefined && 'originalLine' in entry ? entry.originalLine + 1 : lineNumber + 1;
    const short = source.replace(/^.*\/(?=src\/|node_modules\/)/, '').replace('node_modules/', '');
    const part = short.startsWith('src/')
      ? short.split('/').slice(0, 2).join('/')
      : (short.split('/')[0] ?? short);
    return { part, place: `${name} ${short}:${line}` };
  };
}

function topOf(times: ReadonlyMap<string, number>, total: number): string {
  return [...times]
    .sort(([, a], [, b]) => b - a)
    .slice(0, rowsShown)
    .filter(([, us]) => us / total >= 0.002)
    .map(
      ([name, us]) =>
        `${((us / total) * 100).toFixed(1).padStart(6)} %  ${(us / 1000).toFixed(0).padStart(6)} ms  ${name}`,
    )
    .join('\n');
}

function add<K>(sums: Map<K, number>, key: K, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}
