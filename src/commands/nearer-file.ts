import { relative } from 'node:path';

/** An absolute file name as one would type it in the working directory, if it lies below. */
export function nearerFile(file: string, cwd: string): string {
  const short = relative(cwd, file);
  return short.startsWith('..') ? file : short;
}
