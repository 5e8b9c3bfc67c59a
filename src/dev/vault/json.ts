/**
 * JSON as Go's `encoding/json` reads and prints it: number texts kept, keys sorted by UTF-8 bytes, HTML characters escaped.
 * May import: nothing.
 */

/** A number with its digits as sent. KV v1 keeps them; KV v2 loses them on each read (`encodeAsFloat64`). */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** JSON text that is printed as it is, for instance a stored secret. */
export class RawJson {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What `parseJson` yields. An object is a Map: its keys are the client's and may be `__proto__`. */
export type Json = null | boolean | string | JsonNumber | readonly Json[] | JsonObject;
export type JsonObject = ReadonlyMap<string, Json>;

/** What `encodeJson` prints. */
export type Encodable =
  | null
  | boolean
  | number
  | string
  | JsonNumber
  | RawJson
  | readonly Encodable[]
  | EncodableMap
  | { readonly [key: string]: Encodable };
export type EncodableMap = ReadonlyMap<string, Encodable>;

/** A number that no float64 can hold: Vault stores it, and every read of the secret is 500 from then on. */
export class NumberOutOfRange extends Error {
  constructor(text: string) {
    super(`json: cannot unmarshal number ${text} into Go value of type float64`);
  }
}

/** Order of two strings by their UTF-8 bytes, as Go sorts; JavaScript's own order differs above U+D7FF. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return surrogatesLast(x) - surrogatesLast(y);
  }
  return a.length - b.length;
}

function surrogatesLast(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** The keys in the order in which Go prints them. */
export function sortUtf8(keys: Iterable<string>): string[] {
  return [...keys].sort(compareUtf8);
}

const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** A JSON string as Go prints it: `<`, `>`, `&`, U+2028 and U+2029 escaped. */
function quoteJson(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (char) => escapes[char] ?? char);
}

/** JSON text of `value` on one line, without a newline at the end. */
export function encodeJson(value: Encodable): string {
  return encode(value, (text) => text);
}

/**
 * JSON text of `value` after a pass through float64, as a KV v2 read prints it: `1.0` becomes `1`, `1e21` becomes `1e+21`.
 * Throws `NumberOutOfRange` for a number such as `1e400`.
 */
export function encodeAsFloat64(value: Json): string {
  return encode(value, (text) => {
    const number = Number(text);
    if (!Number.isFinite(number)) throw new NumberOutOfRange(text);
    return Object.is(number, -0) ? '-0' : String(number);
  });
}

function encode(value: Encodable, printNumber: (text: string) => string): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return quoteJson(value);
  if (typeof value !== 'object') return String(value);
  if (value instanceof JsonNumber) return printNumber(value.text);
  if (value instanceof RawJson) return value.text;
  if (isArray(value)) return `[${value.map((item) => encode(item, printNumber)).join(',')}]`;
  const entries: [string, Encodable][] = value instanceof Map ? [...value] : Object.entries(value);
  entries.sort(([a], [b]) => compareUtf8(a, b));
  return `{${entries.map(([key, item]) => `${quoteJson(key)}:${encode(item, printNumber)}`).join(',')}}`;
}

/** True for an array; unlike `Array.isArray` it narrows a readonly one. */
export function isArray<T>(value: unknown): value is readonly T[] {
  return Array.isArray(value);
}

/** True for a JSON object. */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return value instanceof Map;
}

/**
 * `target` changed by `patch` as Vault's library does it: `null` removes a key, objects merge, anything else replaces.
 * Beyond RFC 7396 it also drops `null` from objects inside of lists, unless the list replaces an object.
 */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map(target);
  for (const [key, value] of patch) {
    const current = merged.get(key);
    if (value === null) merged.delete(key);
    else if (!isJsonObject(current)) merged.set(key, withoutNulls(value));
    else merged.set(key, isJsonObject(value) ? mergePatch(current, value) : value);
  }
  return merged;
}

function withoutNulls(value: Json): Json {
  if (isArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  const kept = [...value].filter(([, item]) => item !== null);
  return new Map(kept.map(([key, item]) => [key, withoutNulls(item)]));
}
