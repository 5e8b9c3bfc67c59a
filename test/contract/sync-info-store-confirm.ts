import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { StoredIndex } from '../../src/cycle/ports.ts';
import { type ConsulKind, type ConsulTarget, callScope } from './consul-client-target.ts';
import { changesOf, infoOf, type TestStore, testStore } from './sync-info-store-target.ts';

/** What an idle destination rests on (R11): one request tells whether the own index is still the one it knows, and that the node lives. */
export function confirmFacts(kind: ConsulKind): void {
  let target: ConsulTarget;
  let store: TestStore;
  beforeAll(async () => {
    target = await kind.start();
  });
  afterAll(() => target?.stop());
  afterEach(() => store.close());

  async function filled(): Promise<StoredIndex> {
    store = testStore(target);
    return store.put(changesOf(infoOf(300, 4)));
  }
  const beside = (value: string) => ({ key: `beside-${store.prefix}status`, value });

  it('is true for what is stored, in one request that writes the key beside it', async () => {
    const stored = await filled();
    target.dev?.requests.reset();
    expect(await store.confirm(stored, beside('alive'), callScope())).toBe(true);
    if (target.dev !== undefined) expect(target.dev.requests.total).toBe(1);
    expect(await target.api.get(beside('').key)).toBe('alive');
    expect(await store.loadIndex(callScope())).toEqual(stored);
  });

  it('is true without a key, too', async () => {
    const stored = await filled();
    expect(await store.confirm(stored, undefined, callScope())).toBe(true);
  });

  it.each([
    {
      name: 'another save',
      move: async (stored: StoredIndex) => void (await store.put(changesOf(infoOf(301, 4), stored), stored)),
    },
    { name: 'a write of the index', move: () => target.api.put(`${store.prefix}index`, '[]') },
    { name: 'its delete', move: () => target.api.delete(`${store.prefix}index`) },
  ])('is false after $name, and writes nothing then', async ({ move }) => {
    const stored = await filled();
    await move(stored);
    expect(await store.confirm(stored, beside('alive'), callScope())).toBe(false);
    expect(await target.api.get(beside('').key)).toBeUndefined();
  });
}
