/**
 * `GET /v1/kv/…`: one key, all under a prefix, or only their names.
 * May import: `state`, `answer`, `kv-json`, `key-bytes`, `acl`, `query`, types of the store and of `blocking`.
 */

import { type Permissions, requirePermission } from './acl.ts';
import { type Answer, json, queryMeta, Refusal, text } from './answer.ts';
import type { Change, Reading } from './blocking.ts';
import { keyOfText } from './key-bytes.ts';
import { entryJson, keyJson } from './kv-json.ts';
import type { KvEntry } from './kv-store.ts';
import { parseQueryOptions, type QueryOptions } from './query.ts';
import { type Call, type ConsulState, runQuery } from './state.ts';

/** The key that a path names; `''` is the root. */
export function keyOfPath(path: string): string {
  return path.slice('/v1/kv/'.length);
}

/** Throws the 400 Refusal of a request that needs a key and has none. */
export function requireKey(call: Call): string {
  const key = keyOfPath(call.path);
  if (key === '') throw new Refusal(400, 'Missing key name');
  return key;
}

/** Answers a GET. `keys` wins over `recurse`, and both over `raw`; their values do not matter (`recurse=false` recurses). */
export function readKv(state: ConsulState, call: Call): Promise<Answer> {
  const options = parseQueryOptions(call.params, call.cacheControl);
  if (call.params.has('keys')) return readNames(state, call, options);
  if (call.params.has('recurse')) return readTree(state, call, options);
  return readOne(state, call, options);
}

async function readOne(state: ConsulState, call: Call, options: QueryOptions): Promise<Answer> {
  const key = requireKey(call);
  const { found, index } = await runQuery(state, call, options, (may) => findOne(state, may, key));
  if (found === undefined) return notFound(index);
  return call.params.has('raw') ? raw(found, index) : json(`[${entryJson(found, true)}]`, queryMeta(index));
}

/** A token that may not read a key gets a 403, whether the key is there or not: the only read that tells (the lists are filtered). */
function findOne(state: ConsulState, permissions: Permissions, key: string): Reading<KvEntry | undefined> {
  requirePermission(permissions.readKey(key));
  const found = state.kv.get(key);
  if (found === undefined) {
    return { found, index: state.kv.index, wakes: wakesUnder(state.kv.watchScope(key)) };
  }
  const wakes = (change: Change) => change.table === 'kv' && change.keys.has(key);
  return { found, index: found.modifyIndex, wakes };
}

async function readTree(state: ConsulState, call: Call, options: QueryOptions): Promise<Answer> {
  const { found, index } = await findTree(state, call, options);
  if (found.length === 0) return notFound(index);
  return json(`[${found.map((entry) => entryJson(entry, true)).join(',')}]`, queryMeta(index));
}

/** Names only. With nothing to show, the root is an empty list and any other prefix a 404. */
async function readNames(state: ConsulState, call: Call, options: QueryOptions): Promise<Answer> {
  const { found, index } = await findTree(state, call, options);
  const prefix = keyOfPath(call.path);
  if (found.length === 0 && prefix !== '') return notFound(index);
  // Consul still takes the misspelled name of its first years.
  const separator = call.params.get('separator') ?? call.params.get('seperator') ?? '';
  const names = fold(found, prefix, keyOfText(separator));
  return json(`[${names.map(keyJson).join(',')}]`, queryMeta(index));
}

/** The names up to the first separator after the prefix, each once. Without a separator all names. */
function fold(entries: readonly KvEntry[], prefix: string, separator: string): readonly string[] {
  if (separator === '') return entries.map((entry) => entry.key);
  const names = entries.map(({ key }) => {
    const at = key.indexOf(separator, prefix.length);
    return at === -1 ? key : key.slice(0, at + separator.length);
  });
  return [...new Set(names)];
}

/** What a token may not read is left out without a word, but counts for the index. */
function findTree(
  state: ConsulState,
  call: Call,
  options: QueryOptions,
): Promise<Reading<readonly KvEntry[]>> {
  const prefix = keyOfPath(call.path);
  return runQuery(state, call, options, (permissions) => {
    const entries = state.kv.list(prefix);
    return {
      found: entries.filter((entry) => permissions.readKey(entry.key)),
      index: state.kv.indexOf(prefix, entries),
      wakes: wakesUnder(entries.length > 0 ? prefix : state.kv.watchScope(prefix)),
    };
  });
}

function wakesUnder(prefix: string): (change: Change) => boolean {
  return (change) => {
    if (change.table !== 'kv') return false;
    for (const key of change.keys) if (key.startsWith(prefix)) return true;
    return false;
  };
}

function notFound(index: number): Answer {
  return text(404, '', queryMeta(index));
}

function raw(entry: KvEntry, index: number): Answer {
  const headers = {
    'Content-Type': 'text/plain',
    'Content-Security-Policy': 'sandbox',
    'X-Content-Type-Options': 'nosniff',
    ...queryMeta(index),
  };
  return { ...text(200, '', headers), body: entry.value };
}
