import { isArray, isJsonObject, type Json, JsonNumber, type JsonObject, sortUtf8 } from './json.ts';

/**
 * Conversions of Vault's request fields (Go's `mapstructure.WeakDecode`): `"3"`, `null` and `true` are integers too.
 * Each throws an `Error` with the text that Vault shows; `name` is the place inside the field, such as `[0]`.
 */

/** An integer: a number's digits; a string in any Go base (`0x10`, `1_0`, `007`); `""` and `null` are 0, `true` is 1. */
export function weakInt(raw: Json, name = ''): number {
  if (raw === null || raw === false || raw === '') return 0;
  if (raw === true) return 1;
  if (raw instanceof JsonNumber)
    return toInt64(/^[+-]?\d+$/.test(raw.text) ? raw.text : undefined, raw.text, name);
  if (typeof raw === 'string') return toInt64(decimalOf(raw), raw, name);
  throw unconvertible('int', raw, name);
}

const goInteger =
  /^([+-]?)(0[xX](?:_?[\da-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])+|0|[1-9](?:_?\d)*)$/;

/** Decimal digits of an integer in Go's notation, or `undefined` if it is none. */
function decimalOf(text: string): string | undefined {
  const [, sign = '', number] = goInteger.exec(text) ?? [];
  if (number === undefined) return undefined;
  const digits = number.replaceAll('_', '').replace(/^0(?=\d)/, '0o');
  return `${sign}${BigInt(digits)}`;
}

function toInt64(decimal: string | undefined, shown: string, name: string): number {
  const fail = (why: string) =>
    new Error(`cannot parse '${name}' as int: strconv.ParseInt: parsing ${JSON.stringify(shown)}: ${why}`);
  if (decimal === undefined) throw fail('invalid syntax');
  const value = BigInt(decimal.replace('+', ''));
  if (BigInt.asIntN(64, value) !== value) throw fail('value out of range');
  return Number(value);
}

const goBooleans: Readonly<Record<string, boolean>> = Object.fromEntries([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true]),
  ...['', '0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false]),
]);

/** Go's `strconv.ParseBool`, or `undefined` where that fails; `""` is false. */
export function parseGoBool(text: string): boolean | undefined {
  return Object.hasOwn(goBooleans, text) ? goBooleans[text] : undefined;
}

/** A boolean; the numbers 0 and 1, and the words that Go's `ParseBool` knows, count too. */
export function weakBool(raw: Json): boolean {
  if (raw === null) return false;
  if (typeof raw === 'boolean') return raw;
  const text = raw instanceof JsonNumber ? raw.text : raw;
  if (typeof text !== 'string') throw unconvertible('bool', raw, '');
  const value = parseGoBool(text);
  if (value !== undefined) return value;
  throw new Error(
    `cannot parse '' as bool: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

/** A string: numbers as their digits, `true` as `1`, `false` as `0`, `null` as nothing. */
export function weakString(raw: Json, name = ''): string {
  if (raw === null) return '';
  if (typeof raw === 'boolean') return raw ? '1' : '0';
  if (typeof raw === 'string') return raw;
  if (raw instanceof JsonNumber) return raw.text;
  throw unconvertible('string', raw, name);
}

/** An object; `null` stays `null`; a list is merged from the objects in it, so `[]` is `{}`. */
export function weakMap(raw: Json, name = ''): JsonObject | null {
  if (raw === null || isJsonObject(raw)) return raw;
  if (!isArray(raw)) throw new Error(`'${name}' expected a map, got '${goKind(raw)}'`);
  return new Map(raw.flatMap((item, i) => [...(weakMap(item, `${name}[${i}]`) ?? [])]));
}

/** Integers from a list, a single value, or text with commas. */
export function weakIntList(raw: Json): number[] {
  const value = raw instanceof JsonNumber ? raw.text : raw;
  if (value === null || value === '' || (isJsonObject(value) && value.size === 0)) return [];
  const items = typeof value === 'string' ? value.split(',') : isArray(value) ? value : [value];
  const errors: string[] = [];
  const numbers = items.map((item, i) => {
    try {
      return weakInt(item, `[${i}]`);
    } catch (error) {
      errors.push(`* ${(error as Error).message}`);
      return 0;
    }
  });
  if (errors.length > 0) throw new Error(`${errors.length} error(s) decoding:\n\n${errors.join('\n')}`);
  return numbers;
}

/** Strings from a list or a single value, each trimmed; text is split at commas only where `commas` says so. */
export function weakStringList(raw: Json, commas: boolean): string[] {
  if (raw === null || raw === '') return [];
  const single = weakSingle(raw);
  if (single !== undefined) return (commas ? single.split(',') : [single]).map((item) => item.trim());
  if (!isArray(raw)) throw unconvertible('[]string', raw, '');
  return raw.map((item, i) => weakString(item, `[${i}]`).trim());
}

function weakSingle(raw: Json): string | undefined {
  return isArray(raw) || isJsonObject(raw) ? undefined : weakString(raw);
}

function unconvertible(type: string, raw: Json, name: string): Error {
  return new Error(
    `'${name}' expected type '${type}', got unconvertible type '${goKind(raw)}', value: '${showGo(raw)}'`,
  );
}

function goKind(raw: Json): string {
  if (isArray(raw)) return '[]interface {}';
  if (isJsonObject(raw)) return 'map[string]interface {}';
  return typeof raw === 'boolean' ? 'bool' : 'string';
}

/** `raw` as Go's `%v` prints it, for error texts. */
export function showGo(raw: Json): string {
  if (raw === null) return '<nil>';
  if (raw instanceof JsonNumber) return raw.text;
  if (isArray(raw)) return `[${raw.map(showGo).join(' ')}]`;
  if (isJsonObject(raw)) {
    return `map[${sortUtf8(raw.keys())
      .map((key) => `${key}:${showGo(raw.get(key) ?? null)}`)
      .join(' ')}]`;
  }
  return String(raw);
}
