/**
 * An in-memory server that behaves like Consul's KV store, its transactions, sessions and locks: for `vsync dev`, `vsync demo` and tests.
 * `test/contract/consul-http.test.ts` holds it to the same facts as a real Consul 1.8.7. What it does not have: catalog, health, agent
 * and ACL endpoints, the catalog verbs of transactions, further datacenters, snapshots, `?pretty`, TLS, storage.
 * May import: this folder.
 */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AclOptions } from './acl.ts';
import { type Clock, systemClock } from './clock.ts';
import { Faults } from './faults.ts';
import { serve } from './http.ts';
import { textOfKey } from './key-bytes.ts';
import { RequestLog } from './request-log.ts';
import { type ConsulState, createState } from './state.ts';

export interface DevConsulOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** Default `dc1`. */
  readonly datacenter?: string;
  /** Left out, ACLs are off: everyone may do everything. */
  readonly acl?: AclOptions;
  /** Default is the machine's. A `ManualClock` lets a test end sessions and waits without sleeping. */
  readonly clock?: Clock;
  /** Further connections are closed at once, as Consul does above `http_max_conns_per_client` (default 200) of one client. */
  readonly maxConnections?: number;
}

/** One key as a test sees it. */
export interface SnapshotEntry {
  readonly value: Buffer;
  readonly flags: bigint;
  readonly modifyIndex: number;
  /** The holder of its lock, `''` for none. */
  readonly session: string;
}

export interface DevConsul {
  /** e.g. `http://127.0.0.1:41234` */
  readonly address: string;
  readonly requests: RequestLog;
  readonly faults: Faults;
  /** All keys, in the order of their bytes. */
  snapshot(): ReadonlyMap<string, SnapshotEntry>;
  /** Resolves once this many queries are blocked (default 1). */
  untilBlocked(count?: number): Promise<void>;
  /** Ends blocked queries and all connections at once, and stops. Nothing is left behind: no timer, no socket. */
  close(): Promise<void>;
}

/** Starts a server on loopback, with no keys. Throws if the port is taken. */
export async function startDevConsul(options: DevConsulOptions = {}): Promise<DevConsul> {
  const clock = options.clock ?? systemClock;
  const state = createState({ datacenter: options.datacenter ?? 'dc1', acl: options.acl, clock });
  const faults = new Faults((ending) => state.queries.endAll(ending));
  const requests = new RequestLog();
  const closing = new AbortController();
  const needs = { state, faults, requests, clock, closing: closing.signal };
  const server = createServer((request, response) => {
    void serve(needs, request, response);
  });
  server.maxConnections = options.maxConnections ?? 200;
  // Consul keeps idle connections open; a server that closes them would race with the next request of a client.
  server.keepAliveTimeout = 0;
  const address = await listen(server, options.port ?? 0);
  return {
    address,
    requests,
    faults,
    snapshot: () => snapshotOf(state),
    untilBlocked: (count = 1) => state.queries.untilBlocked(count),
    close: () => {
      closing.abort();
      return close(server, state);
    },
  };
}

async function listen(server: Server, port: number): Promise<string> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return `http://127.0.0.1:${address.port}`;
}

/** Closing the connections ends the blocked queries: each sees that its client is gone. */
async function close(server: Server, state: ConsulState): Promise<void> {
  state.sessions.stop();
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

function snapshotOf(state: ConsulState): ReadonlyMap<string, SnapshotEntry> {
  return new Map(
    state.kv
      .list('')
      .map(({ key, value, flags, modifyIndex, session }) => [
        textOfKey(key),
        { value, flags, modifyIndex, session },
      ]),
  );
}
