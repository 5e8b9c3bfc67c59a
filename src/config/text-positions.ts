import type { Position } from './source.ts';

/** Line and column of each offset of `text`. */
export function positionsIn(text: string): (offset: number) => Position {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

/** Far more than a configuration has, and far less than the parsers stand. */
const maxDepth = 200;

/**
 * The offset at which brackets, or the blocks of YAML, nest deeper than any configuration; `undefined` if nowhere.
 * Parsers of nested texts call themselves; yaml 2.9.1 ends the whole process on 1,500 nested `- ` (V8 aborts compiling a regular
 * expression with an exhausted stack, which nothing can catch), so this is asked before any of them.
 */
export function tooDeepAt(text: string): number | undefined {
  const line = new RegExp(`^[ \\t?:-]{${maxDepth}}`, 'm').exec(text);
  if (line !== null) return line.index;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '[' || char === '{') depth++;
    else if ((char === ']' || char === '}') && depth > 0) depth--;
    if (depth > maxDepth) return i;
  }
  return undefined;
}
