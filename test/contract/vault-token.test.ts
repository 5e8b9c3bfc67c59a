import { afterAll, beforeAll, describe } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { embeddedVault, realVault, type VaultKind, type VaultTarget } from './vault-kv-target.ts';
import { tokenFacts } from './vault-token.ts';

/** Tokens and logins, on every Vault. */
function vaultTokenContract(start: VaultKind): void {
  let shared: VaultTarget;
  beforeAll(async () => {
    shared = await start();
  });
  afterAll(() => shared?.stop());
  tokenFacts(() => shared);
}

describe('embedded Vault', () => vaultTokenContract(embeddedVault('vault')));
describe('embedded OpenBao', () => vaultTokenContract(embeddedVault('openbao')));
describe.runIf(runRealServers)('real Vault', () => vaultTokenContract(realVault));
