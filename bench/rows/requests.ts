import type { Bench } from '../bench.ts';
import { type Counts, kindsOf, openEmbeddedSite, sumOf } from '../embedded-site.ts';
import { type Limit, type Measure, spreadOf } from '../measure.ts';
import { deleteSecrets, putSecrets } from '../seed.ts';
import { benchMount, syncPath, writeConfig } from '../site.ts';
import { countFolders } from '../tree.ts';

const step = 100;

/** How many requests each kind of cycle costs, and how many bytes go to Consul: exact numbers, of embedded servers. */
export async function requestRows(bench: Bench, secrets: number): Promise<Measure[]> {
  const { say, program, dir, options } = bench;
  say(`requests, embedded servers, ${secrets} secrets`);
  const site = await openEmbeddedSite('vault');
  try {
    const { tokens } = site;
    const { workers } = options;
    const seed = { vault: site.origin, mount: benchMount, secrets };
    await putSecrets(seed, 1);
    const originConfig = await writeConfig(dir, site, tokens, 'origin', { workers });
    const config = await writeConfig(dir, site, tokens, 'destination', { workers });
    const origin = () => program.once('origin', originConfig);
    const destination = () => program.once('destination', config);
    const rows: Measure[] = [];
    const add = (what: string, counts: Counts, limits: Limits = {}) =>
      rows.push(...measuresOf(what, secrets, counts, limits));

    add('origin, first publication, one-shot', await site.counted(origin));
    const originDaemon = await program.daemon('origin', originConfig);
    add('origin, no change, daemon cycle', await site.counted(() => originDaemon.cycle()), {
      vault: secrets + countFolders(secrets) + 10,
      consulWrites: 1,
    });
    await originDaemon.stop();
    add('first copy, one-shot', await site.counted(destination), { vault: 2 * secrets + 10 });
    const daemon = await program.daemon('destination', config);
    add('destination, no change, daemon cycle', await site.counted(() => daemon.cycle()), {
      vault: 0,
      consul: 2,
    });
    add('destination, no change, one-shot', await site.counted(destination));

    await putSecrets({ ...seed, step }, 2);
    await origin();
    add('destination, 1 % changed, daemon cycle', await site.counted(() => daemon.cycle()));
    await deleteSecrets({ ...seed, step });
    await origin();
    add('destination, 1 % deleted, daemon cycle', await site.counted(() => daemon.cycle()));
    await daemon.stop();
    await site.consul.delete(`${syncPath}destination/`);
    add('destination, lost info, one-shot', await site.counted(destination));
    return rows;
  } finally {
    await site.stop();
  }
}

interface Limits {
  readonly vault?: number;
  readonly consul?: number;
  readonly consulWrites?: number;
}

function measuresOf(what: string, secrets: number, counts: Counts, limits: Limits): Measure[] {
  const { originVault, destinationVault, consul, bytesToConsul } = counts;
  const vault = [
    `origin: ${kindsOf(originVault) || 'none'}`,
    ...(destinationVault.size > 0 ? [`destination: ${kindsOf(destinationVault)}`] : []),
  ].join('; ');
  const limitOf = (max: number | undefined): Limit | undefined =>
    max === undefined ? undefined : { of: 'value', max };
  return [
    {
      what: `requests to Vault: ${what}`,
      secrets,
      unit: 'requests',
      vsync: spreadOf([sumOf(originVault) + sumOf(destinationVault)]),
      limit: limitOf(limits.vault),
      note: vault,
    },
    {
      what: `requests to Consul: ${what}`,
      secrets,
      unit: 'requests',
      vsync: spreadOf([sumOf(consul)]),
      limit: limitOf(limits.consul),
      note: kindsOf(consul),
    },
    ...(limits.consulWrites === undefined
      ? []
      : [
          {
            what: `writes to Consul, the status of the node among them: ${what}`,
            secrets,
            unit: 'requests',
            vsync: spreadOf([writesOf(consul)]),
            limit: limitOf(limits.consulWrites),
          } as const,
        ]),
    {
      what: `sent to Consul: ${what}`,
      secrets,
      unit: 'KB',
      vsync: spreadOf([bytesToConsul / 1000]),
    },
  ];
}

function writesOf(counts: ReadonlyMap<string, number>): number {
  return [...counts].reduce((sum, [kind, count]) => (kind.startsWith('GET ') ? sum : sum + count), 0);
}
