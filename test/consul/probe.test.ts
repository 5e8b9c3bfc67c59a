import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VsyncError } from '../../src/base/errors.ts';
import type { ConsulClient } from '../../src/consul/client.ts';
import { agentDatacenter, probeOwnPrefix, probeReadable } from '../../src/consul/probe.ts';
import { type DevConsul, startDevConsul } from '../../src/dev/consul/dev-consul.ts';
import { cannedAnswers, type FaultRequest } from '../../src/dev/consul/faults.ts';
import { consulClient } from '../contract/consul-client-target.ts';

let server: DevConsul;
let consul: ConsulClient;
beforeEach(async () => {
  server = await startDevConsul();
  consul = consulClient(server.address);
});
afterEach(async () => {
  consul.close();
  await server.close();
});

const prefix = 'vsync/origin/';
const left = () => [...server.snapshot().keys()];
const lists = ({ target }: FaultRequest) => target.includes('keys');
const reads = ({ method, target }: FaultRequest) => method === 'GET' && !target.includes('keys');
const nothing = { status: 404, headers: { 'X-Consul-Index': '7' } };

describe('the probe of an own prefix', () => {
  it('costs four requests and leaves nothing', async () => {
    await probeOwnPrefix(consul, prefix);
    expect(Object.fromEntries(server.requests.counts)).toEqual({
      'PUT kv': 1,
      'GET keys': 1,
      'GET kv': 1,
      'DELETE kv': 1,
    });
    expect(server.requests.lines[0]).toMatch(/^PUT \/v1\/kv\/vsync%2Forigin%2FvsyncChecks%2F[0-9a-f-]{36}$/);
    expect(left()).toEqual([]);
  });

  it.each([
    { name: 'a list that is silently filtered', match: lists, message: /list the keys/ },
    { name: 'a key that cannot be read back', match: reads, message: /read back a key/ },
  ])('names what is missing: $name; its key is deleted all the same', async ({ match, message }) => {
    server.faults.add({ match, action: { kind: 'answer', answer: nothing } });
    await expect(probeOwnPrefix(consul, prefix)).rejects.toMatchObject({
      code: 'CONSUL_FORBIDDEN',
      class: 'fatal',
      message: expect.stringMatching(message),
      hint: 'rule: key_prefix "vsync/origin/" { policy = "write" }',
    });
    expect(left()).toEqual([]);
  });

  it('passes on what a request fails with, and deletes its key', async () => {
    server.faults.add({ match: lists, action: { kind: 'answer', answer: cannedAnswers.noLeader } });
    await expect(probeOwnPrefix(consul, prefix)).rejects.toMatchObject({ code: 'CONSUL_UNAVAILABLE' });
    expect(left()).toEqual([]);
  });
});

describe('the probe of a prefix to read', () => {
  it('is one read, whether there is something or not', async () => {
    await probeReadable(consul, prefix);
    await consul.put(`${prefix}index`, '[]');
    server.requests.reset();
    await probeReadable(consul, prefix);
    expect(server.requests.lines).toEqual(['GET /v1/kv/vsync%2Forigin%2Findex']);
  });

  it('throws when it is forbidden', async () => {
    server.faults.add({ match: reads, action: { kind: 'answer', answer: cannedAnswers.permissionDenied } });
    await expect(probeReadable(consul, prefix)).rejects.toMatchObject({ code: 'CONSUL_FORBIDDEN' });
  });
});

describe('the datacenter of the agent', () => {
  it('is what it says', async () => {
    expect(await agentDatacenter(consul)).toBe('dc1');
  });

  it('is unknown without agent:read, and a failure otherwise', async () => {
    const isAgent = ({ path }: FaultRequest) => path.startsWith('agent');
    server.faults.add({
      match: isAgent,
      times: 1,
      action: { kind: 'answer', answer: cannedAnswers.permissionDenied },
    });
    expect(await agentDatacenter(consul)).toBeUndefined();
    server.faults.add({ match: isAgent, action: { kind: 'answer', answer: cannedAnswers.noLeader } });
    await expect(agentDatacenter(consul)).rejects.toBeInstanceOf(VsyncError);
  });
});
