import { parseArgs } from 'node:util';

/** What `npm run bench -- ...` was called with. */
export interface Options {
  readonly secrets: number;
  /** A second, larger number of secrets for the origin's cycle; 0 = none. */
  readonly large: number;
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

  --secrets N      number of secrets                                     default 10000
  --large N        a second number, for the origin's cycle alone; 0 = none     default 0
  --rows a,b       only these: ${rowNames.join(',')}
  --runs N         measured runs of each contender, after one to warm up  default 3
  --workers N      requests in flight                                    default 32
  --json FILE      write the results as JSON
  --write          rewrite bench/RESULTS.md
  --profile DIR    no measuring: CPU profiles of the origin cycle and the first copy

environment
  VSYNC_BENCH_ORIGIN_VAULT, VSYNC_BENCH_ORIGIN_TOKEN             use this Vault (with a token that may do anything)
  VSYNC_BENCH_DESTINATION_VAULT, VSYNC_BENCH_DESTINATION_TOKEN   instead of starting one
  VSYNC_BENCH_CONSUL                                             the same for Consul
  VSYNC_BENCH_OTHER                                              the command of another program that reads the same
                                                                 configuration: "<command> origin --config FILE"
  VSYNC_BENCH_PROGRAM                                            another build of vsync: a folder with bin/ and dist/
`;

/** Reads the command line; throws an `Error` for what it does not know. */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      secrets: { type: 'string', default: '10000' },
      large: { type: 'string', default: '0' },
      rows: { type: 'string', default: rowNames.join(',') },
      runs: { type: 'string', default: '3' },
      workers: { type: 'string', default: '32' },
      json: { type: 'string' },
      write: { type: 'boolean', default: false },
      profile: { type: 'string' },
    },
  });
  if (values.help) return 'help';
  return {
    secrets: wholeNumber('--secrets', values.secrets, 100),
    large: wholeNumber('--large', values.large, 0),
    rows: values.rows.split(',').map(rowName),
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

function rowName(text: string): RowName {
  const found = rowNames.find((name) => name === text);
  if (found === undefined) throw new Error(`--rows ${text}: one of ${rowNames.join(', ')}`);
  return found;
}
