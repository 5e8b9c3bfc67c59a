import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { putSecrets } from '../seed.ts';
import { benchMount, emptyMount, makeTokens, type Site, syncPath, writeConfig } from '../site.ts';
import { summarize } from './summary.ts';

/** CPU profiles of one origin cycle, one first copy and one cycle with 1 % changed, for Chrome's or VS Code's viewer, and where the time went as text. */
export async function writeProfiles(bench: Bench, site: Site, folder: string): Promise<void> {
  const { options, program, dir, say } = bench;
  const { secrets, workers } = options;
  await putSecrets({ vault: site.origin, mount: benchMount, secrets }, 1);
  const tokens = await makeTokens(site, 'lean');
  const originConfig = await writeConfig(dir, site, tokens, 'origin', { workers });
  const config = await writeConfig(dir, site, tokens, 'destination', { workers });
  await program.once('origin', originConfig);
  await program.once('destination', config);

  const profiled = async (name: string, run: (profile: string) => Promise<unknown>) => {
    const target = join(folder, name);
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    say(`profile of ${name}`);
    await run(target);
    const [file = ''] = readdirSync(target).filter((each) => each.endsWith('.cpuprofile'));
    process.stdout.write(`\n## ${name}: ${join(target, file)}\n\n${summarize(join(target, file))}\n`);
  };
  await profiled('origin', (profile) => program.once('origin', originConfig, { profile }));
  await emptyMount(site.destination, benchMount);
  await site.consul.delete(`${syncPath}destination/`);
  await profiled('first-copy', (profile) => program.once('destination', config, { profile }));
  await putSecrets({ vault: site.origin, mount: benchMount, secrets, step: 100 }, 2);
  await program.once('origin', originConfig);
  await profiled('changed', (profile) => program.once('destination', config, { profile }));
}
