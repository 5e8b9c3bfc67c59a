import { randomBytes } from 'node:crypto';
import { lstat, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { VsyncError } from '../../base/errors.ts';
import { formatVersion, jsonText, type PlanDocument } from './document.ts';
import { planProblem } from './schema.ts';

/** Saved plans. They hold paths, so only their owner may read them. */

/** How a file that vsync saved begins. */
const beginning = /^\{\s*"format_version":\s*"\d+\.\d+",\s*"type":\s*"(?:plan|apply)"/;

/**
 * Refuses a place where no plan may be saved, before any work is done: an earlier plan is replaced, as `terraform plan -out` does it, but
 * no other file is. Throws `USAGE`.
 */
export async function requirePlace(file: string, cwd: string): Promise<void> {
  const path = resolve(cwd, file);
  let head: string;
  try {
    const found = await lstat(path);
    head = found.isFile() ? await readHead(path) : '';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw cannot('save a plan to', file, error);
  }
  if (beginning.test(head)) return;
  throw new VsyncError({
    code: 'USAGE',
    path: file,
    message: `--out ${file} exists and is not a plan`,
    hint: 'name another file; only an earlier plan is replaced',
    note: 'Nothing was changed.',
  });
}

async function readHead(path: string): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Saves a plan with mode 0600: whole, or not at all. */
export async function savePlan(file: string, plan: PlanDocument, cwd: string): Promise<void> {
  const path = resolve(cwd, file);
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      for (const text of batched(jsonText(plan))) await handle.appendFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw cannot('save the plan to', file, error);
  }
}

function* batched(texts: Iterable<string>): Generator<string> {
  let batch = '';
  for (const text of texts) {
    batch += text;
    if (batch.length < 1 << 20) continue;
    yield batch;
    batch = '';
  }
  yield batch;
}

/** Reads a saved plan or report. Throws `USAGE` when there is no such file, `PLAN_INVALID` for what is none. */
export async function readPlan(file: string, cwd: string): Promise<PlanDocument> {
  const path = resolve(cwd, file);
  let text: string;
  try {
    if (!(await stat(path)).isFile()) throw Object.assign(new Error(), { code: 'it is no file' });
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw cannot('read the plan', file, error);
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    // The parser's own message quotes what it stumbled over.
    throw invalid(file, 'it is not JSON');
  }
  const { format_version: format } = (content ?? {}) as { readonly format_version?: unknown };
  const major = typeof format === 'string' ? /^(\d+)\.\d+$/.exec(format)?.[1] : undefined;
  if (major !== undefined && major !== formatVersion.split('.')[0])
    throw invalid(file, `it has format version ${format}, and this vsync knows ${formatVersion}`);
  const problem = planProblem(content);
  if (problem !== undefined) throw invalid(file, problem);
  return content as PlanDocument;
}

function invalid(file: string, why: string): VsyncError {
  return new VsyncError({
    code: 'PLAN_INVALID',
    path: file,
    message: `${file} is not a plan that this vsync can read`,
    why,
    hint: 'save one with: vsync plan --out FILE',
    note: 'Nothing was changed.',
  });
}

function cannot(what: string, file: string, error: unknown): VsyncError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  return new VsyncError({
    code: 'USAGE',
    path: file,
    message: `cannot ${what} ${file}: ${code}`,
    note: 'Nothing was changed.',
  });
}
