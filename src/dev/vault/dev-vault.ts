import { once } from 'node:events';
import { createServer } from 'node:net';
import { Core, type Snapshot } from './core.ts';
import type { Faults } from './faults.ts';
import { systemClock } from './go-time.ts';
import { HttpFront } from './http-front.ts';
import type { Flavour } from './logical.ts';
import type { RequestLog } from './request-log.ts';
import { SysStatus } from './sys-status.ts';

/**
 * An in-memory server that speaks the HTTP API of HashiCorp Vault 1.18.0 or OpenBao 2.5.5 on loopback, as far as vsync can see it: KV v1
 * and v2, mounts, policies, tokens, AppRole, health, seal. `test/contract/vault-http.test.ts` holds it to the real server.
 *
 * Not there: TLS, standbys and forwarding (faults play them), audit, quotas, identity and entities, cubbyhole, unwrapping, leases,
 * token roles, other auth methods, namespaces of OpenBao but the root, policies that restrict parameters or wrapping (refused with 400)
 * or filter listings, `?help`, the user interface.
 */

export interface DevVaultOptions {
  readonly flavour: Flavour;
  /** TCP port on 127.0.0.1; 0, the default, takes a free one. */
  readonly port?: number;
  /** Default `root`. */
  readonly rootToken?: string;
  /** Nanoseconds since 1970. Deletion times and token lifetimes go by it, so a test can move time without waiting. */
  readonly clock?: () => bigint;
  /** Status of the redirect to a cleaned path: 307 (servers built with Go 1.26, the default) or 301 (older ones). */
  readonly redirectStatus?: 301 | 307;
  /** Largest value in bytes, 500 above. Default as with the storage that each is mostly run on: none for Vault, 1 MiB for OpenBao. */
  readonly maxEntryBytes?: number;
}

export interface DevVault {
  /** `http://127.0.0.1:<port>` */
  readonly address: string;
  readonly rootToken: string;
  /** For `PUT sys/unseal`, after `PUT sys/seal`. */
  readonly unsealKey: string;
  readonly flavour: Flavour;
  /** What was asked so far. */
  readonly requests: RequestLog;
  /** Failures to switch on. */
  readonly faults: Faults;
  /** The data of all KV mounts now, for the fault `stale`. */
  snapshot(): Snapshot;
  /** Cuts all connections and frees the port. */
  close(): Promise<void>;
}

/** OpenBao's raft storage refuses larger entries; Vault's dev server keeps its data in memory and takes any. */
const raftMaxEntryBytes = 1024 * 1024;

/** Starts a server with KV v2 mounted at `secret/`, like `vault server -dev`. Rejects if the port is taken. */
export async function startDevVault(options: DevVaultOptions): Promise<DevVault> {
  const { flavour, rootToken = 'root', clock = systemClock(), port = 0, redirectStatus = 307 } = options;
  const maxEntryBytes =
    options.maxEntryBytes ?? (flavour === 'openbao' ? raftMaxEntryBytes : Number.POSITIVE_INFINITY);
  const core = new Core({ flavour, rootToken, clock, maxEntryBytes });
  const status = new SysStatus(core);
  const front = new HttpFront({ core, status, redirectStatus });
  const server = createServer((socket) => front.accept(socket));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the server has no TCP port');
  return {
    address: `http://127.0.0.1:${bound.port}`,
    rootToken,
    unsealKey: status.unsealKey,
    flavour,
    requests: front.requests,
    faults: front.faults,
    snapshot: () => core.snapshot(),
    close: async () => {
      front.close();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}
