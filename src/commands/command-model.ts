import { type Argument, type Command, Help, type Option } from 'commander';
import { findFlag } from '../config/flags.ts';
import { keySpec } from '../config/keys.ts';

/**
 * The command tree as data: what completion scripts, the man page and `docs/cli.md` are made from, so that they cannot differ from what
 * the program takes.
 */
export interface CommandModel {
  /** `config validate`; empty for the program itself. */
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  /** Its heading in `vsync --help`, without the colon. */
  readonly group: string;
  /** The line of help that shows how it is called. */
  readonly usage: string;
  readonly arguments: readonly ValueModel[];
  readonly options: readonly OptionModel[];
  readonly commands: readonly CommandModel[];
}

/** What stands for a value on the command line. */
export interface ValueModel {
  readonly name: string;
  readonly description: string;
  readonly completion: Completion;
}

/** What a shell offers where a value is expected. */
export type Completion =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'file' | 'directory' | 'nothing' };

export interface OptionModel {
  /** As in help: `-c, --config <file>`. */
  readonly flags: string;
  /** `-c` and `--config`. */
  readonly names: readonly string[];
  readonly description: string;
  /** `undefined` = it takes none, or may be given without one. */
  readonly value: ValueModel | undefined;
  /** What counts without the option. */
  readonly default: string | undefined;
  /** Not in help: the dotted flags, one for each configuration key. */
  readonly hidden: boolean;
}

/** Reads a command and all below it. */
export function commandModel(command: Command): CommandModel {
  return modelOf(command, '');
}

/** A command and all below it, in the order of help. */
export function allCommands(model: CommandModel): readonly CommandModel[] {
  return [model, ...model.commands.flatMap(allCommands)];
}

const help = new Help();

function modelOf(command: Command, path: string): CommandModel {
  const visible = help.visibleOptions(command);
  const hidden = command.options.filter((option) => option.hidden);
  return {
    path,
    summary: help.subcommandDescription(command),
    description: help.commandDescription(command),
    group: command.helpGroup().replace(/:$/, ''),
    usage: help.commandUsage(command),
    arguments: command.registeredArguments.map(argumentOf),
    options: [...visible, ...hidden].map(optionOf),
    commands: help.visibleCommands(command).map((child) => modelOf(child, `${path} ${child.name()}`.trim())),
  };
}

function argumentOf(argument: Argument): ValueModel {
  return {
    name: argument.name(),
    description: argument.description,
    completion: completionOf(argument.name(), argument.argChoices),
  };
}

function optionOf(option: Option): OptionModel {
  const { flags, short, long, description, hidden, defaultValue } = option;
  const names = [short, long].filter((name) => name !== undefined);
  const name = /[<[]([^\]>]+?)(?:\.\.\.)?[\]>]/.exec(flags)?.[1];
  const value =
    name === undefined || option.optional
      ? undefined
      : { name, description: '', completion: keyCompletion(long) ?? completionOf(name, option.argChoices) };
  const fallback = typeof defaultValue === 'string' ? defaultValue : undefined;
  return { flags, names, description, value, default: fallback, hidden };
}

/** Of a flag that sets a configuration key: by the type of the key. */
function keyCompletion(long: string | undefined): Completion | undefined {
  const flag = findFlag(long?.slice(2) ?? '');
  if (flag === undefined) return undefined;
  const { values, words, path } = keySpec(flag.key.destination);
  if (path !== undefined) return { kind: path === 'directory' ? 'directory' : 'file' };
  const known = values ?? words;
  return known === undefined ? { kind: 'nothing' } : { kind: 'words', words: known };
}

function completionOf(name: string, choices: readonly string[] | undefined): Completion {
  if (choices !== undefined) return { kind: 'words', words: choices };
  if (/file|plan/.test(name)) return { kind: 'file' };
  return { kind: /dir/.test(name) ? 'directory' : 'nothing' };
}
