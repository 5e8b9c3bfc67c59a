import type { Config } from '../config/config.ts';
import { syncInfoReader, syncInfoStore } from '../consul/info-store.ts';
import type { NodeStatus } from '../consul/node-store.ts';
import { type CheckOptions, type CheckResult, checkDestination } from '../cycle/check-destination.ts';
import type { CycleRun } from '../cycle/cycle-run.ts';
import { DestinationCycle, type DestinationCycleOptions } from '../cycle/destination-cycle.ts';
import type { CallScope } from '../cycle/ports.ts';
import { type Survey, surveyDestination } from '../cycle/survey.ts';
import { pathFilter } from '../sync/path-filter.ts';
import { destinationVault } from '../vault/destination-vault.ts';
import { originMetadata } from '../vault/origin-vault.ts';
import { openConsul, openVault, retryPolicyOf, workersOf } from './connections.ts';
import { keepToken } from './keep-token.ts';
import { statusWriter } from './node-status.ts';
import { type OriginEnd, openOriginEnd } from './origin-end.ts';
import { readOriginStatus } from './origin-status.ts';
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

/** All but the checks is to be used after one of them, which finds out whether both ends are one Vault. */
export interface DestinationRole extends Role {
  readonly destinationCycle: () => DestinationCycle;
  /** What a cycle would do, for people. */
  readonly survey: (run: CycleRun) => Promise<Survey>;
  /** What is really there, against what the origin published. */
  readonly compareVaults: (
    how: Pick<CheckOptions, 'deep' | 'lookForExtras'>,
    run: CycleRun,
  ) => Promise<CheckResult>;
  /** What the origin last told of itself; `undefined` when that cannot be read. */
  readonly originStatus: (scope: CallScope) => Promise<NodeStatus | undefined>;
  /** The same checks, without the probe that writes. `willWrite` false: a lack of rights to write is not worth a word. */
  readonly checkReadOnly: (scope: CallScope, willWrite?: boolean) => Promise<void>;
  /** What makes a read-only check a whole one: the probe, and tokens are kept alive from now on. */
  readonly beginWriting: (scope: CallScope) => Promise<void>;
}

/** A destination: compares both sync infos, reads values at the origin, writes them to its own Vault. */
export async function openDestination(
  context: RoleContext<DestinationConfiguration> & { readonly originEnd?: OriginEnd | undefined },
): Promise<DestinationRole> {
  const { config, log, releasers } = context;
  const { origin, destination } = config;
  protectSecrets(log, origin);
  protectSecrets(log, destination);
  const workers = workersOf(destination.numWorkers);
  const retry = retryPolicyOf(config);
  const originEnd = context.originEnd ?? (await openOriginEnd([config], { log, releasers }));
  const { vault: originVault, consul: originConsul, prefix: originPrefix } = originEnd;
  const vault = await openVault('destination', destination.vault, workers, retry);
  releasers.push(() => vault.client.close());
  const consul = await openConsul('destination', destination.consul, retry);
  releasers.push(() => consul.close());

  const prefix = ownPrefix(destination.syncPath, 'destination');
  const originMounts = origin.mounts ?? [];
  const reader = originEnd.reader();
  releasers.push(reader.release);
  let sameVault = false;
  const options = (): DestinationCycleOptions => ({
    originStore: syncInfoReader(originConsul, originPrefix),
    store: syncInfoStore(consul, prefix, { onLargeBucket: largeBucketWarning(log) }),
    origin: reader.origin,
    vault: destinationVault(vault.client),
    transforms: destination.transforms,
    filter: pathFilter(destination.include, destination.exclude),
    originMounts,
    destinationMounts: destination.mounts ?? [],
    originFilter: pathFilter(origin.include, origin.exclude),
    sameVault,
    ignoreDeletes: config.ignoreDeletes,
    guards: config.guards,
    approvedSets: approvedSets(consul, destination.syncPath, config.name, context.approvedSets),
    numWorkers: workers.most,
    onConflict: destination.onConflict,
    batchSize: destination.batchSize,
    heartbeat: () => status.heartbeat(),
  });
  let cycle: DestinationCycle | undefined;
  // Made after the check, and once: it remembers what Consul has confirmed.
  const destinationCycle = () => {
    cycle ??= new DestinationCycle(options());
    return cycle;
  };

  const checkReading = async (scope: CallScope, willWrite: boolean) => {
    const originHealth = await checkVault(originVault, originMounts, scope);
    const health = await checkVault(vault, destination.mounts ?? [], scope);
    sameVault = isSameVault(config, originHealth, health);
    if (sameVault) requireOriginMounts(originMounts);
    if (willWrite)
      await checkWriteRights(vault.client, destination.mounts ?? [], config.ignoreDeletes, log, scope);
    await checkConsulReadable(originConsul, originPrefix, origin.consul, log, scope);
  };
  const beginWriting = async (scope: CallScope) => {
    await checkConsulWritable(consul, prefix, destination.consul, log, scope);
    originEnd.keepToken();
    keepToken(vault, destination.renewToken ?? true, context);
  };
  const status = statusWriter({
    consul,
    syncPath: destination.syncPath,
    role: 'destination',
    name: config.name,
    nextCycle: context.nextCycle,
    onError: (error) => log.debug('status could not be written', { error: String(error) }),
  });
  return {
    destinationCycle,
    survey: (run) => surveyDestination(options(), run),
    compareVaults: (how, run) =>
      checkDestination(
        {
          ...options(),
          ...how,
          metadata: originMetadata(vault.client),
          mounts: destination.mounts ?? [],
        },
        run,
      ),
    originStatus: (scope) => readOriginStatus(originConsul, origin.syncPath, scope),
    check: async (scope) => {
      await checkReading(scope, true);
      await beginWriting(scope);
    },
    beginWriting,
    checkReadOnly: async (scope, willWrite = true) => {
      await checkReading(scope, willWrite);
      await checkConsulReadable(consul, prefix, destination.consul, log, scope);
    },
    cycle: (run) => destinationCycle().run(run),
    sources: destination.watch ? [originEnd.watch] : [],
    observe: status.observe,
    idle: status.idle,
  };
}
