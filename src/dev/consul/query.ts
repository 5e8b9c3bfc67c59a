/**
 * The parameters that every read takes, and Consul's answers to bad ones.
 * May import: `answer`, `duration`, `uint64`.
 */

import { Refusal } from './answer.ts';
import { parseDuration } from './duration.ts';
import { parseUint64 } from './uint64.ts';

const defaultWaitMs = 300_000;
const longestWaitMs = 600_000;

/** What a blocking query asks for. Consistency modes need no field: this server is alone, so all of them read the same. */
export interface QueryOptions {
  readonly minIndex: number;
  readonly waitMs: number;
}

/** Reads consistency, cache control, `wait` and `index`, in the order in which Consul refuses them. Throws a 400 Refusal. */
export function parseQueryOptions(params: URLSearchParams, cacheControl: string): QueryOptions {
  checkConsistency(params);
  checkCacheControl(cacheControl);
  return { waitMs: parseWait(params.get('wait') ?? ''), minIndex: parseIndex(params.get('index') ?? '') };
}

function checkConsistency(params: URLSearchParams): void {
  const maxStale = params.get('max_stale') ?? '';
  const staleness = maxStale === '' ? 0 : parseDuration(maxStale);
  if (staleness === undefined) throw new Refusal(400, `Invalid max_stale value ${JSON.stringify(maxStale)}`);
  if (!params.has('consistent')) return;
  for (const [other, isGiven] of [
    ['stale', params.has('stale') || staleness > 0],
    ['cached', params.has('cached')],
  ]) {
    if (isGiven) {
      throw new Refusal(400, `Cannot specify ?${other} with ?consistent, conflicting semantics.`);
    }
  }
}

function checkCacheControl(header: string): void {
  for (const directive of header.toLowerCase().split(',')) {
    const [, seconds] = /^\s*(?:max-age|stale-if-error)=(.*?)\s*$/.exec(directive) ?? [];
    if (seconds !== undefined && !/^[+-]?\d+$/.test(seconds)) {
      throw new Refusal(400, 'Invalid Cache-Control header.');
    }
  }
}

function parseWait(wait: string): number {
  if (wait === '') return defaultWaitMs;
  const nanoseconds = parseDuration(wait);
  if (nanoseconds === undefined) throw new Refusal(400, 'Invalid wait time');
  return nanoseconds <= 0 ? defaultWaitMs : Math.min(nanoseconds / 1e6, longestWaitMs);
}

function parseIndex(index: string): number {
  if (index === '') return 0;
  const parsed = parseUint64(index);
  if (typeof parsed !== 'bigint') throw new Refusal(400, 'Invalid index');
  return Number(parsed);
}
