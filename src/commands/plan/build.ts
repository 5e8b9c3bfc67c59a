import type { NodeStatus } from '../../consul/node-store.ts';
import type { Survey } from '../../cycle/survey.ts';
import { deleteLimit, type GuardVerdict } from '../../sync/delete-guard.ts';
import type { Insight } from '../../sync/insight.ts';
import type { PlannedTask } from '../../sync/plan.ts';
import { version } from '../../version.ts';
import { configHash, type DestinationConfig, indexHash } from './basis.ts';
import {
  type Change,
  type DestinationPart,
  formatVersion,
  type OriginPart,
  type PlanDocument,
  type Version,
} from './document.ts';

/** The document of a comparison. `status` is what the origin last told of itself. */
export function planDocument(
  { comparison, totals }: Survey,
  status: NodeStatus | undefined,
  config: DestinationConfig,
  now: Date,
): PlanDocument {
  const { plan, origin, replaces } = comparison;
  const { guard } = plan;
  const adds = plan.copies.filter(({ kind }) => kind === 'add').length;
  return {
    format_version: formatVersion,
    type: 'plan',
    vsync_version: version,
    created_at: now.toISOString(),
    complete: true,
    origin: originPart(config, status, totals.origin, totals.buckets),
    destination: destinationPart(config, totals.destination),
    basis: {
      origin_index_modify: origin.modifyIndex,
      destination_index_modify: replaces?.modifyIndex ?? 0,
      origin_index_hash: indexHash(origin),
      config_hash: configHash(config),
      differing_buckets: totals.differing,
    },
    changes: [...changesOf(plan.copies), ...changesOf(plan.deletes)],
    held: changesOf(plan.held),
    kept: changesOf(plan.ignored),
    forgotten: changesOf(plan.drops),
    errors: byPath(
      plan.skipped.map(({ path, target, code, message }) => ({
        path,
        destination_path: target,
        code,
        message,
      })),
    ),
    guards: guardsOf(guard, totals.destination, config),
    summary: {
      operation: 'plan',
      add: adds,
      update: plan.copies.length - adds,
      delete: plan.deletes.length,
      error: plan.skipped.length,
      held: plan.held.length,
      unchanged: totals.unchanged,
    },
  };
}

export function originPart(
  { origin }: DestinationConfig,
  status: NodeStatus | undefined,
  paths: number,
  buckets: number,
): OriginPart {
  const publishedAt = status && publishedAtOf(status);
  const unreadable = Number(status?.counts.failed);
  return {
    ...(status && { name: status.name }),
    vault: origin.vault.address,
    sync_path: `${origin.syncPath}origin/`,
    ...(publishedAt !== undefined && { published_at: publishedAt }),
    ...(unreadable > 0 && { unreadable }),
    paths,
    buckets,
  };
}

export function destinationPart({ name, destination }: DestinationConfig, paths: number): DestinationPart {
  return {
    name,
    vault: destination.vault.address,
    sync_path: `${destination.syncPath}destination/`,
    paths,
  };
}

/** When an origin last completed a cycle; one in which some paths failed publishes too. */
function publishedAtOf({ result, cycleEndedAt, lastSuccessAt }: NodeStatus): string | undefined {
  const at = ['success', 'noop', 'partial'].includes(result) ? cycleEndedAt : lastSuccessAt;
  return Number.isNaN(Date.parse(String(at))) ? undefined : at;
}

/** What the guards say. `paths` are those of the destination: a verdict on a few deletes does not count them. */
export function guardsOf(
  { guard, deletes, set, approved }: GuardVerdict,
  paths: number,
  { guards }: DestinationConfig,
): PlanDocument['guards'] {
  return [
    {
      name: 'max_deletes',
      held: guard === 'max_deletes',
      value: deletes,
      limit: deleteLimit(paths, guards),
      paths,
      max_deletes: guards.maxDeletes,
      max_delete_ratio: guards.maxDeleteRatio,
      ...(set !== '' && { set }),
      approved,
    },
    { name: 'empty_origin', held: guard === 'empty_origin' },
  ];
}

/** Tasks as changes, in the order of their paths. */
export function changesOf(tasks: readonly PlannedTask[]): Change[] {
  return byPath(tasks.map(changeOf));
}

export function byPath<T extends { readonly path: string }>(items: T[]): T[] {
  return items.sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function changeOf({ kind, path, target, from, to, reason, rule }: PlannedTask): Change {
  return {
    op: kind,
    path,
    destination_path: target,
    ...(from && { from: versionOf(from) }),
    ...(to && { to: versionOf(to) }),
    reason,
    transform: rule ?? null,
  };
}

function versionOf({ version: number, updateTime }: Insight): Version {
  return { version: number, updated_at: updateTime };
}
