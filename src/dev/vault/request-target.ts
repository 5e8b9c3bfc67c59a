import { posix } from 'node:path';
import type { Json } from './json.ts';
import { isPrintable } from './printable.ts';

/** The request line's target as Go's HTTP server and Vault's listener read it. */

export interface Target {
  /** As sent, query included. */
  readonly raw: string;
  /** Decoded path; `%2F` is a separator in it. */
  readonly path: string;
  readonly validUtf8: boolean;
  readonly query: string;
}

/** Throws nothing: a target that no server accepts is `undefined` (400 from the HTTP layer). */
export function parseTarget(url: string): Target | undefined {
  const raw = url.replace(/^https?:\/\/[^/?]*/i, '');
  const mark = raw.indexOf('?');
  const rawPath = mark < 0 ? raw : raw.slice(0, mark);
  const bytes = rawPath.startsWith('/') ? decodePercent(rawPath) : undefined;
  if (bytes === undefined) return undefined;
  const path = bytes.toString();
  return {
    raw,
    path,
    validUtf8: Buffer.from(path).equals(bytes),
    query: mark < 0 ? '' : raw.slice(mark + 1),
  };
}

/** Bytes of text with `%XX`; Node gives the target with one character for each byte. */
function decodePercent(text: string): Buffer | undefined {
  if (/%(?![\da-fA-F]{2})/.test(text)) return undefined;
  const decoded = text.replace(/%([\da-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(decoded, 'latin1');
}

/** False where Vault answers 400 with an empty body: the path holds a character that Go does not call printable. */
export function hasPrintablePath({ path }: Target): boolean {
  return isPrintable(path);
}

/** Where Go's router sends a path with `//`, `/./` or `/../` in its raw form, or `undefined` if it is clean. Encoded ones stay. */
export function cleanRedirect({ raw, path, query }: Target): string | undefined {
  const rawPath = raw.split('?', 1)[0] ?? '';
  // Go routes by the path as sent, if it is encoded as it should be, else by its own encoding of the decoded one.
  const escaped = /^[\w\-.~!$&'()*+,;=:@[\]/%]*$/.test(rawPath) ? rawPath : escapePath(path);
  const cleaned = posix.normalize(escaped);
  if (cleaned === escaped) return undefined;
  // The location is encoded once more: `%20` becomes `%2520`. Go does so, and a client that follows it reaches another path.
  return `${escapePath(cleaned)}${query === '' ? '' : `?${query}`}`;
}

/** Go's encoding of a path. */
function escapePath(path: string): string {
  return encodeURI(path.toWellFormed()).replaceAll(
    /[!'()*#?[\]]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Query parameters as Go reads them: pairs that it cannot decode are dropped; a name that comes more than once has a list. */
export function parseQuery(query: string): Map<string, Json> {
  const values = new Map<string, string[]>();
  for (const pair of query.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const at = pair.includes('=') ? pair.indexOf('=') : pair.length;
    const [name, value] = [decodeQuery(pair.slice(0, at)), decodeQuery(pair.slice(at + 1))];
    if (name === undefined || value === undefined) continue;
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return new Map([...values].map(([name, list]) => [name, list.length === 1 ? (list[0] ?? '') : list]));
}

function decodeQuery(text: string): string | undefined {
  return decodePercent(text.replaceAll('+', ' '))?.toString();
}
