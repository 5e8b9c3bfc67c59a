import { SecretValue } from '../sync/secret-value.ts';

/**
 * Reads the answer to `GET <mount>data/<key>` without touching the value: `data.data` is cut out as text, the rest is parsed.
 * Parsing the value would alter it (`JSON.parse` turns 12345678901234567890 into 12345678901234567000), and costs time.
 */

export interface KvAnswer {
  readonly kind: 'live';
  readonly value: SecretValue;
  readonly version: number;
  /** Equals the key's `updated_time` when this version was the current one. */
  readonly createdTime: string;
}

/** Throws when the text is not such an answer; the error never quotes it. */
export function parseKvAnswer(text: string): KvAnswer {
  const data = member(text, 0, 'data');
  const value = data && member(text, data.start, 'data');
  if (value === undefined) throw new SyntaxError('no data.data');
  const valueText = text.slice(value.start, value.end);
  if (!valueText.startsWith('{') && valueText !== 'null') throw new SyntaxError('data.data is not an object');
  const { version, created_time } = metadataOf(`${text.slice(0, value.start)}null${text.slice(value.end)}`);
  if (typeof version !== 'number' || typeof created_time !== 'string')
    throw new SyntaxError('no data.metadata');
  return { kind: 'live', value: new SecretValue(valueText), version, createdTime: created_time };
}

function metadataOf(envelope: string): Readonly<Record<string, unknown>> {
  let parsed: { readonly data?: { readonly metadata?: Record<string, unknown> | null } };
  try {
    parsed = JSON.parse(envelope);
  } catch {
    // JSON.parse quotes what it stumbles over.
    throw new SyntaxError('not JSON around data.data');
  }
  return parsed.data?.metadata ?? {};
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the value of member `name` of the object at `at` stands; `undefined` when there is none. */
function member(text: string, at: number, name: string): Span | undefined {
  const wanted = `"${name}"`;
  let pos = skipSpace(text, at);
  if (text[pos] !== '{') return undefined;
  pos = skipSpace(text, pos + 1);
  while (text[pos] === '"') {
    const keyEnd = stringEnd(text, pos);
    const isWanted = keyEnd - pos === wanted.length && text.startsWith(wanted, pos);
    pos = skipSpace(text, keyEnd);
    if (text[pos] !== ':') break;
    const start = skipSpace(text, pos + 1);
    const end = valueEnd(text, start);
    if (isWanted) return { start, end };
    pos = skipSpace(text, end);
    if (text[pos] !== ',') return undefined;
    pos = skipSpace(text, pos + 1);
  }
  return undefined;
}

function skipSpace(text: string, at: number): number {
  let pos = at;
  while (text[pos] === ' ' || text[pos] === '\n' || text[pos] === '\t' || text[pos] === '\r') pos += 1;
  return pos;
}

/** The position after the string that starts at `at`. */
function stringEnd(text: string, at: number): number {
  for (let quote = text.indexOf('"', at + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
  throw new SyntaxError('string without an end');
}

/** The position after the value that starts at `at`. Brackets are balanced, strings passed over. */
function valueEnd(text: string, at: number): number {
  if (text[at] === '"') return stringEnd(text, at);
  if (text[at] !== '{' && text[at] !== '[') {
    const scalar = /[^\s,\]}]+/y;
    scalar.lastIndex = at;
    const found = scalar.exec(text);
    if (found === null) throw new SyntaxError('no value');
    return at + found[0].length;
  }
  let depth = 0;
  for (let pos = at; pos < text.length; pos += 1) {
    const char = text[pos];
    if (char === '"') pos = stringEnd(text, pos) - 1;
    else if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') {
      depth -= 1;
      if (depth === 0) return pos + 1;
    }
  }
  throw new SyntaxError('value without an end');
}
