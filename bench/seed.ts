import { Pool } from 'undici';
import type { VaultApi } from '../test/support/vault-api.ts';
import { keyOf, secretOf } from './tree.ts';

/** Writes and deletes many secrets quickly, with the token of the one who set the server up. */

const inFlight = 64;

export interface Seed {
  readonly vault: VaultApi;
  readonly mount: string;
  readonly secrets: number;
  /** Every how manyth secret; default all. */
  readonly step?: number;
}

/** Writes a new version of each; another value for each `edition`. */
export function putSecrets(seed: Seed, edition: number): Promise<void> {
  return forEach(seed, (i) => ({ method: 'POST', body: `{"data":${secretOf(i, edition)}}` }));
}

/** Soft-deletes the current version of each. */
export function deleteSecrets(seed: Seed): Promise<void> {
  return forEach(seed, () => ({ method: 'DELETE' }));
}

async function forEach(
  { vault, mount, secrets, step = 1 }: Seed,
  requestFor: (i: number) => { readonly method: 'POST' | 'DELETE'; readonly body?: string },
): Promise<void> {
  const pool = new Pool(vault.address, { connections: inFlight });
  let next = 0;
  const worker = async () => {
    for (let i = next; i < secrets; i = next) {
      next += step;
      const { method, body = null } = requestFor(i);
      const answer = await pool.request({
        method,
        body,
        path: `/v1/${mount}data/${keyOf(i)}`,
        headers: { 'X-Vault-Token': vault.token },
      });
      const text = await answer.body.text();
      if (answer.statusCode >= 300) throw new Error(`${method} of secret ${i}: ${answer.statusCode} ${text}`);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  await pool.close();
}
