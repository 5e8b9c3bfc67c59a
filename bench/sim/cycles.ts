import { type CycleRun, runCycle } from '../../src/cycle/cycle-run.ts';
import type { CycleOutcome, CycleResult } from '../../src/cycle/outcome.ts';

/** In flight at once, as in the other rows. */
export const workers = 32;

/** Runs one cycle as the daemon would; returns its milliseconds. Throws unless it ends with the expected result. */
export async function timedCycle(
  cycle: (run: CycleRun) => Promise<CycleOutcome>,
  expected: CycleResult,
): Promise<number> {
  const never = new AbortController().signal;
  const startedAt = performance.now();
  const { result, error } = await runCycle(cycle, {
    trigger: 'manual',
    timeoutMs: 3_600_000,
    draining: never,
    aborting: never,
    drainStops: false,
    emit: () => {},
  });
  if (result !== expected) throw new Error(`the cycle ended ${result}, not ${expected}: ${error?.message}`);
  return performance.now() - startedAt;
}
