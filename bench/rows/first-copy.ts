import { chooseNumBuckets } from '../../src/cycle/origin-cycle.ts';
import type { RealBench } from '../bench.ts';
import { inTurn } from '../in-turn.ts';
import { type Measure, spreadOf } from '../measure.ts';
import { OtherProgram } from '../other-program.ts';
import { runRawOnce } from '../raw-child.ts';
import { benchMount, emptyMount, rawEnds, rawMount, syncPath, writeConfig } from '../site.ts';
import { keysOf } from '../tree.ts';
import { bytesToMb, checkResults, msToS } from './common.ts';

/** The first copy of all secrets to an empty destination, as a process that runs once. */
export async function firstCopyRows(bench: RealBench, secrets: number): Promise<Measure[]> {
  const { site, tokens, tokenKind: token, options, program, dir, other, say } = bench;
  const { workers } = options;
  say(`first copy, ${secrets} secrets, ${token} token`);
  await program.once('origin', await writeConfig(dir, site, tokens, 'origin', { workers }));
  const config = await writeConfig(dir, site, tokens, 'destination', { workers });
  const forOther = { workers, numBuckets: chooseNumBuckets(secrets) };
  const forget = async () => {
    await emptyMount(site.destination, benchMount);
    await site.consul.delete(`${syncPath}destination/`);
  };

  const runs = await inTurn(options.runs, {
    vsync: async () => {
      await forget();
      return program.once('destination', config);
    },
    raw: async () => {
      await emptyMount(site.destination, rawMount);
      return runRawOnce(dir, {
        kind: 'copy',
        ...rawEnds(site, tokens),
        keys: keysOf(secrets),
        cas: 0,
        workers,
      });
    },
    other: async () => {
      if (other === undefined) return undefined;
      await forget();
      await site.consul.delete(OtherProgram.syncPath);
      await other.firstCycle('origin', site, tokens, forOther);
      return other.firstCycle('destination', site, tokens, forOther);
    },
  });
  checkResults(runs.vsync, 'success');
  const others = runs.other.flatMap((run) => run ?? []);
  const ofOthers = (figure: (run: (typeof others)[number]) => number) =>
    others.length === 0 ? undefined : spreadOf(others.map(figure));

  const subject = { secrets, token };
  return [
    {
      ...subject,
      what: 'first copy',
      unit: 's',
      vsync: spreadOf(runs.vsync.map(msToS)),
      raw: spreadOf(runs.raw.map(msToS)),
      other: ofOthers(msToS),
      limit: { of: 'ratio', max: 1.1 },
    },
    {
      ...subject,
      what: 'first copy: the whole process',
      unit: 's',
      vsync: spreadOf(runs.vsync.map(({ wallMs }) => wallMs / 1000)),
    },
    {
      ...subject,
      what: 'first copy: client CPU',
      unit: 'us/path',
      vsync: spreadOf(runs.vsync.map(({ cpuUs }) => cpuUs / secrets)),
      raw: spreadOf(runs.raw.map(({ processCpuUs }) => processCpuUs / secrets)),
      other: ofOthers(({ cpuUs }) => cpuUs / secrets),
      limit: { of: 'value', max: 280 },
    },
    {
      ...subject,
      what: 'first copy: peak memory',
      unit: 'MB',
      vsync: spreadOf(runs.vsync.map(bytesToMb)),
      raw: spreadOf(runs.raw.map(bytesToMb)),
      other: ofOthers(bytesToMb),
    },
  ];
}
