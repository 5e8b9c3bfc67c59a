import type { Completion } from '../command-model.ts';
import {
  type CommandEntry,
  type CompletionTables,
  type OptionEntry,
  type ValueEntry,
  type Word,
  wordsBeforeValue,
} from './tables.ts';

/** Completion for zsh, with descriptions: to be sourced, or put into a folder of `$fpath` as `_vsync`. */
export function zshCompletion(tables: CompletionTables): string {
  const { commands, globals, values } = tables;
  const withValue = wordsBeforeValue(tables).join('|');
  const paths = commands.filter(({ path }) => path !== '');
  return `#compdef vsync
# vsync completion for zsh. In ~/.zshrc, after compinit: source <(vsync completion zsh)
_vsync() {
  local prev='' command='' word
  local -i i=2
  local -a own more following globals
  while (( i < CURRENT )); do
    word=\${words[i]}
    prev=''
    case $word in
      (${withValue})
        prev=$word
        (( i++ ))
        (( i < CURRENT )) && prev=''
        ;;
      (-*) ;;
      (*)
        case "$command $word" in
${paths.map(({ path }) => `          (${quoted(path.includes(' ') ? path : ` ${path}`)}) command=${quoted(path)} ;;`).join('\n')}
        esac
        ;;
    esac
    (( i++ ))
  done
  if [[ $PREFIX == --*=* ]]; then
    prev=\${PREFIX%%=*}
    compset -P '*='
  fi

  [[ -z $prev ]] || case "$command $prev" in
${values.map((entry) => `    (${patternOf(entry)}) ${offer(entry.completion)} return ;;`).join('\n')}
  esac
  case $command in
${commands.map(branch).join('\n')}
  esac
  [[ $PREFIX == -* ]] || return
  globals=(
${optionLines(globals, false)}
  )
  [[ $PREFIX == --?* ]] && globals+=($more
${optionLines(globals, true)}
  )
  own+=($globals)
  _describe -o option own
}

if [[ $funcstack[1] == _vsync ]]; then
  _vsync "$@"
else
  compdef _vsync vsync
fi
`;
}

/** `'init --for'`, or `*' --config'` for an option that every command takes. */
function patternOf({ path, names }: ValueEntry): string {
  return names
    .map((name) => (path === undefined ? `*${quoted(` ${name}`)}` : quoted(`${path} ${name}`)))
    .join('|');
}

/** What a command offers: its options are collected, what may follow it is offered at once. */
function branch({ path, children, options, argument }: CommandEntry): string {
  const own = optionLines(options, false);
  const hidden = optionLines(options, true);
  const offered =
    argument === undefined
      ? children.length === 0
        ? ''
        : `[[ $PREFIX == -* ]] || {\n        following=(\n${wordLines(children)}\n        )\n        _describe command following\n      }`
      : `[[ $PREFIX == -* ]] || { ${offer(argument)} }`;
  return [
    `    (${quoted(path)})`,
    ...(own === '' ? [] : [`      own=(\n${own}\n      )`]),
    ...(hidden === '' ? [] : [`      more=(\n${hidden}\n      )`]),
    ...(offered === '' ? [] : [`      ${offered}`]),
    '      ;;',
  ].join('\n');
}

function offer(completion: Completion): string {
  switch (completion.kind) {
    case 'words':
      return `compadd -- ${completion.words.map(quoted).join(' ')};`;
    case 'file':
      return '_files;';
    case 'directory':
      return '_files -/;';
    case 'nothing':
      return '_message value;';
  }
}

function optionLines(options: readonly OptionEntry[], hidden: boolean): string {
  return wordLines(
    options
      .filter((option) => option.hidden === hidden)
      .map(({ names, description }) => ({ word: names.at(-1) ?? '', description })),
  );
}

/** `'word:description'`, as `_describe` takes them. */
function wordLines(words: readonly Word[]): string {
  return words
    .map(({ word, description }) => `          ${quoted(`${word}:${description.replaceAll(':', '\\:')}`)}`)
    .join('\n');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
