import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { inTurn } from '../in-turn.ts';
import { type Measure, spreadOf } from '../measure.ts';

const starts = 15;

/** How long small commands take, beside a Node that does nothing. */
export async function startRows({ program, dir, say }: Bench): Promise<Measure[]> {
  say('start of small commands');
  const config = join(dir, 'start.json');
  const side = {
    vault: { address: 'http://127.0.0.1:1', token: 'none' },
    consul: { address: 'http://127.0.0.1:1' },
  };
  writeFileSync(config, JSON.stringify({ origin: { ...side, mounts: ['secret/'] } }));
  const version = works([program.bin, 'version']) ? 'version' : '--version';
  const validate = [program.bin, 'config', 'validate', '--config', config];
  const runs = await inTurn(starts, {
    node: async () => timed(['-e', '0']),
    version: async () => timed([program.bin, version]),
    help: async () => timed([program.bin, '--help']),
    validate: async () => (works(validate) ? timed(validate) : undefined),
  });
  const raw = spreadOf(runs.node);
  const subject = { secrets: 0, unit: 'ms', raw } as const;
  const validated = runs.validate.flatMap((ms) => ms ?? []);
  return [
    {
      ...subject,
      what: `vsync ${version}, beside node -e 0`,
      vsync: spreadOf(runs.version),
      limit: { of: 'ratio', max: 2.5 },
    },
    { ...subject, what: 'vsync --help, beside node -e 0', vsync: spreadOf(runs.help) },
    ...(validated.length === 0
      ? []
      : [{ ...subject, what: 'vsync config validate, beside node -e 0', vsync: spreadOf(validated) }]),
  ];
}

function timed(args: readonly string[]): number {
  const startedAt = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
  const ms = performance.now() - startedAt;
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}`);
  return ms;
}

function works(args: readonly string[]): boolean {
  return spawnSync(process.execPath, args, { stdio: 'ignore' }).status === 0;
}
