import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import type { Measure, TokenKind } from './measure.ts';
import { parseOptions, type RowName, usage } from './options.ts';
import { OtherProgram } from './other-program.ts';
import { writeProfiles } from './profile/profiles.ts';
import { Program } from './program.ts';
import {
  currentLoad,
  describeMachine,
  markdownOf,
  type Results,
  type Section,
  sectionText,
  summaryOf,
  writeJson,
} from './results.ts';
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
  const run = await measureAll(bench);
  const results: Results = {
    ...facts,
    load: [loadBefore, currentLoad()],
    command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
    servers: run.servers,
    vsync: bench.program.version(),
    sections: run.sections,
  };
  process.stdout.write(`\n${results.sections.map(sectionText).join('\n')}\n${summaryOf(results.sections)}\n`);
  if (options.json !== undefined) writeJson(options.json, results);
  if (options.write) writeFileSync(join(root, 'bench', 'RESULTS.md'), markdownOf(results));
  return 0;
}

interface Run {
  readonly servers: string;
  readonly sections: readonly Section[];
}

const realRows: readonly RowName[] = ['origin', 'first-copy', 'destination'];

async function measureAll(bench: Bench): Promise<Run> {
  const { options, say } = bench;
  const { rows, secrets } = options;
  const sections: Section[] = [];
  const add = async (title: string, measures: Promise<Measure[]>) => {
    sections.push({ title, measures: await measures });
  };
  let servers = 'no real servers';
  if (rows.some((row) => realRows.includes(row))) {
    if (realSiteIsThere(process.env)) {
      await onRealSite(bench, async (site) => {
        servers = site.description;
        sections.push(...(await measureReal(bench, site)));
      });
    } else {
      say('no real Vault and Consul (test/servers/install provides them): rows that need them are left out');
    }
  }
  if (rows.includes('requests')) await add('Requests', requestRows(bench, secrets));
  if (rows.includes('openbao')) await add('OpenBao', openbaoRows(bench, secrets));
  if (rows.includes('many')) await add('Many destinations', manyRows(bench, Math.min(secrets, 1000)));
  if (rows.includes('simulation')) await add('Simulation without HTTP', simulationRows(bench));
  if (rows.includes('start')) await add('Start', startRows(bench));
  return { servers, sections: sections.filter(({ measures }) => measures.length > 0) };
}

/** The rows on real servers, with each kind of token. */
async function measureReal(bench: Bench, site: Site): Promise<Section[]> {
  const { rows, secrets, large } = bench.options;
  await seedOrigin(bench, site, secrets);
  const kinds: readonly TokenKind[] = ['lean', 'default'];
  const withTokens = await Promise.all(
    kinds.map(async (tokenKind) => ({
      ...bench,
      site,
      tokenKind,
      tokens: await makeTokens(site, tokenKind),
    })),
  );
  const measured: Record<'origin' | 'copy' | 'destination', Measure[]> = {
    origin: [],
    copy: [],
    destination: [],
  };
  for (const real of withTokens) {
    if (rows.includes('origin')) measured.origin.push(...(await originRows(real, secrets)));
    if (rows.includes('first-copy')) measured.copy.push(...(await firstCopyRows(real, secrets)));
    if (rows.includes('destination')) measured.destination.push(...(await destinationRows(real, secrets)));
  }
  if (rows.includes('origin') && large > 0) {
    await emptyMount(site.origin, benchMount);
    await seedOrigin(bench, site, large);
    for (const real of withTokens) measured.origin.push(...(await originRows(real, large)));
  }
  return [
    { title: 'Origin cycle', measures: measured.origin },
    { title: 'First copy', measures: measured.copy },
    { title: 'Destination cycles', measures: measured.destination },
  ];
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
