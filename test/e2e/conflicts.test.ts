import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd, errorIds, pathsOf } from '../support/log-reading.ts';
import { type Scope, World } from '../support/world.ts';

/** Somebody else writes at the destination: every write is a check-and-set, and what is found is said (R6, R7). */
describe.runIf(runRealServers)('edited at the destination', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  /**
   * `edited` was copied and then written by hand, `there` was there before the origin had it, `plain` is nobody else's. All three then
   * change at the origin.
   */
  async function edited(): Promise<Scope> {
    const scope = await world.scope();
    for (const key of ['edited', 'plain']) await world.origin.put(scope.path(key), { n: 1 });
    await scope.sync();
    await world.destination.put(scope.path('edited'), { n: 'by hand' });
    await world.destination.put(scope.path('there'), { n: 'by hand' });
    for (const key of ['edited', 'plain', 'there']) await world.origin.put(scope.path(key), { n: 2 });
    await scope.originOnce();
    return scope;
  }

  it('nothing changed at the origin: the edit stays, since the destination Vault is not read for it', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 1 });
    await scope.sync();
    await world.destination.put(scope.path('a'), { n: 'by hand' });
    expect(cycleEnd(await scope.sync()).result).toBe('noop');
    expect(await world.destination.get(scope.path('a'))).toEqual({ data: { n: 'by hand' }, version: 2 });
  });

  it('onConflict overwrite (the default): one new version each, and the edit is reported', async () => {
    const scope = await edited();
    const run = await scope.destinationOnce();
    expect(countsOf(run)).toEqual({ add: 1, update: 2 });
    expect(errorIds(run)).toEqual(['DEST_EDITED']);
    expect(pathsOf(run, 'path.conflict')).toEqual([scope.path('edited'), scope.path('there')]);
    expect(await world.destination.all(scope.mount)).toEqual(
      new Map([
        [scope.path('edited'), { data: { n: 2 }, version: 3 }],
        [scope.path('plain'), { data: { n: 2 }, version: 2 }],
        [scope.path('there'), { data: { n: 2 }, version: 2 }],
      ]),
    );
    expect(cycleEnd(await scope.destinationOnce()).result).toBe('noop');
  });

  it('onConflict skip: the edit is kept and said so, the rest is copied', async () => {
    const scope = await edited();
    const as = { block: { onConflict: 'skip' } };
    const run = await scope.destinationOnce(as);
    expect(countsOf(run)).toEqual({ update: 1 });
    expect(pathsOf(run, 'path.skip')).toEqual([scope.path('edited'), scope.path('there')]);
    const kept = new Map([
      [scope.path('edited'), { data: { n: 'by hand' }, version: 2 }],
      [scope.path('plain'), { data: { n: 2 }, version: 2 }],
      [scope.path('there'), { data: { n: 'by hand' }, version: 1 }],
    ]);
    expect(await world.destination.all(scope.mount)).toEqual(kept);
    // It is not taken for copied: it stays different, and is copied as soon as it may be.
    expect(cycleEnd(await scope.destinationOnce(as)).result).toBe('noop');
    expect(await world.destination.all(scope.mount)).toEqual(kept);
    expect(countsOf(await scope.destinationOnce())).toEqual({ add: 1, update: 1 });
  });

  it('onConflict fail: those paths fail, the rest is copied', async () => {
    const scope = await edited();
    const run = await scope.destinationOnce({ block: { onConflict: 'fail' }, code: 3 });
    expect(countsOf(run)).toEqual({ update: 1, failed: 2 });
    expect(errorIds(run)).toEqual(['DEST_EDITED']);
    expect(pathsOf(run, 'path.error')).toEqual([scope.path('edited'), scope.path('there')]);
    // Once it is restored by hand, it is recorded.
    await world.destination.put(scope.path('edited'), { n: 2 });
    await world.destination.put(scope.path('there'), { n: 2 });
    expect(countsOf(await scope.destinationOnce({ block: { onConflict: 'fail' } }))).toEqual({ recorded: 2 });
  });

  it('an equal value that is there already is recorded, without a new version', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { b: 1, a: [1, { c: 2 }] });
    await world.destination.put(scope.path('a'), { a: [1, { c: 2 }], b: 1 });
    expect(countsOf(await scope.sync())).toEqual({ recorded: 1 });
    expect(await world.destination.versionOf(scope.path('a'))).toBe(1);
  });

  it('deleted by hand at the destination: written over the soft-deleted or missing key', async () => {
    const scope = await world.scope();
    for (const key of ['soft-deleted', 'gone', 'destroyed'])
      await world.origin.put(scope.path(key), { n: 1 });
    await scope.sync();
    await world.destination.softDelete(scope.path('soft-deleted'));
    await world.destination.destroyMetadata(scope.path('gone'));
    await world.destination.destroy(scope.path('destroyed'), [1]);
    for (const key of ['soft-deleted', 'gone', 'destroyed'])
      await world.origin.put(scope.path(key), { n: 2 });
    const run = await scope.sync();
    expect(countsOf(run)).toEqual({ update: 3 });
    expect(errorIds(run)).toEqual([]);
    expect(await world.destination.all(scope.mount)).toEqual(
      new Map([
        [scope.path('destroyed'), { data: { n: 2 }, version: 2 }],
        [scope.path('gone'), { data: { n: 2 }, version: 1 }],
        [scope.path('soft-deleted'), { data: { n: 2 }, version: 2 }],
      ]),
    );
  });

  it('deleted at both ends: nothing is left to do', async () => {
    const scope = await world.scope();
    for (const key of ['a', 'b', 'kept']) await world.origin.put(scope.path(key), { n: 1 });
    await scope.sync();
    for (const key of ['a', 'b']) await world.origin.softDelete(scope.path(key));
    await world.destination.softDelete(scope.path('a'));
    await world.destination.destroyMetadata(scope.path('b'));
    expect(countsOf(await scope.sync())).toEqual({ delete: 2 });
    expect(cycleEnd(await scope.destinationOnce()).result).toBe('noop');
    expect(await world.destination.paths(scope.mount)).toEqual([scope.path('a'), scope.path('kept')]);
  });

  it('a mount or key that demands check-and-set takes the copies (defect B9)', async () => {
    const scope = await world.scope();
    await world.destination.call('POST', `${scope.mount}config`, { cas_required: true });
    await world.origin.put(scope.path('a'), { n: 1 });
    await scope.sync();
    await world.origin.put(scope.path('a'), { n: 2 });
    expect(countsOf(await scope.sync())).toEqual({ update: 1 });
    expect(await world.destination.get(scope.path('a'))).toEqual({ data: { n: 2 }, version: 2 });
  });
});
