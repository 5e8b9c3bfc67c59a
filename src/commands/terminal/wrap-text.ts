/**
 * Text in lines of at most `width` columns, broken at spaces; the first keeps the spaces it begins with, all others begin with `indent`.
 * A longer word has a line of its own.
 */
export function wrapText(text: string, width: number, indent = ''): string {
  // Not within a number: 4 209, 10 %.
  const [first = '', ...words] = text.trimStart().split(/(?<!\d) | (?!\d{3}(?!\d)|%)/);
  const lines = [text.slice(0, text.length - text.trimStart().length) + first];
  for (const word of words) {
    const line = `${lines.at(-1)} ${word}`;
    if (line.length <= width) lines[lines.length - 1] = line;
    else lines.push(indent + word);
  }
  return lines.join('\n');
}
