import type { Command } from 'commander';
import type { CommandIo } from '../command-io.ts';

/** What the parts of the command tree are built with. */
export interface TreeContext {
  readonly program: Command;
  readonly io: CommandIo;
  /** Receives the exit code of the command that was chosen. Commands are loaded when they are called, not before. */
  readonly run: (exitCode: Promise<number>) => Promise<void>;
}

/** Collects the values of an option that may be given more than once. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
