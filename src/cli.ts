import { Command, CommanderError, Option } from 'commander';
import { asVsyncError, exitCodes } from './base/errors.ts';
import type { CommandIo } from './commands/command-io.ts';
import { addDottedFlags, addShortFlags, flagValuesOf } from './commands/flag-options.ts';
import { didYouMeanText } from './config/did-you-mean.ts';
import { SignalChannel } from './cycle/signal-channel.ts';
import { version } from './version.ts';

/**
 * argv -> command -> exit code: the command tree, and the only place that ends the process. What a command does is in `commands/`,
 * loaded when it is called.
 */

type Role = 'origin' | 'destination';

/** The command tree. `run` receives what the chosen command returns. */
export function commandTree(io: CommandIo, run: (exitCode: Promise<number>) => Promise<void>): Command {
  const program = new Command('vsync');
  program
    .description('Keeps Vault and OpenBao KV v2 secrets the same in many places.')
    .addHelpText('before', examples)
    .option(
      '-c, --config <file>',
      'configuration file or folder, - for standard input; repeatable',
      collect,
      [],
    )
    .option('--strict-config', 'warnings about the configuration are errors', false)
    .addOption(
      new Option('--color <when>', 'colour the output').choices(['auto', 'always', 'never']).default('auto'),
    )
    .addOption(new Option('--no-color', 'the same as --color never'))
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .configureHelp({ helpWidth: io.out.isTTY ? (io.out.columns ?? 80) : 80 })
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out.write(text), writeErr: () => {} })
    .showSuggestionAfterError(false);
  addDottedFlags(program);

  const cycles = (role: Role, summary: string, detail: string) => {
    const command = program.command(role).summary(summary).description(detail);
    command
      .option('--once', 'one cycle, then exit with its code', false)
      .option('--dry-run', 'show what would be done; write nothing anywhere', false)
      .option('--approve-deletes <set>', 'release exactly this set of held deletes; repeatable', collect, []);
    addShortFlags(command);
    command.action((_options, self: Command) => {
      const options = self.optsWithGlobals();
      return run(
        import('./commands/cycle-command.ts').then(({ cycleCommand }) =>
          cycleCommand(
            role,
            {
              config: options.config,
              once: options.once,
              dryRun: options.dryRun,
              approveDeletes: options.approveDeletes,
              strictConfig: options.strictConfig,
              color: options.color === false ? 'never' : options.color,
              flags: flagValuesOf(options),
            },
            io,
          ),
        ),
      );
    });
  };
  cycles('origin', 'scan the origin Vault and publish what it has', originDetail);
  cycles('destination', 'copy what the origin published to this Vault', destinationDetail);
  program
    .command('approve [set]')
    .summary('release exactly one set of held deletes')
    .description(approveDetail)
    .addOption(
      new Option('--role <role>', 'whose deletes').choices(['origin', 'destination']).default('destination'),
    )
    .option('--for <duration>', 'how long the approval is valid', '24h')
    .action((set: string | undefined, _options, self: Command) => {
      const options = self.optsWithGlobals();
      const { config, role, strictConfig } = options;
      return run(
        import('./commands/approve.ts').then(({ approveCommand }) =>
          approveCommand(
            set,
            { config, role, for: options.for, strictConfig, flags: flagValuesOf(options) },
            io,
          ),
        ),
      );
    });
  program
    .command('dev')
    .summary('in-memory Vaults and Consul to try vsync with')
    .description(devDetail)
    .addOption(
      new Option('--flavour <name>', 'what the Vaults behave like')
        .choices(['vault', 'openbao'])
        .default('vault'),
    )
    .option('--write <file>', 'write the configuration to this file, which must not exist')
    .action((options) => run(import('./commands/dev.ts').then(({ devCommand }) => devCommand(options, io))));
  program
    .command('demo')
    .summary('run the whole job on in-memory servers')
    .description(demoDetail)
    .addOption(
      new Option('--flavour <name>', 'what the Vaults behave like')
        .choices(['vault', 'openbao'])
        .default('vault'),
    )
    .option('--keep', 'leave the servers running afterwards, until Ctrl-C', false)
    .action((options) =>
      run(import('./commands/demo.ts').then(({ demoCommand }) => demoCommand(options, io))),
    );
  return program;
}

const examples = `vsync - keep Vault KV v2 secrets the same in many Vaults

  vsync demo                              see it work, with nothing installed
  vsync origin -c origin.json             publish what the origin has     every 1m
  vsync destination -c dest.json          copy it here        on change and every 1m
  vsync destination -c dest.json --once --dry-run
                                          what would change?  (writes nothing)
`;

const originDetail = `Reads the metadata of every secret on origin.mounts, never a value, and publishes
an index of it in Consul. Runs a cycle at once and then each tick, until SIGTERM.`;

const destinationDetail = `Compares what the origin published with what is here, and copies what differs.
Runs a cycle at once, when the origin publishes, and each tick, until SIGTERM.`;

const approveDetail = `Releases the deletes that the last cycle held, named by the set it printed; the node makes
them in its next cycle. Without a set it says what is held. Any other set is held again.`;

const devDetail = `Starts two Vault-compatible servers and a Consul-compatible one in memory, on loopback,
and prints their addresses, tokens and a configuration for them. Ends with Ctrl-C.`;

const demoDetail = `Starts in-memory servers, fills the origin, shows a dry run, copies, changes a few secrets,
copies again, and compares every value. Takes a few seconds and leaves nothing behind.`;

/** Runs the command line. Returns the exit code; never rejects. */
export async function main(args: readonly string[], io: CommandIo): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const program = commandTree(io, async (code) => {
    exitCode = await code;
  });
  try {
    if (args.length === 0) {
      io.out.write(program.helpInformation());
      return exitCodes.ok;
    }
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return usageError(error, program, io);
    const { message, why, hint, exitCode: code } = asVsyncError(error);
    io.err.write(
      `error: ${message}\n${why === undefined ? '' : `  why: ${why}\n`}${hint === undefined ? '' : `  fix: ${hint}\n`}`,
    );
    return code;
  }
}

function usageError(error: CommanderError, program: Command, io: CommandIo): number {
  if (error.exitCode === 0) return exitCodes.ok;
  const unknown = /unknown (?:option|command) '([^']+)'/.exec(error.message)?.[1];
  const known = [program, ...program.commands].flatMap((command) => [
    ...command.options.map(({ long }) => long ?? ''),
    ...command.commands.map((child) => child.name()),
  ]);
  const suggestion =
    unknown === undefined ? undefined : didYouMeanText(unknown.split('=')[0] ?? unknown, known);
  io.err.write(
    `${error.message}${suggestion === undefined ? '' : ` - ${suggestion}`}\nvsync --help lists all commands\n`,
  );
  return exitCodes.usage;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** The process's own command line. */
export async function start(): Promise<void> {
  const signals = new SignalChannel();
  const release = signals.listen();
  // A second signal, or the end of shutdownTimeout: the last saved sync info stays valid, so leaving at once loses nothing.
  signals.aborting.addEventListener('abort', () =>
    process.exit(signals.received === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated),
  );
  process.stdout.on('error', quietPipe);
  process.stderr.on('error', quietPipe);
  process.exitCode = await main(process.argv.slice(2), {
    out: process.stdout,
    err: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    signals,
  });
  release();
}

/** `vsync plan | head` closes the pipe: that is no failure. */
function quietPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  throw error;
}
