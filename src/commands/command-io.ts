import type { Writable } from 'node:stream';
import type { SignalChannel } from '../cycle/signal-channel.ts';

/** What a command sees of the process: given, so that tests can run one without a process of its own. */
export interface CommandIo {
  /** For results. */
  readonly out: TextStream;
  /** For logs, progress and errors. */
  readonly err: TextStream;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly signals: SignalChannel;
}

/** A terminal, a pipe, a file, or what a test gives. */
export type TextStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** Columns to format for: the terminal's, or plenty where output goes to a file. */
export function widthOf(stream: TextStream): number {
  return stream.isTTY ? Math.max(40, stream.columns ?? 80) : 160;
}

/** Whether to colour: only a terminal, and not with NO_COLOR, TERM=dumb or `--no-color`. Decided here, not by Node (FORCE_COLOR=""). */
export function colorFor(
  stream: TextStream,
  env: NodeJS.ProcessEnv,
  wanted: 'auto' | 'always' | 'never' = 'auto',
): boolean {
  if (wanted !== 'auto') return wanted === 'always';
  if (env.NO_COLOR || env.VSYNC_NO_COLOR || env.TERM === 'dumb') return false;
  if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return true;
  return stream.isTTY === true;
}
