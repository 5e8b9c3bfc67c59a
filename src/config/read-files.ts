import { type Assignment, assignmentsOf, ranks } from './assign.ts';
import { splitDestinations } from './destinations.ts';
import type { Environment } from './environment.ts';
import { expandConfigArgument, findDefaultFile } from './find-files.ts';
import type { Problem } from './problem.ts';
import { readConfigFile } from './read-file.ts';
import { placeOf } from './source.ts';

/** Where configuration files are looked for. */
export interface FileOptions {
  /** `--config` arguments: files, directories or `-`. Without any: `VSYNC_CONFIG`, else the usual places. */
  readonly files: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
  readonly home: string | undefined;
  readonly readStdin?: () => Promise<Uint8Array>;
}

/** What all configuration files say. */
export interface ReadFiles {
  readonly assignments: readonly Assignment[];
  /** The keys of each of the `destinations`; the right-most file that has the list counts. */
  readonly destinations: readonly (readonly Assignment[])[];
  readonly problems: readonly Problem[];
  readonly files: readonly string[];
  /** Every file could be read. */
  readonly isComplete: boolean;
}

export async function readFiles(options: FileOptions): Promise<ReadFiles> {
  const { env, cwd, readStdin } = options;
  const named = options.files.length > 0 ? options.files : env.VSYNC_CONFIG ? [env.VSYNC_CONFIG] : undefined;
  const found = named === undefined ? await findDefaultFile(options) : undefined;
  const expanded = await Promise.all(
    (named ?? (found === undefined ? [] : [found])).map((each) => expandConfigArgument(each, cwd)),
  );
  const files = expanded.flatMap((each) => each.files);
  const problems = expanded.flatMap((each) => each.problems);
  let isComplete = problems.length === 0;
  const assignments: Assignment[] = [];
  let destinations: (readonly Assignment[])[] = [];
  let stdin: Promise<Uint8Array> | undefined;
  const readStdinOnce = readStdin && (() => (stdin ??= readStdin()));
  for (const [i, file] of files.entries()) {
    const result = await readConfigFile(file, readStdinOnce);
    if ('problem' in result) {
      problems.push(result.problem);
      isComplete = false;
      continue;
    }
    if (result.document.root === undefined) {
      problems.push({
        severity: 'warning',
        code: 'CONFIG_SYNTAX',
        place: placeOf({ kind: 'file', file }),
        message: 'holds no keys',
      });
    }
    const split = splitDestinations(result.document, file);
    const assigned = assignmentsOf(split.rest, file, ranks.file + i);
    assignments.push(...assigned.assignments);
    problems.push(...split.problems, ...assigned.problems);
    if (split.destinations.length === 0) continue;
    // What a destination says itself counts more than what any file says of all of them.
    const own = split.destinations.map((document) => assignmentsOf(document, file, ranks.destination + i));
    problems.push(...own.flatMap((each) => each.problems));
    destinations = own.map((each) => each.assignments);
  }
  return { assignments, destinations, problems, files, isComplete };
}
