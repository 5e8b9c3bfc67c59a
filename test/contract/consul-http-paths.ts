import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../servers/processes.ts';
import { type ConsulTarget, freshKv, type KvTarget, textOfValue } from './consul-http-target.ts';

const longest = 524_288;

/** Which keys a path can name, redirects, methods, and how much a request may hold. */
export function pathFacts(consul: () => ConsulTarget): void {
  let kv: KvTarget;
  beforeAll(() => {
    kv = freshKv(consul());
  });
  describe('keys in a path', () => keyFacts(consul));
  describe('paths that Consul does not serve', () => redirectFacts(consul));
  describe('methods', () => methodFacts(consul));
  describe('size of a value', () => sizeFacts(consul, () => kv));
  describe('connections', () => connectionFacts(consul));
}

function keyFacts(consul: () => ConsulTarget): void {
  it.each([
    { name: 'a space', path: 'a%20b', key: 'a b' },
    { name: 'a plus', path: 'a+b', key: 'a+b' },
    { name: 'an encoded percent', path: 'a%25b', key: 'a%b' },
    { name: 'an encoded hash', path: 'a%23b', key: 'a#b' },
    { name: 'an encoded question mark', path: 'a%3Fb', key: 'a?b' },
    { name: 'a backslash', path: 'a%5Cb', key: 'a\\b' },
    { name: 'a semicolon', path: 'a;b', key: 'a;b' },
    { name: 'unicode', path: 'a%C3%A9%F0%9F%98%80', key: 'aé😀' },
    { name: 'an encoded slash', path: 'a%2Fb', key: 'a/b' },
    { name: 'a slash at the end', path: 'folder/', key: 'folder/' },
    { name: 'dots within a segment', path: 'a..b/.c', key: 'a..b/.c' },
    { name: 'bytes that are no UTF-8, shown as U+FFFD', path: 'a%FFb', key: 'a\uFFFDb' },
    { name: 'capitals, as another key', path: 'A', key: 'A' },
  ])('may hold $name', async ({ path, key }) => {
    const kv = freshKv(consul());
    expect(await kv.put(path, 'here')).toMatchObject({ status: 200, text: 'true' });
    expect(await kv.names()).toEqual([key]);
    expect(textOfValue(await kv.entry(path))).toBe('here');
  });

  it.each([
    { name: 'a control character', path: 'a%01b' },
    { name: 'a tab', path: 'a%09b' },
    { name: 'a no-break space', path: 'a%C2%A0b' },
    { name: 'a zero-width space', path: 'a%E2%80%8Bb' },
  ])('may not hold $name: 400 without a body', async ({ path }) => {
    const kv = freshKv(consul());
    for (const reply of [await kv.put(path), await kv.get(path)]) {
      expect(reply).toMatchObject({ status: 400, text: '' });
    }
  });

  it.each(['GET', 'PUT', 'DELETE'])('must be there: %s of the root is 400', async (method) => {
    const reply = await consul().send(method, '/v1/kv/');
    expect(reply).toMatchObject({ status: 400, text: 'Missing key name' });
  });
}

function redirectFacts(consul: () => ConsulTarget): void {
  it.each([
    { path: '/v1/kv/a//b', to: '/v1/kv/a/b' },
    { path: '/v1/kv//a', to: '/v1/kv/a' },
    { path: '/v1/kv/a%2F%2Fb', to: '/v1/kv/a/b' },
    { path: '/v1/kv/a/../b?recurse', to: '/v1/kv/b?recurse' },
    { path: '/v1/kv/a/%2e%2e/b', to: '/v1/kv/b' },
    { path: '/v1/kv/a/./b/', to: '/v1/kv/a/b/' },
    { path: '/v1/kv', to: '/v1/kv/' },
    { path: '/v1/kv?keys', to: '/v1/kv/?keys' },
    { path: '/v1/kv/..', to: '/v1' },
    { path: '/v1/kv//a%20%C3%A9%21', to: '/v1/kv/a%20%C3%A9%21' },
    { path: '/v1/session/info', to: '/v1/session/info/' },
  ])('redirects $path to $to', async ({ path, to }) => {
    const get = await consul().send('GET', path);
    expect(get.status).toBe(301);
    expect(get.headers.location).toBe(to);
    expect(get.text).toContain('Moved Permanently');
    const put = await consul().send('PUT', path, { body: 'lost' });
    expect(put).toMatchObject({ status: 301, text: '' });
    expect(put.headers.location).toBe(to);
  });

  it('answers an unknown path with 404 without a body', async () => {
    const reply = await consul().send('GET', '/v1/nope');
    expect(reply).toMatchObject({ status: 404, text: '' });
  });

  it('answers a broken escape with 400 in a path and 500 in a query', async () => {
    expect(await consul().send('GET', '/v1/kv/a%zz')).toMatchObject({ status: 400, text: '400 Bad Request' });
    expect(await consul().send('GET', '/v1/kv/a?recurse=%zz')).toMatchObject({ status: 500, text: '' });
  });
}

function methodFacts(consul: () => ConsulTarget): void {
  it.each([
    { request: 'POST /v1/kv/a', allow: 'OPTIONS,GET,PUT,DELETE' },
    { request: 'PATCH /v1/kv/a', allow: 'OPTIONS,GET,PUT,DELETE' },
    { request: 'GET /v1/txn', allow: 'OPTIONS,PUT' },
    { request: 'POST /v1/txn', allow: 'OPTIONS,PUT' },
    { request: 'GET /v1/session/create', allow: 'OPTIONS,PUT' },
    { request: 'GET /v1/session/destroy/x', allow: 'OPTIONS,PUT' },
    { request: 'PUT /v1/session/list', allow: 'OPTIONS,GET' },
    { request: 'PUT /v1/status/leader', allow: 'OPTIONS,GET' },
  ])('answers $request with 405', async ({ request, allow }) => {
    const [method = '', path = ''] = request.split(' ');
    const reply = await consul().send(method, path);
    expect(reply).toMatchObject({ status: 405, text: `method ${method} not allowed` });
    expect(reply.headers.allow).toBe(allow);
  });

  it('answers HEAD with 405 too', async () => {
    expect(await consul().send('HEAD', '/v1/kv/a')).toMatchObject({ status: 405, text: '' });
  });

  it('answers OPTIONS with what is allowed', async () => {
    const reply = await consul().send('OPTIONS', '/v1/kv/a');
    expect(reply).toMatchObject({ status: 200, text: '' });
    expect(reply.headers.allow).toBe('OPTIONS,GET,PUT,DELETE');
  });
}

function sizeFacts(consul: () => ConsulTarget, kv: () => KvTarget): void {
  it('may be 524288 bytes', async () => {
    expect(await kv().put('full', Buffer.alloc(longest, 1))).toMatchObject({ status: 200, text: 'true' });
    expect((await kv().get('full?raw')).bytes.length).toBe(longest);
  });

  it('may not be one byte more', async () => {
    const reply = await kv().put('over', Buffer.alloc(longest + 1));
    expect(reply).toMatchObject({
      status: 413,
      text:
        `Request body(${longest + 1} bytes) too large, max size: ${longest} bytes. ` +
        'See https://www.consul.io/docs/agent/options.html#kv_max_value_size.',
    });
    expect(reply.headers.connection).toBe('close');
    expect((await kv().get('over')).status).toBe(404);
  });

  it('is not checked without a Content-Length', async () => {
    const body = Buffer.alloc(600_000, 1);
    const reply = await consul().send('PUT', `/v1/kv/${kv().prefix}chunked`, { body, chunked: true });
    expect(reply).toMatchObject({ status: 200, text: 'true' });
    expect((await kv().get('chunked?raw')).bytes.length).toBe(body.length);
    await kv().delete('chunked');
  });
}

function connectionFacts(consul: () => ConsulTarget): void {
  it('are 200 for one client: further ones are closed at once', async () => {
    const { hostname, port } = new URL(consul().address);
    const sockets: Socket[] = [];
    let closed = 0;
    try {
      for (let opened = 0; opened < 205; opened += 1) {
        const socket = connect(Number(port), hostname);
        socket.on('close', () => {
          closed += 1;
        });
        socket.on('error', () => socket.destroy());
        socket.resume();
        sockets.push(socket);
        await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
      }
      await waitFor(() => closed >= 5, 5_000);
      expect(closed, 'the connections of this suite count too').toBeLessThan(40);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
}
