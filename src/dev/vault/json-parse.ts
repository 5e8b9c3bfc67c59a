import { type Json, JsonNumber } from './json.ts';

/**
 * Reads JSON as Vault does: the first value of the body, what follows it ignored; the last of duplicate keys wins;
 * numbers keep their text; a lone surrogate becomes U+FFFD.
 */

export interface ParsedJson {
  /** `undefined` for an empty body. */
  readonly value: Json | undefined;
  /** How many strings the value holds, keys too: OpenBao refuses more than 1,000 in one body. */
  readonly strings: number;
}

/** Nesting that Go's decoder refuses. */
const maxDepth = 10_000;

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const literals = [
  ['null', null],
  ['true', true],
  ['false', false],
] as const;

/** Throws `SyntaxError` (or `RangeError` when nested too deep) where Vault answers 400 `error parsing JSON`. */
export function parseJson(text: string): ParsedJson {
  const reader = new Reader(text);
  reader.skipSpace();
  if (reader.atEnd()) return { value: undefined, strings: 0 };
  return { value: reader.value(0), strings: reader.strings };
}

class Reader {
  strings = 0;
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  skipSpace(): void {
    for (; !this.atEnd(); this.#at++) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
    }
  }

  value(depth: number): Json {
    if (depth > maxDepth) throw new SyntaxError('nested too deep');
    this.skipSpace();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  #object(depth: number): Json {
    const entries = new Map<string, Json>();
    this.#at++;
    if (this.#take('}')) return entries;
    do {
      this.skipSpace();
      const key = this.#string();
      this.#expect(':');
      entries.set(key, this.value(depth + 1));
    } while (this.#take(','));
    this.#expect('}');
    return entries;
  }

  #array(depth: number): Json {
    const items: Json[] = [];
    this.#at++;
    if (this.#take(']')) return items;
    do items.push(this.value(depth + 1));
    while (this.#take(','));
    this.#expect(']');
    return items;
  }

  #string(): string {
    const start = this.#at;
    if (this.#text[start] !== '"') throw new SyntaxError(`string expected at ${start}`);
    let escaped = false;
    for (let i = start + 1; i < this.#text.length; i++) {
      const unit = this.#text.charCodeAt(i);
      if (unit === 0x22) {
        this.#at = i + 1;
        this.strings++;
        return escaped ? unescapeString(this.#text.slice(start, i + 1)) : this.#text.slice(start + 1, i);
      }
      if (unit < 0x20) throw new SyntaxError(`control character at ${i}`);
      if (unit === 0x5c) {
        escaped = true;
        i++;
      }
    }
    throw new SyntaxError('unexpected end of input');
  }

  #scalar(): Json {
    for (const [word, value] of literals) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    numberPattern.lastIndex = this.#at;
    const number = numberPattern.exec(this.#text)?.[0];
    if (number === undefined) throw new SyntaxError(`value expected at ${this.#at}`);
    this.#at += number.length;
    return new JsonNumber(number);
  }

  #take(char: string): boolean {
    this.skipSpace();
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #expect(char: string): void {
    if (!this.#take(char)) throw new SyntaxError(`${char} expected at ${this.#at}`);
  }
}

/** `quoted` without its quotes and escapes. With the `u` flag `\p{Surrogate}` matches only a half without its other one. */
function unescapeString(quoted: string): string {
  return (JSON.parse(quoted) as string).replace(/\p{Surrogate}/gu, '\ufffd');
}
