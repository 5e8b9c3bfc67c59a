import { chooseNumBuckets } from '../../src/cycle/origin-cycle.ts';
import type { RealBench } from '../bench.ts';
import type { RawRequest, RawResult } from '../children/raw.ts';
import { inTurn } from '../in-turn.ts';
import { type Measure, spreadOf } from '../measure.ts';
import type { CycleRun } from '../program.ts';
import { RawChild, runRawOnce } from '../raw-child.ts';
import { rawEnds, writeConfig } from '../site.ts';
import { countFolders } from '../tree.ts';
import { bytesToMb, checkResults, msToS } from './common.ts';

/** Whether a round that is not measured comes first. */
interface WarmUp {
  readonly warmUps: 0 | 1;
}

/** The origin's cycle without a change, as a process that runs once and in a warm daemon. */
export async function originRows(
  bench: RealBench,
  secrets: number,
  warmUp: WarmUp = { warmUps: 1 },
): Promise<Measure[]> {
  const { site, tokens, tokenKind: token, options, say } = bench;
  const { workers } = options;
  const config = await writeConfig(bench.dir, site, tokens, 'origin', { workers });
  const scan: RawRequest = { kind: 'scan', from: rawEnds(site, tokens).from, workers };
  const subject = { secrets, token };

  say(`origin cycle, one-shot, ${secrets} secrets, ${token} token`);
  const cold = await coldRuns(bench, config, scan, warmUp);
  requireAllRequests(cold.raw, secrets);
  say(`origin cycle, warm daemon, ${secrets} secrets, ${token} token`);
  const warm = await warmRuns(bench, config, scan, warmUp);
  const otherCycles = await bench.other?.cycles('origin', site, tokens, options.runs, {
    workers,
    numBuckets: chooseNumBuckets(secrets),
  });

  const cpuOf = (runs: readonly { readonly cpuUs: number }[]) =>
    spreadOf(runs.map(({ cpuUs }) => cpuUs / secrets));
  return [
    {
      ...subject,
      what: 'origin cycle, one-shot',
      unit: 's',
      vsync: spreadOf(cold.vsync.map(msToS)),
      raw: spreadOf(cold.raw.map(msToS)),
      limit: { of: 'ratio', max: 1.1 },
    },
    {
      ...subject,
      what: 'origin cycle, one-shot: the whole process',
      unit: 's',
      vsync: spreadOf(cold.vsync.map(({ wallMs }) => wallMs / 1000)),
    },
    {
      ...subject,
      what: 'origin cycle, one-shot: client CPU',
      unit: 'us/path',
      vsync: cpuOf(cold.vsync),
      raw: spreadOf(cold.raw.map(({ processCpuUs }) => processCpuUs / secrets)),
      limit: { of: 'value', max: 160 },
    },
    {
      ...subject,
      what: 'origin cycle, one-shot: peak memory',
      unit: 'MB',
      vsync: spreadOf(cold.vsync.map(bytesToMb)),
      raw: spreadOf(cold.raw.map(bytesToMb)),
      ...(secrets <= 10_000 && { limit: { of: 'value', max: 110 } }),
    },
    {
      ...subject,
      what: 'origin cycle, warm daemon',
      unit: 's',
      vsync: spreadOf(warm.vsync.map(msToS)),
      raw: spreadOf(warm.raw.map(msToS)),
      other: otherCycles && spreadOf(otherCycles.map(msToS)),
      limit: { of: 'ratio', max: 1.1 },
    },
    {
      ...subject,
      what: 'origin cycle, warm daemon: client CPU',
      unit: 'us/path',
      vsync: cpuOf(warm.vsync),
      raw: cpuOf(warm.raw),
      other: otherCycles && cpuOf(otherCycles),
      limit: { of: 'value', max: 100 },
    },
    {
      ...subject,
      what: 'origin cycle, warm daemon: peak memory',
      unit: 'MB',
      vsync: spreadOf(warm.vsync.map(bytesToMb)),
      raw: spreadOf(warm.raw.map(bytesToMb)),
      other: otherCycles && spreadOf(otherCycles.map(bytesToMb)),
    },
  ];
}

/** The first round, which is not measured, publishes; the others find nothing changed. */
function coldRuns({ program, dir, options }: RealBench, config: string, scan: RawRequest, warmUp: WarmUp) {
  const contenders = { vsync: () => program.once('origin', config), raw: () => runRawOnce(dir, scan) };
  return inTurn(options.runs, contenders, warmUp);
}

async function warmRuns(
  { program, dir, options }: RealBench,
  config: string,
  scan: RawRequest,
  warmUp: WarmUp,
): Promise<{ readonly vsync: readonly CycleRun[]; readonly raw: readonly RawResult[] }> {
  const raw = new RawChild(dir);
  const daemon = await program.daemon('origin', config);
  try {
    // The daemon's first cycle is over; the raw loop's compiler is still cold.
    if (warmUp.warmUps === 0) await raw.run(scan);
    const contenders = { vsync: () => daemon.cycle(), raw: () => raw.run(scan) };
    const runs = await inTurn(options.runs, contenders, warmUp);
    checkResults(runs.vsync, 'noop');
    return runs;
  } finally {
    await daemon.stop();
    await raw.stop();
  }
}

function requireAllRequests(runs: readonly RawResult[], secrets: number): void {
  const expected = secrets + countFolders(secrets);
  for (const { requests } of runs)
    if (requests !== expected) throw new Error(`the raw loop sent ${requests} requests, not ${expected}`);
}
