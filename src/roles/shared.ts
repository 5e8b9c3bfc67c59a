import { type Side, VsyncError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { OriginConfig } from '../config/config.ts';
import type { ConsulClient } from '../consul/client.ts';
import type { BucketSizeListener } from '../consul/info-batches.ts';
import { approvalKey, readApproval } from '../consul/node-store.ts';
import type { CallScope } from '../cycle/ports.ts';

/** The part of the sync path that belongs to one side: `vsync/origin/`. */
export function ownPrefix(syncPath: string, side: Side): string {
  return `${syncPath}${side}/`;
}

/** Keeps the credentials of one side out of the log, whatever happens. */
export function protectSecrets(log: Log, { vault, consul }: Pick<OriginConfig, 'vault' | 'consul'>): void {
  const secrets = [vault.token, vault.approle.roleId, vault.approle.secretId, consul.token];
  for (const secret of secrets) if (secret !== undefined) log.protect(secret);
}

export function largeBucketWarning(log: Log): BucketSizeListener {
  return ({ id, bytes, limit }) =>
    log.warn(`sync info bucket ${id} has ${bytes} bytes; Consul stores at most ${limit} per key`, {
      'error.id': 'CONSUL_VALUE_TOO_LARGE',
      hint: 'raise numBuckets on the origin; destinations follow',
    });
}

/** The sets of deletes that are released now: those of the command line, and the one an operator stored in Consul. */
export function approvedSets(
  consul: ConsulClient,
  syncPath: string,
  name: string,
  given: readonly string[],
): (scope: CallScope) => Promise<readonly string[]> {
  const key = approvalKey(syncPath, name);
  return async (scope) => {
    try {
      const stored = await readApproval(consul, key, Date.now(), scope);
      return stored === undefined ? given : [...given, stored.set];
    } catch (error) {
      // A token that may not read approvals has none: that holds deletes, and does not fail the cycle.
      if (error instanceof VsyncError && error.code === 'CONSUL_FORBIDDEN') return given;
      throw error;
    }
  };
}
