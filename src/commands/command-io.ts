import type { SignalChannel } from '../cycle/signal-channel.ts';

/** What a command sees of the process: given, so that tests can run one without a process of its own. */
export interface CommandIo {
  /** For results. */
  readonly out: OutStream;
  /** For logs, progress and errors. */
  readonly err: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly signals: SignalChannel;
}

export type OutStream = NodeJS.WriteStream;

/** Columns to format for: the terminal's, or plenty where output goes to a file. */
export function widthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? Math.max(40, stream.columns ?? 80) : 160;
}

/** Whether to colour: only a terminal, and not with NO_COLOR, TERM=dumb or `--no-color`. Decided here, not by Node (FORCE_COLOR=""). */
export function colorFor(
  stream: NodeJS.WriteStream,
  env: NodeJS.ProcessEnv,
  wanted: 'auto' | 'always' | 'never' = 'auto',
): boolean {
  if (wanted !== 'auto') return wanted === 'always';
  if (env.NO_COLOR || env.VSYNC_NO_COLOR || env.TERM === 'dumb') return false;
  if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return true;
  return stream.isTTY === true;
}
