import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ConsulTarget, Reply } from './consul-http-target.ts';

interface Session {
  readonly ID: string;
  readonly Name: string;
  readonly LockDelay: number;
  readonly CreateIndex: number;
}

/** Sessions. */
export function sessionFacts(consul: () => ConsulTarget): void {
  describe('a session', () => {
    createFacts(consul);
    lifeFacts(consul);
  });
}

/** `PUT /v1/session/<path>`. */
export function putSession(consul: ConsulTarget, path: string, body?: unknown): Promise<Reply> {
  const options = body === undefined ? {} : { body: JSON.stringify(body) };
  return consul.send('PUT', `/v1/session/${path}`, options);
}

/** Creates a session and returns its id. */
export async function createSession(consul: ConsulTarget, body?: unknown): Promise<string> {
  const reply = await putSession(consul, 'create', body);
  expect(reply.status, reply.text).toBe(200);
  return (reply.json as Session).ID;
}

/** The sessions that `info` shows: one or none. */
export async function sessionInfo(consul: ConsulTarget, id: string): Promise<readonly Session[]> {
  return (await consul.send('GET', `/v1/session/info/${id}`)).json as Session[];
}

function createFacts(consul: () => ConsulTarget): void {
  it('has these defaults', async () => {
    const id = await createSession(consul());
    expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const [session] = await sessionInfo(consul(), id);
    expect(session).toEqual({
      ID: id,
      Name: '',
      Node: expect.any(String),
      LockDelay: 15_000_000_000,
      Behavior: 'release',
      TTL: '',
      NodeChecks: ['serfHealth'],
      ServiceChecks: null,
      CreateIndex: expect.any(Number),
      ModifyIndex: session?.CreateIndex,
    });
  });

  it.each([
    { body: { Name: 'n<b>', TTL: '15s', LockDelay: '0s', Behavior: 'delete' }, shown: { LockDelay: 0 } },
    { body: { TTL: '86400s' }, shown: { TTL: '86400s' } },
    { body: { TTL: '0s' }, shown: { TTL: '0s' } },
    { body: { TTL: null }, shown: { TTL: '' } },
    { body: { name: 'any case', ttl: '1m' }, shown: { Name: 'any case', TTL: '1m' } },
    { body: { LockDelay: 5 }, shown: { LockDelay: 5_000_000_000 } },
    { body: { LockDelay: 1_500 }, shown: { LockDelay: 1_500 } },
    { body: { LockDelay: '999s' }, shown: { LockDelay: 999_000_000_000 } },
    { body: { Checks: [] }, shown: { NodeChecks: [] } },
    { body: { NodeChecks: [] }, shown: { NodeChecks: [] } },
    { body: { Unknown: 1, ID: '5e1f0e8e-0000-0000-0000-000000000000' }, shown: { Name: '' } },
  ])('may be asked for with $body', async ({ body, shown }) => {
    const id = await createSession(consul(), body);
    expect(await sessionInfo(consul(), id)).toMatchObject([{ ID: id, ...shown }]);
  });

  it.each([
    {
      body: { TTL: '9s' },
      status: 500,
      text: "Invalid Session TTL '9000000000', must be between [10s=24h0m0s]",
    },
    {
      body: { TTL: '86401s' },
      status: 500,
      text: "Invalid Session TTL '86401000000000', must be between [10s=24h0m0s]",
    },
    {
      body: { TTL: '15' },
      status: 500,
      text: 'Session TTL \'15\' invalid: time: missing unit in duration "15"',
    },
    { body: { TTL: 'abc' }, status: 500, text: 'Session TTL \'abc\' invalid: time: invalid duration "abc"' },
    { body: { Behavior: 'keep' }, status: 500, text: "Invalid Behavior setting 'keep'" },
    { body: { Node: 'elsewhere' }, status: 500, text: 'Missing node registration' },
    { body: { Node: '' }, status: 500, text: 'Must provide Node' },
    { body: { NodeChecks: ['nope'] }, status: 500, text: "Missing check 'nope' registration" },
    { body: { LockDelay: 'abc' }, status: 400, text: 'Request decode failed: ' },
    { body: { Name: 5 }, status: 400, text: 'Request decode failed: ' },
    { body: [], status: 400, text: 'Request decode failed: ' },
  ])('may not be asked for with $body', async ({ body, status, text }) => {
    const reply = await putSession(consul(), 'create', body);
    expect(reply.status).toBe(status);
    expect(reply.text).toContain(text);
  });

  it('is the default one if the body comes without Content-Length', async () => {
    const body = JSON.stringify({ Name: 'chunked' });
    const reply = await consul().send('PUT', '/v1/session/create', { body, chunked: true });
    expect(await sessionInfo(consul(), (reply.json as Session).ID)).toMatchObject([{ Name: '' }]);
  });

  it('belongs to a datacenter', async () => {
    const reply = await putSession(consul(), 'create?dc=nope', {});
    expect(reply).toMatchObject({ status: 500, text: 'No path to datacenter' });
  });
}

function lifeFacts(consul: () => ConsulTarget): void {
  const unknown = randomUUID();

  it('is listed and found until it is destroyed', async () => {
    const id = await createSession(consul());
    const list = await consul().send('GET', '/v1/session/list');
    expect(list.json).toEqual(expect.arrayContaining([expect.objectContaining({ ID: id })]));
    expect(list.index).toBeGreaterThan(1);
    expect(await putSession(consul(), `destroy/${id}`)).toMatchObject({ status: 200, text: 'true' });
    expect(await sessionInfo(consul(), id)).toEqual([]);
    const after = await consul().send('GET', '/v1/session/list');
    expect(after.text).not.toContain(id);
    expect(after.index).toBeGreaterThan(list.index);
  });

  it('can be renewed, with or without a TTL', async () => {
    for (const body of [{ TTL: '10s' }, {}]) {
      const id = await createSession(consul(), body);
      const reply = await putSession(consul(), `renew/${id}`);
      expect(reply).toMatchObject({ status: 200, json: [{ ID: id }] });
      expect(reply.headers['x-consul-index']).toBeUndefined();
    }
  });

  it('wakes a query blocked on it when it ends', async () => {
    const id = await createSession(consul());
    const { index } = await consul().send('GET', `/v1/session/info/${id}`);
    const blocked = consul().send('GET', `/v1/session/info/${id}?index=${index}&wait=5s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
    await putSession(consul(), `destroy/${id}`);
    const reply = await blocked;
    expect(reply).toMatchObject({ status: 200, json: [] });
    expect(reply.index).toBeGreaterThan(index);
    expect(reply.ms).toBeLessThan(4_000);
  });

  it.each([
    { request: `PUT renew/${unknown}`, status: 404, text: `Session id '${unknown}' not found` },
    { request: `PUT destroy/${unknown}`, status: 200, text: 'true' },
    { request: `GET info/${unknown}`, status: 200, text: '[]' },
    { request: 'PUT renew/', status: 400, text: 'Missing session' },
    { request: 'PUT destroy/', status: 400, text: 'Missing session' },
    { request: 'GET info/', status: 400, text: 'Missing session' },
    {
      request: 'PUT renew/abc',
      status: 500,
      text: 'failed session lookup: index error: UUID must be 36 characters',
    },
    {
      request: 'PUT destroy/abc',
      status: 500,
      text: 'failed session lookup: index error: UUID must be 36 characters',
    },
    {
      request: 'GET info/abc',
      status: 500,
      text: 'failed session lookup: index error: UUID must be 36 characters',
    },
    { request: 'GET list?stale&consistent', status: 400, text: 'Cannot specify ?stale with ?consistent' },
    { request: 'GET list?dc=nope', status: 500, text: 'No path to datacenter' },
    { request: `PUT renew/${unknown}?dc=nope`, status: 500, text: 'No path to datacenter' },
  ])('answers $request with $status', async ({ request, status, text }) => {
    const [method = '', path = ''] = request.split(' ');
    const reply = await consul().send(method, `/v1/session/${path}`);
    expect(reply.status).toBe(status);
    expect(reply.text).toContain(text);
  });
}
