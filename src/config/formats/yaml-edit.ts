import { isMap, isScalar, parseDocument, stringify, type YAMLMap } from 'yaml';
import type { DocumentNode, MapNode } from '../document.ts';
import { type Edited, type Move, renameOf } from '../move.ts';
import { yamlOptions } from './yaml.ts';

/** Moves and removes keys of a YAML text; comments, order and quotes of all else stay. */
export function migrateYaml(text: string, moves: readonly Move[]): Edited {
  if (moves.length === 0) return { text, moved: [], skipped: [] };
  const document = parseDocument(text, yamlOptions);
  const moved: Move[] = [];
  const skipped: Move[] = [];
  for (const move of moves) (apply(document, move) ? moved : skipped).push(move);
  return { text: document.toString({ lineWidth: 0 }), moved, skipped };
}

function apply(document: ReturnType<typeof parseDocument>, move: Move): boolean {
  const { from, to } = move;
  const map = from.length === 1 ? document.contents : document.getIn(from.slice(0, -1), true);
  const pair = isMap(map)
    ? map.items.find(({ key }) => isScalar(key) && key.value === from.at(-1))
    : undefined;
  if (pair === undefined) return false;
  const name = renameOf(move);
  if (name !== undefined && isScalar(pair.key)) pair.key.value = name;
  else {
    if (isMap(map)) keepCommentAbove(map, map.items.indexOf(pair));
    document.deleteIn(from);
    for (const path of to) document.setIn(path, pair.value);
  }
  return true;
}

/** A comment above a key that goes away stays where it is: it may be the heading of the file. */
function keepCommentAbove({ items }: YAMLMap, index: number): void {
  const [key, next] = [items[index]?.key, items[index + 1]?.key];
  if (!isScalar(key) || !isScalar(next) || !key.commentBefore) return;
  next.commentBefore = [key.commentBefore, next.commentBefore].filter(Boolean).join('\n');
  next.spaceBefore = key.spaceBefore ?? false;
}

/** YAML for a document that was read from another format. */
export function yamlFrom(root: MapNode | undefined): string {
  // With the options of reading, so that texts such as "yes" are quoted.
  return root === undefined ? '' : stringify(plain(root), { ...yamlOptions, lineWidth: 0 });
}

/** Blocks that HCL has several of are joined; a repeated block that is no group was a list (`transforms`). */
function plain(node: DocumentNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  const values = new Map<string, unknown>();
  for (const { key, value } of node.entries) {
    const next = plain(value);
    const before = values.get(key);
    if (before === undefined) values.set(key, key.toLowerCase() === 'transforms' ? [next].flat() : next);
    else if (Array.isArray(before)) before.push(next);
    else values.set(key, before instanceof Map && next instanceof Map ? joined(before, next) : next);
  }
  return values;
}

function joined(a: Map<string, unknown>, b: Map<string, unknown>): Map<string, unknown> {
  for (const [key, value] of b) {
    const before = a.get(key);
    a.set(key, before instanceof Map && value instanceof Map ? joined(before, value) : value);
  }
  return a;
}
