import { exitCodes, VsyncError } from '../base/errors.ts';
import type { Config } from '../config/config.ts';
import { type CommandIo, colorFor, widthOf } from './command-io.ts';
import type { GlobalOptions } from './global-options.ts';
import { writeJson } from './inspect-json.ts';
import { configFor, readStdin } from './load-config.ts';
import { paint, shownPath, type TextStyle } from './terminal/text-style.ts';
import { type TestedPath, testPaths } from './transform-test.ts';

/** `vsync transform test PATH...` and `vsync transform list`: what the configured rules do, without any network. */

type DestinationConfiguration = Extract<Config, { role: 'destination' }>;

/**
 * Where each path goes and by which rule, and which of them cannot be copied: two with one target, a target that is no path of a
 * secret, one that is the origin's own. Returns 3 when there is such a path. `-` among the paths stands for standard input.
 */
export async function transformTest(
  given: readonly string[],
  options: GlobalOptions,
  io: CommandIo,
): Promise<number> {
  const paths = await allPaths(given, options);
  const config = await destinationConfig(options, io);
  if ('exitCode' in config) return config.exitCode;
  const tested = testPaths(config, paths);
  if (options.json) {
    const results = tested.map(({ path, target, rule, problem, notes }) => ({
      path,
      target,
      rule: rule ?? null,
      problem: problem === undefined ? null : { id: problem.code, message: problem.message },
      notes,
    }));
    writeJson(io, 'transform_test', { results });
  } else {
    const style = { width: widthOf(io.out), color: colorFor(io.out, io.env, options.color) };
    io.out.write(tested.map((each) => `${testedText(each, style)}\n`).join(''));
  }
  return tested.some(({ problem }) => problem !== undefined) ? exitCodes.somePathsFailed : exitCodes.ok;
}

/** The rules in the order in which they are tried, and what is odd about them. */
export async function transformList(options: GlobalOptions, io: CommandIo): Promise<number> {
  const config = await destinationConfig(options, io);
  if ('exitCode' in config) return config.exitCode;
  const rules = config.destination.transforms;
  if (options.json) {
    const transforms = rules.map(({ name, from, to, warnings }) => ({ name, from, to, warnings }));
    writeJson(io, 'transforms', { transforms });
    return exitCodes.ok;
  }
  if (rules.length === 0) io.out.write('No transforms: every path stays as it is.\n');
  for (const [i, { name, from, to, warnings }] of rules.entries()) {
    const lines = [`${i + 1}. ${name}`, `   from  ${from}`, `   to    ${to}`];
    io.out.write(
      `${[...lines, ...warnings.map((warning) => `   warning: ${warning}`)].map(shownPath).join('\n')}\n`,
    );
  }
  return exitCodes.ok;
}

async function destinationConfig(
  options: GlobalOptions,
  io: CommandIo,
): Promise<DestinationConfiguration | { readonly exitCode: number }> {
  // A check in CI has the configuration, and not what its secrets are read from.
  const loaded = await configFor('destination', options, { interactive: true, filesMayBeAbsent: true }, io);
  return 'exitCode' in loaded ? loaded : (loaded.config as DestinationConfiguration);
}

function testedText({ path, target, rule, problem, notes }: TestedPath, style: TextStyle): string {
  const moved =
    rule === undefined
      ? 'unchanged: no rule matches'
      : target === path
        ? `unchanged by "${rule}"`
        : `-> ${shownPath(target)}  by "${rule}"`;
  return [
    shownPath(path),
    `  ${moved}`,
    ...(problem === undefined
      ? []
      : [`  ${paint('!', 'boldRed', style)} ${problem.code}: ${shownPath(problem.message)}`]),
    ...notes.map((note) => `  note: ${shownPath(note)}`),
  ].join('\n');
}

/** The paths of the command line, each once; `-` is replaced by the lines of standard input. */
async function allPaths(given: readonly string[], { config }: GlobalOptions): Promise<string[]> {
  const stdin = given.includes('-');
  if (stdin && config.includes('-')) {
    throw new VsyncError({
      code: 'USAGE',
      message: 'standard input cannot give both the configuration and the paths',
      hint: 'name a file with --config',
    });
  }
  const lines = stdin ? await linesOfStdin() : [];
  const paths = [...new Set([...given.filter((path) => path !== '-'), ...lines])];
  if (paths.length > 0) return paths;
  throw new VsyncError({
    code: 'USAGE',
    message: 'no path was given',
    hint: 'vsync transform test secret/data/app/db, or - for one path a line on standard input',
  });
}

async function linesOfStdin(): Promise<string[]> {
  const text = new TextDecoder().decode(await readStdin());
  return text.split(/\r?\n/).filter((line) => line !== '');
}
