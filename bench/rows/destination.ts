import type { RealBench } from '../bench.ts';
import { inTurn } from '../in-turn.ts';
import { type Measure, spreadOf } from '../measure.ts';
import type { Daemon } from '../program.ts';
import { RawChild, runRawOnce } from '../raw-child.ts';
import { deleteSecrets, putSecrets } from '../seed.ts';
import { benchMount, emptyMount, rawEnds, rawMount, syncPath, writeConfig } from '../site.ts';
import { keysOf } from '../tree.ts';
import { bytesToMb, checkResults, msToS } from './common.ts';

/** One in so many secrets is changed or deleted. */
const step = 100;

/** What a destination does once all is copied: nothing, 1 % changed, 1 % deleted, its own sync info lost. */
export async function destinationRows(bench: RealBench, secrets: number): Promise<Measure[]> {
  const { site, tokens, tokenKind, options, program, dir } = bench;
  const { workers } = options;
  const originConfig = await writeConfig(dir, site, tokens, 'origin', { workers });
  const config = await writeConfig(dir, site, tokens, 'destination', { workers });
  const publish = () => program.once('origin', originConfig);
  await publish();
  await program.once('destination', config);
  await emptyMount(site.destination, rawMount);

  const daemon = await program.daemon('destination', config);
  const scene: Scene = { ...bench, secrets, config, daemon, publish, edition: 1, rawVersion: 0 };
  try {
    return [
      ...(await noChange(scene)),
      ...(await changedInDaemon(scene)),
      ...(await changedOnce(scene)),
      // No limits: one kind of token shows how they are.
      ...(tokenKind === 'lean' ? await deleted(scene) : []),
      ...(tokenKind === 'lean' ? await lostInfo(scene) : []),
    ];
  } finally {
    await daemon.stop();
  }
}

interface Scene extends RealBench {
  readonly secrets: number;
  readonly config: string;
  readonly daemon: Daemon;
  readonly publish: () => Promise<unknown>;
  /** Of the values last written at the origin. */
  edition: number;
  /** The version that the raw loop wrote last. */
  rawVersion: number;
}

async function noChange(scene: Scene): Promise<Measure[]> {
  const { daemon, program, config, options, say, secrets, tokenKind: token } = scene;
  say(`destination, no change, ${secrets} secrets, ${token} token`);
  const warm = await inTurn(Math.max(10, options.runs), { vsync: () => daemon.cycle() });
  const cold = await inTurn(options.runs, { vsync: () => program.once('destination', config) });
  checkResults([...warm.vsync, ...cold.vsync], 'noop');
  const subject = { secrets, token, unit: 'ms' } as const;
  return [
    {
      ...subject,
      what: 'no change, destination cycle, warm daemon',
      vsync: spreadOf(warm.vsync.map(({ durationMs }) => durationMs)),
    },
    {
      ...subject,
      what: 'no change, destination cycle, one-shot',
      vsync: spreadOf(cold.vsync.map(({ durationMs }) => durationMs)),
    },
    {
      ...subject,
      what: 'no change, destination cycle, warm daemon: peak memory',
      unit: 'MB',
      vsync: spreadOf(warm.vsync.map(bytesToMb)),
    },
  ];
}

async function changedInDaemon(scene: Scene): Promise<Measure[]> {
  const { daemon, dir, secrets, say, tokenKind, options } = scene;
  say(`destination, 1 % changed, ${secrets} secrets, ${tokenKind} token`);
  const raw = new RawChild(dir);
  try {
    const runs = await inTurn(options.runs, {
      vsync: async () => {
        await change(scene);
        return daemon.cycle();
      },
      raw: () => raw.run(rawCopy(scene)),
    });
    checkResults(runs.vsync, 'success');
    return [changedMeasure(scene, 'warm daemon', runs)];
  } finally {
    await raw.stop();
  }
}

async function changedOnce(scene: Scene): Promise<Measure[]> {
  const { program, config, dir, options } = scene;
  const runs = await inTurn(options.runs, {
    vsync: async () => {
      await change(scene);
      return program.once('destination', config);
    },
    raw: () => runRawOnce(dir, rawCopy(scene)),
  });
  checkResults(runs.vsync, 'success');
  return [changedMeasure(scene, 'one-shot', runs)];
}

function changedMeasure(
  { secrets, tokenKind: token }: Scene,
  how: string,
  runs: Readonly<Record<'vsync' | 'raw', readonly { readonly durationMs: number }[]>>,
): Measure {
  const raw = spreadOf(runs.raw.map(msToS));
  return {
    what: `1 % changed, destination cycle, ${how}`,
    secrets,
    token,
    unit: 's',
    vsync: spreadOf(runs.vsync.map(msToS)),
    raw,
    limit: { of: 'value', max: 1.3 * raw.median + 0.1, why: '1.3 x raw + 0.1 s' },
  };
}

async function deleted(scene: Scene): Promise<Measure[]> {
  const { program, config, dir, site, tokens, options, publish, say, secrets, tokenKind: token } = scene;
  say(`destination, 1 % deleted, ${secrets} secrets, ${token} token`);
  const keys = keysOf(secrets, step);
  const runs = await inTurn(options.runs, {
    vsync: async () => {
      // Both ends have them again, and the raw loop's too.
      await change(scene);
      await program.once('destination', config);
      await runRawOnce(dir, rawCopy(scene));
      await deleteSecrets({ vault: site.origin, mount: benchMount, secrets, step });
      await publish();
      return program.once('destination', config);
    },
    raw: () => runRawOnce(dir, { kind: 'delete', ...rawEnds(site, tokens), keys, workers: options.workers }),
  });
  checkResults(runs.vsync, 'success');
  await change(scene);
  await program.once('destination', config);
  return [
    {
      what: '1 % deleted, destination cycle, one-shot',
      secrets,
      token,
      unit: 's',
      vsync: spreadOf(runs.vsync.map(msToS)),
      raw: spreadOf(runs.raw.map(msToS)),
    },
  ];
}

/** All is there, but the destination does not know it: values are compared, nothing is written. */
async function lostInfo(scene: Scene): Promise<Measure[]> {
  const { program, config, dir, site, tokens, options, say, secrets, tokenKind: token } = scene;
  say(`destination, lost sync info, ${secrets} secrets, ${token} token`);
  const { from } = rawEnds(site, tokens);
  const to = { address: site.destination.address, token: tokens.destination, mount: benchMount };
  const runs = await inTurn(options.runs, {
    vsync: async () => {
      await site.consul.delete(`${syncPath}destination/`);
      return program.once('destination', config);
    },
    raw: () =>
      runRawOnce(dir, { kind: 'read-both', from, to, keys: keysOf(secrets), workers: options.workers }),
  });
  checkResults(runs.vsync, 'success');
  return [
    {
      what: 'lost destination info, destination cycle, one-shot',
      secrets,
      token,
      unit: 's',
      vsync: spreadOf(runs.vsync.map(msToS)),
      raw: spreadOf(runs.raw.map(msToS)),
      note: 'raw: one read at each end',
    },
    {
      what: 'lost destination info: peak memory',
      secrets,
      token,
      unit: 'MB',
      vsync: spreadOf(runs.vsync.map(bytesToMb)),
      raw: spreadOf(runs.raw.map(bytesToMb)),
    },
  ];
}

/** Another value for 1 % of the secrets, published. */
async function change(scene: Scene): Promise<void> {
  const { site, secrets, publish } = scene;
  scene.edition += 1;
  await putSecrets({ vault: site.origin, mount: benchMount, secrets, step }, scene.edition);
  await publish();
}

/** The same secrets copied by the raw loop, over what it wrote before. */
function rawCopy(scene: Scene) {
  const { site, tokens, secrets, options } = scene;
  const cas = scene.rawVersion;
  scene.rawVersion += 1;
  const keys = keysOf(secrets, step);
  return { kind: 'copy', ...rawEnds(site, tokens), keys, cas, workers: options.workers } as const;
}
