import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLError,
} from 'yaml';
import {
  type DocumentNode,
  type MapEntry,
  type MapNode,
  type ParseResult,
  placed,
  type SyntaxFault,
} from '../document.ts';
import type { Position } from '../source.ts';
import { positionsIn } from '../text-positions.ts';

/** Types that Go vsync's library does not know, or gives as texts. */
const unwanted = /:(timestamp|binary|omap|pairs|set)$/;

/**
 * How Go vsync's library reads YAML: as 1.1 (`yes` and `on` are booleans, `012` is octal, `<<` merges), but `1:30` and dates are texts.
 * `uniqueKeys` is off since it is quadratic (9 s for 40,000 keys) and the loader looks for duplicates itself; `prettyErrors` is off since
 * those quote the text.
 */
export const yamlOptions = {
  version: '1.1',
  prettyErrors: false,
  uniqueKeys: false,
  customTags: (tags) =>
    tags.filter((tag) => typeof tag !== 'string' && tag.format !== 'TIME' && !unwanted.test(tag.tag)),
} as const satisfies Parameters<typeof parseDocument>[1];

/** A configuration has some hundred values; aliases that unfold to this many are a bomb. */
const maxNodes = 100_000;

/** Reads YAML; anchors and merges are resolved. */
export function parseYaml(text: string): ParseResult {
  const positionOf = positionsIn(text);
  const parsed = parseDocument(text, yamlOptions);
  const [error] = parsed.errors;
  if (error !== undefined) return { fault: { ...describeError(error), at: positionOf(error.pos[0]) } };
  const { contents } = parsed;
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return { document: { format: 'yaml', root: undefined } };
  }
  try {
    const root = new Reader(positionOf).read(contents);
    if (root.kind === 'map') return { document: { format: 'yaml', root } };
    return {
      fault: {
        message: 'holds no keys',
        hint: 'the file must be one mapping of keys to values',
        ...placed(root.at),
      },
    };
  } catch (thrown) {
    if (thrown instanceof Unreadable) return { fault: thrown.fault };
    throw thrown;
  }
}

class Unreadable extends Error {
  readonly fault: SyntaxFault;

  constructor(fault: SyntaxFault) {
    super(fault.message);
    this.fault = fault;
  }
}

/** Turns one document's nodes into ours: anchors are resolved in order of appearance, as YAML wants it. */
class Reader {
  readonly #positionOf: (offset: number) => Position;
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #nodes = 0;

  constructor(positionOf: (offset: number) => Position) {
    this.#positionOf = positionOf;
  }

  read(node: unknown): DocumentNode {
    this.#nodes++;
    if (this.#nodes > maxNodes) throw new Unreadable({ message: `unfolds to more than ${maxNodes} values` });
    if (isAlias(node)) return this.#alias(node.source, this.#at(node));
    if (isScalar(node)) {
      if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
      return scalar(node, this.#at(node));
    }
    if (!isMap(node) && !isSeq(node)) return { kind: 'scalar', value: null, text: '' };
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    const at = placed(this.#at(node));
    this.#open.add(node);
    const result: DocumentNode = isMap(node)
      ? { kind: 'map', entries: this.#entries(node.items), ...at }
      : { kind: 'list', items: node.items.map((item) => this.read(item)), ...at };
    this.#open.delete(node);
    return result;
  }

  #alias(name: string, at: Position | undefined): DocumentNode {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      throw new Unreadable({
        message: 'an alias (*name) without an anchor (&name) before it',
        hint: 'put a text that begins with * in quotes',
        ...placed(at),
      });
    }
    if (this.#open.has(target))
      throw new Unreadable({ message: 'an alias inside its own anchor', ...placed(at) });
    return { ...this.read(target), ...placed(at) };
  }

  #entries(pairs: readonly Pair[]): MapEntry[] {
    const own: MapEntry[] = [];
    const merged: MapEntry[] = [];
    for (const { key, value } of pairs) {
      const at = this.#at(key);
      if (!isScalar(key)) throw new Unreadable({ message: 'a key that is not a text', ...placed(at) });
      if (key.anchor !== undefined) this.#anchors.set(key.anchor, key);
      const name = key.source ?? String(key.value);
      if (name === '<<' && key.type === 'PLAIN') merged.push(...this.#merge(this.read(value), at));
      else own.push({ key: name, ...placed(at), value: this.read(value) });
    }
    const known = new Set(own.map((entry) => entry.key));
    // A key of the map itself wins over a merged one, and of merged maps the first.
    return [...own, ...merged.filter((entry) => !known.has(entry.key) && known.add(entry.key))];
  }

  #merge(node: DocumentNode, at: Position | undefined): readonly MapEntry[] {
    const maps = node.kind === 'list' ? node.items : [node];
    if (maps.every((map): map is MapNode => map.kind === 'map')) return maps.flatMap((map) => map.entries);
    throw new Unreadable({ message: '<< merges something that is no mapping', ...placed(at) });
  }

  #at(node: unknown): Position | undefined {
    const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined;
    return range == null ? undefined : this.#positionOf(range[0]);
  }
}

function scalar(node: Scalar, at: Position | undefined): DocumentNode {
  const { value } = node;
  const text = node.source ?? '';
  if (value === null || typeof value === 'boolean' || typeof value === 'number') {
    return { kind: 'scalar', value, text, ...placed(at) };
  }
  const written = typeof value === 'string' ? value : text;
  return { kind: 'scalar', value: written, text: written, ...placed(at) };
}

/** Own texts: those of the library quote parts of the file. */
const messages: Partial<Record<YAMLError['code'], string>> = {
  BAD_ALIAS: 'an alias that cannot be',
  BAD_DQ_ESCAPE: 'an unknown escape in a text in double quotes',
  BAD_INDENT: 'wrong indentation, or a bracket that is not closed',
  BAD_SCALAR_START: 'a text that begins with a reserved character must be in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'wrong indentation, or a text with a colon that must be in quotes',
  MISSING_CHAR: 'a quote, a bracket or a colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a key that spans more than one line',
  MULTIPLE_DOCS: 'more than one document',
  TAB_AS_INDENT: 'a tab as indentation',
};

function describeError({ code }: YAMLError): { message: string; hint?: string } {
  const message = `not valid YAML: ${messages[code] ?? 'something unexpected'}`;
  if (code === 'MULTIPLE_DOCS') return { message, hint: 'give each document a file of its own' };
  if (code === 'TAB_AS_INDENT') return { message, hint: 'indent with spaces' };
  return { message };
}
