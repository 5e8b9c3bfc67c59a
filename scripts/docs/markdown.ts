import type { OptionModel } from '../../src/commands/command-model.ts';

/** A table; what has a line break or a bar in it is made fit for a cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('\n', ' ').replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

/** Text as code; empty stays empty. */
export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

/** Says where a page comes from, for whoever wants to edit it. */
export function generatedFrom(sources: string): string {
  return `<!-- Made by \`npm run docs\` from ${sources}; a test fails when it is stale. -->`;
}

/** What an option is for, with the words that may stand for its value where the description does not name them, and its default. */
export function optionText({ description, value, default: fallback }: OptionModel): string {
  const words = value?.completion.kind === 'words' ? value.completion.words : [];
  const named = words.every((word) => description.includes(word));
  const text = named ? description : `${description.replace(/\.$/, '')}: ${words.map(code).join(', ')}`;
  return fallback === undefined ? text : `${text} (default ${code(fallback)})`;
}
