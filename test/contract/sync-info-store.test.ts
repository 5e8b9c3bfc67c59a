import { describe } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { type ConsulKind, embeddedConsul, realConsul } from './consul-client-target.ts';
import { confirmFacts } from './sync-info-store-confirm.ts';
import { faultFacts } from './sync-info-store-faults.ts';
import { loadFacts } from './sync-info-store-load.ts';
import { markFacts } from './sync-info-store-mark.ts';
import { saveFacts } from './sync-info-store-save.ts';

/** The ports `SyncInfoStore` and `WritableSyncInfoStore` of `src/cycle/ports.ts`, on every Consul. */
function syncInfoStoreContract(kind: ConsulKind): void {
  describe('save', () => saveFacts(kind));
  describe('load', () => loadFacts(kind));
  describe('mark', () => markFacts(kind));
  describe('confirm', () => confirmFacts(kind));
}

describe('embedded Consul', () => {
  syncInfoStoreContract(embeddedConsul);
  describe('faults', faultFacts);
});
describe.runIf(runRealServers)('real Consul', () => syncInfoStoreContract(realConsul));
