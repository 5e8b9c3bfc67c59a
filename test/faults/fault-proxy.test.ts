import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answers, type FaultAction, type FaultProxy, mostUnderWay, startFaultProxy } from './fault-proxy.ts';

/** The proxy of these tests does what it says: else they would prove nothing. */
describe('the fault proxy', () => {
  /** What the server behind it was asked, with bodies. */
  const served: string[] = [];
  const server = createServer(async (incoming, outgoing) => {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    served.push(`${incoming.method} ${incoming.url} ${body}`);
    outgoing.writeHead(201, { 'X-Consul-Index': '7', 'Content-Length': 5 }).end('hello');
  });
  let proxy: FaultProxy;
  beforeEach(async () => {
    served.length = 0;
    if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
    proxy = await startFaultProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    await proxy.close();
    server.closeAllConnections();
    await once(server.close(), 'close');
  });

  interface Got {
    readonly status: number;
    readonly headers: Readonly<Record<string, unknown>>;
    readonly body: string;
  }

  /** The answer, or the code of what became of the connection. */
  function ask(path: string, method = 'GET', body = '', signal?: AbortSignal): Promise<Got | string> {
    return new Promise((resolve) => {
      const sent = request(`${proxy.address}${path}`, { method, signal }, async (answer) => {
        let text = '';
        try {
          for await (const chunk of answer) text += chunk;
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text });
        } catch (error) {
          resolve(`${(error as NodeJS.ErrnoException).code} after "${text}"`);
        }
      });
      sent.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
      sent.end(body);
    });
  }

  const passed = { status: 201, body: 'hello' };

  it('passes everything else on as it is, and writes it down', async () => {
    const answer = await ask('/v1/a%20b?list=true', 'POST', 'a body');
    expect(answer).toMatchObject({ ...passed, headers: { 'x-consul-index': '7' } });
    expect(served).toEqual(['POST /v1/a%20b?list=true a body']);
    expect(proxy.requests).toEqual(['POST /v1/a%20b?list=true']);
    const [seen] = proxy.seen;
    expect(seen).toMatchObject({ method: 'POST', path: '/v1/a%20b?list=true', status: 201 });
    expect(seen?.endedAt).toBeGreaterThanOrEqual(seen?.at ?? Number.NaN);
  });

  it('tells of each request as it comes, and of each answer before it goes back', async () => {
    const told: string[] = [];
    proxy.onRequest(({ method, path }) => told.push(`${method} ${path}, served ${served.length}`));
    proxy.onReply(({ method, path }) => told.push(`${method} ${path} answered, served ${served.length}`));
    proxy.add({ path: /dropped/, action: { kind: 'dropReply' } });
    proxy.add({ path: /refused/, action: answers.forbidden });
    for (const path of ['/a', '/dropped', '/refused']) await ask(path);
    expect(told).toEqual([
      'GET /a, served 0',
      'GET /a answered, served 1',
      'GET /dropped, served 1',
      'GET /dropped answered, served 2',
      'GET /refused, served 2',
    ]);
  });

  it('hits by path, method, body and number', async () => {
    const rule = proxy.add({
      path: /^\/a$/,
      method: 'PUT',
      body: /x/,
      skip: 1,
      times: 2,
      action: answers.sealed,
    });
    const statuses: unknown[] = [];
    const others: [string, string, string][] = [
      ['/b', 'PUT', 'x'],
      ['/a', 'POST', 'x'],
      ['/a', 'PUT', 'y'],
    ];
    for (const [path, method, body] of others) statuses.push(((await ask(path, method, body)) as Got).status);
    for (let i = 0; i < 4; i += 1) statuses.push(((await ask('/a', 'PUT', 'x')) as Got).status);
    expect(statuses).toEqual([201, 201, 201, 201, 503, 503, 201]);
    expect(rule.hits()).toBe(2);
    expect(served).toHaveLength(5);
    proxy.add({ path: /./, action: answers.forbidden });
    proxy.clear();
    expect(await ask('/a')).toMatchObject(passed);
    expect(proxy.requests).toEqual(['GET /a']);
  });

  it.each<{ name: string; action: FaultAction; answer: unknown; reachesServer: boolean }>([
    {
      name: 'an answer',
      action: answers.emptyFolder,
      answer: { status: 404, body: '{"errors":[]}\n' },
      reachesServer: false,
    },
    {
      name: 'a 429 with seconds',
      action: answers.rateLimitedFor(2),
      answer: { status: 429, headers: { 'retry-after': '2' } },
      reachesServer: false,
    },
    {
      name: 'a 307',
      action: { kind: 'redirect', to: 'http://b' },
      answer: { status: 307, headers: { location: 'http://b/a' }, body: '' },
      reachesServer: false,
    },
    { name: 'a reset', action: { kind: 'reset' }, answer: 'ECONNRESET', reachesServer: false },
    { name: 'a lost reply', action: { kind: 'dropReply' }, answer: 'ECONNRESET', reachesServer: true },
    {
      name: 'a cut',
      action: { kind: 'cutAfter', bytes: 3 },
      answer: 'ECONNRESET after "hel"',
      reachesServer: true,
    },
    {
      name: 'a cut before the body',
      action: { kind: 'cutAfter', bytes: 0 },
      answer: 'ECONNRESET after ""',
      reachesServer: true,
    },
    {
      name: 'another answer after the effect',
      action: { kind: 'answerAfterEffect', status: 500, body: 'no' },
      answer: { status: 500, body: 'no' },
      reachesServer: true,
    },
    { name: 'a delay', action: { kind: 'delay', ms: 20 }, answer: passed, reachesServer: true },
  ])('$name', async ({ action, answer, reachesServer }) => {
    proxy.add({ path: /./, action });
    const got = await ask('/a', 'PUT', 'x');
    if (typeof answer === 'string') expect(got).toBe(answer);
    else expect(got).toMatchObject(answer as object);
    expect(served).toEqual(reachesServer ? ['PUT /a x'] : []);
  });

  it('a black hole takes the request and answers nothing', async () => {
    let taken = () => {};
    const hit = new Promise<void>((resolve) => {
      taken = resolve;
    });
    proxy.add({ path: /./, onHit: taken, action: { kind: 'blackHole' } });
    const gaveUp = new AbortController();
    const answer = ask('/a', 'GET', '', gaveUp.signal);
    await hit;
    gaveUp.abort();
    expect(await answer).toBe('ABORT_ERR');
    expect(served).toEqual([]);
  });

  it('what is late reaches the server also when the client has gone', async () => {
    const gaveUp = new AbortController();
    proxy.add({ path: /./, onHit: () => gaveUp.abort(), action: { kind: 'late', ms: 20 } });
    expect(await ask('/a', 'PUT', 'x', gaveUp.signal)).toBe('ABORT_ERR');
    expect(served).toEqual([]);
    await expect.poll(() => served).toEqual(['PUT /a x']);
  });

  it('what is held passes when it is released', async () => {
    let release = () => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    proxy.add({ path: /held/, action: { kind: 'hold', until } });
    const held = ask('/held');
    expect(await ask('/other')).toMatchObject(passed);
    expect(served).toEqual(['GET /other ']);
    release();
    expect(await held).toMatchObject(passed);
  });

  it('the network goes and comes back', async () => {
    proxy.add({ path: /held/, onHit: () => void proxy.down(), action: { kind: 'blackHole' } });
    expect(await ask('/held')).toBe('ECONNRESET');
    expect(await ask('/a')).toBe('ECONNREFUSED');
    await proxy.up();
    expect(await ask('/a')).toMatchObject(passed);
  });

  it('knows how many requests were under way at once', () => {
    const at = (from: number, endedAt?: number) => ({
      method: 'GET',
      path: '/',
      token: undefined,
      status: 200,
      at: from,
      endedAt,
    });
    expect(mostUnderWay([at(0, 10), at(5, 15), at(10, 20), at(12)])).toBe(3);
    expect(mostUnderWay([at(0, 10), at(5, 15)], 5)).toBe(1);
    expect(mostUnderWay([])).toBe(0);
  });
});
