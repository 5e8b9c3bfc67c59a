import { createHash } from 'node:crypto';
import type { Config, OriginConfig } from '../../config/config.ts';
import type { StoredIndex } from '../../cycle/ports.ts';
import { indexJson } from '../../sync/bucket.ts';

/** What a plan rests on, as hashes that can be compared later. */

export type DestinationConfig = Extract<Config, { role: 'destination' }>;

type CommonKeys = Pick<OriginConfig, 'vault' | 'consul' | 'syncPath' | 'mounts' | 'include' | 'exclude'>;

/**
 * A hash of what decides what a plan does: which servers, mounts, paths, transforms, guards. No credential goes into it, and nothing
 * that only changes how fast or how loud it is done.
 */
export function configHash({ origin, destination, ignoreDeletes, guards }: DestinationConfig): string {
  const side = ({ vault, consul, syncPath, mounts, include, exclude }: CommonKeys) => ({
    vault: [vault.address, vault.namespace],
    consul: [consul.address, consul.remoteDc, consul.namespace, consul.partition],
    syncPath,
    mounts,
    include,
    exclude,
  });
  return sha256(
    JSON.stringify([
      side(origin),
      side(destination),
      destination.transforms.map(({ name, from, to }) => [name, from, to]),
      destination.onConflict,
      ignoreDeletes,
      [guards.enabled, guards.maxDeletes, guards.maxDeleteRatio, guards.allowEmptyOrigin],
    ]),
  );
}

/** A hash of the origin's index, and with it of every path, version and time that it stands for. */
export function indexHash({ index }: StoredIndex): string {
  return sha256(indexJson(index));
}

function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
