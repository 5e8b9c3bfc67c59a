import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DevVault, startDevVault } from '../../src/dev/vault/dev-vault.ts';
import { VaultApi } from '../../test/support/vault-api.ts';
import type { Bench } from '../bench.ts';
import { openEmbeddedSite, sumOf } from '../embedded-site.ts';
import { type Measure, spreadOf } from '../measure.ts';
import { putSecrets } from '../seed.ts';
import { benchMount, syncPath, writeConfig } from '../site.ts';

const destinations = 10;
/** The exit code of a configuration that is refused. */
const configRefused = 78;

/** Ten destinations in one process: the origin is to be read once for all of them. */
export async function manyRows(bench: Bench, secrets: number): Promise<Measure[]> {
  const { say, program, dir, options } = bench;
  say(`${destinations} destinations in one process, embedded servers, ${secrets} secrets`);
  const site = await openEmbeddedSite('vault');
  const vaults: DevVault[] = [];
  try {
    await putSecrets({ vault: site.origin, mount: benchMount, secrets }, 1);
    const originConfig = await writeConfig(dir, site, site.tokens, 'origin', { workers: options.workers });
    await program.once('origin', originConfig);
    for (let i = 0; i < destinations; i += 1) vaults.push(await startDevVault({ flavour: 'vault' }));
    for (const { address, rootToken } of vaults) await new VaultApi(address, rootToken).mount(benchMount);

    const side = (vault: { readonly address: string }, token: string) => ({
      vault: { address: vault.address, token },
      consul: { address: site.consul.address },
      mounts: [benchMount],
      numWorkers: options.workers,
    });
    const config = {
      origin: { ...side(site.origin, site.tokens.origin), syncPath },
      destinations: vaults.map((vault, i) => ({
        ...side(vault, vault.rootToken),
        name: `destination-${i}`,
        syncPath: `vsync-bench-${i}/`,
      })),
    };
    const file = join(dir, 'many.json');
    await writeFile(file, JSON.stringify(config));
    let refused = false;
    const counts = await site.counted(async () => {
      const run = await program.once('destination', file, { exitCodes: [0, configRefused] });
      refused = run.exitCode === configRefused;
    });
    if (refused) {
      say('this build has no `destinations`: left out');
      return [];
    }
    const writes = vaults.reduce((sum, { requests }) => sum + requests.count('PUT data'), 0);
    if (writes !== destinations * secrets) throw new Error(`${writes} writes, not ${destinations * secrets}`);
    return [
      {
        what: `${destinations} destinations in one process, first copy: reads of the origin`,
        secrets,
        unit: 'requests',
        vsync: spreadOf([counts.originVault.get('GET data') ?? 0]),
        limit: { of: 'value', max: secrets },
        note: `${writes} writes; ${sumOf(counts.consul)} requests to Consul`,
      },
    ];
  } finally {
    await Promise.all(vaults.map((vault) => vault.close()));
    await site.stop();
  }
}
