import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import {
  closeClients,
  embeddedVault,
  realVault,
  type VaultKind,
  type VaultTarget,
} from './vault-kv-target.ts';
import { capabilityFacts, describeMountFacts, mountOfFacts } from './vault-mounts.ts';

/** `describeMount` and `mountOf` of the ports, and what they rest on, on every Vault. */
function vaultMountsContract(start: VaultKind): void {
  let shared: VaultTarget;
  beforeAll(async () => {
    shared = await start();
  });
  afterEach(closeClients);
  afterAll(() => shared?.stop());

  const target = () => shared;
  describe('describeMount', () => describeMountFacts(target));
  describe('mountOf', () => mountOfFacts(target));
  describe('capabilities', () => capabilityFacts(target));
}

describe('embedded Vault', () => vaultMountsContract(embeddedVault('vault')));
describe('embedded OpenBao', () => vaultMountsContract(embeddedVault('openbao')));
describe.runIf(runRealServers)('real Vault', () => vaultMountsContract(realVault));
