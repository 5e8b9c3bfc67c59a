import { VsyncError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Config, ConsulConfig } from '../config/config.ts';
import type { ConsulClient } from '../consul/client.ts';
import { agentDatacenter, probeOwnPrefix, probeReadable } from '../consul/probe.ts';
import type { CallScope } from '../cycle/ports.ts';
import type { Mount } from '../sync/mount-path.ts';
import type { PathFilter } from '../sync/path-filter.ts';
import type { VaultClient } from '../vault/client.ts';
import { proveNamespace, readHealth, type VaultHealth } from '../vault/health.ts';
import { capabilities, describeMount } from '../vault/mounts.ts';
import type { VaultConnection } from './connections.ts';

/**
 * The checks before the first cycle: can each server be reached, is the token good, are the mounts there, may we do what we need.
 * They find a wrong configuration while someone is looking. Each throws what is wrong; nothing is written but a probe key below the
 * own sync path, and not even that in a dry run.
 */

/** Health, namespace and token of a Vault, then that each mount is a KV v2 mount the token has rights on. */
export async function checkVault(
  { client, tokens }: VaultConnection,
  mounts: readonly Mount[],
  scope: CallScope,
): Promise<VaultHealth> {
  const health = await readHealth(client, scope.signal);
  await proveNamespace(client, health, scope.signal);
  const lookedUp = await tokens.check(scope.signal);
  for (const mount of mounts) {
    try {
      await describeMount(client, mount, scope);
    } catch (error) {
      const hidden =
        error instanceof VsyncError && (error.code === 'MOUNT_MISSING' || error.code === 'VAULT_FORBIDDEN');
      // A token that can neither look itself up nor see a mount is most likely no token of this Vault.
      throw hidden && !lookedUp ? tokens.notAccepted() : error;
    }
  }
  return health;
}

/** That an origin's token may list where the walk begins. Rights below are found out by the scan itself. */
export async function checkScanRights(
  client: VaultClient,
  mounts: readonly Mount[],
  filter: PathFilter,
  scope: CallScope,
): Promise<void> {
  const roots = mounts.flatMap((mount) => filter.roots(mount).map((root) => `${mount}metadata/${root}`));
  const granted = await capabilities(client, roots, scope);
  const denied = roots.find((root) => granted !== undefined && !allows(granted.get(root), 'list'));
  if (denied === undefined) return;
  throw new VsyncError({
    side: 'origin',
    server: 'vault',
    address: client.address,
    path: denied,
    code: 'VAULT_LIST_DENIED',
    class: 'fatal',
    message: `the origin Vault's token may not list ${denied}`,
    why: `its capabilities there: ${granted?.get(denied)?.join(', ') ?? 'none'}`,
    hint: `path "${denied.split('metadata/')[0]}metadata/*" { capabilities = ["list","read"] }; for a part of the mount, name it in origin.include`,
  });
}

/** Warns of capabilities that are missing at the top of a destination's mounts; below it a policy may give them all the same. */
export async function checkWriteRights(
  client: VaultClient,
  mounts: readonly Mount[],
  ignoreDeletes: boolean,
  log: Log,
  scope: CallScope,
): Promise<void> {
  const needed = ['create', 'update', 'read', ...(ignoreDeletes ? [] : ['delete'])];
  const paths = mounts.map((mount) => `${mount}data/`);
  const granted = paths.length === 0 ? undefined : await capabilities(client, paths, scope);
  for (const path of paths) {
    const has = granted?.get(path);
    // "deny" at the top says nothing of a policy for a part of the mount.
    if (has === undefined || has.includes('deny')) continue;
    const missing = needed.filter((capability) => !allows(has, capability));
    if (missing.length > 0) {
      log.warn(`the policy of the ${client.side} Vault's token lacks ${missing.join(', ')} on ${path}*`, {
        path,
      });
    }
  }
}

/** A Consul that this process only reads: a direct read says 403 where lists are silently filtered. */
export async function checkConsulReadable(
  consul: ConsulClient,
  prefix: string,
  options: ConsulConfig,
  log: Log,
  scope: CallScope,
): Promise<void> {
  await warnOfDatacenter(consul, options, log, scope);
  await probeReadable(consul, prefix, scope);
}

/** A Consul that this process writes: create, list, read and delete below the own prefix. */
export async function checkConsulWritable(
  consul: ConsulClient,
  prefix: string,
  options: ConsulConfig,
  log: Log,
  scope: CallScope,
): Promise<void> {
  await warnOfDatacenter(consul, options, log, scope);
  await probeOwnPrefix(consul, prefix, scope);
}

/** Whether origin and destination are one Vault: then a path must not be written onto itself (B8). */
export function isSameVault(
  config: Extract<Config, { role: 'destination' }>,
  origin: Pick<VaultHealth, 'clusterId'>,
  destination: Pick<VaultHealth, 'clusterId'>,
): boolean {
  const sameNamespace = (config.origin.vault.namespace ?? '') === (config.destination.vault.namespace ?? '');
  const sameCluster = origin.clusterId !== '' && origin.clusterId === destination.clusterId;
  return sameNamespace && (sameCluster || config.origin.vault.address === config.destination.vault.address);
}

/** In a loopback only the origin's mounts tell what must not be written; a destination of another Vault needs no list of them. */
export function requireOriginMounts(mounts: readonly Mount[]): void {
  if (mounts.length > 0) return;
  throw new VsyncError({
    code: 'CONFIG_MISSING_VALUE',
    side: 'origin',
    message: 'origin.mounts is missing, and origin and destination are one Vault',
    why: "without it nothing tells which paths are the origin's own and must not be written",
    hint: 'name in origin.mounts the mounts that the origin publishes',
  });
}

async function warnOfDatacenter(
  consul: ConsulClient,
  { dc, remoteDc }: ConsulConfig,
  log: Log,
  scope: CallScope,
): Promise<void> {
  if (dc === undefined || remoteDc !== undefined) return;
  const actual = await agentDatacenter(consul, scope);
  if (actual === undefined || actual === dc) return;
  log.warn(
    `${consul.side}.consul.dc is "${dc}", but the agent at ${consul.address} is in "${actual}", which is used`,
    {
      hint: `to reach another datacenter through this agent set ${consul.side}.consul.remoteDc`,
    },
  );
}

function allows(granted: readonly string[] | undefined, capability: string): boolean {
  return granted?.includes(capability) === true || granted?.includes('root') === true;
}
