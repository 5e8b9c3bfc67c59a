/**
 * The body of `PUT /v1/txn`.
 * May import: `answer`, `key-bytes`, `limits`, `uint64`, types of `state`.
 */

import { Refusal } from './answer.ts';
import { keyOfText } from './key-bytes.ts';
import type { KvContent } from './kv-operations.ts';
import { longestBody, refuseLongBody, tooLong } from './limits.ts';
import type { Call } from './state.ts';
import { parseJsonWithUint64, uint64OfJson } from './uint64.ts';

/** 64 up to Consul 1.13, 128 from 1.14 on. */
const mostOperations = 64;

/** One `{"KV": …}` of a transaction, left-out fields filled in: its content is what a writing verb stores. */
export interface TxnOperation extends KvContent {
  readonly verb: string;
  readonly index: bigint;
  readonly session: string;
}

/** Decodes a transaction. Throws the 413 and 400 Refusals of Consul. */
export function parseTxn(call: Call): readonly TxnOperation[] {
  refuseLongBody(call, 'txn_max_req_len');
  if (call.body.length > longestBody) throw tooLong('Request body too large', 'txn_max_req_len');
  const list = parseBody(call.body.toString('utf8'));
  if (list.length > mostOperations) {
    throw new Refusal(413, `Transaction contains too many operations (${list.length} > ${mostOperations})`);
  }
  return list.map(operationOf).filter((operation) => operation !== undefined);
}

function parseBody(body: string): readonly unknown[] {
  if (body === '') throw unparsable('EOF');
  let parsed: unknown;
  try {
    parsed = parseJsonWithUint64(body);
  } catch {
    throw unparsable('invalid JSON');
  }
  if (parsed === null) return [];
  if (!Array.isArray(parsed)) throw unparsable('json: cannot unmarshal into Go value of type api.TxnOps');
  return parsed;
}

function unparsable(problem: string): Refusal {
  return new Refusal(400, `Failed to parse body: ${problem}`);
}

/** An operation of no kind, `{}`, is dropped: the operations behind it move up, in `OpIndex` too. */
function operationOf(item: unknown): TxnOperation | undefined {
  const kinds = fieldsOf(item, ['kv', 'node', 'service', 'check']);
  if (kinds.has('node') || kinds.has('service') || kinds.has('check')) {
    throw new Refusal(501, 'the dev Consul has no catalog: only KV operations work in its transactions');
  }
  return kinds.has('kv') ? kvOperationOf(kinds.get('kv')) : undefined;
}

function kvOperationOf(item: unknown): TxnOperation {
  const fields = fieldsOf(item, ['verb', 'key', 'value', 'flags', 'index', 'session', 'namespace']);
  return {
    verb: stringOf(fields, 'Verb'),
    key: keyOfText(stringOf(fields, 'Key')),
    value: bytesOf(stringOf(fields, 'Value')),
    flags: uint64Of(fields, 'Flags'),
    index: uint64Of(fields, 'Index'),
    session: stringOf(fields, 'Session'),
  };
}

/** The fields by their names in lower case: Consul takes them in any case. `null` is the same as left out; others are refused. */
function fieldsOf(item: unknown, known: readonly string[]): ReadonlyMap<string, unknown> {
  if (item === null) return new Map();
  if (typeof item !== 'object' || Array.isArray(item)) {
    throw unparsable('json: cannot unmarshal into Go value of type api.TxnOp');
  }
  const fields = new Map<string, unknown>();
  for (const [name, value] of Object.entries(item)) {
    if (!known.includes(name.toLowerCase())) {
      throw unparsable(`json: unknown field ${JSON.stringify(name)}`);
    }
    if (value !== null) fields.set(name.toLowerCase(), value);
  }
  return fields;
}

function stringOf(fields: ReadonlyMap<string, unknown>, name: string): string {
  const value = fields.get(name.toLowerCase()) ?? '';
  if (typeof value === 'string') return value;
  throw wrongType(value, name, 'string');
}

function uint64Of(fields: ReadonlyMap<string, unknown>, name: string): bigint {
  const value = fields.get(name.toLowerCase()) ?? 0;
  const parsed = uint64OfJson(value);
  if (parsed !== undefined) return parsed;
  throw wrongType(value, name, 'uint64');
}

function bytesOf(base64: string): Buffer {
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    throw unparsable('illegal base64 data at input byte 0');
  }
  return Buffer.from(base64, 'base64');
}

function wrongType(value: unknown, name: string, type: string): Refusal {
  const field = `Go struct field KVTxnOp.KV.${name} of type ${type}`;
  return unparsable(`json: cannot unmarshal ${typeof value} into ${field}`);
}
