import type { DestinationVault } from '../cycle/ports.ts';
import type { VaultClient } from './client.ts';
import { deleteSecret, readSecret, writeSecret } from './kv.ts';
import { mountOf } from './mounts.ts';

/** The destination's Vault. */
export function destinationVault(client: VaultClient): DestinationVault {
  return {
    readSecret: (path, scope) => readSecret(client, path, scope),
    writeSecret: (path, value, cas, scope) => writeSecret(client, path, value, cas, scope),
    deleteSecret: (path, scope) => deleteSecret(client, path, scope),
    mountOf: (path, scope) => mountOf(client, path, scope),
  };
}
