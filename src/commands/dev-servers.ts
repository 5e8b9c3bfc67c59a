import { type DevConsul, startDevConsul } from '../dev/consul/dev-consul.ts';
import { type DevVault, startDevVault } from '../dev/vault/dev-vault.ts';

/** The in-memory servers that `vsync dev` and `vsync demo` run on, and a configuration for them. */
export interface DevServers {
  readonly origin: DevVault;
  readonly destination: DevVault;
  readonly consul: DevConsul;
  close(): Promise<void>;
}

export type Flavour = 'vault' | 'openbao';

/** Starts two Vaults and a Consul on free ports of loopback. */
export async function startDevServers(flavour: Flavour): Promise<DevServers> {
  const [origin, destination, consul] = await Promise.all([
    startDevVault({ flavour, rootToken: 'origin-root-token' }),
    startDevVault({ flavour, rootToken: 'destination-root-token' }),
    startDevConsul(),
  ]);
  return {
    origin,
    destination,
    consul,
    close: async () => {
      await Promise.all([origin.close(), destination.close(), consul.close()]);
    },
  };
}

/** A configuration that serves both `vsync origin` and `vsync destination`. */
export function devConfig({ origin, destination, consul }: DevServers): string {
  const side = (vault: DevVault) => ({
    vault: { address: vault.address, token: vault.rootToken },
    consul: { address: consul.address },
    mounts: ['secret/'],
    numWorkers: 8,
    tick: '10s',
  });
  return `${JSON.stringify({ origin: side(origin), destination: side(destination) }, null, 2)}\n`;
}

/** Resolves when the process is asked to stop. */
export function untilStopped(draining: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (draining.aborted) resolve();
    // A pending promise keeps no process alive; a timer does.
    const keepAlive = setInterval(() => {}, 1 << 30);
    draining.addEventListener('abort', () => {
      clearInterval(keepAlive);
      resolve();
    });
  });
}
