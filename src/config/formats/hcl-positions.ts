import type { Position } from '../source.ts';
import { positionsIn } from '../text-positions.ts';

/** The places of the keys of an HCL text: dotted path as written -> one place for each time it appears, in order. */
export type HclPositions = ReadonlyMap<string, readonly Position[]>;

const space = /(?:\s|#[^\n]*|\/\/[^\n]*|\/\*.*?\*\/)+/sy;
const heredoc = /<<-?(\w+)\r?\n.*?^[ \t]*\1[ \t]*$/msy;
const quotedText = /"((?:\\.|\$\{[^}]*\}|\$(?!\{)|[^"\\$])*)"/sy;
const word = /[^\s"{}[\],=#]+/y;

/** Finds the keys of HCL that `hcl-parser` has accepted: the library itself tells no positions of what it read. */
export function hclPositions(text: string): HclPositions {
  const positionOf = positionsIn(text);
  const found = new Map<string, Position[]>();
  const open: { kind: 'map' | 'list'; path: readonly string[] }[] = [{ kind: 'map', path: [] }];
  // The words read since the last value: a key, and after it the labels of a block.
  let pending: string[] = [];
  let at = 0;

  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  const here = () => open[open.length - 1] ?? { kind: 'map' as const, path: [] };
  const note = (name: string, offset: number): void => {
    pending.push(name);
    const path = [...here().path, ...pending].join('\0');
    const places = found.get(path);
    if (places === undefined) found.set(path, [positionOf(offset)]);
    else places.push(positionOf(offset));
  };

  let valueNext = false;
  while (at < text.length) {
    if (take(space) !== null) continue;
    const offset = at;
    const isKey = here().kind === 'map' && !valueNext;
    const name = take(heredoc) === null ? (take(quotedText)?.[1] ?? take(word)?.[0]) : '';
    if (name !== undefined) {
      if (isKey) note(name, offset);
      else if (here().kind === 'map') {
        pending = [];
        valueNext = false;
      }
      continue;
    }
    const char = text[at++];
    if (char === '=') valueNext = true;
    else if (char === '{' || char === '[') {
      open.push({ kind: char === '{' ? 'map' : 'list', path: [...here().path, ...pending] });
      pending = [];
      valueNext = false;
    } else if ((char === '}' || char === ']') && open.length > 1) open.pop();
  }
  return found;
}
