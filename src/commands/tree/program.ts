import { Command, Option } from 'commander';
import { version } from '../../version.ts';
import type { CommandIo } from '../command-io.ts';
import { addDottedFlags } from '../flag-options.ts';
import { collect, type TreeContext } from './context.ts';
import { addCycleCommands } from './cycles.ts';
import { addInspectCommands } from './inspect.ts';
import { addPlanCommands } from './plans.ts';
import { addSafetyCommands } from './safety.ts';
import { addSetupCommands } from './setup.ts';
import { addTryCommands } from './try.ts';

/** The whole command tree: names, options and help texts. What a command does is in its own file, loaded when it is called. */
export function commandTree(io: CommandIo, run: TreeContext['run']): Command {
  const program = new Command('vsync');
  program
    .description('Keeps Vault and OpenBao KV v2 secrets the same in many places.')
    .addHelpText('before', examples)
    .option('-c, --config <file>', 'configuration file or folder, - for standard input; repeatable', collect)
    .option('--node <name>', 'one of the destinations of the configuration')
    .option('--strict-config', 'warnings about the configuration are errors')
    .option('--json', 'one JSON document instead of text')
    .option('-q, --quiet', 'nothing but errors on standard error')
    .option('-v, --verbose', 'the same as --log.level debug')
    .option('--no-input', 'never ask')
    .addOption(
      new Option('--color <when>', 'colour the output').choices(['auto', 'always', 'never']).default('auto'),
    )
    .addOption(new Option('--no-color', 'the same as --color never'))
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help')
    .configureHelp({
      helpWidth: Math.min(100, io.out.isTTY ? (io.out.columns ?? 80) : 80),
      // Below 40 columns for descriptions commander would not wrap them.
      minWidthToWrap: 20,
      sortSubcommands: false,
    })
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out.write(text), writeErr: () => {} })
    .showSuggestionAfterError(false);
  addDottedFlags(program);

  const context: TreeContext = { program, io, run };
  addCycleCommands(context);
  addInspectCommands(context);
  addPlanCommands(context);
  addSafetyCommands(context);
  addSetupCommands(context);
  addTryCommands(context);
  return program;
}

const examples = `vsync - keep Vault KV v2 secrets the same in many Vaults

  vsync demo                              see it work, with nothing installed
  vsync origin -c origin.json             publish what the origin has     every 1m
  vsync destination -c dest.json          copy it here        on change and every 1m
  vsync destination -c dest.json --once --dry-run
                                          what would change?  (writes nothing)
`;
