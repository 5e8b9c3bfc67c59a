import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bench } from '../bench.ts';
import { growthExponent, type Limit, type Measure, type Spread, spreadOf } from '../measure.ts';
import type { SimulationKind, SimulationResult } from '../sim/simulation.ts';

const large = 1_000_000;
const run = promisify(execFile);

/** One kind of simulation: the steps that are shown, and what they must reach. */
interface Subject {
  readonly kind: SimulationKind;
  readonly title: string;
  readonly sizes: readonly number[];
  /** Step of `SimulationResult.steps` -> its name in the table. */
  readonly steps: Readonly<Record<string, string>>;
  readonly timeLimits?: Readonly<Record<number, Limit>>;
  readonly growthLimit?: Limit;
  readonly memoryLimits?: Readonly<Record<number, Limit>>;
}

const subjects: readonly Subject[] = [
  {
    kind: 'compare',
    title: 'compare and reindex in memory, 1 % changed',
    sizes: [10_000, 100_000, large],
    steps: { total: 'total' },
    timeLimits: { [large]: { of: 'value', max: 3 } },
    growthLimit: { of: 'value', max: 1.1 },
  },
  {
    kind: 'origin',
    title: 'origin cycle without HTTP',
    sizes: [10_000, 100_000, large],
    steps: { first: 'first', unchanged: 'no change', changed: '1 % changed' },
    memoryLimits: {
      10000: { of: 'value', max: 110 },
      [large]: { of: 'value', max: 90 + (450 * large) / 1e6, why: '90 MB + 450 bytes a path' },
    },
  },
  {
    kind: 'destination',
    title: 'destination cycle without HTTP',
    sizes: [10_000, 100_000, large],
    steps: { first: 'first copy', changed: '1 % changed' },
  },
];

/** Whole cycles without HTTP at 10,000, 100,000 and 1,000,000 paths, and how time grows with them. */
export async function simulationRows(bench: Bench): Promise<Measure[]> {
  const measures: Measure[] = [];
  for (const subject of subjects) {
    const bySize = new Map<number, readonly SimulationResult[]>();
    for (const size of subject.sizes)
      if (size <= bench.options.simulated) bySize.set(size, await simulate(bench, subject.kind, size));
    measures.push(...measuresOf(subject, bySize));
  }
  return measures;
}

/** Several processes, so that the peak memory of each is its own. */
async function simulate(
  { dir, options, say }: Bench,
  kind: SimulationKind,
  size: number,
): Promise<SimulationResult[]> {
  say(`simulation, ${kind}, ${size} paths`);
  const results: SimulationResult[] = [];
  for (let i = 0; i < options.runs; i += 1) {
    const { stdout } = await run(process.execPath, [join(dir, 'simulation.mjs'), kind, String(size)]);
    results.push(JSON.parse(stdout) as SimulationResult);
  }
  return results;
}

function measuresOf(subject: Subject, bySize: ReadonlyMap<number, readonly SimulationResult[]>): Measure[] {
  const sizes = [...bySize.keys()];
  const resultsOf = (size: number) => bySize.get(size) ?? [];
  const times = Object.entries(subject.steps).flatMap(([step, name]) => {
    const what = `${subject.title}: ${name}`;
    return [
      ...sizes.map((size) => timeOf(what, step, size, resultsOf(size), subject.timeLimits?.[size])),
      ...growthOf(what, step, bySize, subject.growthLimit),
    ];
  });
  const others = sizes.flatMap((size) => [
    memoryOf(subject, size, resultsOf(size)),
    ...consulOf(subject, size, resultsOf(size)),
  ]);
  return [...times, ...others];
}

function timeOf(
  what: string,
  step: string,
  size: number,
  results: readonly SimulationResult[],
  limit: Limit | undefined,
): Measure {
  const bare = results.flatMap(({ bareMs }) => (bareMs === undefined ? [] : bareMs / 1000));
  return {
    what,
    secrets: size,
    unit: 's',
    vsync: secondsOf(step, results),
    raw: bare.length === 0 ? undefined : spreadOf(bare),
    limit,
  };
}

/** Between the two largest sizes: below, the compiler is still warming up. */
function growthOf(
  what: string,
  step: string,
  bySize: ReadonlyMap<number, readonly SimulationResult[]>,
  limit: Limit | undefined,
): Measure[] {
  const [larger, smaller] = [...bySize.keys()].sort((a, b) => b - a);
  if (larger === undefined || smaller === undefined) return [];
  const sized = (size: number) => ({ size, value: secondsOf(step, bySize.get(size) ?? []).median });
  return [
    {
      what: `${what}, growth: time ~ paths^`,
      secrets: larger,
      unit: 'exponent',
      vsync: spreadOf([growthExponent(sized(smaller), sized(larger))]),
      limit,
    },
  ];
}

function memoryOf(
  { title, memoryLimits = {} }: Subject,
  size: number,
  results: readonly SimulationResult[],
): Measure {
  const above = results.map(({ peakRssBytes, baselineRssBytes }) => peakRssBytes - baselineRssBytes);
  return {
    what: `${title}: peak memory`,
    secrets: size,
    unit: 'MB',
    vsync: spreadOf(results.map(({ peakRssBytes }) => peakRssBytes / 1e6)),
    limit: memoryLimits[size],
    note: `${Math.round(spreadOf(above).median / size)} bytes a path above the start of the process`,
  };
}

function consulOf({ title }: Subject, size: number, results: readonly SimulationResult[]): Measure[] {
  const written = results.flatMap(({ firstCopyConsulBytes: bytes }) =>
    bytes === undefined ? [] : bytes / size,
  );
  if (written.length === 0) return [];
  const what = `${title}: first copy, values written to Consul`;
  return [{ what, secrets: size, unit: 'B/path', vsync: spreadOf(written) }];
}

function secondsOf(step: string, results: readonly SimulationResult[]): Spread {
  return spreadOf(results.map(({ steps }) => (steps[step] ?? Number.NaN) / 1000));
}
