import { beforeAll, describe, expect, it } from 'vitest';
import { type ConsulTarget, freshKv, type KvTarget, textOfValue } from './consul-http-target.ts';
import { base64, type Run, txnTarget } from './consul-http-txn-target.ts';

/** What transactions do, and what they answer. */
export function txnFacts(consul: () => ConsulTarget): void {
  let kv: KvTarget;
  let run: Run;
  beforeAll(async () => {
    kv = freshKv(consul());
    run = txnTarget(consul(), kv);
    await kv.put('there', 'value');
  });
  const later: Run = (operations, query) => run(operations, query);

  describe('a transaction', () => {
    effectFacts(() => kv, later);
    resultFacts(() => kv, later);
    readFacts(() => kv, later);
  });
}

function effectFacts(kv: () => KvTarget, run: Run): void {
  it('applies all its operations at one index', async () => {
    const { status, Errors } = await run([
      { Verb: 'set', Key: 'one/a', Value: base64('1'), Flags: 7 },
      { Verb: 'set', Key: 'one/b', Value: base64('2') },
    ]);
    expect({ status, Errors }).toEqual({ status: 200, Errors: null });
    const [a, b] = [await kv().entry('one/a'), await kv().entry('one/b')];
    expect(textOfValue(a)).toBe('1');
    expect(a.Flags).toBe(7);
    expect(b.ModifyIndex).toBe(a.ModifyIndex);
  });

  it('knows every verb that writes', async () => {
    for (const key of ['v/cas', 'v/delete', 'v/delete-cas', 'v/tree/1', 'v/tree/2']) await kv().put(key, '1');
    const cas = await kv().entry('v/cas');
    const deleted = await kv().entry('v/delete-cas');
    const { status, Errors } = await run([
      { Verb: 'set', Key: 'v/set', Value: base64('2') },
      { Verb: 'cas', Key: 'v/cas', Index: cas.ModifyIndex, Value: base64('2') },
      { Verb: 'cas', Key: 'v/cas-new', Index: 0, Value: base64('2') },
      { Verb: 'delete', Key: 'v/delete' },
      { Verb: 'delete', Key: 'v/never-there' },
      { Verb: 'delete-cas', Key: 'v/delete-cas', Index: deleted.ModifyIndex },
      { Verb: 'delete-tree', Key: 'v/tree' },
    ]);
    expect({ status, Errors }).toEqual({ status: 200, Errors: null });
    expect(await kv().names()).toEqual(expect.arrayContaining(['v/cas', 'v/cas-new', 'v/set']));
    const left = (await kv().names()).filter((name) => name.startsWith('v/'));
    expect(left).toEqual(['v/cas', 'v/cas-new', 'v/set']);
  });

  it('lets an operation see those before it', async () => {
    const { Results } = await run([
      { Verb: 'set', Key: 'seen', Value: base64('first') },
      { Verb: 'get', Key: 'seen' },
      { Verb: 'delete', Key: 'seen' },
      { Verb: 'check-not-exists', Key: 'seen' },
    ]);
    expect(Results?.map(({ KV }) => KV.Value)).toEqual([null, base64('first')]);
  });

  it('keeps ModifyIndex where it writes the same value', async () => {
    await kv().put('same', '1');
    const before = await kv().entry('same');
    const { Results } = await run([{ Verb: 'set', Key: 'same', Value: base64('1') }]);
    expect(Results?.[0]?.KV.ModifyIndex).toBe(before.ModifyIndex);
  });

  it('applies nothing if one operation fails', async () => {
    await kv().put('tree/a', '1');
    const before = await kv().entry('tree/a');
    const { status } = await run([
      { Verb: 'set', Key: 'never', Value: base64('1') },
      { Verb: 'delete-tree', Key: 'tree' },
      { Verb: 'set', Key: 'tree/a', Value: base64('2') },
      { Verb: 'cas', Key: 'there', Index: 1 },
    ]);
    expect(status).toBe(409);
    expect((await kv().get('never')).status).toBe(404);
    expect(await kv().entry('tree/a')).toEqual(before);
  });
}

function resultFacts(kv: () => KvTarget, run: Run): void {
  it('shows what it wrote without values, and what it read with them', async () => {
    const { Results } = await run([
      { Verb: 'set', Key: 'shown/1', Value: base64('1') },
      { Verb: 'set', Key: 'shown/2', Value: '' },
      { Verb: 'get-tree', Key: 'shown/' },
    ]);
    const [first, second, ...read] = Results ?? [];
    expect(first?.KV).toMatchObject({ Key: `${kv().prefix}shown/1`, Value: null, LockIndex: 0 });
    expect(first?.KV.CreateIndex).toBe(second?.KV.CreateIndex);
    expect(read.map(({ KV }) => KV.Value)).toEqual([base64('1'), null]);
  });

  it('shows nothing for deletes and for what does not exist', async () => {
    const { Results } = await run([
      { Verb: 'delete', Key: 'nothing' },
      { Verb: 'check-not-exists', Key: 'nothing' },
      { Verb: 'get-tree', Key: 'nothing' },
    ]);
    expect(Results).toEqual([]);
  });

  it('shows what it checked, without values', async () => {
    const { ModifyIndex } = await kv().entry('there');
    const { Results } = await run([
      { Verb: 'check-index', Key: 'there', Index: ModifyIndex },
      { Verb: 'check-session', Key: 'there', Session: '' },
    ]);
    expect(Results?.map(({ KV }) => KV.Value)).toEqual([null, null]);
  });
}

function readFacts(kv: () => KvTarget, run: Run): void {
  it('says how fresh it is where it only reads', async () => {
    const reply = await run([{ Verb: 'get', Key: 'there' }]);
    expect(reply.json).toEqual({
      Results: [{ KV: await kv().entry('there') }],
      Errors: null,
      Index: 0,
      LastContact: 0,
      KnownLeader: true,
      ConsistencyLevel: '',
    });
    expect(reply.headers).toMatchObject({ 'x-consul-knownleader': 'true', 'x-consul-lastcontact': '0' });
    expect(reply.headers['x-consul-index']).toBeUndefined();
  });

  it('says so in a conflict too', async () => {
    const reply = await run([{ Verb: 'get', Key: 'no' }]);
    expect(reply.json).toMatchObject({ Results: null, Index: 0, KnownLeader: true });
  });

  it('does not say it where it writes', async () => {
    const reply = await run([{ Verb: 'delete', Key: 'no' }]);
    expect(reply.json).toEqual({ Results: [], Errors: null });
    expect(reply.headers['x-consul-knownleader']).toBeUndefined();
  });

  it.each([
    { name: 'reading', operation: { Verb: 'get', Key: 'there' }, query: '?index=abc', status: 400 },
    { name: 'reading', operation: { Verb: 'get', Key: 'there' }, query: '?stale&consistent', status: 400 },
    { name: 'writing', operation: { Verb: 'delete', Key: 'no' }, query: '?index=abc', status: 200 },
    { name: 'reading', operation: { Verb: 'get', Key: 'there' }, query: '?stale', status: 200 },
    { name: 'reading', operation: { Verb: 'get', Key: 'there' }, query: '?consistent', status: 200 },
    { name: 'reading', operation: { Verb: 'get', Key: 'there' }, query: '?dc=dc1', status: 200 },
  ])('answers $status to $query when $name', async ({ operation, query, status }) => {
    const send = run([operation], query);
    if (status === 400) await expect(send, 'a 400 is no JSON').rejects.toThrow(SyntaxError);
    else expect((await send).status).toBe(status);
  });
}
