import { type Alias, aliases, findAlias, isNotSupportedYet } from './aliases.ts';
import { didYouMeanText } from './did-you-mean.ts';
import {
  type Document,
  type DocumentNode,
  type Format,
  type MapEntry,
  type MapNode,
  placed,
} from './document.ts';
import { findGroup, findKey, groupSpecs, keySpecs } from './keys.ts';
import { type Problem, printableKey } from './problem.ts';
import { placeOf, type Source } from './source.ts';

/** A value that some source gives a key. */
export interface Assignment {
  /** Canonical. */
  readonly key: string;
  readonly node: DocumentNode;
  readonly format: Format;
  readonly source: Source;
  /** The highest one counts: see `ranks`. */
  readonly rank: number;
}

/** What each kind of source adds to a rank; later files add 1 each, and an alias counts less than the key itself. */
export const ranks = {
  flag: 4e6,
  environment: 3e6,
  /** One of the `destinations` of a file. */
  destination: 2.5e6,
  file: 2e6,
  shell: 1e6,
  alias: -0.5,
} as const;

/** An old key found in a document, with the keys that lead to it as written. */
export interface AliasUse {
  readonly alias: Alias;
  readonly path: readonly string[];
}

export interface Assigned {
  readonly assignments: readonly Assignment[];
  readonly problems: readonly Problem[];
  readonly aliasUses: readonly AliasUse[];
}

/**
 * The keys that a document sets, by Go vsync's rules: any case, dots equal nesting at every level, `null` is not set.
 * Reports unknown, old and repeated keys.
 */
export function assignmentsOf(document: Document, file: string, rank: number): Assigned {
  const walker = new Walker(document.format, file, rank);
  if (document.root !== undefined) walker.walk(document.root, [], []);
  walker.summarize();
  return walker;
}

/** What a file has beyond these is told as a number: nobody reads it, and finding near names for each would take long. */
const maxProblems = 100;

class Walker implements Assigned {
  readonly assignments: Assignment[] = [];
  readonly problems: Problem[] = [];
  readonly aliasUses: AliasUse[] = [];
  readonly #seen = new Map<string, string>();
  #leftOut = 0;
  #leftOutErrors = false;
  readonly #format: Format;
  readonly #file: string;
  readonly #rank: number;

  constructor(format: Format, file: string, rank: number) {
    this.#format = format;
    this.#file = file;
    this.#rank = rank;
  }

  walk(map: MapNode, prefix: readonly string[], rawPath: readonly string[]): void {
    const here = new Map<string, string>();
    for (const entry of this.#withBlocksJoined(map.entries, prefix)) {
      const path = [...prefix, ...entry.key.split('.')];
      const dotted = path.join('.');
      const first = here.get(entry.key.toLowerCase());
      if (first !== undefined) this.#repeated(entry, dotted, first);
      else {
        here.set(entry.key.toLowerCase(), this.#place(entry));
        this.#entry(entry, dotted, [...rawPath, entry.key]);
      }
    }
  }

  #entry(entry: MapEntry, dotted: string, rawPath: readonly string[]): void {
    const spec = findKey(dotted);
    if (spec !== undefined) {
      this.#assign(spec.key, entry, this.#rank);
      return;
    }
    const group = findGroup(dotted);
    if (group !== undefined) {
      this.#group(entry, group, rawPath);
      return;
    }
    const alias = findAlias(dotted);
    if (alias !== undefined) this.#alias(alias, entry, rawPath);
    else if (dotted !== '$schema') this.#unknown(entry, dotted);
  }

  #group({ value, at }: MapEntry, group: string, rawPath: readonly string[]): void {
    if (value.kind === 'map') this.walk(value, group.split('.'), rawPath);
    else if (value.kind === 'list' || value.value !== null) {
      const example = keySpecs.find((spec) => spec.key.startsWith(`${group}.`))?.key.slice(group.length + 1);
      this.#problem('CONFIG_BAD_VALUE', at, group, 'must hold keys, not a value', `such as ${example}`);
    }
  }

  #alias(alias: Alias, entry: MapEntry, rawPath: readonly string[]): void {
    this.aliasUses.push({ alias, path: rawPath });
    const used = alias.to.length === 0 ? '' : ' (used as that)';
    this.#problem(
      'CONFIG_DEPRECATED_KEY',
      entry.at,
      alias.from,
      'is an old key',
      `${alias.hint}${used}`,
      'warning',
    );
    for (const key of alias.to) this.#assign(key, entry, this.#rank + ranks.alias);
  }

  #assign(key: string, entry: MapEntry, rank: number): void {
    const { value } = entry;
    if (value.kind === 'scalar' && value.value === null) return;
    const first = this.#seen.get(`${rank} ${key}`);
    if (first !== undefined) {
      this.#repeated(entry, key, first);
      return;
    }
    this.#seen.set(`${rank} ${key}`, this.#place(entry));
    const source: Source = { kind: 'file', file: this.#file, ...placed(entry.at) };
    this.assignments.push({ key, node: value, format: this.#format, source, rank });
  }

  /** Tells of the problems that were left out. */
  summarize(): void {
    if (this.#leftOut === 0) return;
    this.problems.push({
      severity: this.#leftOutErrors ? 'error' : 'warning',
      code: 'CONFIG_UNKNOWN_KEY',
      place: placeOf({ kind: 'file', file: this.#file }),
      message: `has ${this.#leftOut} more problems like these`,
    });
  }

  #unknown(entry: MapEntry, dotted: string): void {
    const key = printableKey(dotted);
    const [message, hint] = this.#isFull() ? ['is not a known key', undefined] : unknownKeyText(dotted);
    this.#problem('CONFIG_UNKNOWN_KEY', entry.at, key, message, hint, 'warning');
  }

  #repeated(entry: MapEntry, dotted: string, first: string): void {
    const key = printableKey(findKey(dotted)?.key ?? findGroup(dotted) ?? dotted);
    const message = `is there twice; the first one is at ${first}`;
    this.#problem('CONFIG_CONFLICT', entry.at, key, message, 'keep one of them');
  }

  /** HCL writes a list, and a map in several pieces, as blocks of the same name. */
  #withBlocksJoined(entries: readonly MapEntry[], prefix: readonly string[]): readonly MapEntry[] {
    if (this.#format !== 'hcl') return entries;
    const joined = new Map<string, MapEntry>();
    for (const entry of entries) {
      const name = entry.key.toLowerCase();
      const before = joined.get(name)?.value;
      const { value } = entry;
      const isTransforms = findKey([...prefix, entry.key].join('.'))?.kind === 'transforms';
      if (isTransforms) {
        const items = [
          ...(before?.kind === 'list' ? before.items : []),
          ...(value.kind === 'list' ? value.items : [value]),
        ];
        joined.set(name, {
          ...(joined.get(name) ?? entry),
          value: { ...placed(value.at), kind: 'list', items },
        });
      } else if (before?.kind === 'map' && value.kind === 'map') {
        joined.set(name, { ...entry, value: { ...before, entries: [...before.entries, ...value.entries] } });
      } else joined.set(before === undefined ? name : `${name} again`, entry);
    }
    return [...joined.values()];
  }

  #isFull(): boolean {
    return this.problems.length >= maxProblems;
  }

  #place(entry: MapEntry): string {
    return placeOf({ kind: 'file', file: this.#file, ...placed(entry.at) });
  }

  #problem(
    code: Problem['code'],
    at: MapEntry['at'],
    key: string,
    message: string,
    hint: string | undefined,
    severity: Problem['severity'] = 'error',
  ): void {
    if (this.#isFull()) {
      this.#leftOut++;
      this.#leftOutErrors ||= severity === 'error';
      return;
    }
    const place = placeOf({ kind: 'file', file: this.#file, ...placed(at) });
    this.problems.push({ severity, code, place, key, message, ...(hint !== undefined && { hint }) });
  }
}

/** Message and hint for a key that is not known. */
export function unknownKeyText(dotted: string): [message: string, hint: string | undefined] {
  if (isNotSupportedYet(dotted)) return ['is not supported yet', 'it is ignored; remove it'];
  const known = [
    ...keySpecs.map((spec) => spec.key),
    ...groupSpecs.map((spec) => spec.group),
    ...aliases.map(({ from }) => from),
  ];
  return ['is not a known key', didYouMeanText(dotted, known)];
}
