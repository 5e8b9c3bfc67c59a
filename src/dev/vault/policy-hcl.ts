import type { Flavour } from './logical.ts';

/**
 * Reads the part of HCL in which policies are written: `path "x" { capabilities = ["read"] }` blocks, comments, the old
 * `policy = "read"`, and OpenBao's `pagination_limit`. Policies that restrict parameters or wrapping are refused, for they would
 * grant more here than on a real server.
 */

export interface PathRule {
  /** As written, `*` at the end and `+` segments included. */
  readonly path: string;
  readonly capabilities: readonly string[];
  /** OpenBao: a LIST without `limit` is cut to this many names. */
  readonly paginationLimit: number | undefined;
}

const capabilities = ['create', 'read', 'update', 'delete', 'list', 'sudo', 'patch', 'subscribe', 'deny'];
const oldPolicies: Readonly<Record<string, readonly string[]>> = {
  deny: ['deny'],
  read: ['read', 'list'],
  write: ['create', 'read', 'update', 'delete', 'list'],
  sudo: ['create', 'read', 'update', 'delete', 'list', 'sudo'],
};

type Value = string | number | readonly Value[] | Block;
type Block = readonly { readonly name: string; readonly label: string | undefined; readonly value: Value }[];

/** Throws an `Error` with a text for the 400 answer. */
export function parsePolicy(text: string, flavour: Flavour): PathRule[] {
  try {
    const blocks = new Parser(tokens(text)).document();
    return blocks.flatMap(({ name, label, value }) => {
      if (name === 'name') return [];
      if (name !== 'path') throw new Error(`invalid key ${JSON.stringify(name)}`);
      return [pathRule(label ?? '', value, flavour)];
    });
  } catch (error) {
    throw new Error(`failed to parse policy: ${(error as Error).message}`);
  }
}

function pathRule(label: string, value: Value, flavour: Flavour): PathRule {
  const path = label.replace(/^\//, '');
  if (path.includes('+*')) throw new Error(`path "${path}": invalid use of wildcards ('+*' is forbidden)`);
  if (!isBlock(value)) throw new Error(`path "${path}": block expected`);
  let [granted, paginationLimit]: [readonly string[], number | undefined] = [[], undefined];
  for (const { name, value: setting } of value) {
    if (name === 'capabilities' && isStrings(setting)) granted = [...granted, ...setting];
    else if (name === 'policy' && typeof setting === 'string')
      granted = [...granted, ...oldPolicy(path, setting)];
    else if (name === 'pagination_limit' && flavour === 'openbao') paginationLimit = Number(setting);
    else if (name !== 'comment') throw new Error(`path "${path}": invalid or unsupported key "${name}"`);
  }
  const known = flavour === 'openbao' ? [...capabilities, 'scan'] : capabilities;
  const unknown = granted.find((capability) => !known.includes(capability));
  if (unknown !== undefined) throw new Error(`path "${path}": invalid capability "${unknown}"`);
  return { path, capabilities: granted, paginationLimit };
}

function oldPolicy(path: string, name: string): readonly string[] {
  const granted = Object.hasOwn(oldPolicies, name) ? oldPolicies[name] : undefined;
  if (granted === undefined) throw new Error(`path "${path}": invalid policy "${name}"`);
  return granted;
}

function isBlock(value: Value): value is Block {
  return Array.isArray(value) && value.every((item) => typeof item === 'object' && 'name' in item);
}

function isStrings(value: Value): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

interface Token {
  readonly kind: 'string' | 'word' | 'number' | 'sign' | 'end';
  readonly text: string;
}

const token =
  /(?:\s|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*(?:"((?:[^"\\\n]|\\.)*)"|(-?\d+(?:\.\d+)?)|([A-Za-z_][\w.-]*)|([{}[\]=,:])|($))/y;

function* tokens(text: string): Generator<Token> {
  for (token.lastIndex = 0; ; ) {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (match === null) throw new Error(`illegal character or unterminated text near position ${at}`);
    const [, string, number, word, sign] = match;
    const next = token.lastIndex;
    if (string !== undefined) yield { kind: 'string', text: JSON.parse(`"${string}"`) as string };
    else if (number !== undefined) yield { kind: 'number', text: number };
    else if (word !== undefined) yield { kind: 'word', text: word };
    else if (sign !== undefined) yield { kind: 'sign', text: sign };
    else return;
    token.lastIndex = next;
  }
}

class Parser {
  readonly #tokens: Iterator<Token>;
  #next: Token;

  constructor(source: Iterator<Token>) {
    this.#tokens = source;
    this.#next = this.#read();
  }

  /** The whole text: entries, or a JSON object of them. */
  document(): Block {
    const entries = this.#isSign('{') ? this.#value() : this.block();
    if (this.#next.kind !== 'end' || !isBlock(entries)) throw new Error(`unexpected "${this.#next.text}"`);
    return entries;
  }

  /** Entries up to `}` or the end: `name "label" { … }`, `name = value`, and their JSON forms. */
  block(): Block {
    const entries: { name: string; label: string | undefined; value: Value }[] = [];
    while (this.#next.kind === 'word' || this.#next.kind === 'string') {
      const name = this.#take().text;
      const label = this.#next.kind === 'string' ? this.#take().text : undefined;
      if (this.#isSign('=') || this.#isSign(':')) this.#take();
      entries.push(...this.#entry(name, label, this.#value()));
      if (this.#isSign(',')) this.#take();
    }
    return entries;
  }

  /** `path { "x" { … } }`, which is how the JSON form reads, is `path "x" { … }`. */
  #entry(name: string, label: string | undefined, value: Value): Block {
    if (name !== 'path' || label !== undefined || !isBlock(value)) return [{ name, label, value }];
    return value.map((entry) => ({ name, label: entry.name, value: entry.value }));
  }

  #value(): Value {
    const { kind, text } = this.#take();
    if (kind === 'string') return text;
    if (kind === 'number') return Number(text);
    if (text === '[') return this.#list();
    if (text !== '{') throw new Error(`value expected, found "${text}"`);
    const block = this.block();
    this.#expect('}');
    return block;
  }

  #list(): Value {
    const items: Value[] = [];
    while (!this.#isSign(']')) {
      items.push(this.#value());
      if (!this.#isSign(']')) this.#expect(',');
    }
    this.#expect(']');
    return items;
  }

  #isSign(text: string): boolean {
    return this.#next.kind === 'sign' && this.#next.text === text;
  }

  #expect(sign: string): void {
    const found = this.#take();
    if (found.text !== sign) throw new Error(`"${sign}" expected, found "${found.text}"`);
  }

  #take(): Token {
    const taken = this.#next;
    this.#next = this.#read();
    return taken;
  }

  #read(): Token {
    const read = this.#tokens.next();
    return read.done ? { kind: 'end', text: '' } : read.value;
  }
}
