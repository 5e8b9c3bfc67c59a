import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RealConsul, type RealVault, startConsul, startVault } from '../servers/real-servers.ts';
import { ConsulApi } from './consul-api.ts';
import { VaultApi } from './vault-api.ts';
import { endAll, type Finished, type RunningVsync, runVsync, startVsync } from './vsync-process.ts';

/**
 * Two real Vaults (an origin and a destination), one real Consul, and configuration files for them. Each test takes a `scope` of its
 * own: fresh mounts and sync paths on the shared servers, so that tests do not meet and servers start once for a file.
 */
export class World {
  readonly origin: VaultApi;
  readonly destination: VaultApi;
  readonly consul: ConsulApi;
  readonly dir: string;
  readonly #servers: readonly [RealVault, RealVault, RealConsul];
  #scopes = 0;

  private constructor(servers: readonly [RealVault, RealVault, RealConsul], dir: string) {
    this.#servers = servers;
    this.dir = dir;
    this.origin = new VaultApi(servers[0].address, servers[0].rootToken);
    this.destination = new VaultApi(servers[1].address, servers[1].rootToken);
    this.consul = new ConsulApi(servers[2].address);
  }

  static async start(): Promise<World> {
    const servers = await Promise.all([startVault(), startVault(), startConsul()]);
    return new World(servers, await mkdtemp(join(tmpdir(), 'vsync-e2e-')));
  }

  async stop(): Promise<void> {
    await endAll();
    await Promise.all(this.#servers.map((server) => server.stop()));
    await rm(this.dir, { recursive: true, force: true });
  }

  /** Fresh mounts of these names (prefixed, on both Vaults) and a fresh sync path. */
  async scope(mounts: readonly string[] = ['secret/']): Promise<Scope> {
    this.#scopes += 1;
    const scope = new Scope(this, `t${this.#scopes}`, mounts);
    for (const mount of scope.mounts) {
      await this.origin.mount(mount);
      await this.destination.mount(mount);
    }
    return scope;
  }
}

export type Json = Readonly<Record<string, unknown>>;

export type Role = 'origin' | 'destination';

/** How a role is run, where that is not the usual way. */
export interface RunAs {
  /** Merged into the block of the role that runs. */
  readonly block?: Json;
  /** Merged into the configuration at its top. */
  readonly top?: Json;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** One test's part of a world. */
export class Scope {
  readonly world: World;
  readonly id: string;
  readonly mounts: readonly string[];
  #files = 0;

  constructor(world: World, id: string, mounts: readonly string[]) {
    this.world = world;
    this.id = id;
    this.mounts = mounts.map((mount) => `${id}/${mount}`);
  }

  /** The first mount, with its trailing slash. */
  get mount(): string {
    return this.mounts[0] as string;
  }

  /** The data path of a key on the first mount. */
  path(key: string): string {
    return `${this.mount}data/${key}`;
  }

  get syncPath(): string {
    return `vsync-${this.id}/`;
  }

  /** The `origin` block of a configuration. */
  originBlock(more: Json = {}): Json {
    const { origin, consul } = this.world;
    return {
      vault: { address: origin.address, token: origin.token },
      consul: { address: consul.address, dc: 'dc1' },
      mounts: this.mounts,
      syncPath: this.syncPath,
      numWorkers: 4,
      ...more,
    };
  }

  /** The `destination` block. */
  destinationBlock(more: Json = {}): Json {
    const { destination, consul } = this.world;
    return {
      vault: { address: destination.address, token: destination.token },
      consul: { address: consul.address, dc: 'dc1' },
      mounts: this.mounts,
      syncPath: this.syncPath,
      numWorkers: 4,
      ...more,
    };
  }

  /** Writes a configuration file and returns its path. */
  async config(name: string, content: Json): Promise<string> {
    this.#files += 1;
    const file = join(this.world.dir, `${this.id}-${this.#files}-${name}.json`);
    await writeFile(file, JSON.stringify(content, null, 2));
    return file;
  }

  async originConfig(more: Json = {}, top: Json = {}): Promise<string> {
    return this.config('origin', { origin: this.originBlock(more), ...top });
  }

  async destinationConfig(more: Json = {}, top: Json = {}): Promise<string> {
    return this.config('destination', {
      origin: this.originBlock(),
      destination: this.destinationBlock(more),
      ...top,
    });
  }

  /** `vsync origin --once`; fails when it ends with another code than expected. */
  async originOnce(as: RunAs & { readonly code?: number } = {}): Promise<Finished> {
    return this.once('origin', as, as.code);
  }

  /** `vsync destination --once`; fails when it ends with another code than expected. */
  async destinationOnce(as: RunAs & { readonly code?: number } = {}): Promise<Finished> {
    return this.once('destination', as, as.code);
  }

  /** One cycle of the origin, then one of the destination. Returns the latter. */
  async sync(): Promise<Finished> {
    await this.originOnce();
    return this.destinationOnce();
  }

  async once(role: Role, { args = [], ...as }: RunAs, code = 0): Promise<Finished> {
    const once = await this.#command(role, { ...as, args: ['--once', ...args] });
    return expectCode(await runVsync(once, as), code);
  }

  /** Prints what a cycle would do. */
  async dryRun(role: Role, { args = [], ...as }: RunAs = {}, code = 0): Promise<Finished> {
    const dryRun = await this.#command(role, { ...as, args: ['--once', '--dry-run', ...args] });
    return expectCode(await runVsync(dryRun, as), code);
  }

  /** Starts a daemon, which the test stops; `World.stop` ends what a failed test left. */
  async start(role: Role, as: RunAs = {}): Promise<RunningVsync> {
    return startVsync(await this.#command(role, as), as);
  }

  /** Sync info of one side as it is stored: key below `<syncPath><side>/` -> text and ModifyIndex. */
  async syncInfo(side: Role, syncPath = this.syncPath): Promise<ReturnType<ConsulApi['dump']>> {
    const prefix = `${syncPath}${side}/`;
    const dump = await this.world.consul.dump(prefix);
    return new Map([...dump].map(([key, entry]) => [key.slice(prefix.length), entry]));
  }

  /** What a node last told of itself. */
  async status(role: Role, syncPath = this.syncPath): Promise<Json | undefined> {
    const text = await this.world.consul.get(`${syncPath}nodes/${role}-${role}`);
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** Everything that a run can change, to be compared as a whole: both Vaults' histories, and Consul with its marks. */
  async everything(): Promise<Json> {
    const { origin, destination, consul } = this.world;
    const histories = async (vault: VaultApi) =>
      Object.fromEntries(
        await Promise.all(this.mounts.map(async (mount) => [mount, await vault.history(mount)])),
      );
    return {
      origin: await histories(origin),
      destination: await histories(destination),
      consul: await consul.dump(this.syncPath),
      mark: await consul.mark(this.syncPath),
    };
  }

  async #command(role: Role, { block, top, args = [] }: RunAs): Promise<string[]> {
    const file =
      role === 'origin' ? await this.originConfig(block, top) : await this.destinationConfig(block, top);
    return [role, '--config', file, '--log.type', 'json', ...args];
  }
}

/** Fails with the whole output when a run ended otherwise than expected. */
export function expectCode(finished: Finished, code: number): Finished {
  if (finished.code !== code) {
    throw new Error(
      `expected exit code ${code}, got ${finished.code ?? finished.signal}:\n${finished.stderr}\n${finished.stdout}`,
    );
  }
  return finished;
}
