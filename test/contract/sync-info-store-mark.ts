import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StoredIndex } from '../../src/cycle/ports.ts';
import { type ConsulKind, type ConsulTarget, callScope } from './consul-client-target.ts';
import { changesOf, infoOf, type TestStore, testStore } from './sync-info-store-target.ts';

/**
 * The mark is what "nothing has changed" rests on (R11): with it an origin skips the verification of what it saved last. So it must
 * change with everything that anyone does below the prefix, and with nothing else.
 */
export function markFacts(kind: ConsulKind): void {
  let target: ConsulTarget;
  let store: TestStore;
  beforeAll(async () => {
    target = await kind.start();
  });
  afterAll(() => target?.stop());
  afterEach(() => store.close());

  const mark = () => store.mark(callScope());
  async function filled(numBuckets = 4): Promise<StoredIndex> {
    store = testStore(target);
    return store.put(changesOf(infoOf(300, numBuckets)));
  }
  const key = (name: string | number) => `${store.prefix}${name}`;
  const call = async (method: string, path: string, body?: string) => {
    const response = await target.api.call(method, path, body);
    const text = await response.text();
    expect(response.status, text).toBe(200);
    return text;
  };

  it.each([{ numBuckets: 1 }, { numBuckets: 4 }, { numBuckets: 63 }, { numBuckets: 100 }])(
    'is the ModifyIndex of the index after a save into $numBuckets buckets, first and later',
    async ({ numBuckets }) => {
      const first = await filled(numBuckets);
      expect(await mark()).toBe(`${first.modifyIndex}`);
      const second = await store.put(changesOf(infoOf(301, numBuckets), first), first);
      expect(await mark()).toBe(`${second.modifyIndex}`);
      const all = await store.put(changesOf(infoOf(301, numBuckets, 2), second), second);
      expect(await mark()).toBe(`${all.modifyIndex}`);
    },
  );

  it('costs one small request', async () => {
    await filled();
    target.dev?.requests.reset();
    await mark();
    if (target.dev !== undefined)
      expect(Object.fromEntries(target.dev.requests.counts)).toEqual({ 'GET keys': 1 });
  });

  describe.each([{ numBuckets: 4 }, { numBuckets: 100 }])(
    'of info in $numBuckets buckets',
    ({ numBuckets }) => {
      it.each([
        { name: 'a read of everything', touch: () => call('GET', `kv/${store.prefix}?recurse`) },
        { name: 'another load', touch: () => store.loadOwnIndex(callScope()) },
        { name: 'keys beside the prefix', touch: () => target.api.put(`${store.prefix.slice(0, -1)}x`, 'x') },
        {
          name: 'keys of the other side',
          touch: () => target.api.put(store.prefix.replace('origin', 'destination'), 'x'),
        },
        {
          name: 'a status',
          touch: () => target.api.put(store.prefix.replace('origin/', 'nodes/origin-a'), 'x'),
        },
        {
          name: 'a delete beside the prefix',
          touch: async () => {
            await target.api.put(`${store.prefix.slice(0, -1)}y`, 'x');
            await target.api.delete(`${store.prefix.slice(0, -1)}y`);
          },
        },
        {
          name: 'the same value once more',
          touch: async () => target.api.put(key(1), (await store.dump()).get('1')?.value as string),
        },
        { name: 'a refused check-and-set', touch: () => call('PUT', `kv/${key(1)}?cas=1`, 'x') },
        {
          name: 'a refused save of another process',
          touch: () =>
            store
              .other()
              .put(changesOf(infoOf(3, numBuckets)))
              .catch(() => {}),
        },
        {
          name: 'a delete of a bucket that never was',
          touch: () => call('DELETE', `kv/${key(numBuckets + 1)}`),
        },
      ])('stays after $name', async ({ touch }) => {
        const { modifyIndex } = await filled(numBuckets);
        await touch();
        expect(await mark()).toBe(`${modifyIndex}`);
      });

      it.each([
        { name: 'a bucket was written', touch: () => target.api.put(key(1), '{}') },
        { name: 'the last bucket was written', touch: () => target.api.put(key(numBuckets - 1), '{}') },
        { name: 'the index was written', touch: () => target.api.put(key('index'), '[]') },
        { name: 'a key was added', touch: () => target.api.put(key('zz'), '') },
        { name: 'a bucket beyond the last was added', touch: () => target.api.put(key(numBuckets), '{}') },
        { name: 'a bucket was deleted', touch: () => call('DELETE', `kv/${key(1)}`) },
        { name: 'the last bucket was deleted', touch: () => call('DELETE', `kv/${key(numBuckets - 1)}`) },
        { name: 'the index was deleted', touch: () => call('DELETE', `kv/${key('index')}`) },
        {
          name: 'buckets were deleted by a common prefix',
          touch: () => call('DELETE', `kv/${key(1)}?recurse`),
        },
        {
          name: 'everything was deleted at the prefix',
          touch: () => call('DELETE', `kv/${store.prefix}?recurse`),
        },
        {
          name: 'everything was deleted above the prefix',
          touch: () => call('DELETE', `kv/${store.prefix.replace('origin/', '')}?recurse`),
        },
        {
          name: 'a bucket was deleted and put back',
          touch: async () => {
            const value = (await store.dump()).get('1')?.value as string;
            await call('DELETE', `kv/${key(1)}`);
            await target.api.put(key(1), value);
          },
        },
        {
          name: 'a bucket was changed and changed back',
          touch: async () => {
            const value = (await store.dump()).get('1')?.value as string;
            await target.api.put(key(1), '{}');
            await target.api.put(key(1), value);
          },
        },
        {
          name: 'only the flags of a bucket changed',
          touch: async () =>
            call('PUT', `kv/${key(1)}?flags=7`, (await store.dump()).get('1')?.value as string),
        },
        {
          name: 'a transaction wrote a bucket',
          touch: () =>
            call('PUT', 'txn', JSON.stringify([{ KV: { Verb: 'set', Key: key(2), Value: 'eA==' } }])),
        },
        {
          name: 'a transaction deleted a bucket',
          touch: () => call('PUT', 'txn', JSON.stringify([{ KV: { Verb: 'delete', Key: key(2) } }])),
        },
        {
          name: 'another process saved',
          touch: async () => {
            const other = store.other();
            const own = await other.loadOwnIndex(callScope());
            await other.put(changesOf(infoOf(300, numBuckets, 2), own), own);
          },
        },
        {
          name: 'another process saved fewer buckets',
          touch: async () => {
            const other = store.other();
            const own = await other.loadOwnIndex(callScope());
            await other.put(changesOf(infoOf(300, 2), own), own);
          },
        },
      ])('changes when $name', async ({ touch }) => {
        const { modifyIndex } = await filled(numBuckets);
        await touch();
        expect(await mark()).not.toBe(`${modifyIndex}`);
      });
    },
  );

  it('changes when another process is in the middle of a large save', async () => {
    const { modifyIndex } = await filled(100);
    // What it does first: the index gets flags.
    const { value } = (await store.dump()).get('index') as { value: string };
    await call('PUT', `kv/${key('index')}?cas=${modifyIndex}&flags=4711`, value);
    expect(await mark()).not.toBe(`${modifyIndex}`);
  });

  it('of nothing changes when something is saved', async () => {
    store = testStore(target);
    const before = await mark();
    await store.put(changesOf(infoOf(3, 2)));
    expect(await mark()).not.toBe(before);
  });
}
