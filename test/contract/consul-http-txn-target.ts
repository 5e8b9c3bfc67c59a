import type { ConsulTarget, Entry, KvTarget, Reply } from './consul-http-target.ts';

/** The `KV` of one operation. */
export interface Operation {
  readonly Verb: string;
  readonly Key?: string;
  readonly Value?: string;
  readonly Flags?: number;
  readonly Index?: number;
  readonly Session?: string;
}

export interface TxnAnswer {
  readonly Results: { readonly KV: Entry }[] | null;
  readonly Errors: { readonly OpIndex: number; readonly What: string }[] | null;
}

export const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Runs operations whose keys are below a prefix. */
export type Run = (operations: readonly Operation[], query?: string) => Promise<Reply & TxnAnswer>;

export function txnTarget(consul: ConsulTarget, kv: KvTarget): Run {
  return async (operations, query = '') => {
    const list = operations.map((operation) => ({
      KV: { ...operation, Key: operation.Key === undefined ? '' : kv.prefix + operation.Key },
    }));
    const reply = await consul.send('PUT', `/v1/txn${query}`, { body: JSON.stringify(list) });
    const { Results, Errors } = reply.json as TxnAnswer;
    return { ...reply, Results, Errors };
  };
}
