import type { Pool } from 'undici';
import { openPool, type TlsOptions } from './transport.ts';

/**
 * Which node of a cluster requests go to. It is the configured address, until a standby that cannot forward points to the active node
 * (307): then that node, if it is one the cluster itself announces. A token is never sent anywhere else.
 */
export class ActiveNode {
  readonly #configured: Pool;
  readonly #address: URL;
  readonly #open: (address: string) => Pool;
  #active: { readonly origin: string; readonly pool: Pool } | undefined;

  constructor(address: string, connections: number, tls?: TlsOptions) {
    this.#address = new URL(address);
    this.#open = (of) => openPool(of, connections, tls);
    this.#configured = this.#open(address);
  }

  /** Where the next request goes. */
  get pool(): Pool {
    return this.#active?.pool ?? this.#configured;
  }

  /** The configured address's own pool, to ask it who leads. */
  get configured(): Pool {
    return this.#configured;
  }

  /**
   * Takes up the node that a redirect names, for this and later requests. `undefined` when it must not be followed: another scheme, or a
   * host that is neither the configured one nor `leaderAddress`, what `sys/leader` answered.
   */
  follow(location: string, leaderAddress: string | undefined): Pool | undefined {
    const target = originOf(location);
    if (target === undefined || target.protocol !== this.#address.protocol) return undefined;
    if (target.origin === this.#address.origin) return this.#configured;
    if (target.origin !== originOf(leaderAddress)?.origin) return undefined;
    if (this.#active?.origin !== target.origin) {
      this.forget();
      this.#active = { origin: target.origin, pool: this.#open(target.origin) };
    }
    return this.#active?.pool;
  }

  /** The active node does not answer as one any more: back to the configured address. */
  forget(): void {
    void this.#active?.pool.close();
    this.#active = undefined;
  }

  /** Closes all connections; requests under way fail. */
  async close(): Promise<void> {
    await Promise.all([this.#configured.destroy(), this.#active?.pool.destroy()]);
  }
}

function originOf(address: string | undefined): URL | undefined {
  return address !== undefined && URL.canParse(address) ? new URL(address) : undefined;
}
