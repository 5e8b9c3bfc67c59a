import { access, constants, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Role } from './config.ts';
import { textNode } from './document.ts';
import { type KeySpec, keySpec, keySpecs } from './keys.ts';
import type { Problem } from './problem.ts';
import { readBytes } from './read-file.ts';
import { check, type Resolved } from './resolve.ts';
import { placeOf, type Source } from './source.ts';

export interface ReferencedFilesOptions {
  readonly role: Role;
  readonly cwd: string;
  readonly home: string | undefined;
  /** What does not exist is a warning: the configuration may be for another machine. */
  readonly filesMayBeAbsent?: boolean;
}

/**
 * Reads the files that `*_file` keys name into the secrets they stand for, and checks that the TLS files can be read.
 * Makes the names absolute in `resolved`; the name stays, so that the file can be read again when it changes.
 */
export async function readReferencedFiles(
  resolved: Resolved,
  { role, cwd, home, filesMayBeAbsent = false }: ReferencedFilesOptions,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const spec of keySpecs) {
    const name = resolved.values.get(spec.key);
    const source = resolved.sources.get(spec.key);
    if (spec.path === undefined || typeof name !== 'string' || source === undefined || isPem(name)) continue;
    const file = resolve(cwd, home && name.startsWith('~/') ? join(home, name.slice(2)) : name);
    resolved.values.set(spec.key, file);
    if (!spec.readBy.includes(role)) continue;
    const place = placeOf(source);
    if (filesMayBeAbsent && (await isAbsent(file))) {
      problems.push({ severity: 'warning', place, key: spec.key, ...absent(file) });
      continue;
    }
    const found =
      spec.path === 'secret' ? await readSecret(spec, file, source, resolved) : await unreadableReason(file);
    if (found !== undefined) problems.push({ severity: 'error', place, key: spec.key, ...found });
  }
  return problems;
}

async function isAbsent(file: string): Promise<boolean> {
  return stat(file).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
}

function absent(file: string): Finding {
  const hint = 'it has to be there where vsync runs';
  return { code: 'CONFIG_UNREADABLE', message: `${file} does not exist on this machine`, hint };
}

/** `ca_cert` may hold the certificate itself. */
function isPem(text: string): boolean {
  return text.startsWith('-----BEGIN ');
}

type Finding = Pick<Problem, 'code' | 'message' | 'hint'>;

async function readSecret(
  spec: KeySpec,
  file: string,
  via: Source,
  resolved: Resolved,
): Promise<Finding | undefined> {
  const secret = keySpec(spec.key.replace(/_file$/, ''));
  const read = await readBytes(file);
  if ('problem' in read) return { code: 'CONFIG_UNREADABLE', message: `${file} ${read.problem.message}` };
  const text = Buffer.from(read.bytes)
    .toString('utf8')
    .replace(/[\r\n]+$/, '');
  if (text === '')
    return { code: 'CONFIG_BAD_VALUE', message: `${file} is empty`, hint: `it must hold ${secret.key}` };
  const source: Source = { kind: 'secret-file', file, via };
  const { value, problems } = check(secret, {
    key: secret.key,
    node: textNode(text),
    format: 'text',
    source,
    rank: 0,
  });
  const [problem] = problems;
  if (problem !== undefined)
    return {
      code: problem.code,
      message: `${file} ${problem.message}`,
      ...(problem.hint && { hint: problem.hint }),
    };
  resolved.values.set(secret.key, value);
  resolved.sources.set(secret.key, source);
  return undefined;
}

async function unreadableReason(file: string): Promise<Finding | undefined> {
  try {
    await access(file, constants.R_OK);
    return undefined;
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EACCES';
    return {
      code: 'CONFIG_UNREADABLE',
      message: `${file} ${isThere ? 'cannot be read: permission denied' : 'does not exist'}`,
    };
  }
}
