import type { Bench } from '../bench.ts';
import { kindsOf, openEmbeddedSite, sumOf } from '../embedded-site.ts';
import { type Measure, spreadOf } from '../measure.ts';
import { putSecrets } from '../seed.ts';
import { benchMount, writeConfig } from '../site.ts';
import { countFolders } from '../tree.ts';

/** How many requests one scan of an OpenBao costs, whose `detailed-metadata` gives keys and metadata together. */
export async function openbaoRows(bench: Bench, secrets: number): Promise<Measure[]> {
  const { say, program, dir, options } = bench;
  say(`requests, embedded OpenBao, ${secrets} secrets`);
  const site = await openEmbeddedSite('openbao');
  try {
    await putSecrets({ vault: site.origin, mount: benchMount, secrets }, 1);
    const config = await writeConfig(dir, site, site.tokens, 'origin', { workers: options.workers });
    const daemon = await program.daemon('origin', config);
    const { originVault } = await site.counted(() => daemon.cycle());
    await daemon.stop();
    const folders = countFolders(secrets);
    return [
      {
        what: `requests to OpenBao: origin, no change, daemon cycle, ${folders - 1} folders`,
        secrets,
        unit: 'requests',
        vsync: spreadOf([sumOf(originVault)]),
        limit: {
          of: 'value',
          max: Math.ceil(folders + secrets / 500 + 29),
          why: 'folders + secrets/500 + 29',
        },
        note: kindsOf(originVault),
      },
    ];
  } finally {
    await site.stop();
  }
}
