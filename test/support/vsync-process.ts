import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../servers/processes.ts';

/** The program as a process: what a user runs. It is built by `npm test` before the suites start. */

const launcher = fileURLToPath(new URL('../../bin/vsync.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What was logged, when the process ran with `--log.type json`. */
  readonly log: readonly LogEntry[];
}

/** One line of the JSON log. */
export type LogEntry = Readonly<Record<string, unknown>> & {
  readonly level: string;
  readonly message: string;
  readonly event?: string;
};

function parseLog(stderr: string): LogEntry[] {
  return stderr
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogEntry);
}

export interface RunOptions {
  /** Added to an otherwise empty environment (PATH and HOME are set). */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  /** Something is left open by intent. */
  readonly mayHang?: boolean;
}

/** Runs `vsync ...args` to its end. */
export async function runVsync(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const running = startVsync(args, options);
  return running.finished;
}

export class RunningVsync {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  stdout = '';
  stderr = '';

  constructor(child: ChildProcess, { mayHang = false }: RunOptions = {}) {
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.finished = once(child, 'close').then(([code, signal]) => {
      // No test may leave sockets or timers: whatever ran must have ended by itself when its work was done.
      const leak = /^.*the process does not end; still open.*$/m.exec(this.stderr);
      if (leak !== null && !mayHang)
        throw new Error(`vsync ${child.spawnargs.slice(2).join(' ')}: ${leak[0]}`);
      return {
        code: code as number | null,
        signal: signal as NodeJS.Signals | null,
        stdout: this.stdout,
        stderr: this.stderr,
        log: this.log,
      };
    });
    // Whoever waits for it hears of it; a test that does not is no unhandled rejection.
    this.finished.catch(() => {});
  }

  /** What was logged so far, when it runs with `--log.type json`. */
  get log(): readonly LogEntry[] {
    return parseLog(this.stderr);
  }

  /** Waits for a log entry, from number `after` on; throws with all of the log when it does not come, or the process ends. */
  async untilEntry(matches: (entry: LogEntry) => boolean, after = 0, timeoutMs = 30_000): Promise<LogEntry> {
    const find = () => this.log.slice(after).find(matches);
    await waitFor(() => find() !== undefined || this.child.exitCode !== null, timeoutMs).catch(() => {});
    const entry = find();
    if (entry === undefined) throw new Error(`${matches} was not logged:\n${this.stderr}`);
    return entry;
  }

  /** Waits until the log says something, from `after` characters on; throws with all of it when that does not come. */
  async untilLogged(pattern: RegExp, after = 0, timeoutMs = 30_000): Promise<string> {
    let line: string | undefined;
    const seen = () => {
      line = this.stderr
        .slice(after)
        .split('\n')
        .find((each) => pattern.test(each));
      return line !== undefined || this.child.exitCode !== null;
    };
    await waitFor(seen, timeoutMs).catch(() => {});
    if (line === undefined) throw new Error(`${pattern} was not logged:\n${this.stderr}`);
    return line;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Asks it to end and waits. */
  async stop(): Promise<Finished> {
    this.child.kill('SIGTERM');
    return this.finished;
  }
}

const started = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL');
});

/** Ends what is still running: a test that failed may have left its process behind. */
export async function endAll(): Promise<void> {
  const closed = [...started].map((child) => once(child, 'close'));
  for (const child of started) child.kill('SIGKILL');
  await Promise.all(closed);
}

/** Starts `vsync ...args` and leaves it running. */
export function startVsync(args: readonly string[], options: RunOptions = {}): RunningVsync {
  const child = spawn(process.execPath, [launcher, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  started.add(child);
  child.once('close', () => started.delete(child));
  child.stdin?.end(options.stdin ?? '');
  return new RunningVsync(child, options);
}
