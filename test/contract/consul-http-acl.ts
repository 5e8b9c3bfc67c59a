import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AclToken } from '../../src/dev/consul/acl.ts';
import type { ConsulServers, ConsulTarget, Reply } from './consul-http-target.ts';

const tokenOf = (digit: number) => `${String(digit).repeat(8)}-0000-4000-8000-000000000000`;
const [admin, vsync, reader, reduced, unknown] = [1, 2, 3, 4, 5].map(tokenOf);

const tokens: readonly AclToken[] = [
  {
    token: tokenOf(1),
    rules: [{ prefix: '', policy: 'write' }],
    sessionWrite: true,
    agentRead: true,
  },
  {
    token: tokenOf(2),
    rules: [
      { prefix: 'vs/', policy: 'write' },
      { prefix: 'vs/ro/', policy: 'read' },
      { prefix: 'vs/no/', policy: 'deny' },
    ],
  },
  { token: tokenOf(3), rules: [{ prefix: 'vs/', policy: 'read' }], agentRead: true },
  { token: tokenOf(4), rules: [{ prefix: 'sub/tree/', policy: 'write' }], sessionWrite: true },
];

const denied = { status: 403, text: 'Permission denied' };
const notFound = { status: 403, text: 'ACL not found' };

type Send = (token: string | undefined, request: string, body?: string) => Promise<Reply>;

/** What tokens may do and see, on a server that denies by default. */
export function aclFacts(servers: ConsulServers): void {
  describe('ACLs, default deny', () => {
    let consul: ConsulTarget;
    const send: Send = (token, request, body) => {
      const [method = '', path = ''] = request.split(' ');
      const headers = token === undefined ? {} : { 'X-Consul-Token': token };
      return consul.send(method, `/v1/${path}`, { headers, body });
    };
    beforeAll(async () => {
      consul = await servers.startWithAcl(tokens);
      for (const key of ['vs/a', 'vs/ro/b', 'vs/no/c', 'other/x', 'sub/tree/1', 'sub/treetop']) {
        expect((await send(admin, `PUT kv/${key}`, '1')).text).toBe('true');
      }
    });
    afterAll(() => consul?.stop());

    describe('a token', () => tokenFacts(() => consul, send));
    describe('reading', () => readFacts(send));
    describe('writing', () => writeFacts(send));
    describe('a transaction', () => txnFacts(send));
    describe('beside keys', () => otherFacts(send));
  });
}

function tokenFacts(consul: () => ConsulTarget, send: Send): void {
  it.each([
    { name: 'X-Consul-Token', headers: { 'X-Consul-Token': vsync }, query: '', status: 200 },
    { name: 'Authorization: Bearer', headers: { Authorization: `Bearer ${vsync}` }, query: '', status: 200 },
    { name: 'bearer in any case', headers: { Authorization: `BEARER ${vsync}` }, query: '', status: 200 },
    { name: 'Authorization: Basic', headers: { Authorization: `Basic ${vsync}` }, query: '', status: 403 },
    { name: '?token', headers: {}, query: `?token=${vsync}`, status: 200 },
    {
      name: '?token before the header',
      headers: { 'X-Consul-Token': vsync },
      query: `?token=${reader}x`,
      status: 403,
    },
    { name: 'no token', headers: {}, query: '', status: 403 },
  ])('takes a token as $name: $status', async ({ headers, query, status }) => {
    expect((await consul().send('GET', `/v1/kv/vs/a${query}`, { headers: clean(headers) })).status).toBe(
      status,
    );
  });

  it.each([
    'GET kv/vs/a',
    'GET kv/?keys',
    'GET kv/vs/?recurse',
    'PUT kv/vs/a',
    'DELETE kv/vs/a',
    'PUT session/create',
    'GET session/list',
    'GET agent/self',
  ])('answers an unknown token with 403 "ACL not found": %s', async (request) => {
    expect(await send(unknown, request)).toMatchObject(notFound);
  });

  it('answers an unknown token of a transaction alike', async () => {
    const body = JSON.stringify([{ KV: { Verb: 'get', Key: 'vs/a' } }]);
    expect(await send(unknown, 'PUT txn', body)).toMatchObject(notFound);
  });

  it.each(['status/leader', 'status/peers', 'catalog/datacenters'])(
    'asks for no token at %s, not even for a known one',
    async (path) => {
      expect((await send(undefined, `GET ${path}`)).status).toBe(200);
      expect((await send(unknown, `GET ${path}`)).status).toBe(200);
    },
  );
}

function clean(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value ?? '']));
}

function readFacts(send: Send): void {
  it.each([
    { name: 'a key it may read', key: 'vs/ro/b', status: 200 },
    { name: 'a missing key it may read', key: 'vs/missing', status: 404 },
    { name: 'a key it is denied by a longer prefix', key: 'vs/no/c', status: 403 },
    { name: 'a missing key it is denied', key: 'vs/no/missing', status: 403 },
    { name: 'a key without a rule', key: 'other/x', status: 403 },
    { name: 'a missing key without a rule', key: 'other/missing', status: 403 },
  ])('answers the direct GET of $name with $status', async ({ key, status }) => {
    const reply = await send(vsync, `GET kv/${key}`);
    expect(reply.status).toBe(status);
    if (status === 403) expect(reply).toMatchObject(denied);
  });

  it.each([
    { query: '?keys', found: ['vs/a', 'vs/ro/b'] },
    { query: 'vs/?keys', found: ['vs/a', 'vs/ro/b'] },
    { query: 'vs/?keys&separator=/', found: ['vs/a', 'vs/ro/'] },
    { query: '?recurse', found: ['vs/a', 'vs/ro/b'] },
    { query: 'v?recurse', found: ['vs/a', 'vs/ro/b'] },
  ])('leaves out of $query what may not be read, without a word', async ({ query, found }) => {
    const list = (await send(vsync, `GET kv/${query}`)).json as (string | { Key: string })[];
    expect(list.map((item) => (typeof item === 'string' ? item : item.Key))).toEqual(found);
  });

  it.each([
    { query: 'other/?recurse', status: 404, text: '' },
    { query: 'other/?keys', status: 404, text: '' },
    { query: 'vs/no/?recurse', status: 404, text: '' },
  ])('answers $query, all of it denied, with $status', async ({ query, status, text }) => {
    const reply = await send(vsync, `GET kv/${query}`);
    expect(reply).toMatchObject({ status, text });
    expect(reply.index).toBe((await send(admin, `GET kv/${query}`)).index);
  });

  it('shows an empty list at the root to one who may read nothing, and 404 to ?recurse', async () => {
    expect(await send(undefined, 'GET kv/?keys')).toMatchObject({ status: 200, text: '[]' });
    expect(await send(undefined, 'GET kv/?recurse')).toMatchObject({ status: 404, text: '' });
  });

  it('refuses a blocking query at once', async () => {
    const reply = await send(vsync, 'GET kv/other/x?index=1000000&wait=5s');
    expect(reply).toMatchObject(denied);
    expect(reply.ms).toBeLessThan(4_000);
  });
}

function writeFacts(send: Send): void {
  it.each([
    { request: 'PUT kv/vs/new', allowed: true },
    { request: 'PUT kv/vs/ro/b', allowed: false },
    { request: 'PUT kv/vs/no/c', allowed: false },
    { request: 'PUT kv/other/x', allowed: false },
    { request: 'PUT kv/vs/ro/b?cas=1', allowed: false },
    { request: 'DELETE kv/vs/new', allowed: true },
    { request: 'DELETE kv/vs/ro/b', allowed: false },
    { request: 'DELETE kv/vs/no/missing', allowed: false },
    { request: 'DELETE kv/vs/a?recurse', allowed: true },
    { request: 'DELETE kv/vs/?recurse', allowed: false },
    { request: 'DELETE kv/vs/r?recurse', allowed: false },
    { request: 'DELETE kv/v?recurse', allowed: false },
    { request: 'DELETE kv/?recurse', allowed: false },
  ])('$request: allowed $allowed', async ({ request, allowed }) => {
    expect(await send(vsync, request)).toMatchObject(allowed ? { status: 200, text: 'true' } : denied);
  });

  it('lets a tree be deleted below its own rule, not at a shorter prefix', async () => {
    expect(await send(reduced, 'DELETE kv/sub/tree?recurse')).toMatchObject(denied);
    expect(await send(reduced, 'DELETE kv/sub/tree/?recurse')).toMatchObject({ text: 'true' });
    expect((await send(admin, 'GET kv/sub/?keys')).json).toEqual(['sub/treetop']);
  });

  it('refuses bad parameters before it looks at rights', async () => {
    expect((await send(vsync, 'PUT kv/other/x?cas=1&acquire=q')).status).toBe(400);
    expect((await send(vsync, 'PUT kv/other/x?cas=abc')).status).toBe(500);
    expect((await send(unknown, 'GET kv/other/x?dc=nope')).text).toBe('No path to datacenter');
  });
}

function txnFacts(send: Send): void {
  const run = (token: string | undefined, ...operations: object[]) =>
    send(token, 'PUT txn', JSON.stringify(operations.map((operation) => ({ KV: operation }))));
  beforeAll(async () => {
    await send(admin, 'PUT kv/vs/a', '1');
  });

  it('filters what it read: 200 with empty results', async () => {
    const reply = await run(vsync, { Verb: 'get', Key: 'other/x' });
    expect(reply).toMatchObject({ status: 200, json: { Results: [], Errors: null } });
  });

  it('says so if a key that may not be read does not exist', async () => {
    const reply = await run(vsync, { Verb: 'get', Key: 'other/missing' });
    expect(reply).toMatchObject({ status: 409, json: { Errors: [{ OpIndex: 0 }] } });
  });

  it('filters a tree, also next to writes', async () => {
    const reply = await run(
      vsync,
      { Verb: 'set', Key: 'vs/new', Value: 'MQ==' },
      { Verb: 'get-tree', Key: 'v' },
      { Verb: 'get', Key: 'other/x' },
    );
    const { Results } = reply.json as { Results: { KV: { Key: string } }[] };
    expect(Results.map(({ KV }) => KV.Key)).toEqual(['vs/new', 'vs/a', 'vs/new', 'vs/ro/b']);
    await send(admin, 'DELETE kv/vs/new');
  });

  it.each([
    { token: vsync, verb: 'set', key: 'other/x' },
    { token: vsync, verb: 'set', key: 'vs/ro/b' },
    { token: vsync, verb: 'cas', key: 'vs/ro/b' },
    { token: vsync, verb: 'delete', key: 'vs/ro/b' },
    { token: vsync, verb: 'delete-cas', key: 'vs/ro/b' },
    { token: vsync, verb: 'delete-tree', key: 'vs/' },
    { token: vsync, verb: 'lock', key: 'vs/ro/b' },
    { token: vsync, verb: 'unlock', key: 'vs/ro/b' },
    { token: vsync, verb: 'check-index', key: 'other/x' },
    { token: vsync, verb: 'check-session', key: 'other/x' },
    { token: vsync, verb: 'check-not-exists', key: 'vs/ro/missing' },
    { token: vsync, verb: 'nope', key: 'vs/ro/b' },
    { token: reader, verb: 'set', key: 'vs/a' },
    { token: undefined, verb: 'set', key: 'vs/a' },
  ])('answers $verb of $key with 409 "Permission denied"', async ({ token, verb, key }) => {
    const reply = await run(token, { Verb: verb, Key: key });
    expect(reply).toMatchObject({
      status: 409,
      json: { Results: null, Errors: [{ OpIndex: 0, What: 'Permission denied' }] },
    });
  });

  it('lists what is denied before it looks at any data', async () => {
    const reply = await run(
      vsync,
      { Verb: 'get', Key: 'vs/missing' },
      { Verb: 'set', Key: 'vs/a' },
      { Verb: 'set', Key: 'other/x' },
    );
    const { Errors } = reply.json as { Errors: { OpIndex: number }[] };
    expect(Errors.map(({ OpIndex }) => OpIndex)).toEqual([2]);
  });

  it('lets a reader check an index', async () => {
    const reply = await run(reader, { Verb: 'check-index', Key: 'vs/a', Index: 1 });
    expect(reply.json).toMatchObject({
      Errors: [{ What: expect.stringContaining('failed index check') }],
    });
  });
}

function otherFacts(send: Send): void {
  it.each([
    { name: 'may', token: admin, status: 200 },
    { name: 'may, without any right to keys', token: reduced, status: 200 },
    { name: 'may not', token: vsync, status: 403 },
    { name: 'may not, without a token', token: undefined, status: 403 },
  ])('creates sessions for one who $name', async ({ token, status }) => {
    expect((await send(token, 'PUT session/create')).status).toBe(status);
  });

  it('shows sessions to one who has rights to them, and to others none', async () => {
    const { ID: id } = (await send(admin, 'PUT session/create')).json as { ID: string };
    expect((await send(admin, `GET session/info/${id}`)).json).toMatchObject([{ ID: id }]);
    for (const path of [`session/info/${id}`, 'session/list']) {
      expect(await send(vsync, `GET ${path}`)).toMatchObject({ status: 200, text: '[]' });
    }
    expect(await send(vsync, `PUT session/renew/${id}`)).toMatchObject(denied);
    expect(await send(vsync, `PUT session/destroy/${id}`)).toMatchObject(denied);
    const gone = '00000000-0000-4000-8000-000000000000';
    expect((await send(vsync, `PUT session/renew/${gone}`)).status).toBe(404);
    expect((await send(vsync, `PUT session/destroy/${gone}`)).text).toBe('true');
    expect((await send(vsync, `PUT kv/vs/lock?acquire=${id}`)).text, 'the lock needs the key only').toBe(
      'true',
    );
    expect(await send(vsync, `PUT kv/other/lock?acquire=${id}`)).toMatchObject(denied);
  });

  it.each([
    { name: 'agent:read', token: reader, status: 200 },
    { name: 'no right to the agent', token: vsync, status: 403 },
    { name: 'no token', token: undefined, status: 403 },
  ])('describes itself to $name: $status', async ({ token, status }) => {
    expect((await send(token, 'GET agent/self')).status).toBe(status);
  });
}
