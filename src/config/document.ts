import type { Position } from './source.ts';

/** What every format is read into: plain data that knows where it was written. */
export type DocumentNode = MapNode | ListNode | ScalarNode;

export interface MapNode {
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
  readonly at?: Position;
}

export interface MapEntry {
  /** As written; dots in it mean nesting. */
  readonly key: string;
  /** Where the key is. */
  readonly at?: Position;
  readonly value: DocumentNode;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly DocumentNode[];
  readonly at?: Position;
}

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** As written, without quotes: a number that is meant as text keeps its digits. */
  readonly text: string;
  readonly at?: Position;
}

/** The formats differ in what counts as a boolean and in how blocks nest. `text` is the value of a flag or a variable. */
export type Format = 'json' | 'yaml' | 'hcl' | 'text';

export interface Document {
  readonly format: Format;
  /** `undefined` = the file holds nothing. */
  readonly root: MapNode | undefined;
}

/** Why a document cannot be read; never quotes the text, which may hold a secret. */
export interface SyntaxFault {
  readonly message: string;
  readonly at?: Position;
  readonly hint?: string;
}

export type ParseResult = { readonly document: Document } | { readonly fault: SyntaxFault };

/** A node for the value of a flag or an environment variable. */
export function textNode(text: string): ScalarNode {
  return { kind: 'scalar', value: text, text };
}

/** A position as an optional property. */
export function placed(at: Position | undefined): { readonly at?: Position } {
  return at === undefined ? {} : { at };
}
