import { type Command, CommanderError } from 'commander';
import { asVsyncError, exitCodes } from './base/errors.ts';
import type { CommandIo } from './commands/command-io.ts';
import { printError } from './commands/print-error.ts';
import { commandTree } from './commands/tree/program.ts';
import { didYouMeanText } from './config/did-you-mean.ts';
import { SignalChannel } from './cycle/signal-channel.ts';

/**
 * argv -> command -> exit code; the only place that ends the process. The commands are named in `commands/tree/`.
 */

/** Runs the command line. Returns the exit code; never rejects. */
export async function main(args: readonly string[], io: CommandIo): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const program = commandTree(io, async (code) => {
    exitCode = await code;
  });
  try {
    if (args.length === 0) {
      program.outputHelp();
      return exitCodes.ok;
    }
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return usageError(error, program, io);
    const known = asVsyncError(error);
    printError(known, io, args.includes('--json'));
    return known.exitCode;
  }
}

/** A command line that cannot be understood; commander writes nothing itself. */
function usageError(error: CommanderError, program: Command, io: CommandIo): number {
  if (error.exitCode === 0) return exitCodes.ok;
  const unknown = /unknown (?:option|command) '([^']+)'/.exec(error.message)?.[1]?.split('=')[0];
  const known = [program, ...program.commands].flatMap((command) => [
    ...command.options.map(({ long }) => long ?? ''),
    ...command.commands.map((child) => child.name()),
  ]);
  const suggestion = unknown === undefined ? undefined : didYouMeanText(unknown, known);
  io.err.write(`${error.message}${suggestion === undefined ? '' : ` - ${suggestion}`}\n`);
  io.err.write('  fix:   vsync --help lists all commands\n  id:    USAGE\n');
  return exitCodes.usage;
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
