import { describe, expect, it } from 'vitest';
import {
  expectError,
  freshMount,
  is,
  patchType,
  type VaultServers,
  type VaultTarget,
} from './vault-http-target.ts';

/** How answers look: headers, envelope, errors, warnings. */
export function envelopeFacts(servers: VaultServers, vault: () => VaultTarget): void {
  const openbao = servers.flavour === 'openbao';

  describe('an answer', () => {
    it('has the usual envelope, one line with a newline, and the headers of Vault', async () => {
      const kv = await freshMount(vault());
      const reply = await kv.send('POST data/a', { data: {} });
      expect(reply.headers).toMatchObject({
        'content-type': 'application/json',
        'cache-control': 'no-store',
      });
      expect(Date.parse(String(reply.headers.date))).toBeGreaterThan(0);
      expect(reply.text.indexOf('\n')).toBe(reply.text.length - 1);
      const { data: _data, request_id, ...rest } = reply.json;
      expect(request_id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(rest).toEqual({
        lease_id: '',
        renewable: false,
        lease_duration: 0,
        wrap_info: null,
        warnings: null,
        auth: null,
        ...(!openbao && { mount_type: 'kv' }),
      });
    });

    it('without a body is 204', async () => {
      const kv = await freshMount(vault());
      expect(await kv.send('POST config', { max_versions: 3 })).toEqual(is.noContent);
    });

    it.each([
      { mountType: 'kv', request: 'GET secret/config' },
      { mountType: 'system', request: 'GET sys/mounts' },
      { mountType: 'token', request: 'GET auth/token/lookup-self' },
      { mountType: '', request: 'GET sys/internal/ui/mounts' },
      { mountType: '', request: 'GET secret/no-such-path' },
    ])(
      'names the type of the mount, "$mountType", since Vault 1.16 only: $request',
      async ({ mountType, request }) => {
        expect((await vault().send(request)).json.mount_type).toBe(openbao ? undefined : mountType);
      },
    );

    it('has keys in the order of their bytes and HTML characters escaped', async () => {
      const kv = await freshMount(vault());
      await kv.write('a', {
        '\u{1F600}': 1,
        '\uFF5E': 2,
        é: 3,
        b: '<&>\u2028\u2029',
        B: 4,
        '': 5,
        a: { z: 1, y: 2 },
      });
      const { text } = await kv.send('GET data/a');
      expect(text).toContain(
        '"data":{"":5,"B":4,"a":{"y":2,"z":1},"b":"\\u003c\\u0026\\u003e\\u2028\\u2029","é":3,"\uFF5E":2,"\u{1F600}":1}',
      );
    });

    it('has times in UTC with up to 9 fraction digits', async () => {
      const kv = await freshMount(vault());
      const { created_time } = await kv.write('a');
      expect(created_time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z$/);
    });
  });

  describe('an error', () => {
    it.each([
      { name: 'bad JSON', request: 'POST data/a', body: '{bad', status: 400 },
      { name: 'JSON that is no object', request: 'POST data/a', body: '[]', status: 400 },
      { name: 'JSON text', request: 'POST data/a', body: '"x"', status: 400 },
      { name: 'a method that the path lacks', request: 'GET delete/a', status: 405 },
      { name: 'OPTIONS', request: 'OPTIONS data/a', status: 405 },
      {
        name: 'PATCH of another type',
        request: 'PATCH data/a',
        body: '{}',
        type: 'application/json',
        status: 415,
      },
      { name: 'PATCH without a type', request: 'PATCH data/a', body: '{}', status: 400 },
    ])('says why, with a newline at the end: $name is $status', async ({ request, body, type, status }) => {
      const kv = await freshMount(vault());
      const headers = type === undefined ? {} : { 'Content-Type': type };
      expectError(await kv.send(request, body, { headers }), status);
    });

    it.each([
      { name: 'a verb that nobody knows', request: 'FOO data/a', status: 405 },
      { name: 'TRACE', request: 'TRACE data/a', status: 405 },
      { name: 'a value of ?list= that is no boolean', request: 'GET metadata/?list=abc', status: 400 },
      { name: 'something that is not there', request: 'GET data/a', status: 404 },
    ])('may have no message: $name is $status', async ({ request, status }) => {
      const kv = await freshMount(vault());
      expect(await kv.send(request)).toMatchObject({ status, text: '{"errors":[]}\n' });
    });

    it('to HEAD of a secret is 405 without a body', async () => {
      const kv = await freshMount(vault());
      expect(await kv.send('HEAD data/a')).toMatchObject({ status: 405, text: '' });
    });

    it('to a body that is too large is 413', async () => {
      const kv = await freshMount(vault());
      expectError(await kv.send('POST data/a', { data: { a: 'x'.repeat(32 * 1024 * 1024) } }), 413);
    });
  });

  describe('a body', () => {
    it('may be followed by anything', async () => {
      const kv = await freshMount(vault());
      expect((await kv.send('POST data/a', '{"data":{"a":1}} trailing')).status).toBe(200);
    });

    it('of a form is read as a form', async () => {
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const kv = await freshMount(vault(), '1');
      expect(await kv.send('POST a', 'x=1+2&y=%26&y=3', { headers })).toEqual(is.noContent);
      expect((await kv.send('GET a')).data).toEqual({ x: '1 2', y: '&,3' });
    });

    it('that looks like JSON is JSON, whatever its type says', async () => {
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const kv = await freshMount(vault());
      expect((await kv.send('POST data/a', '{"data":{"a":1}}', { headers })).status).toBe(200);
    });

    it('has the last of two equal keys', async () => {
      const kv = await freshMount(vault());
      await kv.send('POST data/a', '{"data":{"k":1,"k":2}}');
      expect((await kv.send('GET data/a')).data.data).toEqual({ k: 2 });
    });
  });

  describe('a field that the path does not know', () => {
    const warning = 'Endpoint ignored these unrecognized parameters: [metadata zeta]';

    it('of a body is ignored with a warning', async () => {
      const kv = await freshMount(vault());
      const reply = await kv.send('POST data/a', { zeta: 1, data: { a: 1 }, metadata: {} });
      expect(reply).toMatchObject({ status: 200, json: { warnings: [warning] } });
    });

    it('of a query is ignored with a warning', async () => {
      const kv = await freshMount(vault());
      await kv.write('a');
      const reply = await kv.send('GET data/a?zeta=1&metadata=2');
      expect(reply).toMatchObject({ status: 200, json: { warnings: [warning] } });
    });

    it('is ignored without a word where the answer has no body', async () => {
      const kv = await freshMount(vault());
      expect(await kv.send('POST config', { zeta: 1, max_versions: 1 })).toEqual(is.noContent);
      expect(await kv.send('GET data/missing?zeta=1')).toEqual(is.nothing);
    });
  });

  it('asked for by X-Vault-Wrap-TTL holds a token instead of its data', async () => {
    const kv = await freshMount(vault());
    await kv.write('a', { k: 'v' });
    const { json } = await kv.send('GET data/a', undefined, { headers: { 'X-Vault-Wrap-TTL': '60' } });
    expect(json).toMatchObject({ data: null, wrap_info: { ttl: 60, token: expect.any(String) } });
    expectError(await kv.send('GET data/a', undefined, { headers: { 'X-Vault-Wrap-TTL': 'x' } }), 400);
  });

  it('answers PATCH to a missing key with 404 and an empty body', async () => {
    const kv = await freshMount(vault());
    for (const path of ['data/a', 'metadata/a']) {
      const reply = await kv.send(`PATCH ${path}`, { data: {}, max_versions: 1 }, patchType);
      expect(reply).toMatchObject({ status: 404, text: '' });
    }
  });
}
