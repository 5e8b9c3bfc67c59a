import { type DevConsul, startDevConsul } from '../src/dev/consul/dev-consul.ts';
import { type DevVault, startDevVault } from '../src/dev/vault/dev-vault.ts';
import { ConsulApi } from '../test/support/consul-api.ts';
import { VaultApi } from '../test/support/vault-api.ts';
import { startConsulMeter } from './consul-meter.ts';
import { makeTokens, openbaoRules, prepareMounts, type Site, type Tokens } from './site.ts';

/** Embedded servers that count what they are asked. They run in the process of the bench: nothing here is timed. */
export interface EmbeddedSite extends Site {
  readonly tokens: Tokens;
  /** What `work` asked of the servers. */
  counted(work: () => Promise<unknown>): Promise<Counts>;
}

/** Requests by kind, as the servers' logs name them (`GET metadata`, `PUT txn`). */
export interface Counts {
  readonly originVault: ReadonlyMap<string, number>;
  readonly destinationVault: ReadonlyMap<string, number>;
  readonly consul: ReadonlyMap<string, number>;
  readonly bytesToConsul: number;
}

/** The status of a node is written a moment after its cycle. */
const settleMs = 500;

export async function openEmbeddedSite(flavour: 'vault' | 'openbao'): Promise<EmbeddedSite> {
  const [origin, destination, consul] = await Promise.all([
    startDevVault({ flavour }),
    startDevVault({ flavour }),
    startDevConsul(),
  ]);
  const meter = await startConsulMeter(consul.address);
  const site: Site = {
    origin: new VaultApi(origin.address, origin.rootToken),
    destination: new VaultApi(destination.address, destination.rootToken),
    consul: new ConsulApi(meter.address),
    datacenter: 'dc1',
    description: `embedded ${flavour}`,
    stop: async () => {
      await meter.close();
      await Promise.all([origin.close(), destination.close(), consul.close()]);
    },
  };
  await prepareMounts(site);
  const servers = [origin, destination, consul] as const;
  return {
    ...site,
    tokens: await makeTokens(site, 'lean', flavour === 'openbao' ? openbaoRules : ''),
    counted: async (work) => {
      await new Promise((resolve) => setTimeout(resolve, settleMs));
      for (const { requests } of servers) requests.reset();
      const bytesBefore = meter.bytesSent();
      await work();
      await new Promise((resolve) => setTimeout(resolve, settleMs));
      return countsOf(origin, destination, consul, meter.bytesSent() - bytesBefore);
    },
  };
}

function countsOf(origin: DevVault, destination: DevVault, consul: DevConsul, bytesToConsul: number): Counts {
  return {
    originVault: new Map(origin.requests.counts),
    destinationVault: new Map(destination.requests.counts),
    consul: new Map(consul.requests.counts),
    bytesToConsul,
  };
}

export function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** `10,000 GET data, 1 GET sys/health`, the most frequent first. */
export function kindsOf(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${count.toLocaleString('en')} ${kind}`)
    .join(', ');
}
