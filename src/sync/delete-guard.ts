import { createHash } from 'node:crypto';
import type { DataPath } from './mount-path.ts';

/**
 * The guard that may hold a plan's deletes until an operator approves them (R4).
 * Pure.
 */

export interface GuardSettings {
  /** False turns the delete guard off; the guard of the empty origin stays. */
  readonly enabled: boolean;
  /** Deletes that are always allowed up to half of the paths. */
  readonly maxDeletes: number;
  /** The same as a part of the destination's paths, 0 to 1; the larger of both counts. */
  readonly maxDeleteRatio: number;
  /** Whether an origin without any path may delete at the destination. */
  readonly allowEmptyOrigin: boolean;
}

export const defaultGuards: GuardSettings = {
  enabled: true,
  maxDeletes: 50,
  maxDeleteRatio: 0.1,
  allowEmptyOrigin: false,
};

export type GuardName = 'max_deletes' | 'empty_origin';

/** What the guard says of the deletes of one plan. */
export interface GuardVerdict {
  readonly held: boolean;
  /** Which guard holds; `undefined` when none does. */
  readonly guard: GuardName | undefined;
  readonly deletes: number;
  /** How many deletes the guard lets pass. */
  readonly limit: number;
  /** The destination's paths before the cycle. */
  readonly paths: number;
  /** SHA-256 in hex of exactly these deletes; its first 8 characters are what an operator approves. "" without deletes. */
  readonly set: string;
  /** True when the guard would hold, but exactly this set was approved. */
  readonly approved: boolean;
}

/** How many deletes pass unasked: the larger of count and ratio, never more than half of the paths, 5 always. Rounded down. */
export function deleteLimit(paths: number, settings: GuardSettings): number {
  const wanted = Math.max(settings.maxDeletes, settings.maxDeleteRatio * paths);
  return Math.max(5, Math.floor(Math.min(wanted, paths / 2)));
}

/** Fewer deletes than this pass whatever the number of paths, which then need not be counted. */
export const alwaysAllowedDeletes = 5;

/** Judges the deletes of a plan. `approvedSets` are full hashes, or starts of at least 8 characters. */
export function guardDeletes(input: {
  readonly deletes: readonly DataPath[];
  readonly destinationPaths: number;
  readonly originIsEmpty: boolean;
  readonly settings: GuardSettings;
  readonly approvedSets: readonly string[];
}): GuardVerdict {
  const { deletes, destinationPaths: paths, settings } = input;
  const limit = deleteLimit(paths, settings);
  const set = deletes.length === 0 ? '' : deleteSetHash(deletes);
  const guard = tripped();
  const approved = guard !== undefined && input.approvedSets.some((approval) => approves(approval, set));
  return {
    held: guard !== undefined && !approved,
    guard: approved ? undefined : guard,
    deletes: deletes.length,
    limit,
    paths,
    set,
    approved,
  };

  function tripped(): GuardName | undefined {
    if (deletes.length === 0) return undefined;
    if (input.originIsEmpty && !settings.allowEmptyOrigin) return 'empty_origin';
    return settings.enabled && deletes.length > limit ? 'max_deletes' : undefined;
  }
}

/** The name of exactly this set of deletes, whatever their order. */
export function deleteSetHash(deletes: readonly DataPath[]): string {
  const hash = createHash('sha256');
  for (const path of [...deletes].sort()) hash.update(path).update('\n');
  return hash.digest('hex');
}

/** The part of a set's hash that people type. */
export function shortSet(set: string): string {
  return set.slice(0, 8);
}

function approves(approval: string, set: string): boolean {
  return approval.length >= 8 && set.startsWith(approval.toLowerCase());
}
