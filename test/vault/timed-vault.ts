import { Secret } from '../../src/base/secret.ts';
import { type DevVault, startDevVault } from '../../src/dev/vault/dev-vault.ts';
import type { VaultClient, VaultClientOptions } from '../../src/vault/client.ts';
import type { AppRole, VaultAuth } from '../../src/vault/login.ts';
import { VaultTokens } from '../../src/vault/token.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { VaultApi } from '../support/vault-api.ts';
import { vaultClient } from './clients.ts';

/** An embedded Vault and clients of it, in a time that passes when the test says so. */
export interface TimedVault {
  readonly dev: DevVault;
  readonly api: VaultApi;
  readonly clock: ManualClock;
  /** Lets time pass, for the server and for the clients. */
  pass(seconds: number): void;
  /** Waits until a client sleeps, and lets exactly that time pass for both. */
  passSleep(): Promise<void>;
  open(
    auth: VaultAuth,
    options?: Partial<VaultClientOptions>,
  ): { readonly client: VaultClient; readonly tokens: VaultTokens };
  /** An AppRole with these settings, and how to log in. */
  appRole(settings: Readonly<Record<string, unknown>>): Promise<AppRole & { readonly secretId: Secret }>;
  /** How often something was asked since the last call of this. */
  count(kind: string): number;
  close(): Promise<void>;
}

export async function timedVault(): Promise<TimedVault> {
  const clock = new ManualClock();
  const start = BigInt(clock.now()) * 1_000_000n;
  const now = () => start + BigInt(Math.round(clock.monotonic())) * 1_000_000n;
  const dev = await startDevVault({ flavour: 'vault', clock: now });
  const api = new VaultApi(dev.address, dev.rootToken);
  const clients: VaultClient[] = [];
  let roles = 0;
  return {
    dev,
    api,
    clock,
    pass: (seconds) => clock.advance(seconds * 1000),
    passSleep: () => clock.passSleep(),
    open: (auth, options) => {
      const client = vaultClient(dev.address, options);
      clients.push(client);
      return { client, tokens: new VaultTokens(client, auth, clock) };
    },
    appRole: async (settings) => {
      roles += 1;
      const path = `role-${roles}`;
      await api.call('POST', `sys/auth/${path}`, { type: 'approle' });
      await api.call('POST', `auth/${path}/role/r`, settings);
      const role = await api.call('GET', `auth/${path}/role/r/role-id`);
      const secret = await api.call('POST', `auth/${path}/role/r/secret-id`, {});
      const text = ({ body }: { body: Record<string, unknown> }, name: string) =>
        new Secret(String((body.data as Record<string, unknown>)[name]));
      return { kind: 'approle', path, roleId: text(role, 'role_id'), secretId: text(secret, 'secret_id') };
    },
    count: (kind) => {
      const count = dev.requests.count(kind);
      dev.requests.reset();
      return count;
    },
    close: async () => {
      await Promise.all(clients.map((client) => client.close()));
      await dev.close();
    },
  };
}

/** A request that every good token of these tests may make, and one that none may. */
export const allowed = { method: 'GET', path: '/secret/data/allowed', about: 'secret/data/allowed' } as const;
export const denied = { method: 'GET', path: '/secret/data/denied', about: 'secret/data/denied' } as const;
export const rules = 'path "secret/data/allowed" { capabilities = ["read"] }';
export const lookUp = 'path "auth/token/lookup-self" { capabilities = ["read"] }';
export const renew = 'path "auth/token/renew-self" { capabilities = ["update"] }';
