/**
 * An entry as JSON. Written by hand: flags are a full uint64, and recursive reads of 10,000 keys are common.
 * May import: `answer`, `key-bytes`, types of `kv-store`.
 */

import { jsonString } from './answer.ts';
import { textOfKey } from './key-bytes.ts';
import type { KvEntry } from './kv-store.ts';

/** One entry. An empty value is `null`, and so is one left out; `Session` is there only while the key is locked. */
export function entryJson(entry: KvEntry, withValue: boolean): string {
  const value = withValue && entry.value.length > 0 ? `"${entry.value.toString('base64')}"` : 'null';
  const session = entry.session === '' ? '' : `"Session":${jsonString(entry.session)},`;
  return (
    `{"LockIndex":${entry.lockIndex},"Key":${keyJson(entry.key)},"Flags":${entry.flags},"Value":${value},${session}` +
    `"CreateIndex":${entry.createIndex},"ModifyIndex":${entry.modifyIndex}}`
  );
}

/** A key as a JSON string. */
export function keyJson(key: string): string {
  return jsonString(textOfKey(key));
}
