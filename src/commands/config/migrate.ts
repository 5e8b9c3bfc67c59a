import type { Stats } from 'node:fs';
import { chmod, chown, link, realpath, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { exitCodes, VsyncError } from '../../base/errors.ts';
import { type Migrated, migrateConfig } from '../../config/migrate.ts';
import { type Problem, renderProblem } from '../../config/problem.ts';
import { readBytes } from '../../config/read-file.ts';
import type { CommandIo } from '../command-io.ts';
import type { GlobalOptions } from '../global-options.ts';
import { errorCount, problemsAsError, readStdin } from '../load-config.ts';
import { printError } from '../terminal/print-error.ts';

export interface ConfigMigrateOptions extends GlobalOptions {
  /** Replace the file instead of printing; the old text stays beside it as `.bak`. */
  readonly write: boolean;
}

/**
 * `vsync config migrate FILE`: a file of Go vsync, or one with old keys or in HCL, in today's form. The new text goes to standard
 * output, what was changed to standard error.
 */
export async function configMigrateCommand(
  file: string,
  options: ConfigMigrateOptions,
  io: CommandIo,
): Promise<number> {
  if (options.write && file === '-') {
    throw new VsyncError({
      code: 'USAGE',
      message: '--write needs a file, not standard input',
      hint: 'without --write the new text is printed',
    });
  }
  const path = file === '-' ? file : resolve(io.cwd, file);
  const read = await readBytes(path, file === '-' ? readStdin : undefined);
  if ('problem' in read) return refused([read.problem], options, io);
  const migrated = await migrateConfig(read.bytes, path);
  if (!('text' in migrated)) return refused(migrated.problems, options, io);

  const { text, format, changes, problems } = migrated;
  const written =
    options.write && changes.length > 0 ? await replaceFile(await realpath(path), migrated) : undefined;
  if (options.json) {
    io.out.write(`${JSON.stringify({ file: path, format, changes, problems, ...(written ?? { text }) })}\n`);
    return exitCodes.ok;
  }
  if (!options.write) io.out.write(text);
  if (options.quiet) return exitCodes.ok;
  for (const change of changes) io.err.write(`${change}\n`);
  for (const problem of problems) io.err.write(`${problem.severity}: ${renderProblem(problem)}\n`);
  if (changes.length === 0) io.err.write('nothing to change\n');
  if (written !== undefined) io.err.write(`wrote ${written.written}; the old text is ${written.backup}\n`);
  return exitCodes.ok;
}

function refused(problems: readonly Problem[], { json }: GlobalOptions, io: CommandIo): number {
  const error = problemsAsError(problems, `${errorCount(problems)}; nothing was changed`);
  if (json) printError(error, io, true);
  else {
    for (const problem of problems) io.err.write(`${problem.severity}: ${renderProblem(problem)}\n`);
    io.err.write(`${error.message}\n`);
  }
  return error.exitCode;
}

/**
 * Puts the new text in the file's place, with the file's permissions, in one step. HCL becomes YAML, so its file gets another
 * extension; the old one, as `.bak`, is no configuration file any more.
 */
async function replaceFile(
  file: string,
  { text, format }: Migrated,
): Promise<{ readonly written: string; readonly backup: string }> {
  const backup = `${file}.bak`;
  const isHcl = extname(file).toLowerCase() === '.hcl';
  const target = isHcl && format === 'yaml' ? `${file.slice(0, -'.hcl'.length)}.yaml` : file;
  const fresh = `${target}.new`;
  try {
    const like = await stat(file);
    if (target !== file) await refuseExisting(target);
    await writeLike(like, fresh, text);
    // `link` is the one call that makes a second name and refuses an existing one.
    await link(file, backup).catch(async (error) => {
      await unlink(fresh);
      throw error;
    });
    await rename(fresh, target);
    if (target !== file) await unlink(file);
    return { written: target, backup };
  } catch (error) {
    if (error instanceof VsyncError) throw error;
    const { code, dest, path } = error as NodeJS.ErrnoException & { readonly dest?: string };
    throw notWritten(dest ?? path ?? file, code);
  }
}

/** Writes a new file with the permissions of another, and as root also with its owner: the process that reads it may be another user's. */
async function writeLike({ mode, uid, gid }: Stats, file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: 'wx', mode: 0o600 });
  if (process.getuid?.() === 0) await chown(file, uid, gid);
  await chmod(file, mode);
}

async function refuseExisting(file: string): Promise<void> {
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (isThere) throw notWritten(file, 'EEXIST');
}

function notWritten(file: string, code: string | undefined): VsyncError {
  return new VsyncError({
    code: 'USAGE',
    exitCode: exitCodes.failed,
    message: `cannot write ${file}: ${code === 'EEXIST' ? 'it exists already' : code}`,
    hint: 'move it away, or print the new text without --write',
    note: 'Nothing was changed.',
  });
}
