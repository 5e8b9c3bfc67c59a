import { compareTimes, type Insight, sameInsight } from '../sync/insight.ts';
import type { DataPath, Mount } from '../sync/mount-path.ts';
import type { PlannedTask } from '../sync/plan.ts';
import { refuseStale } from './copy-secret.ts';
import type { CallScope, DestinationVault, OriginMetadata, OriginSecrets } from './ports.ts';

/** Whether one secret at the destination is what was copied there: by its metadata, or by its value. Reads only. */

export type Finding =
  | { readonly kind: 'in_sync' }
  /** It is there, but no record tells which version is our own: only its value can. */
  | { readonly kind: 'unverified' }
  | {
      /**
       * `missing`: it is not there, or deleted. `changed`: it is not what was copied. `pending`: nothing is wrong, the next cycle of the
       * destination or of the origin will make them equal.
       */
      readonly kind: 'missing' | 'changed' | 'pending';
      /** The current version at the destination. */
      readonly version: number | undefined;
      readonly why: string;
    };

/** The part of a Vault that lists and reads metadata. */
export type MetadataReader = Pick<OriginMetadata, 'listFolder' | 'readInsight' | 'readClock'>;

/** Judges by metadata: one request, and no value is read. `key` is that of the task's target. */
export async function judgeByMetadata(
  { from, to }: PlannedTask,
  at: { readonly mount: Mount; readonly key: string },
  metadata: MetadataReader,
  scope: CallScope,
): Promise<Finding> {
  const there = await metadata.readInsight(at.mount, at.key, scope);
  if (there === undefined) return missing(from, 'deleted or removed');
  const { version } = there;
  if (from === undefined) return notCopied(version);
  const isCurrent = sameInsight(from, to as Insight);
  if (from.dv === undefined) return isCurrent ? { kind: 'unverified' } : behind(from, to as Insight, version);
  if (version > from.dv) return { kind: 'changed', version, why: 'written by someone else' };
  if (version < from.dv) return { kind: 'changed', version, why: 'its history was replaced' };
  return isCurrent ? { kind: 'in_sync' } : behind(from, to as Insight, version);
}

/** Judges by the values of both sides, which are compared and forgotten. */
export async function judgeByValue(
  task: PlannedTask,
  vaults: { readonly origin: OriginSecrets; readonly destination: Pick<DestinationVault, 'readSecret'> },
  scope: CallScope,
): Promise<Finding> {
  const [source, there] = await Promise.all([
    vaults.origin.readSecret(task.path, scope),
    vaults.destination.readSecret(task.target as DataPath, scope),
  ]);
  const version = there.kind === 'live' ? there.version : undefined;
  if (source.kind !== 'live') {
    const why = 'it is gone at the origin since that published; its next sync info will say so';
    return version === undefined ? { kind: 'in_sync' } : { kind: 'pending', version, why };
  }
  if (there.kind !== 'live') return missing(task.from, there.kind === 'deleted' ? 'deleted' : 'removed');
  if (there.value.sameAs(source.value)) return { kind: 'in_sync' };
  // What an outdated standby answers proves nothing.
  refuseStale(task, source);
  const to = task.to as Insight;
  if (task.from === undefined) return notCopied(version);
  if (!sameInsight(task.from, to)) return behind(task.from, to, version);
  const movedOn = source.version !== to.version || compareTimes(source.createdTime, to.updateTime) > 0;
  if (movedOn) return { kind: 'pending', version, why: 'the origin has written it since it published' };
  return { kind: 'changed', version, why: "its value is not the origin's" };
}

function missing(from: Insight | undefined, how: string): Finding {
  const why = from === undefined ? 'not copied yet' : `${how} at the destination`;
  return { kind: 'missing', version: undefined, why };
}

function notCopied(version: number | undefined): Finding {
  return { kind: 'pending', version, why: 'there, but not recorded as copied; the next cycle compares it' };
}

function behind(from: Insight, to: Insight, version: number | undefined): Finding {
  const why = `v${to.version} of the origin is to be copied, v${from.version} was`;
  return { kind: 'pending', version, why };
}
