import { beforeAll, describe, expect, it } from 'vitest';
import { type ConsulTarget, freshKv, type KvTarget } from './consul-http-target.ts';

/** Reading keys: one, a tree, names. */
export function kvReadFacts(consul: () => ConsulTarget): void {
  let kv: KvTarget;
  beforeAll(() => {
    kv = freshKv(consul());
  });
  describe('GET', () => readFacts(() => kv));
  describe('?keys', () => nameFacts(consul));
}

function readFacts(kv: () => KvTarget): void {
  it('shows one entry in a list, with the headers of a query', async () => {
    await kv().put('shown?flags=42', 'hello');
    const reply = await kv().get('shown');
    expect(reply.status).toBe(200);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.headers.vary).toBe('Accept-Encoding');
    expect(reply.json).toEqual([
      {
        LockIndex: 0,
        Key: `${kv().prefix}shown`,
        Flags: 42,
        Value: 'aGVsbG8=',
        CreateIndex: reply.index,
        ModifyIndex: reply.index,
      },
    ]);
  });

  it('writes its headers in this casing', async () => {
    const { headerNames, headers } = await kv().get('shown');
    expect(headerNames).toEqual(
      expect.arrayContaining(['X-Consul-Index', 'X-Consul-Knownleader', 'X-Consul-Lastcontact', 'Vary']),
    );
    expect(headers['x-consul-knownleader']).toBe('true');
    expect(headers['x-consul-lastcontact']).toBe('0');
  });

  it('answers a missing key with 404, no body, and a usable index', async () => {
    const reply = await kv().get('missing');
    expect(reply).toMatchObject({ status: 404, text: '' });
    expect(reply.index).toBeGreaterThanOrEqual(1);
    expect(reply.headers['x-consul-knownleader']).toBe('true');
  });

  it('shows an empty value as null', async () => {
    await kv().put('empty', '');
    expect(await kv().entry('empty')).toMatchObject({ Value: null });
  });

  it('keeps every bit of the flags', async () => {
    await kv().put('flags?flags=18446744073709551615', 'x');
    expect((await kv().get('flags')).text).toMatch(/"Flags":\s*18446744073709551615\b/);
  });

  it('gives the bytes alone with ?raw, also none', async () => {
    const bytes = Buffer.from([0, 255, 10, 60]);
    await kv().put('raw', bytes);
    const reply = await kv().get('raw?raw');
    expect(reply).toMatchObject({ status: 200, bytes });
    expect(reply.headers).toMatchObject({
      'content-type': 'text/plain',
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
    });
    expect(reply.index).toBe((await kv().entry('raw')).ModifyIndex);
    expect(await kv().get('empty?raw')).toMatchObject({ status: 200, text: '' });
    expect(await kv().get('missing?raw')).toMatchObject({ status: 404, text: '' });
  });

  it('lists by string prefix with ?recurse, whatever its value, in the order of bytes', async () => {
    for (const name of ['r/b', 'r/B', 'r/a', 'r', 'r-1', 'r/%C3%A9', 'rest', 'r/a/1']) await kv().put(name);
    const keys = async (query: string) => {
      const entries = (await kv().get(query)).json as { Key: string }[];
      return entries.map(({ Key }) => Key.slice(kv().prefix.length));
    };
    expect(await keys('r?recurse=false')).toEqual([
      ...['r', 'r-1', 'r/B', 'r/a', 'r/a/1', 'r/b', 'r/é', 'raw', 'rest'],
    ]);
    expect(await keys('r/?recurse')).toEqual(['r/B', 'r/a', 'r/a/1', 'r/b', 'r/é']);
    expect(await keys('r/?recurse&raw')).toHaveLength(5);
    expect(await kv().get('nothing/?recurse')).toMatchObject({ status: 404, text: '' });
  });

  it('compresses with gzip on request', async () => {
    const reply = await kv().get('shown', { 'Accept-Encoding': 'gzip' });
    expect(reply.headers['content-encoding']).toBe('gzip');
    expect(reply.bytes.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
    const missing = await kv().get('missing', { 'Accept-Encoding': 'gzip' });
    expect(missing.headers['content-encoding']).toBeUndefined();
  });

  it.each([
    { name: 'the default one', query: '' },
    { name: '?consistent', query: '?consistent' },
    { name: '?stale', query: '?stale' },
    { name: '?cached', query: '?cached' },
    { name: '?max_stale', query: '?max_stale=1s' },
    { name: 'its own datacenter', query: '?dc=dc1' },
  ])('reads the same in the mode $name', async ({ query }) => {
    const reply = await kv().get(`shown${query}`);
    expect(reply.status).toBe(200);
    expect(reply.json).toEqual((await kv().get('shown')).json);
  });

  it('escapes what Go escapes in JSON', async () => {
    await kv().put('%3Ca%26b%3E');
    expect((await kv().get('%3Ca%26b%3E')).text).toContain('\\u003ca\\u0026b\\u003e');
  });
}

function nameFacts(consul: () => ConsulTarget): void {
  let kv: KvTarget;
  beforeAll(async () => {
    kv = freshKv(consul());
    for (const key of ['a/1', 'a/2', 'a', 'b/c/d', 'e', 'a-b']) await kv.put(key);
  });

  it.each([
    { name: 'all names, bytewise', query: '', names: ['a', 'a-b', 'a/1', 'a/2', 'b/c/d', 'e'] },
    { name: 'folded at the separator', query: '&separator=/', names: ['a', 'a-b', 'a/', 'b/', 'e'] },
    { name: 'the old misspelling', query: '&seperator=/', names: ['a', 'a-b', 'a/', 'b/', 'e'] },
    { name: 'a longer separator', query: '&separator=/c/', names: ['a', 'a-b', 'a/1', 'a/2', 'b/c/', 'e'] },
    {
      name: 'keys before recurse and raw',
      query: '&recurse&raw',
      names: ['a', 'a-b', 'a/1', 'a/2', 'b/c/d', 'e'],
    },
  ])('lists $name', async ({ query, names }) => {
    expect(await kv.names(query)).toEqual(names);
  });

  it('starts to look for the separator behind the prefix', async () => {
    const reply = await kv.get('b/?keys&separator=/');
    expect(reply.json).toEqual([`${kv.prefix}b/c/`]);
  });

  it('answers 404 below a prefix without keys', async () => {
    expect(await kv.get('nothing/?keys')).toMatchObject({ status: 404, text: '' });
  });

  it('has the index of the last change or deletion below the prefix', async () => {
    await kv.put('a/1', 'new');
    const { ModifyIndex } = await kv.entry('a/1');
    await kv.put('e', 'later');
    expect((await kv.get('a/?keys')).index).toBe(ModifyIndex);
    await kv.delete('a/2');
    const { index } = await kv.get('a/?keys');
    expect(index).toBeGreaterThan(ModifyIndex);
    await kv.put('e', 'later still');
    expect((await kv.get('a/?recurse')).index).toBe(index);
  });

  it('remembers a tree that was deleted at its prefix, not below it', async () => {
    await kv.put('tree/deep/1', '1');
    await kv.delete('tree/?recurse');
    const deleted = (await kv.get('tree/?keys')).index;
    await kv.put('e', 'after the tree');
    expect((await kv.get('tree/?keys')).index).toBe(deleted);
    expect((await kv.get('tree/deep/?keys')).index, 'the index of the store').toBeGreaterThan(deleted);
  });
}
