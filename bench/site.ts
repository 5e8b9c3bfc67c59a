import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { realServers, startConsul, startVault } from '../test/servers/real-servers.ts';
import { ConsulApi } from '../test/support/consul-api.ts';
import { VaultApi } from '../test/support/vault-api.ts';
import type { RawMount } from './children/raw.ts';
import type { TokenKind } from './measure.ts';
import type { Role } from './program.ts';

/**
 * Where vsync is measured: an origin's Vault, a destination's, and a Consul; real ones that are started, real ones that are given, or
 * embedded ones. Everything of the bench lies on mounts and keys of its own.
 */

export const benchMount = 'vsync-bench/';
/** Where the raw loop writes at the destination. */
export const rawMount = 'vsync-bench-raw/';
export const syncPath = 'vsync-bench/';

export interface Site {
  readonly origin: VaultApi;
  readonly destination: VaultApi;
  readonly consul: ConsulApi;
  readonly datacenter: string;
  /** What the servers are, for the results. */
  readonly description: string;
  stop(): Promise<void>;
}

/** The tokens of one kind. */
export interface Tokens {
  readonly origin: string;
  readonly destination: string;
  /** Of the raw loop at the destination: the same policy for its own mount. */
  readonly rawDestination: string;
}

/** Whether real servers can be had: given by the environment, or installed. */
export function realSiteIsThere(env: NodeJS.ProcessEnv): boolean {
  const given = env.VSYNC_BENCH_ORIGIN_VAULT && env.VSYNC_BENCH_DESTINATION_VAULT && env.VSYNC_BENCH_CONSUL;
  return Boolean(given) || (realServers.vault !== undefined && realServers.consul !== undefined);
}

/** Starts the real servers that are not given. */
export async function openRealSite(env: NodeJS.ProcessEnv): Promise<Site> {
  const stops: (() => Promise<void>)[] = [];
  const vault = async (address: string | undefined, token: string | undefined) => {
    if (address !== undefined) return new VaultApi(address, token ?? '');
    const server = await startVault();
    stops.push(() => server.stop());
    return new VaultApi(server.address, server.rootToken);
  };
  const consul = async (address: string | undefined) => {
    if (address !== undefined) return new ConsulApi(address);
    const server = await startConsul();
    stops.push(() => server.stop());
    return new ConsulApi(server.address);
  };
  const [origin, destination, store] = await Promise.all([
    vault(env.VSYNC_BENCH_ORIGIN_VAULT, env.VSYNC_BENCH_ORIGIN_TOKEN),
    vault(env.VSYNC_BENCH_DESTINATION_VAULT, env.VSYNC_BENCH_DESTINATION_TOKEN),
    consul(env.VSYNC_BENCH_CONSUL),
  ]);
  const site = { origin, destination, consul: store, ...(await describe(origin, store)) };
  return {
    ...site,
    stop: async () => {
      // Given servers get back what was made on them; started ones end anyway.
      if (stops.length < 3) await clean(site);
      await Promise.all(stops.map((stop) => stop()));
    },
  };
}

/** Empty mounts: at the origin, and at the destination one for vsync and one for the raw loop. */
export async function prepareMounts({
  origin,
  destination,
}: Pick<Site, 'origin' | 'destination'>): Promise<void> {
  await origin.mount(benchMount);
  await destination.mount(benchMount);
  await destination.mount(rawMount);
}

/** Forgets all secrets on a mount. */
export async function emptyMount(vault: VaultApi, mount: string): Promise<void> {
  await vault.unmount(mount);
  await vault.mount(mount);
}

/** Tokens with one small policy: what vsync needs, and what the Go program asks for besides. */
export async function makeTokens(site: Site, kind: TokenKind, moreOriginRules = ''): Promise<Tokens> {
  const options = { no_default_policy: kind === 'lean' };
  return {
    origin: await site.origin.tokenFor('vsync-bench', originRules + moreOriginRules, options),
    destination: await site.destination.tokenFor('vsync-bench', destinationRules(benchMount), options),
    rawDestination: await site.destination.tokenFor('vsync-bench-raw', destinationRules(rawMount), options),
  };
}

const selfRules = `
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self"  { capabilities = ["update"] }
path "sys/capabilities-self"  { capabilities = ["update"] }
path "sys/mounts"             { capabilities = ["read"] }`;

const originRules = `
path "vsync-bench/data/*"     { capabilities = ["read", "list"] }
path "vsync-bench/metadata/*" { capabilities = ["read", "list"] }${selfRules}`;

/** OpenBao's fast path. Vault knows no "scan" and refuses the policy. */
export const openbaoRules = `
path "vsync-bench/detailed-metadata/*" { capabilities = ["list", "scan"] }`;

function destinationRules(mount: string): string {
  const all = '["create", "read", "update", "delete", "list"]';
  return `
path "${mount}data/*"         { capabilities = ${all} }
path "${mount}metadata/*"     { capabilities = ${all} }${selfRules}`;
}

/** Where the raw loop reads, and where it writes. */
export function rawEnds(
  site: Site,
  tokens: Tokens,
  mount = benchMount,
): { readonly from: RawMount; readonly to: RawMount } {
  return {
    from: { address: site.origin.address, token: tokens.origin, mount },
    to: { address: site.destination.address, token: tokens.rawDestination, mount: rawMount },
  };
}

export interface ConfigOptions {
  readonly workers: number | 'auto';
  readonly tick?: string;
  readonly mount?: string;
  readonly syncPath?: string;
  readonly numBuckets?: number;
}

/** Writes a configuration file that vsync and the Go program both read. Returns its path. */
export async function writeConfig(
  dir: string,
  site: Omit<Site, 'stop' | 'description'>,
  tokens: Tokens,
  role: Role,
  options: ConfigOptions,
): Promise<string> {
  const side = (vault: VaultApi, token: string) => ({
    vault: { address: vault.address, token },
    consul: { address: site.consul.address, dc: site.datacenter },
    mounts: [options.mount ?? benchMount],
    syncPath: options.syncPath ?? syncPath,
    numWorkers: options.workers,
    tick: options.tick ?? '1h',
    timeout: '30m',
    renewToken: false,
  });
  const config = {
    ...(options.numBuckets !== undefined && { numBuckets: options.numBuckets }),
    origin: side(site.origin, tokens.origin),
    ...(role === 'destination' && {
      // Cycles begin when the bench says so.
      destination: { ...side(site.destination, tokens.destination), watch: false },
    }),
  };
  configs += 1;
  const file = join(dir, `config-${configs}.json`);
  await writeFile(file, JSON.stringify(config, null, 2));
  return file;
}
let configs = 0;

async function describe(
  vault: VaultApi,
  consul: ConsulApi,
): Promise<Pick<Site, 'datacenter' | 'description'>> {
  const { body } = await vault.call('GET', 'sys/health');
  const { Config = {} } = (await (await consul.call('GET', 'agent/self')).json()) as {
    Config?: { Version?: string; Datacenter?: string };
  };
  return {
    datacenter: Config.Datacenter ?? 'dc1',
    description: `Vault ${body.version}, Consul ${Config.Version}`,
  };
}

async function clean({
  origin,
  destination,
  consul,
}: Pick<Site, 'origin' | 'destination' | 'consul'>): Promise<void> {
  await origin.unmount(benchMount);
  await destination.unmount(benchMount);
  await destination.unmount(rawMount);
  for (const vault of [origin, destination])
    for (const policy of ['vsync-bench', 'vsync-bench-raw'])
      await vault.call('DELETE', `sys/policies/acl/${policy}`);
  await consul.delete(syncPath);
}
