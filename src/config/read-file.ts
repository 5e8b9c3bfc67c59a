import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Document, ParseResult } from './document.ts';
import { parseHcl } from './formats/hcl.ts';
import { parseJson } from './formats/json.ts';
import type { Problem } from './problem.ts';
import { placeOf } from './source.ts';
import { positionsIn, tooDeepAt } from './text-positions.ts';

/** Configurations have some kilobytes; a limit keeps a wrong file name from filling the memory. */
export const maxFileBytes = 1024 * 1024;

/** What a file was read into, or why it was not. */
export type FileResult =
  | { readonly document: Document; readonly text: string }
  | { readonly problem: Problem };

/** Reads and parses one configuration file; `-` is standard input. Never throws. */
export async function readConfigFile(
  file: string,
  readStdin?: () => Promise<Uint8Array>,
): Promise<FileResult> {
  const read = await readBytes(file, file === '-' ? readStdin : undefined);
  return 'problem' in read ? read : parseConfigText(read.bytes, file);
}

/** Parses the bytes of a configuration file, whose name's extension tells the format; without one the first character does. */
export async function parseConfigText(bytes: Uint8Array, file: string): Promise<FileResult> {
  const decoded = decode(bytes, file);
  if ('problem' in decoded) return decoded;
  const { text } = decoded;
  const deep = tooDeepAt(text);
  if (deep !== undefined) {
    return syntaxProblem(file, { fault: { message: 'is nested too deeply', at: positionsIn(text)(deep) } });
  }
  try {
    const parsed = await parse(text, file);
    return 'fault' in parsed ? syntaxProblem(file, parsed) : { document: parsed.document, text };
  } catch {
    // The parsers' own errors may quote the text; whatever they throw, the text is what cannot be read.
    return syntaxProblem(file, { fault: { message: 'cannot be parsed' } });
  }
}

/** `contents` of a file, or a problem with `CONFIG_UNREADABLE`. Reads no more than the limit, so devices and pipes are safe. */
export async function readBytes(
  file: string,
  readStdin?: () => Promise<Uint8Array>,
): Promise<{ readonly bytes: Uint8Array } | { readonly problem: Problem }> {
  try {
    const bytes = readStdin === undefined ? await readAtMost(file, maxFileBytes + 1) : await readStdin();
    if (bytes.length <= maxFileBytes) return { bytes };
    return unreadable(file, `is larger than ${maxFileBytes / 1024} KiB`, 'is this the right file?');
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code ?? 'unknown error');
    return unreadable(file, reasons[code] ?? `cannot be read (${code})`);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'cannot be read: permission denied',
  EPERM: 'cannot be read: permission denied',
  EISDIR: 'is a directory, not a file',
  ENOTDIR: 'does not exist: a part of its path is no directory',
  ELOOP: 'cannot be read: too many symbolic links',
  ENAMETOOLONG: 'does not exist: the name is too long',
  ERR_INVALID_ARG_VALUE: 'does not exist: the name holds a NUL character',
};

async function readAtMost(file: string, limit: number): Promise<Uint8Array> {
  const handle = await open(file, 'r');
  try {
    const chunks: Buffer[] = [];
    let total = 0;
    while (total < limit) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(Math.min(65536, limit - total)));
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      total += bytesRead;
    }
    return Buffer.concat(chunks);
  } finally {
    await handle.close();
  }
}

function decode(bytes: Uint8Array, file: string): { text: string } | { problem: Problem } {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return unreadable(file, 'is UTF-16', 'save it as UTF-8');
  }
  const nul = bytes.indexOf(0);
  if (nul !== -1) return unreadable(file, `holds a NUL byte at offset ${nul}`, 'is this a text file?');
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return unreadable(file, 'is not UTF-8', 'save it as UTF-8');
  }
}

/** By extension; JSON is strict only where the extension says JSON. */
async function parse(text: string, file: string): Promise<ParseResult> {
  switch (extname(file).toLowerCase()) {
    case '.json':
      return parseJson(text, { comments: false });
    case '.jsonc':
      return parseJson(text, { comments: true });
    case '.yaml':
    case '.yml':
      return parseYamlLazily(text);
    case '.hcl':
      return parseHcl(text);
    case '.toml':
      return unsupported('TOML');
    case '.properties':
    case '.props':
    case '.prop':
      return unsupported('Java properties');
    default:
      return text.trimStart().startsWith('{') ? parseJson(text, { comments: true }) : parseYamlLazily(text);
  }
}

/** The YAML parser takes longer to load than all else of a start, and most configurations are JSON. */
async function parseYamlLazily(text: string): Promise<ParseResult> {
  const { parseYaml } = await import('./formats/yaml.ts');
  return parseYaml(text);
}

function unsupported(format: string): ParseResult {
  return {
    fault: {
      message: `${format} files are not supported`,
      hint: 'write it as .json, .jsonc, .yaml or .hcl; the keys are the same',
    },
  };
}

function syntaxProblem(
  file: string,
  { fault }: Extract<ParseResult, { fault: unknown }>,
): { problem: Problem } {
  const { message, at, hint } = fault;
  const place = placeOf({ kind: 'file', file, ...(at && { at }) });
  return { problem: { severity: 'error', code: 'CONFIG_SYNTAX', place, message, ...(hint && { hint }) } };
}

function unreadable(file: string, message: string, hint?: string): { problem: Problem } {
  return {
    problem: {
      severity: 'error',
      code: 'CONFIG_UNREADABLE',
      place: placeOf({ kind: 'file', file }),
      message,
      ...(hint && { hint }),
    },
  };
}
