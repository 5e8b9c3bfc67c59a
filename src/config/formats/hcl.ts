import { type DocumentNode, type MapEntry, type ParseResult, placed } from '../document.ts';
import { printableKey } from '../problem.ts';
import type { Position } from '../source.ts';
import { type HclPositions, hclPositions } from './hcl-positions.ts';

/** Reads HCL1, the language of Go vsync's library. Blocks of one name are one map, unless they stand for a list (`transforms`). */
export async function parseHcl(text: string): Promise<ParseResult> {
  const parse = await loadParser();
  const [data, error] = parse(text);
  if (error !== null || !isObject(data)) {
    return { fault: { message: 'not valid HCL', ...placed(errorPosition(error)) } };
  }
  const positions = hclPositions(text);
  const reader = new Reader(positions);
  const entries = reader.entries(data, []);
  const repeated = reader.unread();
  if (repeated !== undefined) {
    return {
      fault: {
        message: `the key ${printableKey(repeated.key)} is there twice, or has no value`,
        ...placed(repeated.at),
      },
    };
  }
  return { document: { format: 'hcl', root: entries.length === 0 ? undefined : { kind: 'map', entries } } };
}

/** The library is Go compiled to JavaScript: it changes two globals when loaded, which are put back. */
async function loadParser(): Promise<typeof import('hcl-parser')['parse']> {
  const { stackTraceLimit } = Error;
  const had = Object.hasOwn(globalThis, 'require');
  const { default: hcl } = await import('hcl-parser');
  Error.stackTraceLimit = stackTraceLimit;
  if (!had) Reflect.deleteProperty(globalThis, 'require');
  return hcl.parse;
}

function errorPosition(error: unknown): Position | undefined {
  const position = isObject(error) ? error.Pos : undefined;
  if (!isObject(position)) return undefined;
  const { Line: line, Column: column } = position;
  return typeof line === 'number' && typeof column === 'number' ? { line, column } : undefined;
}

class Reader {
  readonly #positions: HclPositions;
  readonly #used = new Map<string, number>();

  constructor(positions: HclPositions) {
    this.#positions = positions;
  }

  entries(data: Record<string, unknown>, path: readonly string[]): MapEntry[] {
    return Object.entries(data).flatMap(([key, value]) => {
      const here = [...path, key];
      if (!isListOfObjects(value)) return [this.#entry(key, value, here)];
      return value.map((block) => this.#entry(key, block, here));
    });
  }

  /** A key that the text has more often than the library's result: it keeps only the last of equal keys, and drops `a =`. */
  unread(): { key: string; at: Position } | undefined {
    for (const [path, places] of this.#positions) {
      const at = places[this.#used.get(path) ?? 0];
      if (at !== undefined) return { key: path.split('\0').join('.'), at };
    }
    return undefined;
  }

  #entry(key: string, value: unknown, path: readonly string[]): MapEntry {
    const name = path.join('\0');
    const count = this.#used.get(name) ?? 0;
    this.#used.set(name, count + 1);
    const places = this.#positions.get(name);
    const at = placed(places?.[count] ?? places?.at(-1));
    return { key, ...at, value: this.#node(value, path, at) };
  }

  #node(value: unknown, path: readonly string[], at: { at?: Position }): DocumentNode {
    if (Array.isArray(value)) {
      return { kind: 'list', items: value.map((item) => this.#node(item, path, at)), ...at };
    }
    if (isObject(value)) return { kind: 'map', entries: this.entries(value, path), ...at };
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return { kind: 'scalar', value, text: String(value), ...at };
    }
    return { kind: 'scalar', value: null, text: '', ...at };
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOfObjects(value: unknown): value is Record<string, unknown>[] {
  return Array.isArray(value) && value.length > 0 && value.every(isObject);
}
