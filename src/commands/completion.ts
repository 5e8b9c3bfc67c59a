import type { Command } from 'commander';
import { exitCodes } from '../base/errors.ts';
import type { CommandIo } from './command-io.ts';
import { commandModel } from './command-model.ts';
import { bashCompletion } from './completion/bash.ts';
import { fishCompletion } from './completion/fish.ts';
import { completionTables } from './completion/tables.ts';
import { zshCompletion } from './completion/zsh.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `vsync completion SHELL`: a script that lets the shell complete commands, flags and their values. It needs no vsync at run time. */
export async function completionCommand(shell: Shell, program: Command, io: CommandIo): Promise<number> {
  io.out.write(scripts[shell](completionTables(commandModel(program))));
  return exitCodes.ok;
}
