import { usageNow } from '../children/usage.ts';
import { compareAndReindex } from './compare-and-reindex.ts';
import { destinationCycles } from './destination-cycles.ts';
import { originCycles } from './origin-cycles.ts';

/**
 * `simulation.mjs <kind> <secrets>`: whole cycles without HTTP, in a process of their own so that its peak memory is theirs. Prints one
 * line of JSON. A small run before warms the compiler up; what the process holds then is the baseline.
 */

export type SimulationKind = 'origin' | 'destination' | 'compare';

/** What one simulation measured. */
export interface Simulated {
  /** Milliseconds of each step, by its name. */
  readonly steps: Readonly<Record<string, number>>;
  /** The pretend Vault asked for the same by a bare loop: what of the time is not vsync's. */
  readonly bareMs?: number;
  readonly firstCopyConsulBytes?: number;
}

export interface SimulationResult extends Simulated {
  readonly baselineRssBytes: number;
  readonly peakRssBytes: number;
}

const kinds: Readonly<Record<SimulationKind, (secrets: number) => Promise<Simulated>>> = {
  origin: originCycles,
  destination: destinationCycles,
  compare: compareAndReindex,
};
const warmUpSecrets = 2_000;

const [kind = '', secrets = ''] = process.argv.slice(2);
const simulate = kinds[kind as SimulationKind];
await simulate(warmUpSecrets);
const baselineRssBytes = usageNow().peakRssBytes;
const simulated = await simulate(Number(secrets));
const result: SimulationResult = { ...simulated, baselineRssBytes, peakRssBytes: usageNow().peakRssBytes };
process.stdout.write(`${JSON.stringify(result)}\n`);
