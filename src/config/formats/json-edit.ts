import {
  applyEdits,
  type FormattingOptions,
  findNodeAtLocation,
  getNodeValue,
  modify,
  parseTree,
} from 'jsonc-parser';
import { type Edited, type Move, renameOf } from '../move.ts';

/** Moves and removes keys of a JSON text; the formatting of all else, and comments, stay. */
export function migrateJson(text: string, moves: readonly Move[], comments: boolean): Edited {
  const formattingOptions = formattingOf(text);
  const parseOptions = { allowTrailingComma: comments, disallowComments: !comments };
  let result = text;
  for (const move of moves) {
    const from = [...move.from];
    const tree = parseTree(result, [], parseOptions);
    const node = tree && findNodeAtLocation(tree, from);
    if (node === undefined) continue;
    const name = renameOf(move);
    const key = node.parent?.children?.[0];
    if (name !== undefined && key !== undefined) {
      result = applyEdits(result, [
        { offset: key.offset, length: key.length, content: JSON.stringify(name) },
      ]);
      continue;
    }
    const value: unknown = getNodeValue(node);
    result = applyEdits(result, modify(result, from, undefined, { formattingOptions }));
    for (const path of move.to)
      result = applyEdits(result, modify(result, [...path], value, { formattingOptions }));
  }
  return { text: result, moved: moves, skipped: [] };
}

/** How the text is indented, from its first key. */
function formattingOf(text: string): FormattingOptions {
  const indent = /\n([ \t]+)"/.exec(text)?.[1] ?? '  ';
  const tabs = indent.startsWith('\t');
  return {
    insertSpaces: !tabs,
    tabSize: tabs ? 1 : indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
}
