import { errorFields, type Log } from '../base/log.ts';
import type { Releasers } from '../base/releasers.ts';
import type { Config } from '../config/config.ts';
import type { ConsulClient } from '../consul/client.ts';
import { watchKey } from '../consul/watch.ts';
import type { OriginSecrets } from '../cycle/ports.ts';
import { SharedReads } from '../cycle/shared-reads.ts';
import type { TriggerSource } from '../cycle/ticker.ts';
import { originSecrets } from '../vault/origin-vault.ts';
import { openConsul, openVault, retryPolicyOf, type VaultConnection, workersOf } from './connections.ts';
import { keepToken } from './keep-token.ts';
import { ownPrefix } from './shared.ts';

/**
 * The origin as destination processes use it: its Vault, its Consul, the watch on what it publishes. Several destinations in one process
 * share one, so that each secret is read once for all of them.
 */
export interface OriginEnd {
  readonly vault: VaultConnection;
  readonly consul: ConsulClient;
  /** Where the origin's sync info is: `vsync/origin/`. */
  readonly prefix: string;
  /** Reads for one destination, until that is released. */
  readonly reader: () => { readonly origin: OriginSecrets; readonly release: () => void };
  /** Fires when the origin publishes. */
  readonly watch: TriggerSource;
  /** From now on the token is kept alive. May be called by each destination. */
  readonly keepToken: () => void;
}

/** Opens it for these destinations, which all name the same origin. */
export async function openOriginEnd(
  configs: readonly Extract<Config, { role: 'destination' }>[],
  { log, releasers }: { readonly log: Log; readonly releasers: Releasers },
): Promise<OriginEnd> {
  const [config] = configs;
  if (config === undefined) throw new Error('no destination');
  const { origin } = config;
  const retry = retryPolicyOf(config);
  const all = configs.map(({ destination }) => workersOf(destination.numWorkers));
  // What all of them together may have under way; one `auto` among them makes the number be found.
  const workers = { most: all.reduce((sum, { most }) => sum + most, 0), auto: all.some(({ auto }) => auto) };
  const vault = await openVault('origin', origin.vault, workers, retry);
  releasers.push(() => vault.client.close());
  const consul = await openConsul('origin', origin.consul, retry);
  releasers.push(() => consul.close());

  const prefix = ownPrefix(origin.syncPath, 'origin');
  const reads = new SharedReads(originSecrets(vault.client));
  let kept = false;
  return {
    vault,
    consul,
    prefix,
    reader: () => reads.reader(),
    watch: sharedWatch(consul, `${prefix}index`, log),
    keepToken: () => {
      if (!kept) keepToken(vault, origin.renewToken, { log, releasers });
      kept = true;
    },
  };
}

/** One watch for all that listen to it: it runs while anyone does. */
function sharedWatch(consul: ConsulClient, key: string, log: Log): TriggerSource {
  const listeners = new Set<() => void>();
  let running: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;
  const begin = () => {
    const stop = new AbortController();
    const ended = watchKey({
      consul,
      key,
      signal: stop.signal,
      onChange: () => {
        for (const listener of listeners) listener();
      },
      onError: (error) => log.debug('the watch on the origin failed and goes on', errorFields(error)),
    });
    return { stop, ended };
  };
  return {
    start: (fire) => {
      const listener = () => fire('watch');
      listeners.add(listener);
      running ??= begin();
      return async () => {
        listeners.delete(listener);
        if (listeners.size > 0 || running === undefined) return;
        const { stop, ended } = running;
        running = undefined;
        stop.abort();
        await ended;
      };
    },
  };
}
