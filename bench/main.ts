import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, RealBench } from './bench.ts';
import { Findings } from './findings.ts';
import { parseOptions, type RowName, usage } from './options.ts';
import { OtherProgram } from './other-program.ts';
import { writeProfiles } from './profile/profiles.ts';
import { Program } from './program.ts';
import { currentLoad, describeMachine, markdownOf, type Results, summaryOf, writeJson } from './results.ts';
import { autoRows } from './rows/auto.ts';
import { destinationRows } from './rows/destination.ts';
import { firstCopyRows } from './rows/first-copy.ts';
import { manyRows } from './rows/many.ts';
import { openbaoRows } from './rows/openbao.ts';
import { originRows } from './rows/origin.ts';
import { requestRows } from './rows/requests.ts';
import { simulationRows } from './rows/simulation.ts';
import { startRows } from './rows/start.ts';
import { putSecrets } from './seed.ts';
import {
  benchMount,
  emptyMount,
  makeTokens,
  openRealSite,
  prepareMounts,
  realSiteIsThere,
  type Site,
} from './site.ts';

const usageError = 64;

/**
 * START HERE. Options -> servers -> rows -> table, JSON, RESULTS.md. Called by `run.mjs`, which says where things are: `dir` its bundles,
 * `root` the repository, `program` a build of vsync. Returns the exit code.
 */
export async function main(
  args: readonly string[],
  { dir, root, program }: { readonly dir: string; readonly root: string; readonly program: string },
): Promise<number> {
  let options: ReturnType<typeof parseOptions>;
  try {
    options = parseOptions(args);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nnpm run bench -- --help lists all options\n`);
    return usageError;
  }
  if (options === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  const { env } = process;
  const startedAt = performance.now();
  const bench: Bench = {
    options,
    dir,
    program: new Program(env.VSYNC_BENCH_PROGRAM ?? program, dir),
    other: env.VSYNC_BENCH_OTHER === undefined ? undefined : new OtherProgram(env.VSYNC_BENCH_OTHER, dir),
    say: (text) =>
      process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${text}\n`),
  };
  const facts = { date: new Date().toISOString(), machine: describeMachine() };
  const loadBefore = currentLoad();
  if (options.profile !== undefined) {
    await onRealSite(bench, (site) => writeProfiles(bench, site, options.profile as string));
    return 0;
  }
  const vsync = bench.program.version();
  // After each part, so that a run that is stopped leaves what it has measured.
  const publish = ({ servers, sections, state }: Findings) => {
    const results: Results = {
      ...facts,
      load: [loadBefore, currentLoad()],
      command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
      servers,
      vsync,
      sections,
      state,
    };
    if (options.json !== undefined) writeJson(options.json, results);
    if (options.write) writeFileSync(join(root, 'bench', 'RESULTS.md'), markdownOf(results));
  };
  const found = new Findings(bench.say, publish);
  await measureAll(bench, found);
  found.end();
  process.stdout.write(`\n${summaryOf(found.sections)}\n`);
  return found.failed ? 1 : 0;
}

const realRows: readonly RowName[] = ['origin', 'auto', 'first-copy', 'destination'];

/** What takes little time comes first, what takes the most comes last. */
async function measureAll(bench: Bench, found: Findings): Promise<void> {
  const { options, say } = bench;
  const { rows, secrets } = options;
  if (rows.includes('start')) await found.add('Start', () => startRows(bench));
  if (rows.includes('openbao')) await found.add('OpenBao', () => openbaoRows(bench, secrets));
  if (rows.includes('many'))
    await found.add('Many destinations', () => manyRows(bench, Math.min(secrets, 1000)));
  if (rows.includes('requests')) await found.add('Requests', () => requestRows(bench, secrets));
  if (rows.some((row) => realRows.includes(row))) {
    if (realSiteIsThere(process.env)) await onRealSite(bench, (site) => measureReal(bench, site, found));
    else
      say('no real Vault and Consul (test/servers/install provides them): rows that need them are left out');
  }
  if (rows.includes('simulation')) await found.add('Simulation without HTTP', () => simulationRows(bench));
}

/** The rows on real servers, with each kind of token. */
async function measureReal(bench: Bench, site: Site, found: Findings): Promise<void> {
  const { rows, secrets, large, tokens: kinds } = bench.options;
  found.servers = site.description;
  await seedOrigin(bench, site, secrets);
  const withTokens: RealBench[] = [];
  for (const tokenKind of kinds)
    withTokens.push({ ...bench, site, tokenKind, tokens: await makeTokens(site, tokenKind) });
  for (const real of withTokens) {
    if (rows.includes('origin')) await found.add('Origin cycle', () => originRows(real, secrets));
    if (rows.includes('first-copy')) await found.add('First copy', () => firstCopyRows(real, secrets));
    if (rows.includes('destination'))
      await found.add('Destination cycles', () => destinationRows(real, secrets));
  }
  const [first] = withTokens;
  if (first === undefined) return;
  if (rows.includes('auto')) await found.add('Number of workers', () => autoRows(first, secrets));
  if (rows.includes('origin') && large > 0) {
    await emptyMount(site.origin, benchMount);
    await seedOrigin(bench, site, large);
    // One kind of token, and no round to warm up: a cycle takes five times as long.
    await found.add('Origin cycle', () => originRows(first, large, { warmUps: 0 }));
  }
}

async function onRealSite(bench: Bench, work: (site: Site) => Promise<void>): Promise<void> {
  bench.say('starting real servers');
  const site = await openRealSite(process.env);
  try {
    await prepareMounts(site);
    await work(site);
  } finally {
    await site.stop();
  }
}

async function seedOrigin({ say }: Bench, site: Site, secrets: number): Promise<void> {
  say(`writing ${secrets} secrets`);
  await putSecrets({ vault: site.origin, mount: benchMount, secrets }, 1);
}
