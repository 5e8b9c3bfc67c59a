import type { Completion } from '../command-model.ts';
import { type CommandEntry, type CompletionTables, type OptionEntry, wordsBeforeValue } from './tables.ts';

/** Completion for fish, with descriptions. */
export function fishCompletion(tables: CompletionTables): string {
  const { commands, globals } = tables;
  const withValue = wordsBeforeValue(tables).join(' ');
  const paths = commands.filter(({ path }) => path !== '');
  return `# vsync completion for fish. Once: vsync completion fish > ~/.config/fish/completions/vsync.fish
function __vsync_command
    set -l command ''
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word ${withValue}
            set skip 1
        else if not string match -q -- '-*' $word
            switch "$command $word"
${paths.map(({ path }) => `                case ${quoted(path.includes(' ') ? path : ` ${path}`)}\n                    set command ${quoted(path)}`).join('\n')}
            end
        end
    end
    echo $command
end

function __vsync_at
    set -l command (__vsync_command)
    test "$command" = "$argv[1]"
end

# The flags of configuration keys are too many to be listed after \`--\`: they wait for the beginning of a name.
function __vsync_dotted
    string match -qr -- '^--.' (commandline -ct) (commandline -opc)[-1]
end

complete -c vsync -f
${globals.map((option) => optionLine(undefined, option)).join('\n')}
${commands.flatMap(linesOf).join('\n')}
`;
}

/** What one command offers: what may follow it, its options, its argument. */
function linesOf({ path, children, options, argument }: CommandEntry): string[] {
  return [
    ...children.map(
      ({ word, description }) => `complete -c vsync -n ${at(path)} -a ${word} -d ${quoted(description)}`,
    ),
    ...options.map((option) => optionLine(path, option)),
    ...(argument === undefined ? [] : argumentLines(path, argument)),
  ];
}

function at(path: string): string {
  return quoted(`__vsync_at ${quoted(path)}`);
}

function optionLine(
  path: string | undefined,
  { names, description, hidden, completion }: OptionEntry,
): string {
  const conditions = [
    ...(path === undefined ? [] : [`__vsync_at ${quoted(path)}`]),
    ...(hidden ? ['__vsync_dotted'] : []),
  ];
  const condition = conditions.length === 0 ? '' : ` -n ${quoted(conditions.join('; and '))}`;
  const spellings = names.map((name) =>
    name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  return `complete -c vsync${condition} ${spellings.join(' ')}${offeredValue(completion)} -d ${quoted(description)}`;
}

function argumentLines(path: string, completion: Completion): string[] {
  const offered =
    completion.kind === 'words' ? `-a ${quoted(completion.words.join(' '))}` : pathsOf(completion);
  return offered === '' ? [] : [`complete -c vsync -n ${at(path)} ${offered}`];
}

function offeredValue(completion: Completion | undefined): string {
  if (completion === undefined) return '';
  if (completion.kind === 'words') return ` -x -a ${quoted(completion.words.join(' '))}`;
  return completion.kind === 'nothing' ? ' -x' : ` -r ${pathsOf(completion)}`;
}

function pathsOf({ kind }: Completion): string {
  if (kind === 'file') return '-F';
  return kind === 'directory' ? "-a '(__fish_complete_directories)'" : '';
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
