import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ConsulTarget, freshKv, type KvTarget, type Reply, textOfValue } from './consul-http-target.ts';
import { base64, type Operation, type Run, type TxnAnswer, txnTarget } from './consul-http-txn-target.ts';

/** Transactions that fail, and bodies that are none or odd ones. */
export function txnRefusalFacts(consul: () => ConsulTarget): void {
  let kv: KvTarget;
  let run: Run;
  beforeAll(async () => {
    kv = freshKv(consul());
    run = txnTarget(consul(), kv);
    await kv.put('there', 'value');
  });
  const send = (body: string, query = '') => consul().send('PUT', `/v1/txn${query}`, { body });

  describe('a transaction', () => {
    failureFacts(
      () => kv,
      (operations) => run(operations),
    );
    bodyFacts(send);
    textFacts(() => kv, send);
  });
}

function failureFacts(kv: () => KvTarget, run: Run): void {
  const session = randomUUID();
  const key = (name: string) => JSON.stringify(kv().prefix + name);
  const cases: readonly {
    readonly operation: Operation;
    readonly what: () => string | RegExp;
  }[] = [
    {
      operation: { Verb: 'cas', Key: 'there', Index: 1 },
      what: () => `failed to set key ${key('there')}, index is stale`,
    },
    {
      operation: { Verb: 'cas', Key: 'there', Index: 0 },
      what: () => `failed to set key ${key('there')}, index is stale`,
    },
    {
      operation: { Verb: 'cas', Key: 'no', Index: 7 },
      what: () => `failed to set key ${key('no')}, index is stale`,
    },
    {
      operation: { Verb: 'delete-cas', Key: 'there', Index: 1 },
      what: () => `failed to delete key ${key('there')}, index is stale`,
    },
    { operation: { Verb: 'get', Key: 'no' }, what: () => `key ${key('no')} doesn't exist` },
    {
      operation: { Verb: 'check-index', Key: 'there', Index: 1 },
      what: () => /^failed index check for key ".*there", current modify index \d+ != 1$/,
    },
    {
      operation: { Verb: 'check-index', Key: 'no', Index: 1 },
      what: () => `failed to check index, key ${key('no')} doesn't exist`,
    },
    {
      operation: { Verb: 'check-session', Key: 'there', Session: session },
      what: () => `failed session check for key ${key('there')}, current session "" != "${session}"`,
    },
    {
      operation: { Verb: 'check-session', Key: 'no', Session: session },
      what: () => `failed to check session, key ${key('no')} doesn't exist`,
    },
    { operation: { Verb: 'check-not-exists', Key: 'there' }, what: () => `key ${key('there')} exists` },
    {
      operation: { Verb: 'lock', Key: 'there', Session: session },
      what: () => `invalid session "${session}"`,
    },
    { operation: { Verb: 'lock', Key: 'there' }, what: () => 'missing session' },
    { operation: { Verb: 'lock', Key: 'there', Session: 'x' }, what: () => /UUID must be 36 characters$/ },
    {
      operation: { Verb: 'unlock', Key: 'there', Session: session },
      what: () => `failed to unlock key ${key('there')}, lock isn't held, or is held by another session`,
    },
    { operation: { Verb: 'unlock', Key: 'there' }, what: () => 'missing session' },
    { operation: { Verb: 'nope', Key: 'there' }, what: () => 'unknown KV verb "nope"' },
    { operation: { Verb: 'SET', Key: 'there' }, what: () => 'unknown KV verb "SET"' },
    { operation: { Verb: 'set' }, what: () => 'Must provide key' },
    { operation: { Verb: 'get-tree' }, what: () => 'Must provide key' },
  ];
  it.each(cases.map((each) => ({ ...each, name: JSON.stringify(each.operation) })))(
    'fails with 409 on $name',
    async ({ operation, what }) => {
      const { status, headers, Results, Errors } = await run([operation]);
      expect(status).toBe(409);
      expect(headers['content-type']).toBe('application/json');
      expect(Results).toBeNull();
      const expected = what();
      const matching = typeof expected === 'string' ? expected : expect.stringMatching(expected);
      expect(Errors).toEqual([{ OpIndex: 0, What: matching }]);
    },
  );

  it('lists every operation that failed', async () => {
    const { Errors } = await run([
      { Verb: 'set', Key: 'x' },
      { Verb: 'get', Key: 'no' },
      { Verb: 'cas', Key: 'there', Index: 1 },
    ]);
    expect(Errors?.map(({ OpIndex }) => OpIndex)).toEqual([1, 2]);
  });
}

function bodyFacts(send: (body: string, query?: string) => Promise<Reply>): void {
  const set = (count: number) =>
    JSON.stringify(Array.from({ length: count }, () => ({ KV: { Verb: 'delete', Key: 'never/there' } })));

  it('may hold 64 operations', async () => {
    expect((await send(set(64))).status).toBe(200);
  });

  it('may not hold 65', async () => {
    const text = 'Transaction contains too many operations (65 > 64)';
    expect(await send(set(65))).toMatchObject({ status: 413, text });
  });

  it('may not be longer than 524288 bytes, base64 included', async () => {
    const body = JSON.stringify([{ KV: { Verb: 'set', Key: 'never/there', Value: 'A'.repeat(524_288) } }]);
    expect(await send(body)).toMatchObject({
      status: 413,
      text:
        `Request body(${body.length} bytes) too large, max size: 524288 bytes. ` +
        'See https://www.consul.io/docs/agent/options.html#txn_max_req_len.',
    });
  });

  it.each([
    { name: 'nothing', body: '', text: 'EOF' },
    { name: 'an object', body: '{}', text: '' },
    { name: 'no JSON', body: 'xx', text: '' },
    { name: 'half of it', body: '[{"KV":', text: '' },
    {
      name: 'an unknown field',
      body: '[{"KV":{"Verb":"get","Bogus":1}}]',
      text: 'json: unknown field "Bogus"',
    },
    { name: 'an unknown kind', body: '[{"Bogus":{}}]', text: 'json: unknown field "Bogus"' },
    {
      name: 'a value that is no base64',
      body: '[{"KV":{"Verb":"set","Key":"a","Value":"!!!"}}]',
      text: 'illegal base64',
    },
    {
      name: 'base64 without padding',
      body: '[{"KV":{"Verb":"set","Key":"a","Value":"aGk"}}]',
      text: 'illegal base64',
    },
    {
      name: 'a number for a value',
      body: '[{"KV":{"Verb":"set","Key":"a","Value":5}}]',
      text: 'json: cannot',
    },
    { name: 'a text for flags', body: '[{"KV":{"Verb":"set","Key":"a","Flags":"1"}}]', text: 'json: cannot' },
    { name: 'a negative index', body: '[{"KV":{"Verb":"cas","Key":"a","Index":-1}}]', text: 'json: cannot' },
  ])('must not be $name: 400', async ({ body, text }) => {
    const reply = await send(body);
    expect(reply.status).toBe(400);
    expect(reply.text).toContain(`Failed to parse body: ${text}`);
  });

  it.each([
    { name: 'an empty list', body: '[]' },
    { name: 'null', body: 'null' },
    { name: 'an operation of no kind', body: '[{}]' },
    { name: 'a kind that is null', body: '[{"KV":null}]' },
  ])('may be $name: nothing happens', async ({ body }) => {
    const reply = await send(body);
    expect(reply.status).toBe(200);
    expect(reply.json).toMatchObject({ Results: [], Errors: null });
  });

  it('drops an operation of no kind, and counts without it', async () => {
    const reply = await send('[{},{"KV":{"Verb":"get","Key":"never/there"}}]');
    expect((reply.json as TxnAnswer).Errors).toMatchObject([{ OpIndex: 0 }]);
  });

  it.each(['get', 'set'])('knows no other datacenter (%s)', async (verb) => {
    const body = JSON.stringify([{ KV: { Verb: verb, Key: 'never/there' } }]);
    expect(await send(body, '?dc=nope')).toMatchObject({ status: 500, text: 'No path to datacenter' });
  });
}

function textFacts(kv: () => KvTarget, send: (body: string) => Promise<Reply>): void {
  it('takes its fields in any case', async () => {
    await send(`[{"kv":{"verb":"set","key":"${kv().prefix}lower","value":"${base64('1')}"}}]`);
    expect(textOfValue(await kv().entry('lower'))).toBe('1');
  });

  it('keeps every bit of the flags', async () => {
    const reply = await send(
      `[{"KV":{"Verb":"set","Key":"${kv().prefix}bits","Flags":18446744073709551615,"Value":null}}]`,
    );
    expect(reply.text).toMatch(/"Flags":\s*18446744073709551615\b/);
  });

  it('takes keys that no path can name', async () => {
    const names = ['//a/../b', 'tab\there', 'é', '18446744073709551615'];
    const operations = names.map((name) => ({ KV: { Verb: 'set', Key: `${kv().prefix}odd/${name}` } }));
    expect((await send(JSON.stringify(operations))).status).toBe(200);
    const found = (await kv().names()).filter((name) => name.startsWith('odd/'));
    expect(found).toEqual(['odd///a/../b', 'odd/18446744073709551615', 'odd/tab\there', 'odd/é']);
  });
}
