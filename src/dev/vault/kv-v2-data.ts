import type { BackendPath, Fields, Handler } from './framework.ts';
import {
  type Encodable,
  encodeAsFloat64,
  encodeJson,
  isJsonObject,
  type Json,
  mergePatch,
  NumberOutOfRange,
  RawJson,
} from './json.ts';
import { parseJson } from './json-parse.ts';
import { type KeyMetadata, KvV2Store, type StoredValue } from './kv-v2-store.ts';
import { versionView } from './kv-v2-view.ts';
import { type LogicalRequest, type LogicalResponse, plainError, wrappedError } from './logical.ts';
import { weakInt } from './weak-decode.ts';

/** `data/<key>` and `subkeys/<key>` of a KV v2 mount: reading and writing values. */

const missing: LogicalResponse = { notFound: true };

export function dataPath(store: KvV2Store): BackendPath {
  const vault = store.settings.flavour === 'vault';
  return {
    // Vault leaves a trailing slash to the "Invalid path" answer; OpenBao takes it for a key.
    pattern: vault ? /^data\/(?<path>.*?[^/])$/s : /^data\/(?<path>.*)$/s,
    fields: { path: 'string', version: 'int', options: 'map', data: 'map' },
    exists: (fields) => store.get(fields.string('path')) !== undefined,
    operations: {
      read: (fields) => readData(store, fields),
      update: (fields, request) => writeData(store, fields, request),
      patch: (fields) => patchData(store, fields),
      delete: (fields) => deleteData(store, fields),
    },
  };
}

/** `subkeys/<key>`: the structure of a secret with `null` for each value, down to `depth`. */
export function subkeysPath(store: KvV2Store): BackendPath {
  const read: Handler = (fields) =>
    readVersion(store, fields, 'subkeys', (text) => {
      const value = parseJson(text).value ?? null;
      return new RawJson(encodeJson(withoutValues(value, fields.int('depth'))));
    });
  return {
    pattern: /^subkeys\/(?<path>.*)$/s,
    fields: { path: 'string', version: 'int', depth: 'int' },
    operations: { read },
  };
}

function withoutValues(value: Json, maxDepth: number, depth = 1): Json {
  if (!isJsonObject(value)) return null;
  const deeper = (item: Json) =>
    isJsonObject(item) && item.size > 0 && (maxDepth === 0 || depth < maxDepth)
      ? withoutValues(item, maxDepth, depth + 1)
      : null;
  return new Map([...value].map(([key, item]) => [key, deeper(item)]));
}

function readData(store: KvV2Store, fields: Fields): LogicalResponse | undefined {
  return readVersion(store, fields, 'data', (text) => new RawJson(text));
}

/** The chosen version under `name`; 404 with its metadata if it is deleted or destroyed, a plain 404 if there is none. */
function readVersion(
  store: KvV2Store,
  fields: Fields,
  name: string,
  show: (text: string) => RawJson,
): LogicalResponse | undefined {
  const key = fields.string('path');
  const meta = store.get(key);
  const number = Math.max(fields.int('version'), 0) || (meta?.currentVersion ?? 0);
  const version = meta?.versions.get(number);
  if (meta === undefined || version === undefined) return undefined;
  const metadata = versionView(meta, number, version);
  const deleted = store.isDeleted(version);
  const data = new Map<string, Encodable>([
    [name, deleted ? null : show(textOf(store, key, number))],
    ['metadata', metadata],
  ]);
  return { data, notFound: deleted };
}

/** The value's JSON text. Missing (a crash between two writes, or a path trick) and unreadable values are 500 for ever. */
function textOf(store: KvV2Store, key: string, number: number): string {
  const value = store.value(key, number);
  if (value === undefined) throw wrappedError(500, 'could not find version data');
  if ('unreadable' in value) throw wrappedError(500, value.unreadable);
  return value.text;
}

function writeData(store: KvV2Store, fields: Fields, request: LogicalRequest): LogicalResponse {
  const key = fields.string('path');
  if (!fields.has('data')) throw plainError(400, 'no data provided');
  const value = storedValue(store, fields.map('data'));
  const meta = store.get(key) ?? KvV2Store.newKey(store.settings.clock());
  checkCas(store, fields, meta);
  if (!request.validUtf8) throw wrappedError(500, 'string field contains invalid UTF-8');
  return added(store, key, meta, value);
}

/** PATCH merges onto the current version; the whole result has passed float64. */
function patchData(store: KvV2Store, fields: Fields): LogicalResponse {
  const key = fields.string('path');
  if (!fields.has('data')) throw plainError(400, 'no data provided');
  const meta = store.get(key);
  if (meta === undefined) return missing;
  checkCas(store, fields, meta);
  const version = meta.versions.get(meta.currentVersion);
  if (version === undefined) return missing;
  if (store.isDeleted(version)) {
    return { notFound: true, data: versionView(meta, meta.currentVersion, version) };
  }
  const current = parseJson(textOf(store, key, meta.currentVersion)).value;
  if (!isJsonObject(current)) throw wrappedError(500, 'resource does not exist');
  const patch = fields.map('data');
  // A number out of range, which a write takes, is refused in a patch.
  if (patch === null || 'unreadable' in storedValue(store, patch))
    throw wrappedError(500, 'Invalid JSON Patch');
  return added(store, key, meta, storedValue(store, mergePatch(current, patch)));
}

function added(store: KvV2Store, key: string, meta: KeyMetadata, value: StoredValue): LogicalResponse {
  const version = store.addVersion(key, meta, value);
  return { data: versionView(meta, meta.currentVersion, version) };
}

function storedValue(store: KvV2Store, value: Json): StoredValue {
  try {
    const text = encodeAsFloat64(value);
    const bytes = Buffer.byteLength(text);
    const max = store.settings.maxEntryBytes;
    if (bytes <= max) return { text };
    throw wrappedError(500, `put failed due to value being too large; got ${bytes} bytes, max: ${max} bytes`);
  } catch (error) {
    if (!(error instanceof NumberOutOfRange)) throw error;
    if (store.settings.flavour === 'openbao') throw plainError(400, 'error parsing JSON');
    return { unreadable: error.message };
  }
}

/** `cas` must be the current version, 0 if there is none; it may not be left out where the mount or the key requires it. */
function checkCas(store: KvV2Store, fields: Fields, meta: KeyMetadata): void {
  const cas = fields.map('options')?.get('cas');
  if (cas === undefined) {
    if (store.config.casRequired || meta.casRequired) {
      throw plainError(400, 'check-and-set parameter required for this call');
    }
    return;
  }
  if (casNumber(cas) !== meta.currentVersion) {
    throw plainError(400, 'check-and-set parameter did not match the current version');
  }
}

function casNumber(cas: Json): number {
  try {
    return weakInt(cas);
  } catch {
    throw plainError(400, 'error parsing check-and-set parameter');
  }
}

/** Soft delete of the current version, without check-and-set; 204 even if there is nothing. */
function deleteData(store: KvV2Store, fields: Fields): undefined {
  const meta = store.get(fields.string('path'));
  const version = meta?.versions.get(meta.currentVersion);
  if (version !== undefined && !store.isDeleted(version)) version.deletionTime = store.settings.clock();
}
