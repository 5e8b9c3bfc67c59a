import type { NodeStatus } from '../../consul/node-store.ts';

/** The words for the state of a node: health, unless that is `Healthy`; then sync. */

/** Of several nodes, the first that any of them has is the word of all. */
export const statusWords = [
  'Failed',
  'Paused',
  'Held',
  'Degraded',
  'Progressing',
  'Unknown',
  'OutOfSync',
  'InSync',
] as const;

export type StatusWord = (typeof statusWords)[number];

/** What `--check` takes for good. */
const goodWords: readonly StatusWord[] = ['InSync', 'Progressing', 'Paused'];

/** The word of a node as it told it, or `Unknown` when that is too old to count. */
export function wordOf(status: NodeStatus, silentSince: string | undefined): StatusWord {
  if (silentSince !== undefined) return 'Unknown';
  const word = status.health === 'Healthy' ? status.sync : status.health;
  return statusWords.find((known) => known === word) ?? 'Unknown';
}

/** The word of a whole fleet; without any node nothing is known. */
export function headline(words: readonly StatusWord[]): StatusWord {
  return statusWords.find((word) => words.includes(word)) ?? 'Unknown';
}

/** Whether nothing needs a person: judged node by node, since a paused one must not hide another that is held. */
export function isGood(words: readonly StatusWord[]): boolean {
  return words.length > 0 && words.every((word) => goodWords.includes(word));
}

/** A busy node may be a little late. */
const graceMs = 60_000;

/**
 * When a node was last heard of, if that is longer ago than three of its intervals; `undefined` for one that is on time, and for a
 * one-shot, which plans no next cycle.
 */
export function silentSince(status: NodeStatus, nowMs: number): string | undefined {
  const heardAt = status.aliveAt ?? status.cycleEndedAt;
  const nextAt = Date.parse(String(status.nextCycleAt));
  if (Number.isNaN(nextAt)) return undefined;
  // A tick is planned from the start of a cycle on. A watch or a person starts cycles in between: that says nothing of the interval.
  const startedAt = Date.parse(status.cycleEndedAt) - status.durationMs;
  const intervalMs = Math.max(0, nextAt - startedAt);
  const isTimed = status.trigger !== 'watch' && status.trigger !== 'manual';
  const lateMs = isTimed ? 2 * intervalMs : Math.max(graceMs, 2 * intervalMs);
  const silent = nowMs > Math.max(nextAt, Date.parse(heardAt)) + lateMs;
  return silent ? heardAt : undefined;
}
