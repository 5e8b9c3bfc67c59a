/**
 * `PUT /v1/txn`: up to 64 KV operations, all or none.
 * May import: `state`, `txn-request`, `txn-verbs`, `kv-json`, `acl`, `answer`, `query`, types of `kv-store`.
 */

import { type Permissions, permissionDenied } from './acl.ts';
import { type Answer, freshness, json, jsonString, Refusal } from './answer.ts';
import { entryJson } from './kv-json.ts';
import type { KvWrite } from './kv-store.ts';
import { parseQueryOptions } from './query.ts';
import { authorize, type Call, type ConsulState } from './state.ts';
import { parseTxn, type TxnOperation } from './txn-request.ts';
import { isWrite, type RightNeeded, rightNeeded, runOperation, type TxnResult } from './txn-verbs.ts';

interface TxnError {
  readonly opIndex: number;
  readonly what: string;
}

interface Outcome {
  readonly results: readonly TxnResult[];
  readonly errors: readonly TxnError[];
}

/**
 * Answers a transaction: 200 with the results, or 409 with what was wrong with which operation, all of them at once, and nothing applied.
 * One without a writing verb goes another way in Consul: it takes the parameters of reads, and its answer says how fresh it is.
 */
export function runTxn(state: ConsulState, call: Call): Answer {
  const operations = parseTxn(call);
  const isRead = !operations.some((operation) => isWrite(operation.verb));
  if (isRead) parseQueryOptions(call.params, call.cacheControl);
  const permissions = authorize(state, call);
  const refused = errorsOf(operations, (operation) => check(state, permissions, operation));
  const outcome = refused.length > 0 ? { results: [], errors: refused } : apply(state, operations, isRead);
  return answerOf(outcome, permissions, isRead);
}

/** What Consul refuses before it looks at the data. Throws the reason. */
function check(state: ConsulState, permissions: Permissions, operation: TxnOperation): void {
  const { verb, key } = operation;
  if (key === '' && verb !== 'delete-tree') throw new Refusal(409, 'Must provide key');
  const may: Record<RightNeeded, () => boolean> = {
    none: () => true,
    read: () => permissions.readKey(key),
    write: () => permissions.writeKey(key),
    tree: () => permissions.writeTree(key),
  };
  if (!may[rightNeeded(verb)]()) throw new Refusal(409, permissionDenied);
  if (verb === 'lock' && state.sessions.isDelayed(key)) {
    throw new Refusal(409, `failed to lock key ${JSON.stringify(key)} due to lock delay`);
  }
}

/** Every operation runs, also behind one that failed, and sees what those before it did. */
function apply(state: ConsulState, operations: readonly TxnOperation[], isRead: boolean): Outcome {
  const run = (write: KvWrite): Outcome => {
    const results: TxnResult[] = [];
    const errors = errorsOf(operations, (operation) => {
      results.push(...runOperation(write, operation, state.sessions));
    });
    return { results, errors };
  };
  // A transaction that only reads leaves the log alone.
  const index = isRead ? 0 : state.nextIndex();
  return state.kv.write(index, run, ({ errors }) => errors.length === 0);
}

/** Runs `step` for each operation and collects the reasons that it throws. */
function errorsOf(operations: readonly TxnOperation[], step: (operation: TxnOperation) => void): TxnError[] {
  const errors: TxnError[] = [];
  operations.forEach((operation, opIndex) => {
    try {
      step(operation);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      errors.push({ opIndex, what: error.message });
    }
  });
  return errors;
}

/** Results that the token may not read are left out without a word. */
function answerOf({ results, errors }: Outcome, permissions: Permissions, isRead: boolean): Answer {
  const readable = results.filter(({ entry }) => permissions.readKey(entry.key));
  const fields = [
    `"Results":${errors.length > 0 ? 'null' : `[${readable.map(resultJson).join(',')}]`}`,
    `"Errors":${errors.length > 0 ? `[${errors.map(errorJson).join(',')}]` : 'null'}`,
  ];
  if (isRead) fields.push('"Index":0,"LastContact":0,"KnownLeader":true,"ConsistencyLevel":""');
  return json(`{${fields.join(',')}}`, isRead ? freshness : {}, errors.length > 0 ? 409 : 200);
}

function resultJson({ entry, withValue }: TxnResult): string {
  return `{"KV":${entryJson(entry, withValue)}}`;
}

function errorJson({ opIndex, what }: TxnError): string {
  return `{"OpIndex":${opIndex},"What":${jsonString(what)}}`;
}
