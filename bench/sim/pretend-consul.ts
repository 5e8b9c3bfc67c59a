import type { KvEntry, TxnResult } from '../../src/consul/answers.ts';
import type { ConsulClient, TxnOperation } from '../../src/consul/client.ts';
import { ValueFile } from './value-file.ts';

/**
 * A Consul without HTTP, with what vsync's store calls. Its values are in a file, so that what Consul holds does not count as vsync's
 * memory.
 */
export class PretendConsul implements Pick<ConsulClient, 'get' | 'keys' | 'put' | 'delete' | 'transaction'> {
  readonly #values = new ValueFile();
  readonly #modifyIndexes = new Map<string, number>();
  #modifyIndex = 0;
  bytesWritten = 0;
  requests = 0;

  /** The store of vsync takes the whole class; more than these methods it does not call. */
  asClient(): ConsulClient {
    return this as Pick<ConsulClient, 'get'> as ConsulClient;
  }

  async get(key: string): Promise<KvEntry | undefined> {
    this.requests += 1;
    const modifyIndex = this.#modifyIndexes.get(key);
    return modifyIndex === undefined ? undefined : { value: this.#values.read(key), modifyIndex };
  }

  async keys(prefix: string) {
    this.requests += 1;
    const keys = [...this.#modifyIndexes.keys()].filter((key) => key.startsWith(prefix));
    return { keys, index: String(Math.max(0, ...keys.map((key) => this.#modifyIndexes.get(key) ?? 0))) };
  }

  async put(key: string, value: string, _scope: unknown, cas?: number): Promise<boolean> {
    this.requests += 1;
    if (cas !== undefined && cas !== (this.#modifyIndexes.get(key) ?? 0)) return false;
    this.#modifyIndex += 1;
    this.#set(key, value);
    return true;
  }

  async delete(key: string): Promise<void> {
    this.requests += 1;
    if (this.#modifyIndexes.delete(key)) this.#modifyIndex += 1;
  }

  async transaction(operations: readonly TxnOperation[]): Promise<TxnResult> {
    this.requests += 1;
    const refused = operations.flatMap((operation, i) => (this.#isRefused(operation) ? [i] : []));
    if (refused.length > 0) return { kind: 'refused', operations: refused, what: refused.map(() => 'index') };
    this.#modifyIndex += 1;
    const modifyIndexes = new Map<string, number>();
    for (const { Verb, Key, Value } of operations) {
      if (Verb !== 'set' && Verb !== 'cas') continue;
      this.#set(Key, Value ?? '');
      modifyIndexes.set(Key, this.#modifyIndex);
    }
    return { kind: 'applied', modifyIndexes };
  }

  close(): void {
    this.#values.close();
  }

  #isRefused({ Verb, Key, Index }: TxnOperation): boolean {
    const now = this.#modifyIndexes.get(Key) ?? 0;
    if (Verb === 'check-not-exists') return now !== 0;
    return (Verb === 'cas' || Verb === 'check-index') && now !== (Index ?? 0);
  }

  #set(key: string, value: string): void {
    this.bytesWritten += this.#values.write(key, value);
    this.#modifyIndexes.set(key, this.#modifyIndex);
  }
}
