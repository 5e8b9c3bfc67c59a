import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevConsul } from '../../src/dev/consul/dev-consul.ts';
import { type DevVault, startDevVault } from '../../src/dev/vault/dev-vault.ts';
import { runMain } from '../commands/run-main.ts';
import { startConsul, startStoredVault, startVault } from '../servers/real-servers.ts';
import { VaultApi } from '../support/vault-api.ts';
import { type LogEntry, runVsync } from '../support/vsync-process.ts';
import type { Json } from '../support/world.ts';

/** Two Vaults and a Consul of whatever kind, and a fresh mount of both for each run: what goes in at one end has to come out at the other. */

export interface Ran {
  readonly code: number | null;
  readonly stderr: string;
  readonly log: readonly LogEntry[];
}

interface Server {
  readonly address: string;
  readonly rootToken?: string;
  stop(): Promise<void>;
}

/** One whose servers can be made to fail. */
export type EmbeddedPair = Pair & {
  readonly embedded: { readonly origin: DevVault; readonly destination: DevVault };
};

type Flavour = DevVault['flavour'];

type Run = (args: readonly string[]) => Promise<{ readonly code: number | null; readonly stderr: string }>;

export class Pair {
  readonly origin: VaultApi;
  readonly destination: VaultApi;
  readonly #servers: readonly Server[];
  readonly #dir: string;
  readonly #run: Run;
  #count = 0;

  private constructor(servers: readonly [Server, Server, Server], dir: string, run: Run) {
    const [origin, destination] = servers;
    this.origin = new VaultApi(origin.address, String(origin.rootToken));
    this.destination = new VaultApi(destination.address, String(destination.rootToken));
    this.#servers = servers;
    this.#dir = dir;
    this.#run = run;
  }

  /** Real servers, and the program as a process. */
  static async real({ stored = false } = {}): Promise<Pair> {
    const destination = stored ? startStoredVault() : startVault();
    return Pair.#of([await startVault(), await destination, await startConsul()], runVsync);
  }

  /** Servers in memory, and the program in this process. */
  static async embedded(origin: Flavour, destination: Flavour): Promise<EmbeddedPair> {
    const consul = await startDevConsul();
    const vaults = [
      await startDevVault({ flavour: origin }),
      await startDevVault({ flavour: destination }),
    ] as const;
    const server = (vault: DevVault) => ({ ...vault, stop: () => vault.close() });
    const pair = await Pair.#of(
      [server(vaults[0]), server(vaults[1]), { address: consul.address, stop: () => consul.close() }],
      async (args) => {
        const { code, err } = await runMain(args);
        return { code, stderr: err };
      },
    );
    return Object.assign(pair, { embedded: { origin: vaults[0], destination: vaults[1] } });
  }

  static async #of(servers: readonly [Server, Server, Server], run: Run): Promise<Pair> {
    return new Pair(servers, await mkdtemp(join(tmpdir(), 'vsync-fidelity-')), run);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** A mount that is new at both ends. */
  async mount(): Promise<string> {
    this.#count += 1;
    const mount = `run${this.#count}/`;
    await this.origin.mount(mount);
    await this.destination.mount(mount);
    return mount;
  }

  /** One cycle of the origin and one of the destination for a mount; `more` goes into the destination's block. */
  async sync(mount: string, more: Json = {}, codes: readonly number[] = [0]): Promise<Ran> {
    await this.once('origin', mount);
    return this.once('destination', mount, more, codes);
  }

  /** `vsync ROLE --once` for a mount; throws when it ends with another code than one of these. */
  async once(
    role: 'origin' | 'destination',
    mount: string,
    more: Json = {},
    codes: readonly number[] = [0],
  ): Promise<Ran> {
    const consul = { address: String(this.#servers[2]?.address) };
    const common = { consul, mounts: [mount], syncPath: `sync-${mount}`, numWorkers: 8 };
    const file = join(this.#dir, 'config.json');
    const config = {
      retry: { base: '1ms' },
      origin: { ...common, vault: { address: this.origin.address, token: this.origin.token } },
      destination: {
        ...common,
        vault: { address: this.destination.address, token: this.destination.token },
        ...more,
      },
    };
    await writeFile(file, JSON.stringify(config));
    const { code, stderr } = await this.#run([role, '--once', '--config', file, '--log.type', 'json']);
    if (!codes.includes(Number(code))) throw new Error(`${role} ended with ${code}:\n${stderr}`);
    const lines = stderr.split('\n').filter((line) => line.startsWith('{'));
    return { code, stderr, log: lines.map((line) => JSON.parse(line) as LogEntry) };
  }
}
