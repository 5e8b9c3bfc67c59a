import { type Clock, systemClock } from '../base/clock.ts';
import { VsyncError } from '../base/errors.ts';
import type { VaultClient } from './client.ts';
import { badAnswer, NotFound } from './errors.ts';

/** What `GET sys/health` tells of a server that is active. */
export interface VaultHealth {
  readonly version: string;
  /** The same for all nodes of one cluster and no other; "" where a server does not tell. */
  readonly clusterId: string;
  readonly enterprise: boolean;
  /** An upper bound of the server's clock minus ours, in milliseconds: `server_time_utc` is whole seconds, rounded down. */
  readonly clockOffsetMs: number;
}

/**
 * Asks for the health of the active node. No token is needed.
 * Throws `VAULT_SEALED` for a sealed server, `VAULT_UNREACHABLE`; a standby forwards and counts as healthy.
 */
export async function readHealth(
  client: VaultClient,
  signal?: AbortSignal,
  clock: Clock = systemClock,
): Promise<VaultHealth> {
  let sentAt = 0;
  const body = await client.ask({
    method: 'GET',
    // Standbys answer 200 too: reads and writes sent to them are forwarded to the active node.
    path: '/sys/health?standbyok=true&perfstandbyok=true',
    about: 'sys/health',
    authenticated: false,
    namespace: '',
    signal,
    // Of the attempt that is answered: during an outage the first one may lie long back.
    onSend: () => {
      sentAt = clock.now();
    },
  });
  const { version, cluster_id, enterprise, server_time_utc } = (body ?? {}) as Record<string, unknown>;
  if (typeof version !== 'string' || typeof server_time_utc !== 'number') {
    throw badAnswer(
      { side: client.side, address: client.address, method: 'GET', path: 'sys/health', writes: false },
      'it has no version or server_time_utc',
    );
  }
  return {
    version,
    clusterId: typeof cluster_id === 'string' ? cluster_id : '',
    enterprise: enterprise === true || version.includes('+ent'),
    // The second that was cut off may have been almost over.
    clockOffsetMs: server_time_utc * 1000 + 999 - sentAt,
  };
}

/**
 * Makes sure that a configured namespace has an effect. Vault's community edition ignores the header, and everything would land
 * in the root namespace. Throws `NAMESPACE_IGNORED`.
 */
export async function proveNamespace(
  client: VaultClient,
  health: VaultHealth,
  signal?: AbortSignal,
): Promise<void> {
  if (client.namespace === undefined || client.namespace === '' || health.enterprise) return;
  if (await unknownNamespaceIsRefused(client, signal)) return;
  throw new VsyncError({
    code: 'NAMESPACE_IGNORED',
    side: client.side,
    server: 'vault',
    address: client.address,
    message: `the ${client.side} Vault has no namespaces (${health.version}), but ${client.side}.vault.namespace is "${client.namespace}"`,
    why: 'the community edition ignores the namespace: secrets would be read from and written to the root',
    hint: `remove ${client.side}.vault.namespace, or use Vault Enterprise or OpenBao 2.3 or later`,
  });
}

/** OpenBao is not "enterprise" and yet has namespaces: there, an unknown one is a 404 with an error, which a random name shows. */
async function unknownNamespaceIsRefused(
  client: VaultClient,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    const namespace = `vsync-probe-${crypto.randomUUID()}`;
    const about = 'sys/internal/ui/mounts';
    await client.ask(
      { method: 'GET', path: `/${about}`, about, authenticated: false, namespace, signal },
      true,
    );
    return false;
  } catch (error) {
    if (error instanceof NotFound) return true;
    throw error;
  }
}
