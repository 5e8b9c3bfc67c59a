import { type Clock, systemClock } from '../base/clock.ts';
import type { CallScope, OriginMetadata, OriginSecrets } from '../cycle/ports.ts';
import type { VaultClient } from './client.ts';
import { FolderLister } from './folder-lister.ts';
import { readHealth } from './health.ts';
import { readInsight, readSecret } from './kv.ts';
import { describeMount } from './mounts.ts';

/** How long after it was read the server's clock is told by our own monotonic one. */
const clockKnownForMs = 10 * 60_000;

/** The origin's Vault for an origin process: lists and metadata. */
export function originMetadata(client: VaultClient, clock: Clock = systemClock): OriginMetadata {
  let serverMs: number | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  // By the monotonic clock from there on: a jump of our own wall clock deletes nothing.
  const serverNowMs = () => (serverMs === undefined ? clock.now() : serverMs + clock.monotonic() - readAt);
  const lister = new FolderLister(client, serverNowMs, clock);
  return {
    describeMount: async (mount, scope) => {
      const state = await describeMount(client, mount, scope);
      lister.noteMount(state);
      return state;
    },
    listFolder: (mount, folder, scope) => lister.list(mount, folder, scope),
    readInsight: (mount, key, scope) => readInsight(client, mount, key, serverNowMs(), scope),
    readClock: async ({ signal }: CallScope) => {
      if (clock.monotonic() - readAt < clockKnownForMs) return;
      const { clockOffsetMs } = await readHealth(client, signal, clock);
      serverMs = clock.now() + clockOffsetMs;
      readAt = clock.monotonic();
    },
  };
}

/** The origin's Vault for a destination process: values, read only. */
export function originSecrets(client: VaultClient): OriginSecrets {
  return {
    readSecret: (path, scope) => readSecret(client, path, scope),
    readVersion: async (path, version, scope) => {
      const state = await readSecret(client, path, scope, version);
      return state.kind === 'live' ? state.value : undefined;
    },
  };
}
