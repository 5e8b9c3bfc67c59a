import type { Config } from '../config/config.ts';
import { syncInfoStore } from '../consul/info-store.ts';
import { OriginCycle } from '../cycle/origin-cycle.ts';
import type { SyncInfoStore } from '../cycle/ports.ts';
import { pathFilter } from '../sync/path-filter.ts';
import { originMetadata } from '../vault/origin-vault.ts';
import { openConsul, openVault, retryPolicyOf, workersOf } from './connections.ts';
import { keepToken } from './keep-token.ts';
import { statusWriter } from './node-status.ts';
import { checkConsulReadable, checkConsulWritable, checkScanRights, checkVault } from './preflight.ts';
import type { Role, RoleContext } from './role.ts';
import { approvedSets, largeBucketWarning, ownPrefix, protectSecrets } from './shared.ts';

export interface OriginRole extends Role {
  readonly originCycle: OriginCycle;
  /** What is published. */
  readonly store: SyncInfoStore;
  /** The same checks, without the probe that writes. */
  readonly checkReadOnly: Role['check'];
}

/** An origin: reads metadata of its Vault, publishes sync info in its Consul. */
export async function openOrigin(context: RoleContext<Config>): Promise<OriginRole> {
  const { config, log, releasers } = context;
  const { origin } = config;
  protectSecrets(log, origin);
  const workers = workersOf(origin.numWorkers);
  const retry = retryPolicyOf(config);
  const vault = await openVault('origin', origin.vault, workers, retry);
  releasers.push(() => vault.client.close());
  const consul = await openConsul('origin', origin.consul, retry);
  releasers.push(() => consul.close());

  const mounts = origin.mounts ?? [];
  const filter = pathFilter(origin.include, origin.exclude);
  const prefix = ownPrefix(origin.syncPath, 'origin');
  const store = syncInfoStore(consul, prefix, { onLargeBucket: largeBucketWarning(log) });
  const originCycle = new OriginCycle({
    vault: originMetadata(vault.client),
    store,
    mounts,
    filter,
    numWorkers: workers.most,
    numBuckets: config.numBuckets,
    maxFailedPaths: origin.maxFailedPaths,
    guards: config.guards,
    approvedSets: approvedSets(consul, origin.syncPath, config.name, context.approvedSets),
  });
  const status = statusWriter({
    consul,
    syncPath: origin.syncPath,
    role: 'origin',
    name: config.name,
    nextCycle: context.nextCycle,
    onError: (error) => log.debug('status could not be written', { error: String(error) }),
  });
  const checkReading = async (scope: Parameters<Role['check']>[0]) => {
    await checkVault(vault, mounts, scope);
    await checkScanRights(vault.client, mounts, filter, scope);
  };
  return {
    originCycle,
    store,
    check: async (scope) => {
      await checkReading(scope);
      await checkConsulWritable(consul, prefix, origin.consul, log, scope);
      keepToken(vault, origin.renewToken, context);
    },
    checkReadOnly: async (scope) => {
      await checkReading(scope);
      await checkConsulReadable(consul, prefix, origin.consul, log, scope);
    },
    cycle: (run) => originCycle.run(run),
    sources: [],
    observe: status.observe,
    idle: status.idle,
  };
}
