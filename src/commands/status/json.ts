import { jsonDocument } from '../inspect-json.ts';
import type { DestinationPair, Fleet, FleetNode } from './fleet.ts';
import type { Pair } from './pair.ts';
import { isGood } from './word.ts';

/** The fleet for machines: one document. */
export function statusJson({ word, nodes, infos, pairs, errors }: Fleet, nowMs: number): string {
  return jsonDocument('status', {
    status: word,
    ok: errors.length === 0 && isGood(nodes.map((node) => node.word)),
    nodes: nodes.map(nodeJson),
    sync_info: infos.map(({ side, prefix, numBuckets, paths }) => ({
      side,
      prefix,
      num_buckets: numBuckets,
      paths,
    })),
    comparisons: pairs.map((pair) => comparisonJson(pair, nowMs)),
    errors: errors.map(({ code, message, where }) => ({ id: code, message, ...where })),
  });
}

function comparisonJson(pair: DestinationPair, nowMs: number): Readonly<Record<string, unknown>> {
  return {
    destination: pair.destination,
    in_sync: pair.inSync,
    differing_buckets: pair.differing,
    num_buckets: pair.of,
    pending: pair.pending,
    ignored: pair.ignored,
    oldest_pending_at: pair.oldestPendingAt ?? null,
    lag_seconds: lagSeconds(pair, nowMs),
  };
}

function nodeJson({
  status,
  word,
  silentSince,
  paths,
  approval,
}: FleetNode): Readonly<Record<string, unknown>> {
  const { held, errorCode, errorMessage } = status;
  return {
    role: status.role,
    name: status.name,
    status: word,
    health: status.health,
    sync: status.sync,
    silent_since: silentSince ?? null,
    vsync_version: status.vsyncVersion,
    cycle_ended_at: status.cycleEndedAt,
    last_success_at: status.lastSuccessAt ?? null,
    next_cycle_at: status.nextCycleAt ?? null,
    result: status.result,
    trigger: status.trigger,
    duration_ms: status.durationMs,
    paths: paths ?? null,
    counts: status.counts,
    error: errorCode === undefined ? null : { id: errorCode, message: errorMessage ?? '' },
    held: held ?? null,
    approval: approval ?? null,
  };
}

/** `null`: only deletes are pending, and of those no time is known. */
function lagSeconds({ inSync, oldestPendingAt }: Pair, nowMs: number): number | null {
  if (inSync) return 0;
  if (oldestPendingAt === undefined) return null;
  return Math.max(0, Math.round((nowMs - Date.parse(oldestPendingAt)) / 1000));
}
