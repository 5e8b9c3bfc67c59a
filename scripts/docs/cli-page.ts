import { allCommands, type CommandModel } from '../../src/commands/command-model.ts';
import { exitCodeRows } from './exit-codes.ts';
import { code, generatedFrom, optionText, table } from './markdown.ts';

/** `docs/cli.md`: every command with its options, as the program takes them. */
export function cliPage(program: CommandModel): string {
  const commands = allCommands(program).filter(isDocumented);
  const runnable = commands.filter(({ commands: children }) => children.length === 0);
  return `# Command line

${generatedFrom('the command tree (`src/commands/tree`)')}

Results go to standard output; the log, progress and errors to standard error. With \`--json\` a command prints one document, and a failure is also
the last line on standard error: \`{"type":"exit_error","code":77,"id":"TOKEN_EXPIRED","message":"..."}\`. The ids are explained in [errors.md](errors.md).
A long flag takes its value as \`--flag value\` or \`--flag=value\`. Unknown flags and commands are refused, with what was most likely meant.

${table(
  ['command', 'what it does'],
  runnable.map(({ path, summary }) => [`[\`vsync ${path}\`](#${anchor(path)})`, summary]),
)}

## Options of every command

${options(program)}

Every configuration key is a flag as well, before or after the command: \`--origin.vault.address https://vault:8200\`. They are listed in
[configuration.md](configuration.md).

${commands.map(section).join('\n')}
## Exit codes

The table only ever grows: take an unknown code for a failure.

${table(
  ['code', 'meaning'],
  exitCodeRows.map(([number, meaning]) => [String(number), meaning]),
)}

Where more than one of 2, 3 and 4 applies, the highest is returned. Under systemd: \`RestartPreventExitStatus=64 65 77 78\`.
`;
}

/** Not the program itself, and not the `help` that commander adds to each group. */
function isDocumented({ path }: CommandModel): boolean {
  return path !== '' && !/(^| )help$/.test(path);
}

function section(command: CommandModel): string {
  const { path, description, usage, commands } = command;
  const children = commands.filter(isDocumented);
  const own = options(command);
  return `## vsync ${path}

${description}

${code(usage)}
${own === '' ? '' : `\n${own}\n`}${children.length === 0 ? '' : `\n${children.map((child) => `* [\`vsync ${child.path}\`](#${anchor(child.path)}): ${child.summary}`).join('\n')}\n`}`;
}

function options({ options: all }: CommandModel): string {
  const shown = all.filter(({ hidden, names }) => !hidden && !names.includes('--help'));
  return shown.length === 0
    ? ''
    : table(
        ['option', ''],
        shown.map((option) => [code(option.flags), optionText(option)]),
      );
}

/** As the usual renderers make them of `## vsync config show`. */
function anchor(path: string): string {
  return `vsync-${path.replaceAll(' ', '-')}`;
}
