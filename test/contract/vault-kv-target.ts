import { setMaxListeners } from 'node:events';
import { RetryBudget } from '../../src/base/retry.ts';
import type { CallScope } from '../../src/cycle/ports.ts';
import { type DevVault, startDevVault } from '../../src/dev/vault/dev-vault.ts';
import { type DataPath, dataPath, type Mount } from '../../src/sync/mount-path.ts';
import type { VaultClient, VaultClientOptions } from '../../src/vault/client.ts';
import { waitFor } from '../servers/processes.ts';
import { startVault } from '../servers/real-servers.ts';
import { VaultApi } from '../support/vault-api.ts';
import { clientWithToken } from '../vault/clients.ts';

/** A Vault that the contracts of `src/vault` are run on. */
export interface VaultTarget {
  readonly flavour: 'vault' | 'openbao';
  readonly address: string;
  readonly rootToken: string;
  /** Sets it up and looks into it, past all code of vsync. */
  readonly api: VaultApi;
  /** The embedded one: its requests can be counted, and made to fail. */
  readonly dev: DevVault | undefined;
  stop(): Promise<void>;
}

/** How to have one kind of Vault. */
export type VaultKind = () => Promise<VaultTarget>;

export function embeddedVault(flavour: 'vault' | 'openbao'): VaultKind {
  return async () => {
    const dev = await startDevVault({ flavour });
    const { address, rootToken } = dev;
    return {
      flavour,
      address,
      rootToken,
      dev,
      api: new VaultApi(address, rootToken),
      stop: () => dev.close(),
    };
  };
}

export const realVault: VaultKind = async () => {
  const vault = await startVault();
  const { address, rootToken } = vault;
  return {
    flavour: 'vault',
    address,
    rootToken,
    dev: undefined,
    api: new VaultApi(address, rootToken),
    stop: () => vault.stop(),
  };
};

export function callScope(signal: AbortSignal = new AbortController().signal): CallScope {
  setMaxListeners(0, signal);
  return { signal, budget: new RetryBudget() };
}

let mounts = 0;

/** A KV v2 mount that no other test uses. */
export interface TestMount {
  readonly mount: Mount;
  path(key: string): DataPath;
  /** A client with the root token, or with a token of these policy rules; `MOUNT` in them is the mount's name without its slash. */
  client(rules?: string, options?: Partial<VaultClientOptions>): Promise<VaultClient>;
  /** The body of an answer as it came, to a path below the mount. */
  raw(path: string): Promise<string>;
}

export async function freshMount(
  target: VaultTarget,
  version: '1' | '2' = '2',
  name?: string,
): Promise<TestMount> {
  mounts += 1;
  const mount = (name ?? `contract-${String(mounts).padStart(4, '0')}/`) as Mount;
  await makeMount(target, mount, version);
  const clients: VaultClient[] = [];
  openClients.push(clients);
  return {
    mount,
    path: (key) => dataPath(mount, key),
    client: async (rules, options) => {
      const token =
        rules === undefined
          ? target.rootToken
          : await target.api.tokenFor(
              `p-${mounts}-${clients.length}`,
              rules.replaceAll('MOUNT', mount.slice(0, -1)),
              {
                no_default_policy: true,
              },
            );
      const client = clientWithToken(target.address, token, options);
      clients.push(client);
      return client;
    },
    raw: async (path) => {
      const encoded = path.split('/').map(encodeURIComponent).join('/');
      const response = await fetch(`${target.address}/v1/${mount}${encoded}`, {
        headers: { 'X-Vault-Token': target.rootToken },
      });
      return response.text();
    },
  };
}

async function makeMount({ api }: VaultTarget, mount: string, version: '1' | '2'): Promise<void> {
  const encoded = mount.split('/').map(encodeURIComponent).join('/');
  await api.call('POST', `sys/mounts/${encoded.slice(0, -1)}`, { type: 'kv', options: { version } });
  // A new KV v2 mount answers 400 for a moment while it is set up.
  const isReady = () =>
    api.call('GET', `${encoded}config`).then(
      () => true,
      () => false,
    );
  if (version === '2') await waitFor(isReady);
}

const openClients: VaultClient[][] = [];

/** To be called after each test. */
export async function closeClients(): Promise<void> {
  await Promise.all(openClients.splice(0).flatMap((clients) => clients.map((client) => client.close())));
}
