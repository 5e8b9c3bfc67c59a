import { beforeAll, describe, expect, it } from 'vitest';
import { type ConsulTarget, freshKv, type KvTarget, type Reply } from './consul-http-target.ts';

/** The wait of a query that is to run out, and the most that Consul adds to it, with room for a busy machine. */
const waitMs = 1_000;
const latestMs = waitMs * (17 / 16) + 900;
/** The wait of a query that is to be woken. */
const longWaitMs = 10_000;

/** Blocking queries. */
export function blockingFacts(consul: () => ConsulTarget): void {
  describe('a blocking query', () => {
    let outcomes: ReadonlyMap<BlockingCase, Outcome>;
    const outcomeOf = (each: BlockingCase) => {
      const outcome = outcomes.get(each);
      if (outcome === undefined) throw new Error(`no outcome of ${each.name}`);
      return outcome;
    };
    beforeAll(async () => {
      outcomes = await runTogether([...wakingCases, ...sleepingCases], consul());
    });

    it.for(wakingCases)('wakes: $name', (each) => {
      const { reply, before } = outcomeOf(each);
      expect(reply.ms, 'woken before its time').toBeLessThan(longWaitMs);
      expect(reply.index, 'news').toBeGreaterThan(before);
      expect(reply.status).toBe(each.status);
    });

    it.for(sleepingCases)('sleeps: $name', (each) => {
      const { reply, before } = outcomeOf(each);
      expectFullWait(reply);
      expect(reply.index, 'no news').toBe(before);
    });

    indexFacts(consul);
  });
}

interface BlockingCase {
  readonly name: string;
  /** What is there before. Everything is below a prefix of its own. */
  readonly given: readonly string[];
  readonly watch: string;
  /** What happens while the query is blocked: `PUT key`, or `DELETE key`. The value is always new unless `=` gives one. */
  readonly change: string;
  readonly status?: number;
}

const wakingCases: readonly BlockingCase[] = [
  { name: 'key changed', given: ['a/1'], watch: 'a/1', change: 'PUT a/1', status: 200 },
  { name: 'key created', given: ['z'], watch: 'a/1', change: 'PUT a/1', status: 200 },
  { name: 'key deleted', given: ['a/1', 'z'], watch: 'a/1', change: 'DELETE a/1', status: 404 },
  { name: 'flags of the key changed', given: ['a/1'], watch: 'a/1', change: 'PUT a/1?flags=1', status: 200 },
  {
    name: 'tree with the key deleted',
    given: ['a/1', 'z'],
    watch: 'a/1',
    change: 'DELETE a/?recurse',
    status: 404,
  },
  {
    name: 'key below the prefix changed',
    given: ['a/1'],
    watch: 'a/?recurse',
    change: 'PUT a/1',
    status: 200,
  },
  { name: 'key below the prefix created', given: ['a/1'], watch: 'a/?keys', change: 'PUT a/2', status: 200 },
  {
    name: 'key below the prefix changed, names only',
    given: ['a/1'],
    watch: 'a/?keys',
    change: 'PUT a/1',
    status: 200,
  },
  {
    name: 'key below the prefix deleted',
    given: ['a/1', 'a/2'],
    watch: 'a/?recurse',
    change: 'DELETE a/2',
    status: 200,
  },
  {
    name: 'all below the prefix deleted',
    given: ['a/1', 'a/2'],
    watch: 'a/?recurse',
    change: 'DELETE a/?recurse',
    status: 404,
  },
  {
    name: 'first key below the prefix created',
    given: ['z'],
    watch: 'a/?recurse',
    change: 'PUT a/1',
    status: 200,
  },
  // A watch on what is missing hangs on the last node that the search for it reached in the radix tree of the keys.
  {
    name: 'missing key, its neighbour written',
    given: ['a/1', 'b/1'],
    watch: 'a/9',
    change: 'PUT a/1',
    status: 404,
  },
  {
    name: 'missing key, a new neighbour',
    given: ['a/1', 'b/1'],
    watch: 'a/9',
    change: 'PUT a/3',
    status: 404,
  },
  {
    name: 'missing key, edge to its node split',
    given: ['aa/1', 'aa/2', 'b/1'],
    watch: 'aa/9',
    change: 'PUT ac',
    status: 404,
  },
  { name: 'missing key, nothing like it', given: ['a/1', 'b/1'], watch: 'z', change: 'PUT a/1', status: 404 },
  {
    name: 'missing prefix, nothing like it',
    given: ['a/1', 'b/1'],
    watch: 'z/?recurse',
    change: 'PUT a/1',
    status: 404,
  },
];

const sleepingCases: readonly BlockingCase[] = [
  { name: 'another key changed', given: ['a/1', 'a/2'], watch: 'a/1', change: 'PUT a/2' },
  { name: 'longer key created', given: ['a/1'], watch: 'a/1', change: 'PUT a/11' },
  { name: 'same value written', given: ['a/1=same'], watch: 'a/1', change: 'PUT a/1=same' },
  { name: 'missing key deleted', given: ['a/1'], watch: 'a/2', change: 'DELETE a/2' },
  { name: 'key beside the prefix changed', given: ['a/1', 'b/1'], watch: 'a/?recurse', change: 'PUT b/1' },
  { name: 'key beside the prefix deleted', given: ['a/1', 'ab'], watch: 'a/?keys', change: 'DELETE ab' },
  { name: 'missing key, another branch written', given: ['a/1', 'b/1'], watch: 'a/9', change: 'PUT b/1' },
  {
    name: 'missing prefix, another branch written',
    given: ['a/1', 'b/1'],
    watch: 'a/9/?recurse',
    change: 'PUT b/1',
  },
];

let values = 0;

interface Outcome {
  readonly reply: Reply;
  /** The index that the query waited on. */
  readonly before: number;
}

/**
 * Blocks all queries, then makes all changes. Step by step, because anything that is written anywhere raises the index of what is missing:
 * a query with an index from before that would not block. A second branch in each prefix keeps the others' keys out of its watches.
 */
async function runTogether(
  cases: readonly BlockingCase[],
  consul: ConsulTarget,
): Promise<ReadonlyMap<BlockingCase, Outcome>> {
  const prepared = cases.map((each) => ({ each, kv: freshKv(consul) }));
  for (const { each, kv } of prepared) {
    for (const key of [...each.given, '~1', '~2']) await write(kv, 'PUT', key);
  }
  const blocked: { each: BlockingCase; kv: KvTarget; before: number; reply: Promise<Reply> }[] = [];
  for (const { each, kv } of prepared) {
    const before = (await kv.get(each.watch)).index;
    const wait = wakingCases.includes(each) ? longWaitMs : waitMs;
    const query = `${each.watch.includes('?') ? '&' : '?'}index=${before}&wait=${wait}ms`;
    blocked.push({ each, kv, before, reply: kv.get(each.watch + query) });
  }
  await untilBlocked();
  for (const { each, kv } of blocked) {
    const [method = '', key = ''] = each.change.split(' ');
    await write(kv, method, key);
  }
  const outcomes = blocked.map(
    async ({ each, before, reply }) => [each, { before, reply: await reply }] as const,
  );
  return new Map(await Promise.all(outcomes));
}

async function write(kv: KvTarget, method: string, text: string): Promise<void> {
  values += 1;
  const [, key = text, value = `value-${values}`] = /^(.*)=(same)$/.exec(text) ?? [];
  const reply = method === 'DELETE' ? await kv.delete(key) : await kv.put(key, value);
  expect(reply.text).toBe('true');
}

/** Nothing tells from outside whether a server has begun to block: this is long enough. */
async function untilBlocked(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 250));
}

function expectFullWait(reply: Reply): void {
  expect(reply.ms, 'the full wait').toBeGreaterThanOrEqual(waitMs - 5);
  expect(reply.ms, 'the wait and a sixteenth').toBeLessThan(latestMs);
}

function indexFacts(consul: () => ConsulTarget): void {
  it('returns at once for an index below the current one', async () => {
    const kv = freshKv(consul());
    await kv.put('a', '1');
    const { ModifyIndex } = await kv.entry('a');
    const reply = await kv.get(`a?index=${ModifyIndex - 1}&wait=10s`);
    expect(reply.ms).toBeLessThan(longWaitMs);
    expect(reply.index).toBe(ModifyIndex);
  });

  it('waits the full time for an index from the future, and returns the lower one', async () => {
    const kv = freshKv(consul());
    await kv.put('a', '1');
    const { ModifyIndex } = await kv.entry('a');
    const blocked = kv.get(`a?index=${ModifyIndex + 100_000}&wait=${waitMs}ms`);
    await untilBlocked();
    await kv.put('a', '2');
    const reply = await blocked;
    expectFullWait(reply);
    expect(reply.index).toBe((await kv.entry('a')).ModifyIndex);
    expect(reply.json).toMatchObject([{ Value: Buffer.from('2').toString('base64') }]);
  });

  it('wakes all watchers of a key', async () => {
    const kv = freshKv(consul());
    await kv.put('a', '1');
    const { ModifyIndex } = await kv.entry('a');
    const blocked = [1, 2, 3].map(() => kv.get(`a?index=${ModifyIndex}&wait=${longWaitMs}ms`));
    await untilBlocked();
    await kv.put('a', '2');
    for (const reply of await Promise.all(blocked)) expect(reply.index).toBeGreaterThan(ModifyIndex);
  });

  it('wakes for a transaction, once all of it is there', async () => {
    const kv = freshKv(consul());
    await kv.put('a/1', '1');
    const { index } = await kv.get('a/?recurse');
    const blocked = kv.get(`a/?recurse&index=${index}&wait=${longWaitMs}ms`);
    await untilBlocked();
    const operations = ['1', '2', '3'].map((name) => ({
      KV: { Verb: 'set', Key: `${kv.prefix}a/${name}`, Value: 'bmV3' },
    }));
    await consul().send('PUT', '/v1/txn', { body: JSON.stringify(operations) });
    const { json } = await blocked;
    expect((json as { Value: string }[]).map(({ Value }) => Value)).toEqual(['bmV3', 'bmV3', 'bmV3']);
  });

  it('reads raw, stale and consistent as it does without blocking', async () => {
    const kv = freshKv(consul());
    await kv.put('a', '1');
    const { ModifyIndex } = await kv.entry('a');
    const queries = ['raw', 'raw&stale', 'raw&consistent'];
    const blocked = queries.map((query) => kv.get(`a?${query}&index=${ModifyIndex}&wait=${longWaitMs}ms`));
    await untilBlocked();
    await kv.put('a', '2');
    expect((await Promise.all(blocked)).map(({ text }) => text)).toEqual(['2', '2', '2']);
  });
}
