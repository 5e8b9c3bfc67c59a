import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd, errorIds, pathsOf } from '../support/log-reading.ts';
import { type Role, type Scope, World } from '../support/world.ts';

/** Sync info that is lost or spoiled: nothing is deleted for it, no secret is written again, and it comes back by itself (R5, R6). */
describe.runIf(runRealServers)('lost sync info', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  /** `a`, `b` and `c` at both ends. */
  async function copied(): Promise<Scope> {
    const scope = await world.scope();
    for (const key of ['a', 'b', 'c']) await world.origin.put(scope.path(key), { key });
    await scope.sync();
    return scope;
  }

  async function lose(scope: Scope, role: Role): Promise<void> {
    await world.consul.delete(`${scope.syncPath}${role}/`);
  }

  it("the destination's: what is equal is recorded and gets no new version (defect D7)", async () => {
    const scope = await copied();
    const before = await scope.syncInfo('destination');
    const history = await world.destination.history(scope.mount);
    await lose(scope, 'destination');
    expect(countsOf(await scope.destinationOnce())).toEqual({ recorded: 3 });
    expect(await world.destination.history(scope.mount)).toEqual(history);
    const values = (info: typeof before) => [...info].map(([key, { value }]) => [key, value]);
    expect(values(await scope.syncInfo('destination'))).toEqual(values(before));
    expect(cycleEnd(await scope.destinationOnce()).result).toBe('noop');
  });

  it("the destination's, while the origin went on: only what differs is written, and nothing deleted", async () => {
    const scope = await copied();
    await lose(scope, 'destination');
    await world.origin.put(scope.path('a'), { key: 'changed' });
    await world.origin.softDelete(scope.path('b'));
    await world.origin.put(scope.path('d'), { key: 'd' });
    expect(countsOf(await scope.sync())).toEqual({ add: 2, recorded: 1 });
    // Nobody knows any more that `b` was a copy.
    expect(await world.destination.all(scope.mount)).toEqual(
      new Map([
        [scope.path('a'), { data: { key: 'changed' }, version: 2 }],
        [scope.path('b'), { data: { key: 'b' }, version: 1 }],
        [scope.path('c'), { data: { key: 'c' }, version: 1 }],
        [scope.path('d'), { data: { key: 'd' }, version: 1 }],
      ]),
    );
  });

  it("the origin's: destinations wait, the origin publishes it again, and nothing is copied", async () => {
    const scope = await copied();
    const history = await world.destination.history(scope.mount);
    await lose(scope, 'origin');
    expect(errorIds(await scope.destinationOnce({ code: 69 }))).toEqual(['ORIGIN_INFO_MISSING']);
    expect(cycleEnd(await scope.originOnce()).result).toBe('success');
    expect(cycleEnd(await scope.destinationOnce()).result).toBe('noop');
    expect(await world.destination.history(scope.mount)).toEqual(history);
  });

  it('both: recorded anew, and nothing is copied', async () => {
    const scope = await copied();
    const history = await world.destination.history(scope.mount);
    await world.consul.delete(scope.syncPath);
    await scope.originOnce();
    expect(countsOf(await scope.destinationOnce())).toEqual({ recorded: 3 });
    expect(await world.destination.history(scope.mount)).toEqual(history);
  });

  // A spoiled bucket is read again for some seconds, since a writer may be at work: the cases wait together, on one pair of mounts.
  describe.concurrent('and spoiled', () => {
    let pair: Scope;
    let other: Scope;
    beforeAll(async () => {
      pair = await published();
      other = await published();
      await world.origin.softDelete(other.path('b'));
      await other.originOnce();
    });

    /** `a`, `b` and `c` at both ends, and `new` published but not copied. */
    async function published(): Promise<Scope> {
      const scope = await copied();
      await world.origin.put(scope.path('new'), { key: 'new' });
      await scope.originOnce();
      return scope;
    }

    /** A sync path of its own with the info of a pair. */
    async function cloneOf(scope: Scope) {
      clones += 1;
      const syncPath = `vsync-clone-${clones}/`;
      for (const side of ['origin', 'destination'] as const) {
        for (const [key, { value }] of await scope.syncInfo(side))
          await world.consul.put(`${syncPath}${side}/${key}`, value);
      }
      return {
        syncPath,
        asOrigin: { block: { syncPath } },
        asDestination: { block: { syncPath }, top: { origin: scope.originBlock({ syncPath }) } },
      };
    }
    let clones = 0;

    const faults: readonly { name: string; spoil: (prefix: string) => Promise<void> }[] = [
      { name: 'a bucket that is no JSON', spoil: (prefix) => world.consul.put(`${prefix}0`, '{"secret/da') },
      { name: 'a bucket that is missing', spoil: (prefix) => world.consul.delete(`${prefix}0`) },
      { name: 'a bucket of an older save', spoil: (prefix) => world.consul.put(`${prefix}0`, '{}') },
      { name: 'an index that is no index', spoil: (prefix) => world.consul.put(`${prefix}index`, 'oops') },
      {
        name: 'probe keys only (defect C7)',
        spoil: async (prefix) => {
          await world.consul.delete(prefix);
          await world.consul.put(`${prefix}vsyncChecks/left`, '2020-01-01T00:00:00.000Z');
        },
      },
    ];
    const isLost = (name: string) => name.startsWith('probe');

    it.each(faults)(
      "the destination's own with $name: rebuilt, nothing written or deleted",
      async ({ name, spoil }) => {
        const { syncPath, asDestination } = await cloneOf(pair);
        await spoil(`${syncPath}destination/`);
        const run = await pair.destinationOnce(asDestination);
        // The first of these cases copies `new`.
        expect(pathsOf(run, 'path.add')).toEqual(['a', 'b', 'c', 'new'].map((key) => pair.path(key)));
        expect(run.log.some(({ level }) => level === 'warn')).toBe(!isLost(name));
        for (const key of ['a', 'b', 'c', 'new'])
          expect(await world.destination.get(pair.path(key)), key).toEqual({ data: { key }, version: 1 });
        const info = await pair.syncInfo('destination', syncPath);
        expect([...info.keys()].sort()).toEqual(['0', 'index']);
        expect(info.get('index')?.value).toBe((await pair.syncInfo('origin')).get('index')?.value);
      },
    );

    it.each(faults)(
      "the origin's with $name: destinations change nothing; the origin's next cycle repairs it",
      async ({ name, spoil }) => {
        const { syncPath, asOrigin, asDestination } = await cloneOf(other);
        await spoil(`${syncPath}origin/`);
        const before = await other.syncInfo('destination', syncPath);
        const [code, id] = isLost(name) ? [69, 'ORIGIN_INFO_MISSING'] : [65, 'SYNC_INFO_CORRUPT'];
        const refused = await other.destinationOnce({ ...asDestination, code });
        expect(errorIds(refused)).toEqual([id]);
        expect(refused.log.filter(({ event }) => event?.startsWith('path.'))).toEqual([]);
        expect(await other.syncInfo('destination', syncPath)).toEqual(before);
        const origin = await other.originOnce(asOrigin);
        expect(cycleEnd(origin).result).toBe('success');
        expect(origin.log.some(({ level }) => level === 'warn')).toBe(!isLost(name));
        const run = await other.destinationOnce(asDestination);
        expect([pathsOf(run, 'path.add'), pathsOf(run, 'path.delete')]).toEqual([
          [other.path('new')],
          [other.path('b')],
        ]);
      },
    );

    it("the origin's: a destination's daemon waits until it is repaired, and goes on", async () => {
      const { syncPath, asOrigin, asDestination } = await cloneOf(other);
      await world.consul.put(`${syncPath}origin/0`, 'oops');
      const block = { ...asDestination.block, tick: '1h' };
      const daemon = await other.start('destination', { ...asDestination, block });
      await daemon.untilEntry((entry) => entry['error.id'] === 'SYNC_INFO_CORRUPT');
      await other.originOnce(asOrigin);
      await daemon.untilEntry(({ event, path }) => event === 'path.add' && path === other.path('new'));
      expect((await daemon.stop()).code).toBe(0);
    });

    it("the origin's, where no destination needs to read it: nobody is held up, and the origin repairs it", async () => {
      const scope = await copied();
      await world.consul.put(`${scope.syncPath}origin/0`, 'oops');
      expect(cycleEnd(await scope.destinationOnce()).result).toBe('noop');
      await scope.originOnce();
      expect((await scope.syncInfo('origin')).get('0')?.value).toContain(scope.path('a'));
    });
  });
});
