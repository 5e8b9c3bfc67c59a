import { expect, test } from 'vitest';
import type { Finished, RunningVsync } from '../support/vsync-process.ts';
import { type Json, type Role, type RunAs, type Scope, World } from '../support/world.ts';
import { type FaultProxy, type SeenRequest, startFaultProxy } from './fault-proxy.ts';

/**
 * An origin and a destination of one test, on fresh mounts of shared real servers, with a fault proxy before each server they talk to.
 * Whatever a test does, the origin's Vault must not have been written to by the end of it (R14).
 */

/** How a role is run, where that is not the usual way. `vault` and `consul` of a block are merged into the connections. */
export interface PairRun extends RunAs {
  readonly code?: number;
  /** Merged into the `origin` block of a destination's configuration. */
  readonly origin?: Json;
}

export class Pair {
  readonly world: World;
  readonly scope: Scope;
  readonly originVault: FaultProxy;
  readonly destinationVault: FaultProxy;
  readonly originConsul: FaultProxy;
  readonly destinationConsul: FaultProxy;

  private constructor(world: World, scope: Scope, proxies: readonly FaultProxy[]) {
    this.world = world;
    this.scope = scope;
    [this.originVault, this.destinationVault, this.originConsul, this.destinationConsul] =
      proxies as unknown as [FaultProxy, FaultProxy, FaultProxy, FaultProxy];
  }

  static async open(world: World, mounts?: readonly string[]): Promise<Pair> {
    const scope = await world.scope(mounts);
    const { origin, destination, consul } = world;
    const servers = [origin, destination, consul, consul];
    return new Pair(world, scope, await Promise.all(servers.map(({ address }) => startFaultProxy(address))));
  }

  get proxies(): readonly FaultProxy[] {
    return [this.originVault, this.destinationVault, this.originConsul, this.destinationConsul];
  }

  /** All faults off. */
  clear(): void {
    for (const proxy of this.proxies) proxy.clear();
  }

  async close(): Promise<void> {
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
    expect(this.originVault.seen.filter(writes), 'R14: the origin Vault is only ever read').toEqual([]);
  }

  path(key: string): string {
    return this.scope.path(key);
  }

  /** Writes secrets at the origin, each with its key in its value. */
  async fill(keys: readonly string[], more: Json = {}): Promise<void> {
    await Promise.all(keys.map((key) => this.world.origin.put(this.path(key), { key, ...more })));
  }

  /** Writes them anew, with another value. */
  async change(...keys: readonly string[]): Promise<void> {
    await this.fill(keys, { changed: true });
  }

  async softDelete(...keys: readonly string[]): Promise<void> {
    await Promise.all(keys.map((key) => this.world.origin.softDelete(this.path(key))));
  }

  /** The values at the destination, by key. */
  async copied(): Promise<Readonly<Record<string, unknown>>> {
    const all = await this.world.destination.values(this.scope.mount);
    const prefix = this.path('').length;
    return Object.fromEntries(Object.entries(all).map(([path, value]) => [path.slice(prefix), value]));
  }

  /** How many versions each key has at the destination: what a needless write would raise. */
  async versions(): Promise<Readonly<Record<string, number>>> {
    const history = await this.world.destination.history(this.scope.mount);
    const prefix = this.path('').length;
    return Object.fromEntries(
      [...history].map(([path, metadata]) => [
        path.slice(prefix),
        (metadata as { current_version: number }).current_version,
      ]),
    );
  }

  /** Expects these secrets at the destination and no others: as `fill` wrote them, or as `change` did. */
  async expectCopied(filled: readonly string[], changed: readonly string[] = []): Promise<void> {
    expect(await this.copied()).toEqual(
      Object.fromEntries([
        ...filled.map((key) => [key, { key }]),
        ...changed.map((key) => [key, { key, changed: true }]),
      ]),
    );
  }

  /** What a side has published, as text. */
  async info(side: Role): Promise<Readonly<Record<string, string>>> {
    return Object.fromEntries([...(await this.scope.syncInfo(side))].map(([key, { value }]) => [key, value]));
  }

  /** The version of each insight that a side has, by key. */
  async insights(side: Role): Promise<Readonly<Record<string, number>>> {
    // Beside index and buckets a crash may have left a probe key.
    const buckets = Object.entries(await this.info(side)).filter(([key]) => /^\d+$/.test(key));
    const entries = buckets.flatMap(([, text]) => Object.entries(JSON.parse(text) as object));
    const prefix = this.path('').length;
    return Object.fromEntries(entries.map(([path, { version }]) => [path.slice(prefix), version]));
  }

  /** One cycle of a role through the proxies; fails when it ends with another code than expected. */
  async once(role: Role, as: PairRun = {}): Promise<Finished> {
    return this.scope.once(role, this.runAs(role, as), as.code);
  }

  originOnce(as?: PairRun): Promise<Finished> {
    return this.once('origin', as);
  }

  destinationOnce(as?: PairRun): Promise<Finished> {
    return this.once('destination', as);
  }

  /** One cycle of each. Returns that of the destination. */
  async sync(as?: PairRun): Promise<Finished> {
    await this.originOnce();
    return this.destinationOnce(as);
  }

  /** A daemon through the proxies. */
  async start(role: Role, as: PairRun = {}): Promise<RunningVsync> {
    return this.scope.start(role, this.runAs(role, as));
  }

  /** Repetitions come soon, so that a test does not wait for them. */
  runAs(role: Role, { block = {}, top = {}, origin = {}, code: _, ...as }: PairRun = {}): RunAs {
    const retry = { base: '5ms', max: '100ms' };
    const { originVault, originConsul, destinationVault, destinationConsul, world } = this;
    const asOrigin = (more: Json) => this.#through(more, originVault, originConsul, world.origin.token);
    if (role === 'origin') return { ...as, block: asOrigin(block), top: { retry, ...top } };
    return {
      ...as,
      block: this.#through(block, destinationVault, destinationConsul, world.destination.token),
      top: { retry, origin: this.scope.originBlock(asOrigin(origin)), ...top },
    };
  }

  #through(block: Json, vault: FaultProxy, consul: FaultProxy, token: string): Json {
    const more = block as { readonly vault?: Json; readonly consul?: Json };
    // A token file or AppRole is given in the token's place.
    const byToken = more.vault?.token_file === undefined && more.vault?.approle === undefined;
    return {
      ...block,
      vault: { address: vault.address, ...(byToken && { token }), ...more.vault },
      consul: { address: consul.address, ...more.consul },
    };
  }
}

/** Whether a request changes something in a Vault, as far as secrets go: logins, renewals and questions about rights do not. */
function writes({ method, path }: SeenRequest): boolean {
  if (method === 'GET') return false;
  return !/^\/v1\/(auth\/[^?]*\/login|auth\/token\/renew-self|sys\/capabilities-self)$/.test(path);
}

/** A test with a pair of its own, on servers that the tests of a file share. */
export const it = test
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern what a fixture needs.
  .extend('world', { scope: 'file' }, async ({}, { onCleanup }) => {
    const world = await World.start();
    onCleanup(() => world.stop());
    return world;
  })
  .extend('pair', async ({ world }, { onCleanup }) => {
    const pair = await Pair.open(world);
    onCleanup(() => pair.close());
    return pair;
  });

/** `k0`, `k1`, ... */
export function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `k${i}`);
}
