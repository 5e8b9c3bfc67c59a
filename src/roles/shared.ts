import type { Side } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { OriginConfig } from '../config/config.ts';
import type { BucketSizeListener } from '../consul/info-save.ts';

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
