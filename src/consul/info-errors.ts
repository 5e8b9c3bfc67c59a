import { VsyncError } from '../base/errors.ts';
import type { ConsulClient } from './client.ts';

/** What can be wrong with sync info in Consul, in words for an operator. */

export function corruptIndex(consul: ConsulClient, prefix: string, why: string): VsyncError {
  return corrupt(consul, prefix, `${prefix}index cannot be read (${why})`);
}

export function corruptBuckets(
  consul: ConsulClient,
  prefix: string,
  ids: readonly number[],
  buckets: number,
  reads: number,
): VsyncError {
  const shown = ids.slice(0, 5).join(', ');
  const which =
    ids.length === 1
      ? `bucket ${shown} of ${buckets} does`
      : `buckets ${shown}${ids.length > 5 ? ' ...' : ''} of ${buckets} do`;
  return corrupt(consul, prefix, `${which} not match the hash in ${prefix}index (read ${reads} times)`);
}

function corrupt(consul: ConsulClient, prefix: string, what: string): VsyncError {
  return new VsyncError({
    ...about(consul, prefix),
    code: 'SYNC_INFO_CORRUPT',
    message: `${consul.side} sync info is corrupt: ${what}`,
    why: `something else writes below ${prefix}, or a key was edited or restored singly`,
    hint: `a cycle of the ${consul.side} makes it anew; vsync sync-info verify`,
    note: 'Nothing was compared or deleted.',
  });
}

export function saveConflict(consul: ConsulClient, prefix: string): VsyncError {
  return new VsyncError({
    ...about(consul, prefix),
    code: 'SYNC_INFO_CONFLICT',
    message: `another process wrote the ${consul.side} sync info at ${prefix} in the meantime`,
    why: 'two vsync processes share this sync path, or a Go vsync does',
    hint: `give each its own ${consul.side}.syncPath, or stop one of them`,
    note: 'Nothing was overwritten; the next cycle starts from what is there now.',
  });
}

export function saveDenied(consul: ConsulClient, prefix: string): VsyncError {
  return new VsyncError({
    ...about(consul, prefix),
    code: 'CONSUL_FORBIDDEN',
    status: 403,
    message: `the ${consul.side} Consul refused to write ${prefix}`,
    why: 'the policies of the ACL token do not allow it',
    hint: `rule: key_prefix "${prefix}" { policy = "write" }`,
  });
}

export function bucketTooLarge(
  consul: ConsulClient,
  prefix: string,
  bucket: { readonly id: number; readonly of: number; readonly bytes: number; readonly limit: number },
): VsyncError {
  return new VsyncError({
    ...about(consul, `${prefix}${bucket.id}`),
    code: 'CONSUL_VALUE_TOO_LARGE',
    message: `${consul.side} sync info bucket ${bucket.id} of ${bucket.of} is ${bucket.bytes} bytes; Consul stores at most ${bucket.limit} per key`,
    why: `too many paths for ${bucket.of} ${bucket.of === 1 ? 'bucket' : 'buckets'}`,
    hint: `numBuckets: ${Math.min(4096, bucket.of * 4)} on the origin; destinations follow (Go vsync ones: set it)`,
    note: 'Nothing was written; the previous sync info is intact.',
  });
}

export function indexTooLarge(
  consul: ConsulClient,
  prefix: string,
  buckets: number,
  limit: number,
): VsyncError {
  // A hash takes 67 bytes: 64 digits, two quotes, a comma or a bracket.
  const most = Math.floor((limit - 1) / 67);
  return new VsyncError({
    ...about(consul, `${prefix}index`),
    code: 'CONSUL_VALUE_TOO_LARGE',
    message: `the index of ${buckets} buckets is too large for Consul, which stores at most ${limit} bytes per key`,
    why: `${most} buckets are the most that it holds`,
    hint: `numBuckets: ${Math.min(4096, most)} on the origin; destinations follow`,
    note: 'Nothing was written; the previous sync info is intact.',
  });
}

function about(consul: ConsulClient, path: string) {
  return { side: consul.side, server: 'consul', address: consul.address, path } as const;
}
