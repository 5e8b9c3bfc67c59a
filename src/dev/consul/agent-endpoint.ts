/**
 * What Consul says about itself: `/v1/status/…`, `/v1/agent/self`, `/v1/catalog/datacenters`.
 * May import: `state`, `answer`, `acl`, `query`.
 */

import { requirePermission } from './acl.ts';
import { type Answer, json } from './answer.ts';
import { parseQueryOptions } from './query.ts';
import { type Call, type ConsulState, requireDatacenter } from './state.ts';

/** The behaviour emulated here is the one of this version. */
const version = '1.8.7';
/** The address of the server's RPC port, where a real one has it by default. Nothing listens there. */
const leader = '127.0.0.1:8300';

/** `GET /v1/status/leader`: the leader's address. No token is needed, and a wrong one does not matter. */
export function readLeader(state: ConsulState, call: Call): Answer {
  parseQueryOptions(call.params, call.cacheControl);
  requireDatacenter(state, call);
  return json(JSON.stringify(leader));
}

/** `GET /v1/status/peers`: all servers. */
export function readPeers(state: ConsulState, call: Call): Answer {
  parseQueryOptions(call.params, call.cacheControl);
  requireDatacenter(state, call);
  return json(JSON.stringify([leader]));
}

/** `GET /v1/catalog/datacenters`: no token is needed. */
export function readDatacenters(state: ConsulState): Answer {
  return json(JSON.stringify([state.datacenter]));
}

/** `GET /v1/agent/self`: needs `agent:read`. Of the real answer, which also dumps the configuration, the parts that tools look at. */
export function readSelf(state: ConsulState, call: Call): Answer {
  requirePermission(state.acl.permissions(call.token).agentRead);
  const { datacenter, nodeName } = state;
  return json(
    JSON.stringify({
      Config: {
        Datacenter: datacenter,
        NodeName: nodeName,
        NodeID: '00000000-0000-0000-0000-000000000000',
        Revision: '',
        Server: true,
        Version: version,
      },
      Member: {
        Name: nodeName,
        Addr: '127.0.0.1',
        Port: 8301,
        Tags: { dc: datacenter, role: 'consul', build: `${version}:` },
        Status: 1,
      },
      Stats: {
        build: { prerelease: '', revision: '', version },
        consul: { bootstrap: 'false', leader: 'true', leader_addr: leader, server: 'true' },
        raft: { num_peers: '0', state: 'Leader' },
      },
      Meta: {},
    }),
  );
}
