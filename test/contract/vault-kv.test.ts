import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { insightFacts } from './vault-kv-insight.ts';
import { listingFacts } from './vault-kv-listing.ts';
import { nameFacts } from './vault-kv-names.ts';
import { namespaceFacts } from './vault-kv-namespace.ts';
import { secretFacts } from './vault-kv-secrets.ts';
import {
  closeClients,
  embeddedVault,
  realVault,
  type VaultKind,
  type VaultTarget,
} from './vault-kv-target.ts';

/** The ports `OriginMetadata`, `OriginSecrets` and `DestinationVault` of `src/cycle/ports.ts`, on every Vault. */
function vaultKvContract(start: VaultKind): void {
  let shared: VaultTarget;
  beforeAll(async () => {
    shared = await start();
  });
  afterEach(closeClients);
  afterAll(() => shared?.stop());

  const target = () => shared;
  describe('listFolder', () => listingFacts(target));
  describe('insights', () => insightFacts(target));
  describe('secrets', () => secretFacts(target));
  describe('names', () => nameFacts(target));
  describe('namespaces', () => namespaceFacts(target));
}

describe('embedded Vault', () => vaultKvContract(embeddedVault('vault')));
describe('embedded OpenBao', () => vaultKvContract(embeddedVault('openbao')));
describe.runIf(runRealServers)('real Vault', () => vaultKvContract(realVault));
