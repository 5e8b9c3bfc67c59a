/**
 * What Consul answers, and what only looks like it: a proxy's page is no answer, whatever its status. A 404 of its own would look like
 * a key that is not there.
 */

export interface KvEntry {
  readonly value: string;
  readonly modifyIndex: number;
  /** An opaque number beside the value; 0 when left out. */
  readonly flags?: number;
}

/** `applied` with the new ModifyIndex of each key that was set, or `refused` by the operations named. */
export type TxnResult =
  | { readonly kind: 'applied'; readonly modifyIndexes: ReadonlyMap<string, number> }
  | { readonly kind: 'refused'; readonly operations: readonly number[]; readonly what: readonly string[] };

export interface Answer {
  readonly status: number;
  readonly data: unknown;
  /** `X-Consul-Index`: every answer to a read of keys has one, the 404s included. */
  readonly index: string | undefined;
}

export function isEntry({ status, data, index }: Answer): boolean {
  return (
    index !== undefined &&
    (status === 404 || typeof (data as { ModifyIndex?: unknown })?.ModifyIndex === 'number')
  );
}

export function isKeyList({ status, data, index }: Answer): boolean {
  return index !== undefined && (status === 404 || Array.isArray(data));
}

export function isVerdict({ data }: Answer): boolean {
  return typeof data === 'boolean';
}

export function isTxnResult({ status, data }: Answer): boolean {
  const { Results, Errors } = (data ?? {}) as { Results?: unknown; Errors?: unknown };
  return status === 409 ? Array.isArray(Errors) && Errors.length > 0 : Results !== undefined;
}

export function isObject({ data }: Answer): boolean {
  return typeof data === 'object' && data !== null && !Buffer.isBuffer(data);
}

export function toEntry(found: unknown): KvEntry | undefined {
  if (found === undefined || found === null) return undefined;
  const { Value, ModifyIndex, Flags } = found as {
    Value?: string | null;
    ModifyIndex?: number;
    Flags?: number;
  };
  return { value: Value ?? '', modifyIndex: Number(ModifyIndex), ...(Flags && { flags: Flags }) };
}

export function toTxnResult(body: unknown): TxnResult {
  const { Results, Errors } = (body ?? {}) as {
    Results?: readonly { KV?: { Key: string; ModifyIndex: number } }[] | null;
    Errors?: readonly { OpIndex: number; What: string }[] | null;
  };
  if (Errors !== null && Errors !== undefined && Errors.length > 0) {
    return {
      kind: 'refused',
      operations: Errors.map(({ OpIndex }) => OpIndex),
      what: Errors.map(({ What }) => What),
    };
  }
  const entries = (Results ?? []).flatMap(({ KV }) =>
    KV === undefined ? [] : [[KV.Key, KV.ModifyIndex] as const],
  );
  return { kind: 'applied', modifyIndexes: new Map(entries) };
}
