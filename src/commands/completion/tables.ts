import { allCommands, type CommandModel, type Completion, type OptionModel } from '../command-model.ts';

/** What every completion script needs to know, in the form in which scripts look it up. */
export interface CompletionTables {
  readonly commands: readonly CommandEntry[];
  /** Options of the program, which every command takes. */
  readonly globals: readonly OptionEntry[];
  /** Every option that takes a value, of each command. */
  readonly values: readonly ValueEntry[];
}

export interface ValueEntry {
  /** The command it belongs to; `undefined` = the program, so it may stand after any. */
  readonly path: string | undefined;
  readonly names: readonly string[];
  /** What to offer for it. */
  readonly completion: Completion;
}

export interface CommandEntry {
  /** `config validate`; empty for the program. */
  readonly path: string;
  readonly children: readonly Word[];
  readonly options: readonly OptionEntry[];
  /** What to offer for its first argument. */
  readonly argument: Completion | undefined;
}

export interface Word {
  readonly word: string;
  readonly description: string;
}

export interface OptionEntry {
  readonly names: readonly string[];
  readonly description: string;
  /** Offered only once more than `--` is typed: there are too many of them. */
  readonly hidden: boolean;
  readonly completion: Completion | undefined;
}

export function completionTables(program: CommandModel): CompletionTables {
  const all = allCommands(program);
  return {
    commands: all.map((command) => entryOf(command, program)),
    globals: program.options.map(optionOf),
    values: all.flatMap(valuesOf),
  };
}

/** The words after which a value follows, whatever the command. */
export function wordsBeforeValue({ values }: CompletionTables): readonly string[] {
  return [...new Set(values.flatMap(({ names }) => names))];
}

function valuesOf({ path, options }: CommandModel): ValueEntry[] {
  return options.flatMap(({ names, value }) =>
    value === undefined
      ? []
      : [{ path: path === '' ? undefined : path, names, completion: value.completion }],
  );
}

function entryOf(command: CommandModel, program: CommandModel): CommandEntry {
  const children = command.commands.map(({ path, summary }) => ({
    word: path.split(' ').at(-1) ?? '',
    description: summary,
  }));
  const isHelp = command.path === 'help';
  return {
    path: command.path,
    children: isHelp
      ? program.commands.map(({ path, summary }) => ({ word: path, description: summary }))
      : children,
    options: command === program ? [] : command.options.filter(isOwn).map(optionOf),
    argument: isHelp ? undefined : command.arguments[0]?.completion,
  };
}

/** `--help` is one of the program's options already. */
function isOwn({ names }: OptionModel): boolean {
  return !names.includes('--help');
}

function optionOf({ names, description, hidden, value }: OptionModel): OptionEntry {
  return { names, description, hidden, completion: value?.completion };
}
