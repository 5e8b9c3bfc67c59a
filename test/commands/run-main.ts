import { Writable } from 'node:stream';
import { main } from '../../src/cli.ts';
import type { TextStream } from '../../src/commands/command-io.ts';
import { SignalChannel } from '../../src/cycle/signal-channel.ts';

/** What a command line came to. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunMainOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Standard output is a terminal of this width. */
  readonly columns?: number;
}

/** Runs `vsync ...args` in this process. Nothing of the machine gets in but what is given. */
export async function runMain(args: readonly string[], options: RunMainOptions = {}): Promise<Ran> {
  const [out, err] = [new Collected(options.columns), new Collected()];
  const code = await main(args, {
    out,
    err,
    env: { HOME: '/nonexistent', ...options.env },
    cwd: options.cwd ?? '/nonexistent',
    signals: new SignalChannel(),
  });
  return { code, out: out.text, err: err.text };
}

class Collected extends Writable implements TextStream {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number;

  constructor(columns?: number) {
    super({ decodeStrings: false });
    this.isTTY = columns !== undefined;
    this.columns = columns ?? 80;
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}
