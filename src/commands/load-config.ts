import { homedir } from 'node:os';
import { exitCodes } from '../base/errors.ts';
import type { Config, Role } from '../config/config.ts';
import type { FlagValues } from '../config/flag-values.ts';
import { loadConfig } from '../config/load.ts';
import { renderProblem } from '../config/problem.ts';
import type { CommandIo } from './command-io.ts';

/** Reads the configuration of a command and shows every problem at once. Returns an exit code where there is no configuration. */
export async function configFor(
  role: Role,
  options: {
    readonly files: readonly string[];
    readonly flags: FlagValues;
    readonly strict: boolean;
    readonly interactive: boolean;
  },
  io: CommandIo,
): Promise<{ readonly config: Config; readonly files: readonly string[] } | { readonly exitCode: number }> {
  const { config, problems, files } = await loadConfig({
    role,
    files: options.files,
    flags: options.flags,
    env: io.env,
    cwd: io.cwd,
    home: io.env.HOME ?? homedir(),
    strict: options.strict,
    interactive: options.interactive,
    readStdin,
  });
  for (const problem of problems) io.err.write(`${problem.severity}: ${renderProblem(problem)}\n`);
  if (config !== undefined) return { config, files };
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  io.err.write(`${errors} ${errors === 1 ? 'error' : 'errors'} in the configuration; nothing was started.\n`);
  const usageOnly = problems.every(
    ({ severity, code }) => severity !== 'error' || code === 'USAGE_UNKNOWN_FLAG' || code === 'USAGE',
  );
  return { exitCode: usageOnly ? exitCodes.usage : exitCodes.config };
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
