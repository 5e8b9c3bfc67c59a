import type { Json, JsonObject } from './json.ts';
import { plainError, wrapMessages, wrappedError } from './logical.ts';
import { isPrintable } from './printable.ts';
import { weakString } from './weak-decode.ts';

/** Vault's rules for `custom_metadata`: 64 keys of 1 to 128 bytes, values of 1 to 512 bytes, printable only. */

const failed = 'custom_metadata validation failed';
const [maxKeys, maxKeyBytes, maxValueBytes] = [64, 128, 512];

/** The map as strings: `true` becomes `"1"`, `5` becomes `"5"`, `null` becomes `""` (which the rules refuse). */
export function readCustomMetadata(raw: JsonObject | null): ReadonlyMap<string, string> {
  try {
    return new Map([...(raw ?? [])].map(([key, value]) => [key, weakString(value)]));
  } catch (error) {
    throw plainError(400, `${failed}: ${(error as Error).message}`);
  }
}

/** Throws a 400 that names each rule broken. */
export function checkCustomMetadata(metadata: ReadonlyMap<string, string>): void {
  const problems =
    metadata.size > maxKeys
      ? [`payload must contain at most ${maxKeys} keys, provided ${metadata.size}`]
      : [...metadata].flatMap(([key, value]) => problemsOf(key, value));
  if (problems.length > 0)
    throw plainError(400, wrapMessages(problems.map((problem) => `${failed}: ${problem}`)));
}

function problemsOf(key: string, value: string): string[] {
  const problems: string[] = [];
  const shown = JSON.stringify(key);
  const [keyBytes, valueBytes] = [Buffer.byteLength(key), Buffer.byteLength(value)];
  if (keyBytes === 0 || keyBytes > maxKeyBytes) {
    problems.push(`length of key ${shown} is ${keyBytes} but must be 0 < len(key) <= ${maxKeyBytes}`);
  }
  if (valueBytes === 0 || valueBytes > maxValueBytes) {
    problems.push(
      `length of value for key ${shown} is ${valueBytes} but must be 0 < len(value) <= ${maxValueBytes}`,
    );
  }
  if (!isPrintable(key)) problems.push(`key ${shown} (${key}) contains unprintable characters`);
  if (!isPrintable(value)) problems.push(`value for key ${shown} contains unprintable characters`);
  return problems;
}

/** `current` changed by a PATCH: `null` removes a key, or the whole map. Numbers and booleans are a 500 here, unlike in a POST. */
export function patchCustomMetadata(
  current: ReadonlyMap<string, string> | null,
  patch: JsonObject | null,
): ReadonlyMap<string, string> | null {
  if (patch === null) return null;
  const merged = new Map(current ?? []);
  for (const [key, value] of patch) {
    if (value === null) merged.delete(key);
    else merged.set(key, onlyString(value));
  }
  return merged.size === 0 ? null : merged;
}

function onlyString(value: Json): string {
  if (typeof value === 'string') return value;
  const kind = typeof value === 'boolean' ? 'bool' : 'number';
  throw wrappedError(
    500,
    `json: cannot unmarshal ${kind} into Go struct field KeyMetadata.custom_metadata of type string`,
  );
}
