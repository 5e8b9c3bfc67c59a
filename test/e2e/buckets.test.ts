import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd } from '../support/log-reading.ts';
import { type Role, type Scope, World } from '../support/world.ts';

/** The number of buckets is the origin's affair; destinations follow it, and no secret is written for it (defect C9). */
describe.runIf(runRealServers)('buckets', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  async function bucketsOf(scope: Scope, side: Role): Promise<number> {
    const info = await scope.syncInfo(side);
    const index = JSON.parse(info.get('index')?.value ?? '[]') as unknown[];
    const stored = [...info.keys()].filter((key) => key !== 'index').map(Number);
    // Each has a key of its own, and none is left of a larger number.
    expect(stored.sort((a, b) => a - b)).toEqual([...index.keys()]);
    return index.length;
  }

  it('a destination adopts a larger and a smaller number, and makes the changes that came with it', async () => {
    const scope = await world.scope();
    for (let i = 0; i < 30; i += 1) await world.origin.put(scope.path(`k${i}`), { i });
    await scope.originOnce({ top: { numBuckets: 4 } });
    await scope.destinationOnce({ top: { numBuckets: 4 } });
    expect([await bucketsOf(scope, 'origin'), await bucketsOf(scope, 'destination')]).toEqual([4, 4]);
    const history = await world.destination.history(scope.mount);
    for (const numBuckets of [100, 3]) {
      await scope.originOnce({ top: { numBuckets } });
      // What the destination's own configuration says does not matter.
      const run = await scope.destinationOnce({ top: { numBuckets: 4 } });
      expect(countsOf(run)).toEqual({});
      expect([await bucketsOf(scope, 'origin'), await bucketsOf(scope, 'destination')]).toEqual([
        numBuckets,
        numBuckets,
      ]);
      expect(await world.destination.history(scope.mount)).toEqual(history);
      expect(cycleEnd(await scope.destinationOnce()).result).toBe('noop');
    }
    await world.origin.put(scope.path('k1'), { i: 'changed' });
    await world.origin.softDelete(scope.path('k2'));
    await world.origin.put(scope.path('new'), {});
    await scope.originOnce({ top: { numBuckets: 16 } });
    expect(countsOf(await scope.destinationOnce())).toEqual({ add: 1, update: 1, delete: 1 });
    expect(await bucketsOf(scope, 'destination')).toBe(16);
    expect(await world.destination.values(scope.mount)).toEqual(await world.origin.values(scope.mount));
  });

  it('without numBuckets an origin keeps the number that is published', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), {});
    await scope.originOnce({ top: { numBuckets: 7 } });
    await world.origin.put(scope.path('b'), {});
    await scope.originOnce();
    expect(await bucketsOf(scope, 'origin')).toBe(7);
  });

  it('as many buckets as an index in Consul can hold; one more is refused before anything is written', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 1 });
    // 67 bytes for each hash in the 512 KiB of one value; and more than a transaction takes.
    const most = { top: { numBuckets: 7825 } };
    await scope.originOnce(most);
    await world.origin.put(scope.path('a'), { n: 2 });
    const again = await scope.originOnce(most);
    // However many requests are under way, standard error holds the log and nothing of Node's own.
    expect(again.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'))).toEqual([]);
    expect(cycleEnd(again).result).toBe('success');
    expect(countsOf(await scope.destinationOnce())).toEqual({ add: 1 });
    expect([await bucketsOf(scope, 'origin'), await bucketsOf(scope, 'destination')]).toEqual([7825, 7825]);
    const info = await scope.syncInfo('origin');
    const run = await scope.originOnce({ top: { numBuckets: 7826 }, code: 78 });
    expect(run.stderr).toContain('numBuckets: 7826 is too many');
    expect(await scope.syncInfo('origin')).toEqual(info);
  });

  it('a bucket that Consul cannot hold: nothing is written, and what is published stays', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('first'), {});
    await scope.originOnce({ top: { numBuckets: 1 } });
    const published = await scope.syncInfo('origin');
    // Together more than the 512 KiB of one value.
    for (let i = 0; i < 150; i += 1) await world.origin.put(scope.path(`${i}${'x'.repeat(3_500)}`), {});
    const run = await scope.originOnce({ top: { numBuckets: 1 }, code: 78 });
    expect(run.log.map((entry) => entry['error.id'])).toContain('CONSUL_VALUE_TOO_LARGE');
    expect(await scope.syncInfo('origin')).toEqual(published);
    await scope.originOnce({ top: { numBuckets: 4 } });
    expect(await bucketsOf(scope, 'origin')).toBe(4);
  });
});
