import { parseArgs } from 'node:util';
import type { TokenKind } from './measure.ts';

/** What `npm run bench -- ...` was called with. */
export interface Options {
  readonly secrets: number;
  /** A second, larger number of secrets for the origin's cycle; 0 = none. */
  readonly large: number;
  /** The largest number of paths in a simulation. */
  readonly simulated: number;
  readonly tokens: readonly TokenKind[];
  readonly rows: readonly RowName[];
  readonly runs: number;
  readonly workers: number;
  /** File for the results as JSON. */
  readonly json: string | undefined;
  /** Rewrites `bench/RESULTS.md`. */
  readonly write: boolean;
  /** Folder for CPU profiles of the program. */
  readonly profile: string | undefined;
}

export const rowNames = [
  'origin',
  'auto',
  'first-copy',
  'destination',
  'requests',
  'openbao',
  'many',
  'simulation',
  'start',
] as const;
export type RowName = (typeof rowNames)[number];

export const usage = `npm run bench -- [options]

  --quick          for iterating: 1000 secrets, one kind of token, no row of a large number
  --secrets N      number of secrets                                     default 10000
  --large N        a second number, for the origin's cycle alone; 0 = none  default 50000
  --simulated N    the largest number of paths in a simulation           default 1000000
  --tokens a,b     only these: lean (no default policy), default
  --rows a,b       only these: ${rowNames.join(', ')}
  --runs N         measured runs of each contender, after one to warm up  default 3
  --workers N      requests in flight                                    default 32
  --json FILE      write the results as JSON
  --write          rewrite bench/RESULTS.md
  --profile DIR    no measuring: CPU profiles of the origin cycle, the first copy and 1 % changed

environment
  VSYNC_BENCH_ORIGIN_VAULT, VSYNC_BENCH_ORIGIN_TOKEN             use this Vault (with a token that may do anything)
  VSYNC_BENCH_DESTINATION_VAULT, VSYNC_BENCH_DESTINATION_TOKEN   instead of starting one
  VSYNC_BENCH_CONSUL                                             the same for Consul
  VSYNC_BENCH_OTHER                                              the command of another program that reads the same
                                                                 configuration: "<command> origin --config FILE"
  VSYNC_BENCH_PROGRAM                                            another build of vsync: a folder with bin/ and dist/
`;

const tokenKinds: readonly TokenKind[] = ['lean', 'default'];
const complete = { secrets: '10000', large: '50000', simulated: '1000000', tokens: tokenKinds.join(',') };
const quick = { secrets: '1000', large: '0', simulated: '100000', tokens: 'lean' };

/** Reads the command line; throws an `Error` for what it does not know. */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      quick: { type: 'boolean', default: false },
      secrets: { type: 'string' },
      large: { type: 'string' },
      simulated: { type: 'string' },
      tokens: { type: 'string' },
      rows: { type: 'string', default: rowNames.join(',') },
      runs: { type: 'string', default: '3' },
      workers: { type: 'string', default: '32' },
      json: { type: 'string' },
      write: { type: 'boolean', default: false },
      profile: { type: 'string' },
    },
  });
  if (values.help) return 'help';
  const defaults = values.quick ? quick : complete;
  return {
    secrets: wholeNumber('--secrets', values.secrets ?? defaults.secrets, 100),
    large: wholeNumber('--large', values.large ?? defaults.large, 0),
    simulated: wholeNumber('--simulated', values.simulated ?? defaults.simulated, 10_000),
    tokens: (values.tokens ?? defaults.tokens).split(',').map((text) => oneOf('--tokens', tokenKinds, text)),
    rows: values.rows.split(',').map((text) => oneOf('--rows', rowNames, text)),
    runs: wholeNumber('--runs', values.runs, 1),
    workers: wholeNumber('--workers', values.workers, 1),
    json: values.json,
    write: values.write,
    profile: values.profile,
  };
}

function wholeNumber(name: string, text: string, min: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min)
    throw new Error(`${name} ${text}: a whole number from ${min} up`);
  return value;
}

function oneOf<T extends string>(option: string, names: readonly T[], text: string): T {
  const found = names.find((name) => name === text.trim());
  if (found === undefined) throw new Error(`${option} ${text}: one of ${names.join(', ')}`);
  return found;
}
