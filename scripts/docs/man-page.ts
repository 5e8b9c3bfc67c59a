import { allCommands, type CommandModel, type OptionModel } from '../../src/commands/command-model.ts';
import { flagSpecs } from '../../src/config/flags.ts';
import { version } from '../../src/version.ts';
import { exitCodeRows } from './exit-codes.ts';
import { optionText } from './markdown.ts';

/** `man/vsync.1`, in the `man` macros of troff. */
export function manPage(program: CommandModel): string {
  const commands = allCommands(program).filter(({ path }) => path !== '' && !/(^| )help$/.test(path));
  const lines = [
    '.\\" Made by `npm run docs` from the command tree; a test fails when it is stale.',
    `.TH VSYNC 1 "" "vsync ${version}"`,
    '.SH NAME',
    'vsync \\- keep Vault and OpenBao KV v2 secrets the same in many places',
    '.SH SYNOPSIS',
    '.B vsync',
    '.I command',
    '[\\fIoption\\fR ...]',
    '.SH DESCRIPTION',
    text(about),
    '.SH COMMANDS',
    ...commands.filter(({ commands: children }) => children.length === 0).flatMap(commandLines),
    '.SH OPTIONS OF EVERY COMMAND',
    ...program.options.filter(({ hidden }) => !hidden).flatMap(optionLines),
    '.SH CONFIGURATION FLAGS',
    'Every configuration key is a flag, before or after the command.',
    ...flagSpecs
      .filter(({ short }) => !short)
      .flatMap(({ name, value, description }) => [
        '.TP',
        `${bold(`--${name}`)}${value === 'required' ? ' \\fIvalue\\fR' : ''}`,
        text(description),
      ]),
    '.SH ENVIRONMENT',
    ...environment.flatMap(([name, meaning]) => ['.TP', bold(name), text(meaning)]),
    '.SH FILES',
    ...files.flatMap(([name, meaning]) => ['.TP', `\\fI${text(name)}\\fR`, text(meaning)]),
    '.SH EXIT STATUS',
    ...exitCodeRows.flatMap(([code, meaning]) => [
      '.TP',
      bold(String(code)),
      text(meaning.replaceAll('`', '')),
    ]),
    '.SH EXAMPLES',
    ...examples.flatMap(([command, meaning]) => ['.TP', bold(command), text(meaning)]),
    '.SH SEE ALSO',
    '.BR vault (1),',
    '.BR consul (1)',
  ];
  return `${lines.join('\n')}\n`;
}

const about =
  `One origin is the source of truth; any number of destinations follow it, one way. The origin reads only metadata
and publishes an index of it in Consul KV. A destination compares that index with its own and copies what differs.`.replaceAll(
    '\n',
    ' ',
  );

const environment = [
  ['VSYNC_*', 'A configuration key in upper case, with underscores for dots: VSYNC_ORIGIN_VAULT_ADDRESS.'],
  ['VSYNC_CONFIG', 'The configuration file, where --config is not given.'],
  ['VAULT_*, BAO_*, CONSUL_*', 'Defaults for the side that the process lives on, and no other.'],
  ['NO_COLOR', 'No colour.'],
] as const;

const files = [
  [
    'config.*, vsync.*',
    'In the working directory; then /etc/vsync/config.*, $XDG_CONFIG_HOME/vsync/config.*, ~/.vsync.json: the first that exists, where --config is not given.',
  ],
] as const;

const examples = [
  ['vsync demo', 'See it work, with nothing installed.'],
  ['vsync init --for systemd --dir vsync', 'A configuration, policies and units to start from.'],
  ['vsync destination -c dest.yaml --once --dry-run', 'What would change? Nothing is written.'],
] as const;

function commandLines(command: CommandModel): string[] {
  const own = command.options.filter(({ hidden, names }) => !hidden && !names.includes('--help'));
  return [
    `.SS ${text(command.usage)}`,
    ...command.description.split('\n').map(text),
    ...own.flatMap(optionLines),
  ];
}

function optionLines(option: OptionModel): string[] {
  return ['.TP', bold(option.flags), text(optionText(option).replaceAll('`', ''))];
}

function bold(words: string): string {
  return `\\fB${text(words)}\\fR`;
}

/** Text in which troff sees no commands of its own; dashes stay what a shell takes. */
function text(words: string): string {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')
    .replaceAll('~', '\\(ti')
    .replaceAll('^', '\\(ha');
}
