import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, type ServerProcess, startProcess, waitFor } from './processes.ts';

/**
 * Finds and starts the real Vault and Consul that `test/servers/install` provides.
 * With `CI` set, or `REQUIRE_REAL_SERVERS=1`, a missing server is a failure; else the suites that need it are skipped and say so.
 */

const cacheDir =
  process.env.VSYNC_SERVERS_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'vsync-servers');

function onPath(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((dir) => join(dir, name))
    .find((file) => existsSync(file));
}

function findVault(): string | undefined {
  const goSum = readFileSync(fileURLToPath(new URL('./vault/go.sum', import.meta.url)));
  const key = createHash('sha256').update(goSum).digest('hex').slice(0, 12);
  const cached = join(cacheDir, `vault-${key}`, 'vault');
  return process.env.VSYNC_TEST_VAULT ?? (existsSync(cached) ? cached : onPath('vault'));
}

function findConsul(): string | undefined {
  const cached = join(cacheDir, 'consul-1.8.7', 'consul');
  return process.env.VSYNC_TEST_CONSUL ?? (existsSync(cached) ? cached : onPath('consul'));
}

/** Paths of the binaries, `undefined` where none was found. */
export const realServers = { vault: findVault(), consul: findConsul() } as const;

/** True where real servers must be there: a suite then fails instead of being skipped. */
export const realServersRequired = Boolean(process.env.CI) || process.env.REQUIRE_REAL_SERVERS === '1';

/** True where the suites on real servers are to run: both were found, or they are required (and a missing one fails the suite). */
export const runRealServers =
  realServersRequired || (realServers.vault !== undefined && realServers.consul !== undefined);

if (!runRealServers) {
  console.warn('SKIPPED: suites on real Vault and Consul (not found; `test/servers/install` provides them)');
}

function required(name: 'vault' | 'consul'): string {
  const binary = realServers[name];
  if (binary === undefined) throw new Error(`no real ${name} found: run test/servers/install`);
  return binary;
}

export interface RealVault extends ServerProcess {
  /** e.g. `http://127.0.0.1:41234` */
  readonly address: string;
  readonly rootToken: string;
}

async function answers(url: string, init?: RequestInit): Promise<boolean> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(2_000) });
  await response.arrayBuffer();
  return response.ok;
}

/** Starts `vault server -dev`: in memory, unsealed, KV v2 mounted at `secret/`. */
export async function startVault(): Promise<RealVault> {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const rootToken = 'root';
  const server = await startProcess(
    required('vault'),
    [
      'server',
      '-dev',
      `-dev-root-token-id=${rootToken}`,
      `-dev-listen-address=127.0.0.1:${port}`,
      '-dev-no-store-token',
      '-log-level=error',
    ],
    {
      ready: () => answers(`${address}/v1/secret/config`, { headers: { 'X-Vault-Token': rootToken } }),
    },
  );
  return { ...server, address, rootToken };
}

export interface StoredVault extends RealVault {
  readonly unsealKey: string;
  /** Puts the seal on, or takes it off. */
  seal(): Promise<void>;
  unseal(): Promise<void>;
}

/** Starts a Vault with raft storage in a temporary folder, initialised and unsealed, KV v2 at `secret/`. */
export async function startStoredVault(): Promise<StoredVault> {
  const dir = await mkdtemp(join(tmpdir(), 'vsync-vault-'));
  const [port, clusterPort] = [await freePort(), await freePort()];
  const address = `http://127.0.0.1:${port}`;
  const config = join(dir, 'config.json');
  await mkdir(join(dir, 'data'));
  await writeFile(
    config,
    JSON.stringify({
      disable_mlock: true,
      storage: { raft: { path: join(dir, 'data'), node_id: 'one' } },
      listener: {
        tcp: { address: `127.0.0.1:${port}`, cluster_address: `127.0.0.1:${clusterPort}`, tls_disable: true },
      },
      api_addr: address,
      cluster_addr: `https://127.0.0.1:${clusterPort}`,
    }),
  );
  const server = await startProcess(required('vault'), ['server', `-config=${config}`, '-log-level=error'], {
    ready: () => answers(`${address}/v1/sys/seal-status`),
  });
  const call = async (method: string, path: string, body: unknown, token?: string) => {
    const response = await fetch(`${address}/v1/${path}`, {
      method,
      body: JSON.stringify(body),
      headers: token === undefined ? {} : { 'X-Vault-Token': token },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  };
  const init = await call('PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 });
  const unsealKey = String((init.keys as string[])[0]);
  const rootToken = String(init.root_token);
  const unseal = async () => {
    await call('PUT', 'sys/unseal', { key: unsealKey });
  };
  await unseal();
  // Raft elects itself a moment after the unsealing; until then writes answer 500.
  await waitFor(() => answers(`${address}/v1/sys/health`));
  await call('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } }, rootToken);
  return {
    ...server,
    address,
    rootToken,
    unsealKey,
    unseal,
    seal: async () => {
      await call('PUT', 'sys/seal', {}, rootToken);
    },
    stop: async (signal) => {
      await server.stop(signal);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export interface RealConsul extends ServerProcess {
  readonly address: string;
}

/** Starts `consul agent -dev`: one server, in memory. `config` is merged in as a JSON configuration file (ACLs, for one). */
export async function startConsul(config?: Readonly<Record<string, unknown>>): Promise<RealConsul> {
  const [http, server, lan, wan] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const address = `http://127.0.0.1:${http}`;
  const dir = await mkdtemp(join(tmpdir(), 'vsync-consul-'));
  const args = [
    'agent',
    '-dev',
    '-bind',
    '127.0.0.1',
    '-http-port',
    `${http}`,
    '-grpc-port=-1',
    '-dns-port=-1',
  ];
  args.push(
    '-server-port',
    `${server}`,
    '-serf-lan-port',
    `${lan}`,
    '-serf-wan-port',
    `${wan}`,
    '-log-level=err',
  );
  if (config !== undefined) {
    const file = join(dir, 'config.json');
    await writeFile(file, JSON.stringify(config));
    args.push('-config-file', file);
  }
  const started = await startProcess(required('consul'), args, {
    // The leader is elected a moment after the port opens; before that a write answers 500.
    ready: async () => {
      const response = await fetch(`${address}/v1/status/leader`, { signal: AbortSignal.timeout(2_000) });
      return response.ok && (await response.text()).includes(':');
    },
  });
  return {
    ...started,
    address,
    stop: async (signal) => {
      await started.stop(signal);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
