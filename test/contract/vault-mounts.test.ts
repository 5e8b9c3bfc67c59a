import { describe } from 'vitest';
import { onEveryVault } from './on-every-vault.ts';
import { capabilityFacts, describeMountFacts, mountOfFacts } from './vault-mounts.ts';

/** `describeMount` and `mountOf` of the ports, and what they rest on. */
onEveryVault((target) => {
  describe('describeMount', () => describeMountFacts(target));
  describe('mountOf', () => mountOfFacts(target));
  describe('capabilities', () => capabilityFacts(target));
});
