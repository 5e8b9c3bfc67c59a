import { RetryBudget } from '../../src/base/retry.ts';
import { Secret } from '../../src/base/secret.ts';
import type { CallScope } from '../../src/cycle/ports.ts';
import { type TokenProvider, VaultClient, type VaultClientOptions } from '../../src/vault/client.ts';

/** Clients of a Vault for tests: no retries unless asked for, and a token that is simply there. */

export const noRetries = { retries: 0, baseMs: 0, maxMs: 0 };
/** Sent again at once. */
export const quickRetries = { retries: 4, baseMs: 0, maxMs: 0 };

export function vaultClient(address: string, options: Partial<VaultClientOptions> = {}): VaultClient {
  return new VaultClient({
    side: 'origin',
    address,
    maxInFlight: 16,
    requestTimeoutMs: 30_000,
    retry: noRetries,
    ...options,
  });
}

/** A client that sends this token, and takes every 403 for a refusal by policy. */
export function clientWithToken(
  address: string,
  token: string,
  options: Partial<VaultClientOptions> = {},
): VaultClient {
  const client = vaultClient(address, options);
  client.useTokens(fixedToken(token));
  return client;
}

export function fixedToken(text: string): TokenProvider {
  const token = new Secret(text);
  return { token: async () => token, refused: async () => false };
}

/** What every call of a cycle is made with. */
export function callScope(signal: AbortSignal = new AbortController().signal): CallScope {
  return { signal, budget: new RetryBudget() };
}
