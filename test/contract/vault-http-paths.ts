import { describe, expect, it } from 'vitest';
import {
  expectError,
  expectWrongPath,
  freshMount,
  is,
  type VaultServers,
  type VaultTarget,
} from './vault-http-target.ts';

/** Encoding of paths, redirects, dots and slashes, and paths that a KV v2 mount does not have. */
export function pathFacts(servers: VaultServers, vault: () => VaultTarget): void {
  describe('a key', () => encodingFacts(vault));
  describe('a redirect', () => redirectFacts(vault));
  describe('dots and slashes that are encoded', () => dotFacts(servers, vault));
  describe('a wrong path', () => wrongPathFacts(servers, vault));
}

function encodingFacts(vault: () => VaultTarget): void {
  it.each([
    { sent: '%20lead%20/trail%20', key: ' lead /' },
    { sent: 'a+b', key: 'a+b' },
    { sent: 'a%2Bb', key: 'a+b' },
    { sent: '%25%23%3F%5C%3B%7C%22%3C%3E', key: '%#?\\;|"<>' },
    { sent: 'a;b', key: 'a;b' },
    { sent: 's%2Ft', key: 's/' },
    { sent: '%C3%A9%E2%82%AC', key: 'é€' },
    { sent: '%F0%9F%98%80', key: '\u{1F600}' },
    { sent: '\u00c3\u00a9-raw', key: 'é-raw' },
    { sent: 'CaSe', key: 'CaSe' },
    { sent: 'a..b', key: 'a..b' },
    { sent: '...', key: '...' },
    { sent: '%EF%BF%BD', key: '\ufffd' },
  ])('sent as "$sent" is stored as "$key"', async ({ sent, key }) => {
    const kv = await freshMount(vault());
    await kv.write(sent);
    expect(await kv.names()).toEqual([key]);
    expect((await kv.send(`GET data/${sent}`)).status).toBe(200);
  });

  it.each([
    '%00',
    '%01',
    '%09',
    '%0A',
    '%7F',
    '%C2%85',
    '%C2%A0',
    '%C2%AD',
    '%E2%80%8D',
    '%E2%80%A8',
    '%E3%80%80',
    '%EE%80%80',
    '%EF%BB%BF',
    '%F3%A0%80%81',
  ])('with the unprintable %s is 400 with an empty body, whatever the token', async (char) => {
    const kv = await freshMount(vault());
    for (const token of [undefined, null]) {
      expect(await kv.send(`GET data/a${char}`, undefined, { token })).toMatchObject({
        status: 400,
        text: '',
      });
    }
  });

  it('with bytes that are no UTF-8 can be asked for, not written', async () => {
    const kv = await freshMount(vault());
    for (const path of ['data/%ff', 'metadata/%ff', 'subkeys/%ff']) {
      expect(await kv.send(`GET ${path}`)).toEqual(is.nothing);
    }
    expectError(await kv.send('POST data/%ff', { data: {} }), 500);
    expectError(await kv.send('POST metadata/%ff', { max_versions: 1 }), 500);
    expect(await kv.names()).toEqual([]);
  });

  it('with a percent sign that encodes nothing is 400', async () => {
    expect((await vault().send('GET secret/data/%zz')).status).toBe(400);
    expect((await vault().send('GET secret/data/%2')).status).toBe(400);
  });
}

function redirectFacts(vault: () => VaultTarget): void {
  it.each([
    { request: 'GET /v1//secret/data/x', location: '/v1/secret/data/x' },
    { request: 'GET /v1/secret/data//x?version=1&a=%20b', location: '/v1/secret/data/x?version=1&a=%20b' },
    { request: 'POST /v1/secret/data/./x', location: '/v1/secret/data/x' },
    { request: 'DELETE /v1/secret/data/a/../x', location: '/v1/secret/data/x' },
    { request: 'LIST /v1/secret/metadata//', location: '/v1/secret/metadata/' },
    { request: 'GET /v1/secret/data/a/..', location: '/v1/secret/data' },
    { request: 'GET /v1', location: '/v1/' },
    { request: 'GET /v1/secret//data/a%2F%20b', location: '/v1/secret/data/a%252F%2520b' },
  ])('goes from $request to the cleaned path, before authentication', async ({ request, location }) => {
    const reply = await vault().send(request, undefined, { token: null });
    expect([301, 307]).toContain(reply.status);
    expect(reply.headers.location).toBe(location);
    const isGet = request.startsWith('GET ');
    expect(reply.text).toMatch(isGet ? /^<a href="/ : /^$/);
    expect(reply.headers['content-type']).toBe(isGet ? 'text/html; charset=utf-8' : undefined);
  });

  it('goes to the user interface from outside of /v1/', async () => {
    const reply = await vault().send('GET /', undefined, { token: null });
    expect(reply).toMatchObject({ status: 307, headers: { location: '/ui/' } });
  });
}

function dotFacts(servers: VaultServers, vault: () => VaultTarget): void {
  if (servers.flavour === 'openbao') {
    it.each(['GET data/x/%2e%2e/a', 'POST data/%2e%2e/a', 'DELETE metadata/x/%2e%2e/a', 'GET data/%2e/a'])(
      'are 400 on OpenBao: %s',
      async (request) => {
        const kv = await freshMount(vault());
        expectError(await kv.send(request, request.startsWith('POST') ? { data: {} } : undefined), 400);
      },
    );
  } else {
    it('reach the metadata of another key on Vault, but not its value', async () => {
      const kv = await freshMount(vault());
      await kv.write('a', { k: 1 });
      expectError(await kv.send('GET data/x/%2e%2e/a'), 500);
      expect((await kv.send('GET metadata/x/%2e%2e/a')).data).toEqual(await kv.metadata('a'));
      expect(await kv.write('x/%2e%2e/a', { k: 2 })).toMatchObject({ version: 2 });
      expectError(await kv.send('GET data/a'), 500);
      expect((await kv.send('GET data/a?version=1')).data.data).toEqual({ k: 1 });
      expect((await kv.send('GET data/x/%2e%2e/a')).data.data).toEqual({ k: 2 });
      expect(await kv.send('DELETE data/x/%2e%2e/a')).toEqual(is.noContent);
      expect((await kv.send('GET data/a')).status).toBe(404);
    });

    it('may lead above the root, where no listing of keys shows them', async () => {
      const kv = await freshMount(vault());
      await kv.write('%2e%2e/a');
      expect(await kv.send('GET metadata/a')).toEqual(is.nothing);
      expect(await kv.names('%2e%2e')).toEqual(['a']);
    });
  }

  it('are no redirect: %2F%2F names the cleaned key, whose value it does not reach', async () => {
    const kv = await freshMount(vault());
    await kv.write('a/b');
    expectError(await kv.send('GET data/a%2F%2Fb'), 500);
    expect((await kv.send('GET metadata/a%2F%2Fb')).data).toEqual(await kv.metadata('a/b'));
    expect(await kv.names('a%2F%2F')).toEqual(['b']);
    expect(await kv.send('GET data/none%2F%2Fb')).toEqual(is.nothing);
  });
}

function wrongPathFacts(servers: VaultServers, vault: () => VaultTarget): void {
  it.each([
    'GET foo',
    'PUT foo',
    'DELETE foo',
    'LIST foo',
    'GET ',
    'LIST ',
    'GET data',
    'POST data',
    'GET metadata',
    'DELETE metadata',
    'GET subkeys',
    'GET config/',
    'GET config/x',
    'LIST config',
    'POST delete',
  ])('of a KV v2 mount is a 404 with a body and a warning: %s', async (request) => {
    const kv = await freshMount(vault());
    expectWrongPath(await kv.send(request, /^P/.test(request) ? { a: 1 } : undefined));
  });

  it('may be the mount itself without its slash', async () => {
    expectWrongPath(await vault().send('GET secret'));
  });

  it.each([
    { request: 'GET delete/a', status: 405 },
    { request: 'LIST undelete/a', status: 405 },
    { request: 'DELETE destroy/a', status: 405 },
    { request: 'DELETE config', status: 405 },
    { request: 'POST subkeys/a', status: 405 },
    { request: 'LIST subkeys/a', status: 405 },
  ])('differs from a method that a path lacks: $request is $status', async ({ request, status }) => {
    const kv = await freshMount(vault());
    expectError(await kv.send(request, request.startsWith('POST') ? {} : undefined), status);
  });

  it('is LIST of data on Vault, 405 on OpenBao', async () => {
    const kv = await freshMount(vault());
    await kv.write('x/a');
    for (const path of ['data', 'data/', 'data/x']) {
      const reply = await kv.send(`LIST ${path}`);
      if (servers.flavour === 'vault') expectWrongPath(reply);
      else expectError(reply, 405);
    }
  });

  it.each([
    'GET no-such-mount/data/a',
    'LIST no-such-mount/metadata/',
    'GET /v1/',
    'GET %2e%2e/secret/data/a',
  ])('differs from a mount that is not there, a 404 with a message: %s', async (request) => {
    const status = servers.flavour === 'openbao' && request.includes('%2e') ? 400 : 404;
    expectError(await vault().send(request), status);
  });
}
