import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd, errorIds, pathsOf } from '../support/log-reading.ts';
import { type Finished, runVsync } from '../support/vsync-process.ts';
import { expectCode, type Scope, World } from '../support/world.ts';

/** Deletes that are too many are held until somebody approves exactly these (R4). */
describe.runIf(runRealServers)('the delete guard', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  /** `k0`, `k1`, ... at both ends. Of 12 paths, 6 deletes are within the limit. */
  async function copied(count: number): Promise<Scope> {
    const scope = await world.scope();
    for (let i = 0; i < count; i += 1) await world.origin.put(scope.path(`k${i}`), { i });
    await scope.sync();
    return scope;
  }

  async function softDelete(scope: Scope, from: number, to: number): Promise<void> {
    for (let i = from; i <= to; i += 1) await world.origin.softDelete(scope.path(`k${i}`));
  }

  function heldSet(run: Finished): string {
    const set = run.log.find(({ event }) => event === 'guard.held')?.set;
    expect(set).toMatch(/^[0-9a-f]{8}$/);
    return String(set);
  }

  it('deletes within the limit are made', async () => {
    const scope = await copied(12);
    await softDelete(scope, 0, 5);
    expect(countsOf(await scope.sync())).toEqual({ delete: 6 });
  });

  it('more than the limit: held, adds and updates applied; exactly the approved set is released', async () => {
    const scope = await copied(12);
    await softDelete(scope, 0, 6);
    await world.origin.put(scope.path('k11'), { i: 'updated' });
    await world.origin.put(scope.path('new'), { i: 'added' });
    await scope.originOnce();
    const run = await scope.destinationOnce({ code: 4 });
    expect(errorIds(run)).toEqual(['DELETES_HELD']);
    expect(countsOf(run)).toEqual({ add: 1, update: 1 });
    expect(run.log.find(({ event }) => event === 'guard.held')).toMatchObject({
      guard: 'max_deletes',
      deletes: 7,
      limit: 6,
    });
    expect(await scope.status('destination')).toMatchObject({
      health: 'Held',
      errorCode: 'DELETES_HELD',
      held: { deletes: 7, limit: 6, paths: 12 },
    });
    expect(Object.keys(await world.destination.values(scope.mount))).toHaveLength(13);
    const set = heldSet(run);

    // The same set is held again under the same name; another name releases nothing; another set is not released by it.
    expect(heldSet(await scope.destinationOnce({ code: 4 }))).toBe(set);
    await scope.destinationOnce({ args: ['--approve-deletes', '0123abcd'], code: 4 });
    await softDelete(scope, 7, 7);
    await scope.originOnce();
    const larger = await scope.destinationOnce({ args: ['--approve-deletes', set], code: 4 });
    expect(heldSet(larger)).not.toBe(set);
    await world.origin.undelete(scope.path('k7'), [1]);
    await scope.originOnce();
    const released = await scope.destinationOnce({ args: ['--approve-deletes', set] });
    expect(countsOf(released)).toEqual({ delete: 7 });
    expect(Object.keys(await world.destination.values(scope.mount)).sort()).toEqual(
      ['k10', 'k11', 'k7', 'k8', 'k9', 'new'].map((key) => scope.path(key)),
    );
    expect(await scope.status('destination')).toMatchObject({ health: 'Healthy', sync: 'InSync' });
  });

  it('`vsync approve` releases the set that is held, and an approval that has expired releases nothing', async () => {
    const scope = await copied(12);
    await softDelete(scope, 0, 6);
    await scope.originOnce();
    const set = heldSet(await scope.destinationOnce({ code: 4 }));
    const config = await scope.destinationConfig();
    await world.consul.put(
      `${scope.syncPath}approvals/destination`,
      JSON.stringify({ set, by: 'an operator', until: new Date(Date.now() - 1000).toISOString() }),
    );
    await scope.destinationOnce({ code: 4 });
    expectCode(await runVsync(['approve', set, '--config', config]), 0);
    expect(countsOf(await scope.destinationOnce())).toEqual({ delete: 7 });
  });

  it('the limits are the configured ones; guards.enabled false takes them away', async () => {
    const scope = await copied(20);
    await softDelete(scope, 0, 5);
    await scope.originOnce();
    const limits = { maxDeletes: 0, maxDeleteRatio: 0.1 };
    const run = await scope.destinationOnce({ top: { guards: limits }, code: 4 });
    expect(run.log.find(({ event }) => event === 'guard.held')).toMatchObject({ deletes: 6, limit: 5 });
    await scope.destinationOnce({ args: ['--max-deletes', '3', '--max-delete-ratio', '0'], code: 4 });
    await softDelete(scope, 6, 18);
    await scope.originOnce();
    await scope.destinationOnce({ code: 4 });
    expect(countsOf(await scope.destinationOnce({ top: { guards: { enabled: false } } }))).toEqual({
      delete: 19,
    });
  });

  it('an origin that is suddenly empty publishes nothing over its info, and deletes nothing', async () => {
    const scope = await copied(3);
    const info = await scope.syncInfo('origin');
    await softDelete(scope, 0, 2);
    const run = await scope.originOnce({ code: 4 });
    expect(errorIds(run)).toEqual(['ORIGIN_EMPTY']);
    expect(await scope.syncInfo('origin')).toEqual(info);
    expect(await scope.status('origin')).toMatchObject({ health: 'Held', held: { deletes: 3 } });
    expect(cycleEnd(await scope.destinationOnce()).result).toBe('noop');
    expect(Object.keys(await world.destination.values(scope.mount))).toHaveLength(3);
  });

  it('an empty origin that was published all the same (by a Go origin, say): the destination deletes nothing', async () => {
    const scope = await copied(3);
    await softDelete(scope, 0, 2);
    const allowed = { top: { guards: { allowEmptyOrigin: true } } };
    await scope.originOnce(allowed);
    const run = await scope.destinationOnce({ code: 4 });
    expect(errorIds(run)).toEqual(['ORIGIN_EMPTY']);
    expect(run.log.find(({ event }) => event === 'guard.held')).toMatchObject({ guard: 'empty_origin' });
    // guards.enabled is about the limits: it is no permission for this.
    await scope.destinationOnce({ top: { guards: { enabled: false } }, code: 4 });
    expect(Object.keys(await world.destination.values(scope.mount))).toHaveLength(3);
    expect(countsOf(await scope.destinationOnce(allowed))).toEqual({ delete: 3 });
  });

  it('the set that an empty origin holds can be approved at both ends', async () => {
    const scope = await copied(3);
    await softDelete(scope, 0, 2);
    const set = heldSet(await scope.originOnce({ code: 4 }));
    const approved = { args: ['--approve-deletes', set] };
    await scope.originOnce(approved);
    expect(heldSet(await scope.destinationOnce({ code: 4 }))).toBe(set);
    const run = await scope.destinationOnce(approved);
    expect(pathsOf(run, 'path.delete')).toHaveLength(3);
  });

  it('held deletes and failed paths in one cycle: the higher exit code', async () => {
    const scope = await copied(12);
    await softDelete(scope, 0, 6);
    await world.origin.call('POST', scope.path('bad'), '{"data":{"n":1e400}}');
    await scope.originOnce();
    const run = await scope.destinationOnce({ top: { retry: { base: '1ms' } }, code: 4 });
    expect(countsOf(run)).toEqual({ failed: 1 });
    expect(pathsOf(run, 'path.error')).toEqual([scope.path('bad')]);
  });

  it('a path that fails for a passing reason holds all deletes back, without a guard (R4)', async () => {
    const scope = await copied(4);
    await softDelete(scope, 0, 0);
    // Every read of it is a 500: nobody can tell that from a server in trouble.
    await world.origin.call('POST', scope.path('bad'), '{"data":{"n":1e400}}');
    await scope.originOnce();
    const as = { top: { retry: { base: '1ms' } } };
    expect(countsOf(await scope.destinationOnce({ ...as, code: 3 }))).toEqual({ failed: 1 });
    expect(await world.destination.get(scope.path('k0'))).toBeDefined();
    await world.origin.put(scope.path('bad'), { n: 1 });
    await scope.originOnce();
    expect(countsOf(await scope.destinationOnce(as))).toEqual({ add: 1, delete: 1 });
  });
});
