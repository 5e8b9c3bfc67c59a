import { type Command, CommanderError } from 'commander';
import { asVsyncError, exitCodes, VsyncError } from './base/errors.ts';
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
  const message = error.message.replace(/^error: /, '').replace(/'(-[^'=]*)=.*'/s, "'$1'");
  const unknown = /^unknown (option|command) '([^']+)'/.exec(message);
  if (unknown === null) return new VsyncError({ code: 'USAGE', message, hint: `${name} --help` });
  const [, kind, word = ''] = unknown;
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
  const signals = new SignalChannel();
  const release = signals.listen();
  // A second signal, or the end of shutdownTimeout: the last saved sync info stays valid, so leaving at once loses nothing.
  signals.aborting.addEventListener('abort', () =>
    process.exit(signals.received === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated),
  );
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

/** What keeps the process alive: `TCPSocketWrap (2), Timeout`. */
function openResources(): string {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    // Standard streams are always there, and hold nothing.
    if (kind !== 'PipeWrap' && kind !== 'TTYWrap') counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => (count === 1 ? kind : `${kind} (${count})`)).join(', ');
}

/** `vsync plan | head` closes the pipe: that is no failure. */
function quietPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  throw error;
}
