import { type Command, CommanderError } from 'commander';
import { asVsyncError, exitCodes, VsyncError } from './base/errors.ts';
import { withoutTokens } from './base/secret.ts';
import { openResources, shutdownTimeout } from './base/shutdown-timeout.ts';
import type { CommandIo } from './commands/command-io.ts';
import { hideBytes, titleWithoutSecrets } from './commands/terminal/own-output.ts';
import { printError } from './commands/terminal/print-error.ts';
import { commandTree } from './commands/tree/program.ts';
import { didYouMeanText } from './config/did-you-mean.ts';
import { printableKey } from './config/problem.ts';
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
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok;
    const known = error instanceof CommanderError ? usageError(error, program, args) : asVsyncError(error);
    printError(known, io, args.includes('--json'));
    return known.exitCode;
  }
}

/** A command line that cannot be understood; commander writes nothing itself. */
function usageError(error: CommanderError, program: Command, args: readonly string[]): VsyncError {
  const command = commandOf(args, program);
  const name = [program.name(), ...command.names].join(' ');
  if (error.code === 'commander.help') {
    const names = command.at.commands.map((child) => child.name());
    return new VsyncError({ code: 'USAGE', message: `${name} needs a command: ${names.join(', ')}` });
  }
  // What follows an equals sign may be a secret.
  const message = withoutTokens(error.message.replace(/^error: /, '').replace(/'(-[^'=]*)=.*'/s, "'$1'"));
  const unknown = /^unknown (option|command) '([^']+)'/.exec(message);
  if (unknown === null) return new VsyncError({ code: 'USAGE', message, hint: `${name} --help` });
  const [, kind, given = ''] = unknown;
  const word = printableKey(given);
  const known = [...new Set([program, command.at])].flatMap((each) => [
    ...each.options.map(({ long }) => long ?? ''),
    ...each.commands.map((child) => child.name()),
  ]);
  const suggestion = didYouMeanText(word, known);
  return new VsyncError({
    code: kind === 'option' ? 'USAGE_UNKNOWN_FLAG' : 'USAGE',
    message: `${word} is not a ${kind === 'option' ? 'flag' : 'command'}${suggestion === undefined ? '' : `; ${suggestion}`}`,
    hint: `${name} --help`,
  });
}

/** The command that the arguments name. */
function commandOf(args: readonly string[], program: Command): { at: Command; names: readonly string[] } {
  return args.reduce<{ at: Command; names: readonly string[] }>(
    (found, arg) => {
      const child = found.at.commands.find((each) => each.name() === arg);
      return child === undefined ? found : { at: child, names: [...found.names, arg] };
    },
    { at: program, names: [] },
  );
}

/** The process's own command line. */
export async function start(): Promise<void> {
  const title = titleWithoutSecrets(process.argv.slice(2));
  if (title !== undefined) process.title = title;
  if (process.env.NODE_DEBUG) hideBytes(process.stderr);
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  const signals = new SignalChannel();
  const release = signals.listen();
  // A second signal, or the end of shutdownTimeout: the last saved sync info stays valid, so leaving at once loses nothing.
  const leave = () =>
    process.exit(signals.received === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated);
  signals.aborting.addEventListener('abort', leave);
  signals.draining.addEventListener('abort', () => watchShutdown(signals, leave));
  process.stdout.on('error', quietPipe);
  process.stderr.on('error', quietPipe);
  const exitCode = await main(process.argv.slice(2), {
    out: process.stdout,
    err: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    signals,
  });
  process.exitCode = exitCode;
  release();
  watchEnd(exitCode);
}

/** A defect: told like any other failure. Node would print the error with all that hangs on it, say a request and its headers (R12). */
function crash(thrown: unknown): never {
  const error = asVsyncError(thrown);
  printError(error, { err: process.stderr }, process.argv.includes('--json'));
  process.exit(error.exitCode);
}

/** How much later than `shutdownTimeout` the process is ended from here: a daemon, which logs it, comes first. */
const marginMs = 2_000;

/** Ends a process that was asked to end and does not, and says what holds it. The timer itself holds nothing. */
function watchShutdown(signals: SignalChannel, leave: () => never): void {
  const giveUp = () => {
    const error = shutdownTimeout(signals.finishWithinMs);
    printError(error, { err: process.stderr }, process.argv.includes('--json'));
    leave();
  };
  // After all that hear of the signal: a daemon that has read its configuration anew sets the time only then.
  queueMicrotask(() => setTimeout(giveUp, signals.finishWithinMs + marginMs).unref());
}

/** How long a process may take to end by itself when its command is done. */
const endsWithinMs = 5_000;

/**
 * A command releases all it has opened, so the process ends by itself. One that does not is a defect, and a supervisor would wait for it
 * for ever: it says what holds it and ends with the command's code. The timer itself holds nothing.
 */
function watchEnd(exitCode: number): void {
  const timer = setTimeout(() => {
    // A reader that takes its time, as in `vsync show | less`, is no defect.
    if (process.stdout.writableLength + process.stderr.writableLength > 0) return watchEnd(exitCode);
    const message = `warning: the command is done, but the process does not end; still open: ${openResources()}\n`;
    process.stderr.write(message, () => process.exit(exitCode));
  }, endsWithinMs);
  timer.unref();
}

/** `vsync plan | head` closes the pipe: that is no failure. */
function quietPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  throw error;
}
