import { beforeAll, describe, expect, it } from 'vitest';
import { type ConsulTarget, freshKv, type KvTarget, textOfValue } from './consul-http-target.ts';

/** Writing and deleting keys, and the parameters that Consul refuses. */
export function kvChangeFacts(consul: () => ConsulTarget): void {
  let kv: KvTarget;
  beforeAll(() => {
    kv = freshKv(consul());
  });
  describe('PUT', () => writeFacts(() => kv));
  describe('check-and-set', () => casFacts(() => kv));
  describe('DELETE', () => deleteFacts(consul));
  describe('refused parameters', () => parameterFacts(() => kv));
}

function writeFacts(kv: () => KvTarget): void {
  it('answers true', async () => {
    const reply = await kv().put('w', '1');
    expect(reply).toMatchObject({ status: 200, text: 'true' });
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.headers['x-consul-index']).toBeUndefined();
  });

  it('keeps CreateIndex and raises ModifyIndex with another value', async () => {
    await kv().put('raised', '1');
    const before = await kv().entry('raised');
    await kv().put('raised', '2');
    const after = await kv().entry('raised');
    expect(after.CreateIndex).toBe(before.CreateIndex);
    expect(after.ModifyIndex).toBeGreaterThan(before.ModifyIndex);
  });

  it('keeps ModifyIndex with the same value and flags', async () => {
    await kv().put('same?flags=3', '1');
    const before = await kv().entry('same');
    await kv().put('same?flags=3', '1');
    expect(await kv().entry('same')).toEqual(before);
  });

  it('resets flags that are left out', async () => {
    await kv().put('reset?flags=3', '1');
    await kv().put('reset', '1');
    expect(await kv().entry('reset')).toMatchObject({ Flags: 0 });
  });

  it('takes the first of a repeated parameter', async () => {
    await kv().put('twice?flags=5&flags=6');
    expect(await kv().entry('twice')).toMatchObject({ Flags: 5 });
  });
}

function casFacts(kv: () => KvTarget): void {
  it('creates with 0, once', async () => {
    expect(await kv().put('cas/new?cas=0', '1')).toMatchObject({ status: 200, text: 'true' });
    expect(await kv().put('cas/new?cas=0', '2')).toMatchObject({ status: 200, text: 'false' });
    expect(textOfValue(await kv().entry('cas/new'))).toBe('1');
  });

  it('writes with the ModifyIndex of the key, and only with that', async () => {
    await kv().put('cas/key', '1');
    const { ModifyIndex } = await kv().entry('cas/key');
    expect(await kv().put(`cas/key?cas=${ModifyIndex - 1}`, 'no')).toMatchObject({ text: 'false' });
    expect(await kv().put(`cas/key?cas=${ModifyIndex}`, '2')).toMatchObject({ text: 'true' });
    expect(await kv().put(`cas/key?cas=${ModifyIndex}`, 'no')).toMatchObject({ text: 'false' });
    expect(textOfValue(await kv().entry('cas/key'))).toBe('2');
  });

  it('refuses any index above 0 for a missing key', async () => {
    expect(await kv().put('cas/missing?cas=7', '1')).toMatchObject({ status: 200, text: 'false' });
  });

  it('deletes with the ModifyIndex of the key; a missing key is true with any', async () => {
    await kv().put('cas/gone', '1');
    const { ModifyIndex } = await kv().entry('cas/gone');
    expect(await kv().delete('cas/gone?cas=0')).toMatchObject({ text: 'false' });
    expect(await kv().delete(`cas/gone?cas=${ModifyIndex + 1}`)).toMatchObject({ text: 'false' });
    expect(await kv().delete(`cas/gone?cas=${ModifyIndex}`)).toMatchObject({ text: 'true' });
    expect(await kv().delete('cas/gone?cas=7')).toMatchObject({ status: 200, text: 'true' });
  });
}

function deleteFacts(consul: () => ConsulTarget): void {
  let kv: KvTarget;
  beforeAll(() => {
    kv = freshKv(consul());
  });

  it('answers true, also where nothing is', async () => {
    await kv.put('d');
    expect(await kv.delete('d')).toMatchObject({ status: 200, text: 'true' });
    expect(await kv.delete('d')).toMatchObject({ status: 200, text: 'true' });
    expect((await kv.get('d')).status).toBe(404);
  });

  it('takes everything with the string prefix with ?recurse', async () => {
    for (const key of ['app', 'app/1', 'apple', 'ap']) await kv.put(key);
    expect(await kv.delete('app?recurse')).toMatchObject({ status: 200, text: 'true' });
    expect(await kv.names()).toEqual(['ap']);
    expect(await kv.delete('app?recurse')).toMatchObject({ status: 200, text: 'true' });
  });

  it('makes a new key of one that comes back', async () => {
    await kv.put('again', '1');
    const before = await kv.entry('again');
    await kv.delete('again');
    await kv.put('again', '1');
    expect((await kv.entry('again')).CreateIndex).toBeGreaterThan(before.ModifyIndex);
  });
}

function parameterFacts(kv: () => KvTarget): void {
  const parse = 'strconv.ParseUint: parsing';
  it.each([
    { request: 'PUT x?cas=abc', status: 500, text: `${parse} "abc": invalid syntax` },
    { request: 'PUT x?cas=', status: 500, text: `${parse} "": invalid syntax` },
    { request: 'PUT x?cas=-1', status: 500, text: `${parse} "-1": invalid syntax` },
    { request: 'DELETE x?cas=abc', status: 500, text: `${parse} "abc": invalid syntax` },
    {
      request: 'PUT x?flags=18446744073709551616',
      status: 500,
      text: `${parse} "18446744073709551616": value out of range`,
    },
    { request: 'PUT x?cas=1&acquire=abc', status: 400, text: 'Conflicting flags: acquire=abc&cas=1' },
    { request: 'PUT x?release=a&acquire=b', status: 400, text: 'Conflicting flags: acquire=b&release=a' },
    { request: 'DELETE x?recurse&cas=1', status: 400, text: 'Conflicting flags: cas=1&recurse=' },
    { request: 'GET x?index=abc', status: 400, text: 'Invalid index' },
    { request: 'GET x?index=-1', status: 400, text: 'Invalid index' },
    { request: 'GET x?index=18446744073709551616', status: 400, text: 'Invalid index' },
    { request: 'PUT x?index=abc', status: 400, text: 'Invalid index' },
    { request: 'GET x?wait=5', status: 400, text: 'Invalid wait time' },
    { request: 'GET x?wait=1d', status: 400, text: 'Invalid wait time' },
    { request: 'GET x?wait=99999999999999h', status: 400, text: 'Invalid wait time' },
    {
      request: 'GET x?stale&consistent',
      status: 400,
      text: 'Cannot specify ?stale with ?consistent, conflicting semantics.',
    },
    {
      request: 'GET x?max_stale=1s&consistent',
      status: 400,
      text: 'Cannot specify ?stale with ?consistent, conflicting semantics.',
    },
    {
      request: 'GET x?cached&consistent',
      status: 400,
      text: 'Cannot specify ?cached with ?consistent, conflicting semantics.',
    },
    { request: 'GET x?max_stale=x', status: 400, text: 'Invalid max_stale value "x"' },
    { request: 'GET x?dc=nope', status: 500, text: 'No path to datacenter' },
    { request: 'PUT x?dc=nope', status: 500, text: 'No path to datacenter' },
    { request: 'DELETE x?dc=nope', status: 500, text: 'No path to datacenter' },
  ])('answers $request with $status', async ({ request, status, text }) => {
    const [method = '', key = ''] = request.split(' ');
    const call = { GET: kv().get, PUT: kv().put, DELETE: kv().delete }[method];
    expect(await call?.(key)).toMatchObject({ status, text });
  });

  it.each(['wait=1h30m', 'wait=.5s', 'wait=5us', 'wait=-1s', 'wait=', 'index=', 'index=0'])(
    'takes ?%s without an index, and does not block',
    async (query) => {
      expect((await kv().get(`missing?${query}`)).status).toBe(404);
    },
  );

  it('refuses a Cache-Control that is no number', async () => {
    const reply = await kv().get('missing', { 'Cache-Control': 'max-age=x' });
    expect(reply).toMatchObject({ status: 400, text: 'Invalid Cache-Control header.' });
  });
}
