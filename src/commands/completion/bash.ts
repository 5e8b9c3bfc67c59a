import type { Completion } from '../command-model.ts';
import {
  type CommandEntry,
  type CompletionTables,
  type OptionEntry,
  type ValueEntry,
  wordsBeforeValue,
} from './tables.ts';

/** Completion for bash, 3.2 of macOS included: no associative arrays, no bash-completion. */
export function bashCompletion(tables: CompletionTables): string {
  const { commands, globals, values } = tables;
  const withValue = wordsBeforeValue(tables).join('|');
  const paths = commands.filter(({ path }) => path !== '');
  return `# vsync completion for bash. In ~/.bashrc: source <(vsync completion bash)
_vsync() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev='' command='' word i=1 words='' more=''
  COMPREPLY=()
  while [ "$i" -lt "$COMP_CWORD" ]; do
    word=\${COMP_WORDS[i]}
    prev=''
    case $word in
      ${withValue})
        prev=$word
        i=$((i + 1))
        # bash makes three words of --flag=value.
        [ "\${COMP_WORDS[i]}" = = ] && [ "$i" -lt "$COMP_CWORD" ] && i=$((i + 1))
        [ "$i" -lt "$COMP_CWORD" ] && prev=''
        ;;
      -*) ;;
      *)
        case "$command $word" in
${paths.map(({ path }) => `          ${quoted(parentOf(path))}) command=${quoted(path)} ;;`).join('\n')}
        esac
        ;;
    esac
    i=$((i + 1))
  done
  [ "$cur" = = ] && cur=''

  [ -z "$prev" ] || case "$command $prev" in
${values.map((entry) => `    ${patternOf(entry)}) ${offer(entry.completion)}return ;;`).join('\n')}
  esac
  case $command in
${commands.map(branch).join('\n')}
  esac
  case $cur in
    --?*) words="$words ${wordsOf(globals, false)} $more ${wordsOf(globals, true)}" ;;
    -*) words="$words ${wordsOf(globals, false)}" ;;
  esac
  COMPREPLY+=($(compgen -W "$words" -- "$cur"))
}

_vsync_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen "$1" -- "$cur"))
}

complete -F _vsync vsync
`;
}

/** `'init --for'`, or `*' --config'` for an option that every command takes. */
function patternOf({ path, names }: ValueEntry): string {
  return names
    .map((name) => (path === undefined ? `*${quoted(` ${name}`)}` : quoted(`${path} ${name}`)))
    .join('|');
}

/** What a command offers: its options where the word begins with a dash, else what may follow it. */
function branch({ path, children, options, argument }: CommandEntry): string {
  const words = children.map(({ word }) => word).join(' ');
  const hidden = wordsOf(options, true);
  const lines = [
    `    ${quoted(path)})`,
    '      case $cur in',
    `        -*) words=${quoted(wordsOf(options, false))}${hidden === '' ? '' : ` more=${quoted(hidden)}`} ;;`,
    `        *) ${argument === undefined ? `words=${quoted(words)}` : argumentOf(argument)} ;;`,
    '      esac',
    '      ;;',
  ];
  return lines.join('\n');
}

function argumentOf(completion: Completion): string {
  if (completion.kind === 'words') return `words=${quoted(completion.words.join(' '))}`;
  return offer(completion).trim().replace(/;$/, '') || ':';
}

function offer(completion: Completion): string {
  switch (completion.kind) {
    case 'words':
      return `COMPREPLY=($(compgen -W ${quoted(completion.words.join(' '))} -- "$cur")); `;
    case 'file':
      return '_vsync_files -f; ';
    case 'directory':
      return '_vsync_files -d; ';
    case 'nothing':
      return '';
  }
}

/** The long names, or the only one. */
function wordsOf(options: readonly OptionEntry[], hidden: boolean): string {
  return options
    .filter((option) => option.hidden === hidden)
    .map(({ names }) => names.at(-1))
    .join(' ');
}

/** `config validate` is reached by the word `validate` after `config`. */
function parentOf(path: string): string {
  return path.includes(' ') ? path : ` ${path}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
