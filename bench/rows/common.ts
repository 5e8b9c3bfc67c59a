import type { CycleResult } from '../../src/cycle/outcome.ts';
import type { CycleRun } from '../program.ts';

/** Small helpers of the rows. */

export function msToS({ durationMs }: { readonly durationMs: number }): number {
  return durationMs / 1000;
}

export function bytesToMb({ peakRssBytes }: { readonly peakRssBytes: number }): number {
  return peakRssBytes / 1e6;
}

/** A cycle that ended otherwise was not the work that is measured. */
export function checkResults(runs: readonly CycleRun[], expected: CycleResult): void {
  for (const { result } of runs)
    if (result !== expected) throw new Error(`a measured cycle ended "${result}", not "${expected}"`);
}
