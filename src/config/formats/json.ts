import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { DocumentNode, MapEntry, ParseResult } from '../document.ts';
import type { Position } from '../source.ts';
import { positionsIn } from '../text-positions.ts';

type PositionOf = (offset: number) => Position;

/** Reads JSON; with `comments`, JSONC: comments and trailing commas. */
export function parseJson(text: string, { comments }: { comments: boolean }): ParseResult {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, {
    disallowComments: !comments,
    allowTrailingComma: comments,
    allowEmptyContent: true,
  });
  const positionOf = positionsIn(text);
  const [first] = errors;
  if (first !== undefined) {
    return { fault: { ...describeError(first, text), at: positionOf(first.offset) } };
  }
  if (tree === undefined || tree.type === 'null') return { document: { format: 'json', root: undefined } };
  const root = nodeFrom(tree, text, positionOf);
  if (root.kind !== 'map') {
    return {
      fault: {
        message: 'holds no keys',
        at: positionOf(tree.offset),
        hint: 'the file must be one object: { ... }',
      },
    };
  }
  return { document: { format: 'json', root } };
}

function nodeFrom(node: Node, text: string, positionOf: PositionOf): DocumentNode {
  const at = positionOf(node.offset);
  const children = node.children ?? [];
  if (node.type === 'object') {
    return { kind: 'map', entries: children.flatMap((child) => entryFrom(child, text, positionOf)), at };
  }
  if (node.type === 'array') {
    return { kind: 'list', items: children.map((child) => nodeFrom(child, text, positionOf)), at };
  }
  const value: string | number | boolean | null = node.value;
  const written = text.slice(node.offset, node.offset + node.length);
  return { kind: 'scalar', value, text: typeof value === 'string' ? value : written, at };
}

function entryFrom(property: Node, text: string, positionOf: PositionOf): MapEntry[] {
  const [key, value] = property.children ?? [];
  if (key === undefined || value === undefined) return [];
  return [{ key: String(key.value), at: positionOf(key.offset), value: nodeFrom(value, text, positionOf) }];
}

/** By the names of `printParseErrorCode`. */
const messages: Readonly<Record<string, string>> = {
  InvalidSymbol: 'something that is neither a text in double quotes, a number, true, false nor null',
  InvalidNumberFormat: 'a number that is not written as JSON wants it',
  PropertyNameExpected: 'a key in double quotes is missing',
  ValueExpected: 'a value is missing',
  ColonExpected: 'a colon is missing after the key',
  CommaExpected: 'a comma is missing',
  CloseBraceExpected: 'a closing } is missing',
  CloseBracketExpected: 'a closing ] is missing',
  EndOfFileExpected: 'something follows the end of the object',
  UnexpectedEndOfString: 'the closing quote of a text is missing',
  InvalidUnicode: 'an escape \\u that is not followed by four hexadecimal digits',
  InvalidEscapeCharacter: 'an unknown escape in a text',
  InvalidCharacter: 'a control character in a text',
};

function describeError(error: ParseError, text: string): { message: string; hint?: string } {
  const looseHint = 'remove it, or name the file .jsonc';
  const name = printParseErrorCode(error.error);
  if (name === 'InvalidCommentToken') {
    return { message: 'not valid JSON: a comment', hint: looseHint };
  }
  const before = text.slice(0, error.offset).trimEnd();
  if (before.endsWith(',') && /^[}\]]/.test(text.slice(error.offset))) {
    return { message: 'not valid JSON: a comma before the closing bracket', hint: looseHint };
  }
  return { message: `not valid JSON: ${messages[name] ?? 'something unexpected'}` };
}
