/**
 * How Consul reads the path of a request: decoded, refused if it is unprintable, redirected if it is not clean.
 * May import: `key-bytes`, `answer`.
 */

import { type Answer, withHeaders } from './answer.ts';
import { textOfKey } from './key-bytes.ts';

/** Whether a path or a query has a `%` without two hexadecimal digits: Consul answers 400 for the one and 500 for the other. */
export function hasMalformedEscape(text: string): boolean {
  return /%(?![0-9A-Fa-f]{2})/.test(text);
}

/** Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols, and of all spaces only the ASCII one. */
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

/** The bytes of a path without malformed escapes, one character each. `%2F` becomes an ordinary `/`. */
export function decodePath(raw: string): string {
  return raw.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/** Whether a decoded path holds a character that Consul refuses. Bytes that are no UTF-8 pass. */
export function isUnprintable(path: string): boolean {
  return unprintable.test(textOfKey(path));
}

/** The path without empty segments, `.` and `..`: where it differs from the path asked for, Consul redirects. */
export function cleanPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const clean = `/${segments.join('/')}`;
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}

/** The 301 to another path, with the query as it was. Only a GET gets a body. */
export function redirect(method: string, path: string, query: string): Answer {
  const location = encodePath(path) + (query === '' ? '' : `?${query}`);
  const answer = { status: 301, headers: { Location: location }, body: '' };
  if (method !== 'GET') return answer;
  const body = `<a href="${location.replaceAll('&', '&amp;')}">Moved Permanently</a>.\n\n`;
  return { ...withHeaders(answer, { 'Content-Type': 'text/html; charset=utf-8' }), body };
}

function encodePath(path: string): string {
  return path.replace(
    /[^A-Za-z0-9\-_.~$&+,/:;=@]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
