import { errorFields } from '../base/log.ts';
import type { Config } from '../config/config.ts';
import { syncInfoReader, syncInfoStore } from '../consul/info-store.ts';
import { watchKey } from '../consul/watch.ts';
import { DestinationCycle } from '../cycle/destination-cycle.ts';
import type { PlanOptions } from '../cycle/plan-destination.ts';
import type { CallScope } from '../cycle/ports.ts';
import type { TriggerSource } from '../cycle/ticker.ts';
import { pathFilter } from '../sync/path-filter.ts';
import { destinationVault } from '../vault/destination-vault.ts';
import { originSecrets } from '../vault/origin-vault.ts';
import { openConsul, openVault, retryPolicyOf, workersOf } from './connections.ts';
import { keepToken } from './keep-token.ts';
import { statusWriter } from './node-status.ts';
import {
  checkConsulReadable,
  checkConsulWritable,
  checkVault,
  checkWriteRights,
  isSameVault,
  requireOriginMounts,
} from './preflight.ts';
import type { Role, RoleContext } from './role.ts';
import { approvedSets, largeBucketWarning, ownPrefix, protectSecrets } from './shared.ts';

type DestinationConfiguration = Extract<Config, { role: 'destination' }>;

export interface DestinationRole extends Role {
  /** To be used after a check, which finds out whether both ends are one Vault. */
  readonly destinationCycle: () => DestinationCycle;
  readonly stores: Pick<PlanOptions, 'originStore' | 'store'>;
  /** The same checks, without the probe that writes. */
  readonly checkReadOnly: Role['check'];
}

/** A destination: compares both sync infos, reads values at the origin, writes them to its own Vault. */
export async function openDestination(
  context: RoleContext<DestinationConfiguration>,
): Promise<DestinationRole> {
  const { config, log, releasers } = context;
  const { origin, destination } = config;
  protectSecrets(log, origin);
  protectSecrets(log, destination);
  const numWorkers = workersOf(destination.numWorkers);
  const retry = retryPolicyOf(config);
  const originVault = await openVault('origin', origin.vault, numWorkers, retry);
  releasers.push(() => originVault.client.close());
  const vault = await openVault('destination', destination.vault, numWorkers, retry);
  releasers.push(() => vault.client.close());
  const originConsul = await openConsul('origin', origin.consul, retry);
  releasers.push(() => originConsul.close());
  const consul = await openConsul('destination', destination.consul, retry);
  releasers.push(() => consul.close());

  const originPrefix = ownPrefix(origin.syncPath, 'origin');
  const prefix = ownPrefix(destination.syncPath, 'destination');
  const originMounts = origin.mounts ?? [];
  const stores = {
    originStore: syncInfoReader(originConsul, originPrefix),
    store: syncInfoStore(consul, prefix, { onLargeBucket: largeBucketWarning(log) }),
  };
  let sameVault = false;
  let cycle: DestinationCycle | undefined;
  // Made after the check, and once: it remembers what Consul has confirmed.
  const destinationCycle = () => {
    cycle ??= new DestinationCycle({
      ...stores,
      origin: originSecrets(originVault.client),
      vault: destinationVault(vault.client),
      transforms: destination.transforms,
      filter: pathFilter(destination.include, destination.exclude),
      originMounts,
      originFilter: pathFilter(origin.include, origin.exclude),
      sameVault,
      ignoreDeletes: config.ignoreDeletes,
      guards: config.guards,
      approvedSets: approvedSets(consul, destination.syncPath, config.name, context.approvedSets),
      numWorkers,
      onConflict: destination.onConflict,
      batchSize: destination.batchSize,
    });
    return cycle;
  };

  const checkReading = async (scope: CallScope) => {
    const originHealth = await checkVault(originVault, originMounts, scope);
    const health = await checkVault(vault, destination.mounts ?? [], scope);
    sameVault = isSameVault(config, originHealth, health);
    if (sameVault) requireOriginMounts(originMounts);
    await checkWriteRights(vault.client, destination.mounts ?? [], config.ignoreDeletes, log, scope);
    await checkConsulReadable(originConsul, originPrefix, origin.consul, log, scope);
  };
  const status = statusWriter({
    consul,
    syncPath: destination.syncPath,
    role: 'destination',
    name: config.name,
    nextCycle: context.nextCycle,
    onError: (error) => log.debug('status could not be written', { error: String(error) }),
  });
  const watch: TriggerSource = {
    start: (fire) => {
      const stop = new AbortController();
      const watching = watchKey({
        consul: originConsul,
        key: `${originPrefix}index`,
        signal: stop.signal,
        onChange: () => fire('watch'),
        onError: (error) => log.debug('the watch on the origin failed and goes on', errorFields(error)),
      });
      return async () => {
        stop.abort();
        await watching;
      };
    },
  };

  return {
    destinationCycle,
    stores,
    check: async (scope) => {
      await checkReading(scope);
      await checkConsulWritable(consul, prefix, destination.consul, log, scope);
      keepToken(originVault, origin.renewToken, context);
      keepToken(vault, destination.renewToken ?? true, context);
    },
    checkReadOnly: async (scope) => {
      await checkReading(scope);
      await checkConsulReadable(consul, prefix, destination.consul, log, scope);
    },
    cycle: (run) => destinationCycle().run(run),
    sources: destination.watch ? [watch] : [],
    observe: status.observe,
    idle: status.idle,
  };
}
