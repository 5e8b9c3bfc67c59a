import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import {
  closeClients,
  embeddedVault,
  realVault,
  type VaultKind,
  type VaultTarget,
} from './vault-kv-target.ts';

/** Holds every Vault to the same facts: the embedded ones always, a real one where it is found. Each is started once. */
export function onEveryVault(facts: (target: () => VaultTarget) => void): void {
  const on = (start: VaultKind) => () => {
    let shared: VaultTarget;
    beforeAll(async () => {
      shared = await start();
    });
    afterEach(closeClients);
    afterAll(() => shared?.stop());
    facts(() => shared);
  };
  describe('embedded Vault', on(embeddedVault('vault')));
  describe('embedded OpenBao', on(embeddedVault('openbao')));
  describe.runIf(runRealServers)('real Vault', on(realVault));
}
