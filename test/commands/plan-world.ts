import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { vi } from 'vitest';
import { main } from '../../src/cli.ts';
import type { TextStream } from '../../src/commands/command-io.ts';
import { SignalChannel } from '../../src/cycle/signal-channel.ts';
import { type DevConsul, startDevConsul } from '../../src/dev/consul/dev-consul.ts';
import { type DevVault, startDevVault } from '../../src/dev/vault/dev-vault.ts';
import { ConsulApi } from '../support/consul-api.ts';
import { VaultApi } from '../support/vault-api.ts';

/** Two embedded Vaults and a Consul, and the program run in this process on them: what a command prints, returns and leaves behind. */

// The first command of a file loads all of the program, which takes long on a machine that is busy. No test asserts on time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

export type Json = Readonly<Record<string, unknown>>;

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunAs {
  /** Merged into the destination block, and into the configuration at its top. */
  readonly block?: Json;
  readonly top?: Json;
  readonly origin?: Json;
  /** Standard output is a terminal of this width. */
  readonly columns?: number;
  /** Standard error is a terminal. */
  readonly errColumns?: number;
  readonly signals?: SignalChannel;
  readonly env?: Readonly<Record<string, string>>;
}

class Collector extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number | undefined;

  constructor(columns: number | undefined) {
    super({ decodeStrings: false });
    this.isTTY = columns !== undefined;
    this.columns = columns;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export class PlanWorld {
  readonly vaults: { readonly origin: DevVault; readonly destination: DevVault };
  readonly origin: VaultApi;
  readonly destination: VaultApi;
  readonly devConsul: DevConsul;
  readonly consul: ConsulApi;
  readonly dir: string;
  #files = 0;

  private constructor(vaults: PlanWorld['vaults'], consul: DevConsul, dir: string) {
    this.vaults = vaults;
    this.devConsul = consul;
    this.origin = new VaultApi(vaults.origin.address, vaults.origin.rootToken);
    this.destination = new VaultApi(vaults.destination.address, vaults.destination.rootToken);
    this.consul = new ConsulApi(consul.address);
    this.dir = dir;
  }

  static async start(): Promise<PlanWorld> {
    const [origin, destination, consul] = await Promise.all([
      startDevVault({ flavour: 'vault', rootToken: 'origin-root-token' }),
      startDevVault({ flavour: 'vault', rootToken: 'destination-root-token' }),
      startDevConsul(),
    ]);
    return new PlanWorld({ origin, destination }, consul, await mkdtemp(join(tmpdir(), 'vsync-plan-')));
  }

  async stop(): Promise<void> {
    const { origin, destination } = this.vaults;
    await Promise.all([origin.close(), destination.close(), this.devConsul.close()]);
    await rm(this.dir, { recursive: true, force: true });
  }

  /** A data path on the one mount, `secret/`. */
  path(key: string): string {
    return `secret/data/${key}`;
  }

  async put(key: string, data: Json = { value: 'canary-value' }): Promise<void> {
    await this.origin.put(this.path(key), data);
  }

  file(name: string): string {
    return join(this.dir, name);
  }

  /** Writes a configuration for both roles; returns its name in `dir`, where commands run. */
  async config({ block, top, origin }: RunAs = {}): Promise<string> {
    this.#files += 1;
    const name = `c${this.#files}.json`;
    const side = (vault: DevVault) => ({
      vault: { address: vault.address, token: vault.rootToken },
      consul: { address: this.devConsul.address },
      mounts: ['secret/'],
      numWorkers: 4,
    });
    const content = {
      retry: { base: '1ms' },
      ...top,
      origin: { ...side(this.vaults.origin), ...origin },
      destination: { ...side(this.vaults.destination), ...block },
    };
    await writeFile(this.file(name), JSON.stringify(content));
    return name;
  }

  /** Runs `vsync <command> -c <configuration> ...args` in `dir`. */
  async run(command: string, args: readonly string[] = [], as: RunAs = {}): Promise<Result> {
    return this.bare([command, ...args, '-c', await this.config(as)], as);
  }

  /** Runs a whole command line. */
  async bare(args: readonly string[], as: RunAs = {}): Promise<Result> {
    const [out, err] = [new Collector(as.columns), new Collector(as.errColumns)];
    const code = await main(args, {
      out: out as TextStream,
      err: err as TextStream,
      env: { HOME: '/nonexistent', ...as.env },
      cwd: this.dir,
      signals: as.signals ?? new SignalChannel(),
    });
    return { code, out: out.text, err: err.text };
  }

  /** Fails unless the command ends with 0. */
  async ok(command: string, args: readonly string[] = [], as: RunAs = {}): Promise<Result> {
    const result = await this.run(command, args, as);
    if (result.code !== 0) throw new Error(`${command}: ${result.code}\n${result.err}\n${result.out}`);
    return result;
  }

  /** A cycle of the origin, and unless `originOnly` one of the destination. */
  async sync({ originOnly = false, ...as }: RunAs & { readonly originOnly?: boolean } = {}): Promise<void> {
    await this.ok('origin', ['--once'], as);
    if (!originOnly) await this.ok('destination', ['--once'], as);
  }

  /** `vsync plan --json`, parsed. */
  async plan(args: readonly string[] = [], as: RunAs = {}): Promise<Record<string, never>> {
    return JSON.parse((await this.ok('plan', ['--json', ...args], as)).out);
  }

  async saved(name: string): Promise<string> {
    return readFile(this.file(name), 'utf8');
  }

  /** Everything that a run can change. */
  async everything(): Promise<Json> {
    return {
      origin: await this.origin.history('secret/'),
      destination: await this.destination.history('secret/'),
      consul: await this.consul.dump(),
      mark: await this.consul.mark(''),
    };
  }

  /** Forgets all secrets and sync info. */
  async clear(): Promise<void> {
    this.vaults.origin.faults.clear();
    this.vaults.destination.faults.clear();
    this.devConsul.faults.clear();
    await this.consul.delete('');
    for (const vault of [this.origin, this.destination])
      for (const path of await vault.paths('secret/')) await vault.destroyMetadata(path);
  }
}
