import { createServer } from 'node:net';
import type { Pool } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VsyncError } from '../../src/base/errors.ts';
import { NotFound } from '../../src/vault/errors.ts';
import { openPool, Redirected, vaultTransport } from '../../src/vault/transport.ts';
import { freePort } from '../servers/processes.ts';
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
} from './hostile-server.ts';
import { expectNoLeak } from './leaks.ts';

/** In the token and in what is written: must be in no error. */
const canary = 'canary';

let server: HostileServer;
let pool: Pool;
beforeEach(async () => {
  server = await HostileServer.start();
  pool = openPool(server.address, 4);
});
afterEach(async () => {
  await pool.destroy();
  await server.close();
});

interface Options {
  readonly method?: string;
  readonly json?: unknown;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly parse?: (text: string) => unknown;
  readonly headers?: Record<string, string>;
  readonly path?: string;
}

function send({
  method = 'GET',
  timeoutMs = 30_000,
  headers = {},
  path = '/v1/secret/data/a',
  ...rest
}: Options = {}) {
  return vaultTransport.defaults()({
    pool,
    method,
    uri: `${server.address}${path}`,
    headers: { 'X-Vault-Token': `s.${canary}`, ...headers },
    about: {
      side: 'origin',
      address: server.address,
      method,
      path: 'secret/data/a',
      writes: method !== 'GET',
    },
    timeoutMs,
    ...rest,
  });
}

/** What a request fails with; the test fails if it does not, and if anything secret is in it. */
async function failure(behave: Behaviour, options: Options = {}): Promise<unknown> {
  server.behave = behave;
  const error: unknown = await send(options).then(
    (value) => {
      throw new Error(`it did not fail: ${JSON.stringify(value)}`);
    },
    (thrown: unknown) => thrown,
  );
  expectNoLeak(error, canary);
  return error;
}

const write = { method: 'POST', json: { data: { password: canary } } } as const;

describe('an answer', () => {
  it.each([
    {
      name: '200 with JSON',
      behave: answer(200, '{"data":{"keys":["a"]}}\n'),
      body: { data: { keys: ['a'] } },
    },
    { name: '204', behave: answer(204, '', {}), body: '' },
  ])(
    '$name is given back, without a path that node-vault could take for sys/health',
    async ({ behave, body }) => {
      server.behave = behave;
      expect(await send()).toEqual({ statusCode: expect.any(Number), body, request: { path: '' } });
    },
  );

  it('in chunks is put together', async () => {
    server.behave = (socket) =>
      socket.write(`${head(200, { 'Transfer-Encoding': 'chunked' })}5\r\n{"a":\r\n3\r\n1}\n\r\n0\r\n\r\n`);
    expect(await send()).toMatchObject({ body: { a: 1 } });
  });

  it('is read by the parser of the call', async () => {
    server.behave = answer(200, '{"data":12345678901234567890}');
    expect(await send({ parse: (text) => text.length })).toMatchObject({ body: 29 });
  });
});

describe('a request', () => {
  it('sends a text as it is, with its type', async () => {
    const json = '{"data": {"n":12345678901234567890}}';
    await send({ method: 'POST', json });
    expect(server.requests[0]).toMatchObject({
      method: 'POST',
      body: json,
      headers: { 'content-type': 'application/json', 'content-length': `${json.length}` },
    });
  });

  it('sends an object as JSON', async () => {
    await send({ method: 'POST', json: { a: [1, 'ü'] } });
    expect(server.requests[0]?.body).toBe('{"a":[1,"ü"]}');
  });

  it('has no body and no type without one', async () => {
    await send();
    expect(server.requests[0]?.body).toBe('');
    expect(server.requests[0]?.headers).not.toHaveProperty('content-type');
  });

  it('leaves path and query as they are', async () => {
    await send({ path: '/v1/a%20b/%23%3F%25/%E2%82%AC?list=true&x=%2F' });
    expect(server.requests[0]?.target).toBe('/v1/a%20b/%23%3F%25/%E2%82%AC?list=true&x=%2F');
  });

  it('keeps connections for the next ones', async () => {
    for (let i = 0; i < 9; i += 1) await send();
    expect(server.connections, 'undici may open a second one while the first is being put back').toBeLessThan(
      3,
    );
  });
});

describe('a failure of the connection', () => {
  const cases: { name: string; behave: Behaviour; code: string; timeoutMs?: number }[] = [
    { name: 'a server that does not answer', behave: stall, code: 'TIMEOUT', timeoutMs: 40 },
    { name: 'a stall in the headers', behave: stallInHeaders, code: 'TIMEOUT', timeoutMs: 40 },
    { name: 'a stall in the body', behave: stallInBody(), code: 'TIMEOUT', timeoutMs: 40 },
    { name: 'an answer cut in the body', behave: cutInBody(), code: 'UND_ERR_SOCKET' },
    { name: 'an answer cut between chunks', behave: cutInChunks, code: 'UND_ERR_SOCKET' },
    { name: 'a reset', behave: reset, code: 'ECONNRESET' },
    { name: 'a hang-up without an answer', behave: hangUp, code: 'UND_ERR_SOCKET' },
    {
      name: 'what is no HTTP',
      behave: (socket) => socket.end(`SSH-2.0-${canary}\r\n`),
      code: 'NETWORK',
    },
  ];
  describe.each([
    { kind: 'a read', options: {}, ambiguous: false },
    { kind: 'a write', options: write, ambiguous: true },
  ])('during $kind', ({ options, ambiguous }) => {
    it.each(cases)('$name is "unreachable", to be retried', async ({ behave, code, timeoutMs }) => {
      const error = await failure(behave, { ...options, ...(timeoutMs !== undefined && { timeoutMs }) });
      expect(error).toBeInstanceOf(VsyncError);
      expect(error).toMatchObject({
        code: 'VAULT_UNREACHABLE',
        class: 'transient',
        retryable: true,
        ambiguous,
        why: code === 'TIMEOUT' ? 'no answer within 0.04 s' : code,
        where: { side: 'origin', server: 'vault', address: server.address, path: 'secret/data/a' },
      });
    });

    it('a refused connection never had an effect', async () => {
      await pool.destroy();
      const address = `http://127.0.0.1:${await freePort()}`;
      pool = openPool(address, 1);
      expect(await failure(stall, options)).toMatchObject({
        code: 'VAULT_UNREACHABLE',
        why: 'ECONNREFUSED',
        retryable: true,
        ambiguous: false,
      });
    });
  });

  it('a deadline spans the wait for a connection, too', async () => {
    // A backlog that nobody accepts from: the connection is made by the kernel, the request is never read.
    const silent = createServer({ pauseOnConnect: true });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    await pool.destroy();
    pool = openPool(`http://127.0.0.1:${port}`, 1);
    const [first, second] = await Promise.all([
      failure(stall, { timeoutMs: 40 }),
      // Waits in the pool's queue for the one connection.
      failure(stall, { timeoutMs: 40 }),
    ]);
    expect([first, second]).toEqual([
      expect.objectContaining({ why: 'no answer within 0.04 s' }),
      expect.objectContaining({ why: 'no answer within 0.04 s' }),
    ]);
    await pool.destroy();
    silent.close();
  });

  it('does not spoil the next request', async () => {
    await failure(cutInBody());
    await failure(stallInBody(), { timeoutMs: 40 });
    await failure(reset);
    server.behave = answer(200, '{"a":1}');
    expect(await send()).toMatchObject({ body: { a: 1 } });
  });
});

describe('a signal of the caller', () => {
  it.each([
    { name: 'before the headers', behave: stall },
    { name: 'in the headers', behave: stallInHeaders },
    { name: 'in the body', behave: stallInBody() },
  ])('aborts a request $name, and its reason is thrown, not a timeout', async ({ behave }) => {
    const reason = new VsyncError({ code: 'INTERRUPTED', message: 'stopped by SIGTERM' });
    const stop = new AbortController();
    server.behave = behave;
    const sending = send({ ...write, signal: stop.signal });
    await server.untilRequests();
    stop.abort(reason);
    await expect(sending).rejects.toBe(reason);
  });

  it('that was aborted before: nothing is sent', async () => {
    const reason = new Error('too late');
    await expect(send({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(server.connections).toBe(0);
  });

  it('closes the connection of an aborted request, so that the server may notice', async () => {
    const stop = new AbortController();
    const closed = new Promise<void>((resolve) => {
      server.behave = (socket) => {
        socket.once('close', () => resolve());
      };
    });
    const sending = send({ signal: stop.signal });
    await server.untilRequests();
    stop.abort(new Error('enough'));
    await expect(sending).rejects.toThrow('enough');
    await closed;
  });

  it('that is never aborted leaves the timeout in force', async () => {
    const error = await failure(stall, { signal: new AbortController().signal, timeoutMs: 40 });
    expect(error).toMatchObject({ code: 'VAULT_UNREACHABLE', why: 'no answer within 0.04 s' });
  });

  it('may serve many requests: its listeners are taken off', async () => {
    const warnings: string[] = [];
    const note = (warning: Error) => warnings.push(warning.name);
    process.on('warning', note);
    const { signal } = new AbortController();
    server.behave = answer(200, '{}');
    for (let i = 0; i < 50; i += 1) await send({ signal });
    await new Promise(setImmediate);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });
});

describe('a redirect', () => {
  it.each([301, 302, 303, 308])('%i is not followed, and no token goes elsewhere', async (status) => {
    const elsewhere = await HostileServer.start();
    try {
      const error = await failure(
        answer(status, '', {
          Location: `${elsewhere.address}/v1/secret/data/a`,
          'Content-Type': 'text/html',
        }),
        write,
      );
      expect(error).toMatchObject({
        code: 'VAULT_REDIRECT',
        class: 'transient',
        status,
        retryable: false,
        ambiguous: false,
      });
      expect(elsewhere.connections).toBe(0);
      expect(server.requests).toHaveLength(1);
    } finally {
      await elsewhere.close();
    }
  });
});

describe('a redirect of a standby (307)', () => {
  it('is handed on with its location, and nothing is sent there by the transport', async () => {
    server.behave = answer(307, '', { Location: 'http://127.0.0.1:1/v1/secret/data/a' });
    const error: unknown = await send(write).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Redirected);
    expect(error).toMatchObject({ location: 'http://127.0.0.1:1/v1/secret/data/a' });
  });
});

describe("a 200 that is not Vault's", () => {
  const bodies = [
    { name: 'HTML', body: `<html>Sign in ${canary}</html>`, headers: { 'Content-Type': 'text/html' } },
    { name: 'nothing', body: '' },
    { name: 'white space', body: ' \n' },
    { name: 'broken JSON', body: `{"data":{"password":"${canary}"` },
    { name: 'JSON with something behind it', body: `{}"${canary}"` },
    { name: 'a JSON text', body: `"${canary}"` },
    { name: 'a JSON number', body: '42' },
    { name: 'JSON null', body: 'null' },
    { name: 'a JSON list', body: `["${canary}"]` },
  ];
  it.each(bodies)('$name is refused without a quote', async ({ body, headers }) => {
    const error = await failure(answer(200, body, headers), {});
    expect(error).toMatchObject({
      code: 'VAULT_BAD_ANSWER',
      class: 'transient',
      retryable: true,
      ambiguous: false,
    });
  });

  it.each(bodies)('$name after a write leaves it unclear what happened', async ({ body, headers }) => {
    const error = await failure(answer(200, body, headers), write);
    expect(error).toMatchObject({ code: 'VAULT_BAD_ANSWER', retryable: false, ambiguous: true });
  });

  it.each(['', '{}'])(
    'what the parser of the call refuses is refused without its message: %j',
    async (body) => {
      const parse = () => {
        throw new SyntaxError(`unexpected ${canary}`);
      };
      expect(await failure(answer(200, body), { parse })).toMatchObject({ code: 'VAULT_BAD_ANSWER' });
    },
  );

  it('a 204 is no answer where a call has a parser: it wants to read something', async () => {
    const parse = (text: string) => {
      if (text === '') throw new SyntaxError('nothing');
    };
    expect(await failure(answer(204, '', {}), { parse })).toMatchObject({ code: 'VAULT_BAD_ANSWER' });
  });
});

describe('an error status', () => {
  it.each([
    { status: 400, code: 'VAULT_REFUSED' },
    { status: 403, code: 'VAULT_FORBIDDEN' },
    { status: 413, code: 'SECRET_TOO_LARGE' },
    { status: 429, code: 'RATE_LIMITED' },
    { status: 500, code: 'VAULT_UNAVAILABLE' },
    { status: 502, code: 'VAULT_UNAVAILABLE' },
    { status: 503, code: 'VAULT_SEALED' },
    { status: 202, code: 'VAULT_REFUSED' },
  ])('$status is $code, and what the server says is not repeated', async ({ status, code }) => {
    const body = JSON.stringify({
      errors: [`error converting input ${canary} for field "data"`],
      data: canary,
    });
    for (const options of [{}, write]) {
      expect(await failure(answer(status, body), options)).toMatchObject({ code, status });
    }
    expect(await failure(answer(status, `<html>${canary}`, { 'Content-Type': 'text/html' }))).toMatchObject({
      code,
    });
  });

  it('of a path that looks like sys/health is an error, too', async () => {
    expect(await failure(answer(503, '{}'), { path: '/v1/secret/data/sys/health' })).toMatchObject({
      status: 503,
    });
  });

  it.each([
    { name: 'seconds', header: '7', ms: 7000 },
    { name: 'none', header: undefined, ms: undefined },
    { name: 'nonsense', header: 'later', ms: undefined },
  ])('429 with Retry-After in $name', async ({ header, ms }) => {
    const headers = header === undefined ? {} : { 'Retry-After': header };
    expect(await failure(answer(429, '{"errors":[]}', headers))).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterMs: ms,
    });
  });

  it('503 with Retry-After as a date', async () => {
    const headers = { 'Retry-After': new Date(Date.now() + 90_000).toUTCString() };
    const error = await failure(answer(503, '', headers));
    expect((error as VsyncError).retryAfterMs).toBeGreaterThan(80_000);
    expect((error as VsyncError).retryAfterMs).toBeLessThanOrEqual(90_000);
  });
});

describe('a 404', () => {
  it.each([
    { name: 'nothing there', body: '{"errors":[]}\n', kind: 'empty' },
    { name: 'no such mount', body: `{"errors":["no handler for route ${canary}"]}\n`, kind: 'no_mount' },
    {
      name: 'a deleted version',
      body: '{"data":{"data":null,"metadata":{"version":3,"deletion_time":"2026-01-02T03:04:05Z"}}}',
      kind: 'deleted',
    },
    { name: 'a path that is none', body: '{"data":null,"warnings":["Invalid path"]}', kind: 'wrong_path' },
    { name: 'an empty body', body: '', kind: 'foreign' },
    { name: "a proxy's page", body: `<html>${canary}</html>`, kind: 'foreign' },
    { name: 'cut JSON', body: '{"errors":[]', kind: 'foreign' },
  ])('that means $name is told apart', async ({ body, kind }) => {
    const error = await failure(answer(404, body));
    expect(error).toBeInstanceOf(NotFound);
    expect(error).toMatchObject({ kind });
  });

  it('that is cut off is no 404', async () => {
    const error = await failure((socket) =>
      socket.end(`${head(404, { 'Content-Length': '1000' })}{"errors":[]}`),
    );
    expect(error).toMatchObject({ code: 'VAULT_UNREACHABLE' });
  });
});
