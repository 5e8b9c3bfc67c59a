import { describe } from 'vitest';
import { onEveryVault } from './on-every-vault.ts';
import { insightFacts } from './vault-kv-insight.ts';
import { listingFacts } from './vault-kv-listing.ts';
import { nameFacts } from './vault-kv-names.ts';
import { namespaceFacts } from './vault-kv-namespace.ts';
import { secretFacts } from './vault-kv-secrets.ts';

/** The ports `OriginMetadata`, `OriginSecrets` and `DestinationVault` of `src/cycle/ports.ts`. */
onEveryVault((target) => {
  describe('listFolder', () => listingFacts(target));
  describe('insights', () => insightFacts(target));
  describe('secrets', () => secretFacts(target));
  describe('names', () => nameFacts(target));
  describe('namespaces', () => namespaceFacts(target));
});
