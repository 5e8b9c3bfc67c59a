import { homedir } from 'node:os';
import { exitCodes } from '../base/errors.ts';
import type { Config, Role } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { renderProblem } from '../config/problem.ts';
import type { Source } from '../config/source.ts';
import type { CommandIo } from './command-io.ts';
import type { GlobalOptions } from './global-options.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** The files that were read, absolute. */
  readonly files: readonly string[];
  /** Where the value of each key comes from. */
  readonly sources: ReadonlyMap<string, Source>;
}

/**
 * Reads the configuration of a command and shows every problem at once. Returns an exit code where there is no configuration.
 * `interactive`: a person waits for the result, so `~/.vault-token` may be used.
 */
export async function configFor(
  role: Role | undefined,
  options: GlobalOptions,
  { interactive }: { readonly interactive: boolean },
  io: CommandIo,
): Promise<LoadedConfig | { readonly exitCode: number }> {
  const { config, problems, files, sources } = await loadConfig({
    role,
    files: options.config,
    flags: options.flags,
    env: io.env,
    cwd: io.cwd,
    home: io.env.HOME ?? homedir(),
    strict: options.strictConfig,
    interactive,
    readStdin,
  });
  const shown = options.quiet ? problems.filter(({ severity }) => severity === 'error') : problems;
  for (const problem of shown) io.err.write(`${problem.severity}: ${renderProblem(problem)}\n`);
  if (config !== undefined) return { config, files, sources };
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
