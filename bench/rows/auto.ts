import type { RealBench } from '../bench.ts';
import { inTurn } from '../in-turn.ts';
import { type Measure, spreadOf } from '../measure.ts';
import type { Daemon } from '../program.ts';
import { writeConfig } from '../site.ts';
import { checkResults, msToS } from './common.ts';

const fixedNumbers = [8, 16, 32, 64] as const;
/** Cycles in which `auto` may look for its number. */
const cyclesToFind = 3;

/** `numWorkers: auto` beside fixed numbers, each a warm daemon of an origin. No limit: it is to see that nothing is lost by not choosing. */
export async function autoRows(bench: RealBench, secrets: number): Promise<Measure[]> {
  const { site, tokens, tokenKind: token, options, program, dir, say } = bench;
  say(`numWorkers: auto beside ${fixedNumbers.join(', ')}, ${secrets} secrets, ${token} token`);
  const daemons = new Map<string, Daemon>();
  try {
    for (const workers of ['auto', ...fixedNumbers] as const) {
      const config = await writeConfig(dir, site, tokens, 'origin', { workers });
      daemons.set(String(workers), await program.daemon('origin', config));
    }
    for (let i = 0; i < cyclesToFind; i += 1) await daemons.get('auto')?.cycle();
    const runs = await inTurn(
      options.runs,
      Object.fromEntries([...daemons].map(([name, daemon]) => [name, () => daemon.cycle()])),
    );
    for (const cycles of Object.values(runs)) checkResults(cycles, 'noop');
    const spreads = Object.entries(runs).map(([name, cycles]) => ({
      name,
      spread: spreadOf(cycles.map(msToS)),
    }));
    const auto = spreads.find(({ name }) => name === 'auto');
    const fixed = spreads.filter(({ name }) => name !== 'auto');
    const [best] = [...fixed].sort((a, b) => a.spread.median - b.spread.median);
    if (auto === undefined || best === undefined) throw new Error('nothing was measured');
    return [
      {
        what: `origin cycle, warm daemon, numWorkers: auto, beside the best fixed number`,
        secrets,
        token,
        unit: 's',
        vsync: auto.spread,
        raw: best.spread,
        note: fixed.map(({ name, spread }) => `${name}: ${spread.median.toFixed(2)} s`).join(', '),
      },
    ];
  } finally {
    for (const daemon of daemons.values()) await daemon.stop();
  }
}
