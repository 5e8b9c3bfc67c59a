import { homedir } from 'node:os';
import { exitCodes, VsyncError } from '../base/errors.ts';
import type { Config, Role } from '../config/config.ts';
import { type Loaded, loadConfig } from '../config/load.ts';
import { type Problem, renderProblem } from '../config/problem.ts';
import type { Source } from '../config/source.ts';
import type { CommandIo } from './command-io.ts';
import type { GlobalOptions } from './global-options.ts';
import { printError } from './terminal/print-error.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** All that the process serves: several only with a list of `destinations` of which none was chosen. */
  readonly configs: readonly Config[];
  /** The files that were read, absolute. */
  readonly files: readonly string[];
  /** Where the value of each key of `config` comes from. */
  readonly sources: ReadonlyMap<string, Source>;
}

export interface LoadAs {
  /** A person waits for the result, so `~/.vault-token` may be used. */
  readonly interactive: boolean;
  /** The command serves all `destinations` of a configuration; else one of several has to be chosen with `--node`. */
  readonly several?: boolean;
  /** The configuration may be for another machine: a file that it names and that does not exist here is a warning. */
  readonly filesMayBeAbsent?: boolean;
}

/** Reads the configuration of a command and shows every problem at once. Returns an exit code where there is no configuration. */
export async function configFor(
  role: Role | undefined,
  options: GlobalOptions,
  as: LoadAs,
  io: CommandIo,
): Promise<LoadedConfig | { readonly exitCode: number }> {
  const loaded = await loadFor(role, options, as, io);
  const { problems, files } = loaded;
  const shown = options.quiet ? problems.filter(({ severity }) => severity === 'error') : problems;
  for (const problem of shown) io.err.write(`${problem.severity}: ${renderProblem(problem)}\n`);
  if (loaded.config !== undefined) {
    const configs = chosenOf(loaded.configs, options, as);
    const [config] = configs as [Config];
    const sources = loaded.allSources[loaded.configs.indexOf(config)] ?? loaded.sources;
    return { config, configs, files, sources };
  }
  const message = `${errorCount(problems)} in the configuration; nothing was started.`;
  if (options.json) printError(problemsAsError(problems, message), io, true);
  else io.err.write(`${message}\n`);
  return { exitCode: exitCodeFor(problems) };
}

/** The destination that `--node` names, or all. Throws `USAGE` when one has to be chosen. */
function chosenOf(
  configs: readonly Config[],
  { node }: GlobalOptions,
  { several }: LoadAs,
): readonly Config[] {
  const names = configs.map(({ name }) => name);
  const chosen = node === undefined ? configs : configs.filter(({ name }) => name === node);
  if (chosen.length === 1 || (several && chosen.length > 1)) return chosen;
  throw new VsyncError({
    code: 'USAGE',
    message:
      node === undefined
        ? `the configuration has ${configs.length} destinations`
        : `no node of the configuration is named "${node}"`,
    why: `it has: ${names.join(', ')}`,
    hint: `choose one with --node, e.g. --node ${names[0]}`,
  });
}

/** Reads the configuration of a command, and leaves what to make of its problems to the caller. */
export function loadFor(
  role: Role | undefined,
  options: GlobalOptions,
  as: LoadAs,
  io: CommandIo,
): Promise<Loaded> {
  const { interactive, filesMayBeAbsent = false } = as;
  return loadConfig({
    interactive,
    filesMayBeAbsent,
    role,
    files: options.config,
    flags: options.flags,
    env: io.env,
    cwd: io.cwd,
    home: io.env.HOME ?? homedir(),
    strict: options.strictConfig,
    readStdin,
  });
}

/** `1 error`, `2 errors`. */
export function errorCount(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return `${errors} ${errors === 1 ? 'error' : 'errors'}`;
}

/** All errors of a configuration as the one failure that a script is told of, under the id of the first. */
export function problemsAsError(problems: readonly Problem[], message: string): VsyncError {
  const first = problems.find(({ severity }) => severity === 'error');
  return new VsyncError({
    code: first?.code ?? 'CONFIG_BAD_VALUE',
    exitCode: exitCodeFor(problems),
    message,
    why: first && renderProblem(first),
  });
}

/** 64 if only the command line is wrong, else 78. */
export function exitCodeFor(problems: readonly Problem[]): number {
  const usageOnly = problems.every(
    ({ severity, code }) => severity !== 'error' || code === 'USAGE_UNKNOWN_FLAG' || code === 'USAGE',
  );
  return usageOnly ? exitCodes.usage : exitCodes.config;
}

/** A file as it is called in results. */
export function inputName(file: string): string {
  return file === '-' ? 'standard input' : file;
}

/** All of standard input. */
export async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
