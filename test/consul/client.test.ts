import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VsyncError } from '../../src/base/errors.ts';
import { RetryBudget } from '../../src/base/retry.ts';
import type { ConsulClient } from '../../src/consul/client.ts';
import { consulClient } from '../contract/consul-client-target.ts';
import {
  answer,
  type Behaviour,
  cutInBody,
  cutInChunks,
  HostileServer,
  hangUp,
  head,
  reset,
  stall,
  stallInBody,
  stallInHeaders,
} from '../vault/hostile-server.ts';
import { expectNoLeak } from '../vault/leaks.ts';

const token = 'canary-token';
const headers = { 'Content-Type': 'application/json', 'X-Consul-Index': '7' };
const found = '[{"Key":"a","Value":"e30=","Flags":0,"ModifyIndex":7}]';

let server: HostileServer;
let consul: ConsulClient;
beforeEach(async () => {
  server = await HostileServer.start(answer(200, found, headers));
  consul = consulClient(server.address, { token });
});
afterEach(async () => {
  consul.close();
  await server.close();
});

/** Every call that a cycle makes, with an answer that is right for it. */
const calls: {
  name: string;
  writes: boolean;
  good: Behaviour;
  call: (client: ConsulClient, scope?: object) => Promise<unknown>;
}[] = [
  {
    name: 'get',
    writes: false,
    good: answer(200, found, headers),
    call: (client, scope) => client.get('a', scope),
  },
  {
    name: 'keys',
    writes: false,
    good: answer(200, '["a"]', headers),
    call: (client, scope) => client.keys('a', scope),
  },
  {
    name: 'put',
    writes: true,
    good: answer(200, 'true'),
    call: (client, scope) => client.put('a', 'canary-value', scope),
  },
  {
    name: 'put with a check',
    writes: true,
    good: answer(200, 'false'),
    call: (client, scope) => client.put('a', 'canary-value', scope, 3),
  },
  {
    name: 'delete',
    writes: true,
    good: answer(200, 'true'),
    call: (client, scope) => client.delete('a', scope),
  },
  {
    name: 'a transaction',
    writes: true,
    good: answer(200, '{"Results":[],"Errors":null}'),
    call: (client, scope) => client.transaction([{ Verb: 'set', Key: 'a', Value: 'canary-value' }], scope),
  },
];

async function failure(calling: Promise<unknown>): Promise<VsyncError> {
  const error: unknown = await calling.then(
    (value) => {
      throw new Error(`it did not fail: ${JSON.stringify(value)}`);
    },
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(VsyncError);
  expectNoLeak(error, /canary/);
  return error as VsyncError;
}

/** Answers in this order, and then the last one for ever. */
function inOrder(...behaviours: Behaviour[]): Behaviour {
  return (socket, request) => {
    const next = behaviours.length > 1 ? behaviours.shift() : behaviours[0];
    next?.(socket, request);
  };
}

describe.each(calls)('$name', ({ writes, good, call }) => {
  it('takes a good answer', async () => {
    server.behave = good;
    await call(consul);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]?.headers['x-consul-token']).toBe(token);
    expect(server.requests[0]?.target, 'the token is in the header only').not.toContain('canary');
  });

  const broken: { name: string; behave: Behaviour; timeoutMs?: number }[] = [
    { name: 'a server that does not answer', behave: stall, timeoutMs: 40 },
    { name: 'a stall in the headers', behave: stallInHeaders, timeoutMs: 40 },
    { name: 'a stall in the body', behave: stallInBody('['), timeoutMs: 40 },
    // These settle at once, long before the timeout of 30 s.
    { name: 'an answer cut in the body', behave: cutInBody('[') },
    { name: 'an answer cut between chunks', behave: cutInChunks },
    { name: 'a reset', behave: reset },
    { name: 'a hang-up', behave: hangUp },
    { name: 'what is no HTTP', behave: (socket) => socket.end('SSH-2.0-canary\r\n') },
  ];
  it.each(broken)(
    'fails by $name: unreachable, to be retried unless it may have had its effect',
    async ({ behave, timeoutMs }) => {
      const client = consulClient(server.address, {
        token,
        ...(timeoutMs !== undefined && { requestTimeoutMs: timeoutMs }),
      });
      server.behave = behave;
      expect(await failure(call(client))).toMatchObject({
        code: 'CONSUL_UNREACHABLE',
        class: 'transient',
        retryable: true,
        ambiguous: writes,
        ...(timeoutMs !== undefined && { why: expect.stringContaining('TIMEOUT') }),
      });
      client.close();
    },
  );

  const foreign: { name: string; behave: Behaviour }[] = [
    { name: "a proxy's page", behave: answer(200, '<html>canary</html>', { 'Content-Type': 'text/html' }) },
    { name: "a proxy's page with Consul's type", behave: answer(200, '"canary"', headers) },
    { name: 'nothing', behave: answer(200, '', {}) },
    { name: 'nothing of Consul’s type', behave: answer(200, '', headers) },
    { name: 'JSON null', behave: answer(200, 'null', headers) },
    { name: 'an empty object', behave: answer(200, '{}', headers) },
    { name: 'an empty list of an unknown server', behave: answer(200, '[]') },
    {
      name: 'a list of something else',
      behave: answer(200, '[{"canary":1}]', { 'Content-Type': 'application/json' }),
    },
  ];
  it.each(foreign)('refuses $name: that is not Consul’s', async ({ behave }) => {
    server.behave = behave;
    expect(await failure(call(consul))).toMatchObject({
      code: 'CONSUL_REFUSED',
      class: 'transient',
      retryable: !writes,
      ambiguous: writes,
      hint: expect.stringContaining('really a Consul'),
    });
  });

  it('refuses broken JSON without a quote', async () => {
    server.behave = answer(200, '[{"Value":"canary"', headers);
    expect(await failure(call(consul))).toMatchObject({ class: 'transient', ambiguous: writes });
  });

  it('does not take a 404 of a proxy for "nothing there"', async () => {
    server.behave = answer(404, '404 page not found', { 'Content-Type': 'text/plain' });
    expect(await failure(call(consul))).toMatchObject({ code: 'CONSUL_REFUSED', status: 404 });
  });

  it.each([301, 302, 307, 308])(
    'does not follow a redirect %i, and sends the token nowhere else',
    async (status) => {
      const elsewhere = await HostileServer.start();
      server.behave = answer(status, '', { Location: `${elsewhere.address}/v1/kv/a` });
      const error = await failure(call(consul));
      expect(error).toMatchObject({ code: 'CONSUL_REFUSED', status });
      expect(elsewhere.connections).toBe(0);
      await elsewhere.close();
    },
  );

  it('is ended by the signal, with its reason', async () => {
    for (const behave of [stall, stallInHeaders, stallInBody('[')]) {
      const stop = new AbortController();
      server.behave = behave;
      const calling = call(consul, { signal: stop.signal });
      await server.untilRequests(server.requests.length + 1);
      const reason = new Error('enough');
      stop.abort(reason);
      await expect(calling).rejects.toBe(reason);
    }
  });

  it('sends nothing when the signal is aborted before', async () => {
    const reason = new Error('too late');
    await expect(call(consul, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(server.connections).toBe(0);
  });

  it(`is ${writes ? 'never sent again when it may have had its effect' : 'sent again until there is an answer'}`, async () => {
    const patient = consulClient(server.address, { retry: { retries: 4, baseMs: 0, maxMs: 0 } });
    server.behave = inOrder(answer(500, 'No cluster leader'), reset, good);
    if (writes) {
      expect(await failure(call(patient))).toMatchObject({ code: 'CONSUL_UNAVAILABLE', ambiguous: true });
      expect(server.requests).toHaveLength(1);
    } else {
      await call(patient);
      expect(server.requests).toHaveLength(3);
      expect(patient.requestsSent).toBe(3);
    }
    patient.close();
  });

  it('is sent again after a 429, which has no effect', async () => {
    const patient = consulClient(server.address, { retry: { retries: 4, baseMs: 0, maxMs: 0 } });
    server.behave = inOrder(answer(429), answer(429), good);
    await call(patient);
    expect(server.requests).toHaveLength(3);
    patient.close();
  });
});

describe('an answer', () => {
  it('404 with an index is "nothing there"', async () => {
    server.behave = answer(404, '', { 'X-Consul-Index': '12' });
    expect(await consul.get('a')).toBeUndefined();
    expect(await consul.keys('a')).toEqual({ keys: [], index: '12' });
  });

  it('false is a check that did not hold', async () => {
    server.behave = answer(200, 'false');
    expect(await consul.put('a', 'b', {}, 7)).toBe(false);
    expect(server.requests[0]?.target).toContain('cas=7');
  });

  it('is one entry with its value decoded, and the flags if there are any', async () => {
    server.behave = answer(200, '[{"Key":"a","Value":"w7w=","Flags":42,"ModifyIndex":7}]', headers);
    expect(await consul.get('a')).toEqual({ value: 'ü', modifyIndex: 7, flags: 42 });
    server.behave = answer(200, '[{"Key":"a","Value":null,"Flags":0,"ModifyIndex":7}]', headers);
    expect(await consul.get('a')).toEqual({ value: '', modifyIndex: 7 });
  });

  it('409 to a transaction says which operations were refused; the texts are for people only', async () => {
    server.behave = answer(409, '{"Results":null,"Errors":[{"OpIndex":1,"What":"index is stale"}]}');
    expect(await consul.transaction([{ Verb: 'set', Key: 'a', Value: '' }])).toEqual({
      kind: 'refused',
      operations: [1],
      what: ['index is stale'],
    });
  });

  it.each([
    { name: 'without JSON', body: 'conflict', type: 'text/plain' },
    { name: 'without errors', body: '{"Results":null,"Errors":[]}', type: 'application/json' },
  ])('409 $name is not Consul’s: nothing is known of the transaction', async ({ body, type }) => {
    server.behave = answer(409, body, { 'Content-Type': type });
    expect(await failure(consul.transaction([{ Verb: 'set', Key: 'a', Value: '' }]))).toMatchObject({
      ambiguous: true,
    });
  });
});

describe('a request', () => {
  it('carries datacenter, partition and namespace', async () => {
    const far = consulClient(server.address, { datacenter: 'dc2', partition: 'p', namespace: 'team' });
    await far.get('a/b');
    far.close();
    const [request] = server.requests;
    expect(new URLSearchParams(request?.target.split('?')[1])).toEqual(
      new URLSearchParams({ dc: 'dc2', partition: 'p' }),
    );
    expect(request?.target).toMatch(/^\/v1\/kv\/a%2Fb\?/);
    expect(request?.headers['x-consul-namespace']).toBe('team');
    expect(request?.headers).not.toHaveProperty('x-consul-token');
  });

  it('has its length: only that is checked against the limit of a value', async () => {
    server.behave = answer(200, 'true');
    await consul.put('a', 'ü'.repeat(10));
    expect(server.requests[0]).toMatchObject({ body: 'ü'.repeat(10), headers: { 'content-length': '20' } });
    expect(server.requests[0]?.headers).not.toHaveProperty('transfer-encoding');
  });

  it('keeps its connection for the next ones', async () => {
    for (let i = 0; i < 9; i += 1) await consul.get('a');
    expect(server.connections).toBe(1);
  });

  it('waits for a place when 64 are under way', async () => {
    const waiting: (() => void)[] = [];
    const rounds: number[] = [];
    server.behave = (socket, request) => {
      waiting.push(() => answer(200, found, headers)(socket, request));
      if (waiting.length < 64) return;
      setImmediate(() => {
        rounds.push(waiting.length);
        for (const reply of waiting.splice(0)) reply();
      });
    };
    await Promise.all(Array.from({ length: 64 * 5 }, () => consul.get('a')));
    expect(rounds).toEqual(new Array(5).fill(64));
    expect(server.connections).toBe(64);
  });

  it('leaves no listener on the signal, and warns of none', async () => {
    const warnings: string[] = [];
    const note = (warning: Error) => warnings.push(warning.name);
    process.on('warning', note);
    const { signal } = new AbortController();
    for (let i = 0; i < 40; i += 1) await consul.get('a', { signal });
    await new Promise(setImmediate);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  it('takes its retries from the budget of the cycle, and waits as the server asks', async () => {
    const patient = consulClient(server.address, { retry: { retries: 9, baseMs: 0, maxMs: 0 } });
    server.behave = answer(500, 'No cluster leader', { 'Retry-After': '3' });
    const budget = new RetryBudget(2);
    expect(await failure(patient.get('a', { budget }))).toMatchObject({ retryAfterMs: 3000 });
    expect(server.requests).toHaveLength(3);
    patient.close();
  });
});

describe('a blocking query', () => {
  const never = new AbortController().signal;

  it('waits longer than it asks Consul to, and is not sent again', async () => {
    server.behave = answer(500, 'rpc error making call: EOF');
    const patient = consulClient(server.address, {
      requestTimeoutMs: 1,
      retry: { retries: 9, baseMs: 0, maxMs: 0 },
    });
    expect(await failure(patient.getBlocking('a', '7', 60_000, never))).toMatchObject({
      code: 'CONSUL_UNAVAILABLE',
    });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]?.target).toMatch(/index=7/);
    expect(server.requests[0]?.target).toMatch(/wait=60s/);
    patient.close();
  });

  it('that is cut off fails at once', async () => {
    server.behave = (socket) => socket.end(`${head(200, { ...headers, 'Content-Length': '1000' })}[`);
    expect(await failure(consul.getBlocking('a', '7', 60_000, never))).toMatchObject({
      code: 'CONSUL_UNREACHABLE',
    });
  });

  it('does not take a page of a proxy for a key that has gone', async () => {
    server.behave = answer(404, 'not found', { 'Content-Type': 'text/plain' });
    expect(await failure(consul.getBlocking('a', '7', 60_000, never))).toMatchObject({
      code: 'CONSUL_REFUSED',
    });
  });
});

describe('close', () => {
  it('fails what is under way', async () => {
    server.behave = stall;
    const failing = failure(consul.put('a', 'canary-value'));
    await server.untilRequests();
    consul.close();
    expect(await failing).toMatchObject({ code: 'CONSUL_UNREACHABLE', ambiguous: true });
  });
});
