import { afterAll, beforeAll, describe } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { appRoleFacts } from './vault-http-approle.ts';
import { dataFacts } from './vault-http-data.ts';
import { envelopeFacts } from './vault-http-envelope.ts';
import { healthFacts } from './vault-http-health.ts';
import { kv1Facts } from './vault-http-kv1.ts';
import { listingFacts } from './vault-http-listing.ts';
import { metadataFacts } from './vault-http-metadata.ts';
import { mountFacts } from './vault-http-mounts.ts';
import { pathFacts } from './vault-http-paths.ts';
import { policyFacts } from './vault-http-policies.ts';
import { renewalAndEndFacts } from './vault-http-renewal.ts';
import { devVaults, realVaults, type VaultServers, type VaultTarget } from './vault-http-target.ts';
import { tokenFacts } from './vault-http-tokens.ts';
import { sameTraffic } from './vault-http-traffic.ts';
import { valueFacts } from './vault-http-values.ts';
import { versionFacts } from './vault-http-versions.ts';
import { writingFacts } from './vault-http-writes.ts';

/**
 * Raw HTTP facts of Vault and OpenBao. The dev server is right only where the real Vault passes too: where they differ, the dev server
 * is wrong. A real OpenBao cannot be had in tests; its facts are those of the reference.
 */
function vaultHttpContract(servers: VaultServers): void {
  let shared: VaultTarget;
  beforeAll(async () => {
    shared = await servers.start();
  });
  afterAll(() => shared?.stop());

  const vault = () => shared;
  envelopeFacts(servers, vault);
  writingFacts(vault);
  dataFacts(servers, vault);
  versionFacts(servers, vault);
  metadataFacts(servers, vault);
  listingFacts(servers, vault);
  pathFacts(servers, vault);
  valueFacts(servers, vault);
  kv1Facts(servers, vault);
  mountFacts(servers, vault);
  tokenFacts(vault);
  renewalAndEndFacts(vault);
  appRoleFacts(vault);
  policyFacts(servers, vault);
  healthFacts(servers, vault);
}

describe('dev Vault', () => vaultHttpContract(devVaults('vault')));
describe('dev OpenBao', () => vaultHttpContract(devVaults('openbao')));
describe.runIf(runRealServers)('real Vault', () => vaultHttpContract(realVaults));
describe.runIf(runRealServers)('dev Vault and real Vault under the same traffic', sameTraffic);
