import type { BackendPath, Fields } from './framework.ts';
import { compareUtf8, type EncodableMap } from './json.ts';
import type { KvV2Store } from './kv-v2-store.ts';
import { metadataView } from './kv-v2-view.ts';
import { type LogicalResponse, listResponse } from './logical.ts';

/** LIST of `metadata/`, and what OpenBao adds: paging, SCAN (recursive), and `detailed-metadata/` (names with their metadata). */

export function listMetadata(store: KvV2Store, fields: Fields): LogicalResponse {
  return listResponse(page(store, fields));
}

/** OpenBao: leaf paths relative to the folder, a folder's leaves before its folders; `after` and `limit` are ignored. */
export function scanMetadata(store: KvV2Store, fields: Fields): LogicalResponse {
  return listResponse([...store.walk(fields.string('path'))]);
}

/** OpenBao's `detailed-metadata/`: LIST by page, SCAN recursive, each key with what GET `metadata/` shows of it. */
export function detailedMetadataPath(store: KvV2Store): BackendPath {
  return {
    pattern: /^detailed-metadata\/(?<path>.*)$/s,
    fields: { path: 'string', after: 'string', limit: 'int' },
    operations: {
      list: (fields) => detailed(store, fields, page(store, fields)),
      scan: (fields) => detailed(store, fields, [...store.walk(fields.string('path'))]),
    },
  };
}

function page(store: KvV2Store, fields: Fields): readonly string[] {
  const names = store.list(fields.string('path'));
  if (store.settings.flavour === 'vault') return names;
  const after = fields.string('after');
  const from = after === '' ? 0 : firstAfter(names, after);
  const limit = fields.int('limit');
  return names.slice(from, limit > 0 ? from + limit : undefined);
}

/** Index of the first name above `after`, which need not exist. */
function firstAfter(names: readonly string[], after: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareUtf8(names[middle] ?? '', after) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function detailed(store: KvV2Store, fields: Fields, names: readonly string[]): LogicalResponse {
  if (names.length === 0) return { data: new Map() };
  const folder = fields.string('path');
  const info = new Map<string, EncodableMap>();
  for (const name of names) {
    // A folder's info is {}, but that of a name which is also a leaf repeats the leaf's.
    const meta = store.get(`${folder}/${name}`);
    info.set(name, meta === undefined ? new Map() : metadataView(store, meta));
  }
  return {
    data: new Map<string, readonly string[] | EncodableMap>([
      ['keys', names],
      ['key_info', info],
    ]),
  };
}
