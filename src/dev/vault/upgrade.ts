import { encodeAsFloat64, NumberOutOfRange } from './json.ts';
import { parseJson } from './json-parse.ts';
import type { KvV1Store } from './kv-v1.ts';
import { type KvSettings, KvV2Store, type StoredValue } from './kv-v2-store.ts';

/** The secrets of a KV v1 mount as KV v2: each is version 1, the oldest version is 1 too, all times are that of the upgrade. */
export function upgraded(from: KvV1Store, settings: KvSettings): KvV2Store {
  const store = new KvV2Store(settings);
  for (const key of from.walk([])) {
    const meta = KvV2Store.newKey(settings.clock());
    store.addVersion(key, meta, storedAsV2(from.get(key.split('/')) ?? '{}'));
    meta.oldestVersion = 1;
  }
  return store;
}

function storedAsV2(text: string): StoredValue {
  try {
    return { text: encodeAsFloat64(parseJson(text).value ?? null) };
  } catch (error) {
    if (!(error instanceof NumberOutOfRange)) throw error;
    return { unreadable: error.message };
  }
}
