import {
  type Document,
  type DocumentNode,
  type ListNode,
  type MapEntry,
  type MapNode,
  placed,
} from './document.ts';
import type { Problem } from './problem.ts';
import { placeOf } from './source.ts';

/**
 * `destinations`: a list of destinations that one process serves. Each is written like `destination`, and has a name and, if it likes, guards
 * and ignoreDeletes of its own; what all of them share stays under `destination` and at the top.
 */

const listKey = 'destinations';

/** Keys of an element that stand at the top of a configuration, not under `destination`. */
const topKeys = new Set(['name', 'ignoredeletes', 'guards']);

/** A document without its list of destinations, and each of them as a document of its own. */
export interface SplitDocument {
  readonly rest: Document;
  readonly destinations: readonly Document[];
  readonly problems: readonly Problem[];
}

export function splitDestinations(document: Document, file: string): SplitDocument {
  const { root, format } = document;
  const found = root?.entries.find(({ key }) => key.toLowerCase() === listKey);
  if (root === undefined || found === undefined) return { rest: document, destinations: [], problems: [] };
  const rest: Document = {
    format,
    root: { ...root, entries: root.entries.filter((entry) => entry !== found) },
  };
  const items = itemsOf(found.value);
  const maps = items.filter((item): item is MapNode => item.kind === 'map');
  const wrong = maps.length !== items.length || items.length === 0;
  return {
    rest,
    destinations: maps.map((map) => ({ format, root: asConfiguration(map) })),
    problems: wrong ? [notAList(found, file)] : [],
  };
}

/** Each destination must be told apart, and keep its sync info in a place of its own. */
export function checkDestinations(
  all: readonly { readonly name: string; readonly consul: string; readonly syncPath: string }[],
): Problem[] {
  const problems: Problem[] = [];
  for (const [i, each] of all.entries()) {
    const earlier = all.slice(0, i);
    const key = `${listKey}[${i}]`;
    if (earlier.some(({ name }) => name === each.name)) {
      const message = `has the name "${each.name}", and so has another destination`;
      problems.push({
        severity: 'error',
        code: 'CONFIG_CONFLICT',
        key: `${key}.name`,
        message,
        hint: 'give each a name of its own',
      });
    }
    if (earlier.some(({ consul, syncPath }) => consul === each.consul && syncPath === each.syncPath)) {
      const message = `keeps its sync info where another destination does (${each.syncPath} in ${each.consul})`;
      problems.push({
        severity: 'error',
        code: 'CONFIG_CONFLICT',
        key: `${key}.syncPath`,
        message,
        hint: `write a syncPath of its own, such as "vsync-${each.name}/"`,
      });
    }
  }
  return problems;
}

function asConfiguration({ entries, at }: MapNode): MapNode {
  const isTop = ({ key }: MapEntry) => topKeys.has((key.split('.')[0] ?? '').toLowerCase());
  const own: MapEntry = {
    key: 'destination',
    ...placed(at),
    value: { kind: 'map', ...placed(at), entries: entries.filter((entry) => !isTop(entry)) },
  };
  return { kind: 'map', ...placed(at), entries: [...entries.filter(isTop), own] };
}

/** One map counts as a list of one, as with transforms. */
function itemsOf(node: DocumentNode): readonly DocumentNode[] {
  return node.kind === 'list' ? (node satisfies ListNode).items : [node];
}

function notAList({ at }: MapEntry, file: string): Problem {
  return {
    severity: 'error',
    code: 'CONFIG_BAD_VALUE',
    place: placeOf({ kind: 'file', file, ...placed(at) }),
    key: listKey,
    message: 'must be a list of destinations, each with its keys',
    hint: 'such as - name: iad, then vault:, consul: and syncPath: below it',
  };
}
