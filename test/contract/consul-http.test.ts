import { afterAll, beforeAll, describe } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { aclFacts } from './consul-http-acl.ts';
import { agentFacts } from './consul-http-agent.ts';
import { blockingFacts } from './consul-http-blocking.ts';
import { kvChangeFacts } from './consul-http-kv-change.ts';
import { kvReadFacts } from './consul-http-kv-read.ts';
import { lockFacts } from './consul-http-locks.ts';
import { pathFacts } from './consul-http-paths.ts';
import { sessionFacts } from './consul-http-sessions.ts';
import { type ConsulServers, type ConsulTarget, devConsuls, realConsuls } from './consul-http-target.ts';
import { txnFacts } from './consul-http-txn.ts';
import { txnRefusalFacts } from './consul-http-txn-refusals.ts';

/**
 * Raw HTTP facts of Consul's KV store, as the real one shows them. The dev server is right only where the real one passes too:
 * where they differ, the dev server is wrong.
 */
function consulHttpContract(servers: ConsulServers): void {
  let shared: ConsulTarget;
  beforeAll(async () => {
    shared = await servers.start();
  });
  afterAll(() => shared?.stop());

  const consul = () => shared;
  kvReadFacts(consul);
  kvChangeFacts(consul);
  pathFacts(consul);
  txnFacts(consul);
  txnRefusalFacts(consul);
  agentFacts(consul);
  blockingFacts(consul);
  sessionFacts(consul);
  lockFacts(consul, servers);
  aclFacts(servers);
}

describe('dev Consul', () => consulHttpContract(devConsuls));
describe.runIf(runRealServers)('real Consul', () => consulHttpContract(realConsuls));
