import { describe, expect } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd, errorIds, pathsOf } from '../support/log-reading.ts';
import { type Finished, runVsync } from '../support/vsync-process.ts';
import { expectCode, type Role } from '../support/world.ts';
import { answers } from './fault-proxy.ts';
import { it, numbered, type Pair, type PairRun } from './pair.ts';
import { dataOf } from './requests.ts';

/** Deletes come last, only when nothing is unclear, only inside the guard, and only when the origin confirms each (R4). */
describe.runIf(runRealServers).concurrent('deletes', () => {
  it.for([
    { name: 'a 403', action: answers.forbidden, code: 3, id: 'VAULT_FORBIDDEN' },
    { name: 'a 500 each time', action: answers.internalError, code: 3, id: 'VAULT_UNAVAILABLE' },
    { name: 'a 404 without a body', action: answers.notFoundWithoutBody, code: 3, id: 'SECRET_UNREADABLE' },
    { name: 'a 404 page of a proxy', action: answers.htmlNotFound, code: 3, id: 'SECRET_UNREADABLE' },
    { name: 'a 404 of another KV version', action: answers.wrongPath, code: 3, id: 'SECRET_UNREADABLE' },
    { name: 'a 404 of a mount that is gone', action: answers.mountGone, code: 69, id: 'SECRET_UNREADABLE' },
    { name: 'a 503', action: answers.sealed, code: 69, id: 'VAULT_SEALED' },
    { name: 'no answer in time', action: { kind: 'blackHole' }, code: 69, id: 'VAULT_UNREACHABLE' },
    { name: 'a reset connection', action: { kind: 'reset' }, code: 69, id: 'VAULT_UNREACHABLE' },
    { name: 'a page of a proxy', action: answers.html, code: 69, id: 'VAULT_BAD_ANSWER' },
  ] as const)(
    'R4: the origin does not confirm a delete ($name): it is not made, and its entry stays',
    async ({ action, code, id }, { pair }) => {
      await pair.fill(['a', 'b', 'c']);
      await pair.sync();
      await pair.softDelete('b');
      await pair.originOnce();
      pair.originVault.add({ path: dataOf('b'), action });
      const run = await pair.destinationOnce({ origin: { vault: { requestTimeout: '200ms' } }, code });
      expect(errorIds(run)).toEqual([id]);
      expect(countsOf(run).delete).toBeUndefined();
      expect(pair.destinationVault.requests.filter((line) => line.startsWith('DELETE'))).toEqual([]);
      await pair.expectCopied(['a', 'b', 'c']);
      expect(await pair.insights('destination')).toEqual({ a: 1, b: 1, c: 1 });
      pair.clear();
      expect(countsOf(await pair.destinationOnce())).toEqual({ delete: 1 });
      await pair.expectCopied(['a', 'c']);
    },
  );

  it('R4: deletes come after all copies, one confirming read before each', async ({ pair }) => {
    const keys = numbered(24);
    await pair.fill(keys);
    await pair.sync();
    pair.clear();
    await pair.softDelete('k0', 'k1');
    await pair.change(...keys.slice(2));
    await pair.originOnce();
    expect(countsOf(await pair.destinationOnce())).toEqual({ update: 22, delete: 2 });
    const writes = pair.destinationVault.requests.filter((line) => dataOf().test(line.split(' ')[1] ?? ''));
    expect(writes.slice(-2).map((line) => line.split(' ')[0])).toEqual(['DELETE', 'DELETE']);
    const asked = pair.originVault.requests.filter((line) =>
      dataOf('k0', 'k1').test(line.split(' ')[1] ?? ''),
    );
    expect(asked).toHaveLength(2);
  });

  it('R4: a copy that fails for a passing reason holds all deletes back; one that fails for good does not', async ({
    pair,
  }) => {
    await pair.fill(['a', 'b', 'c', 'd']);
    await pair.sync();
    await pair.softDelete('a');
    await pair.change('b');
    await pair.originOnce();
    pair.originVault.add({ path: dataOf('b'), action: answers.internalError });
    const held = await pair.destinationOnce({ code: 3 });
    expect(countsOf(held)).toEqual({ failed: 1 });
    expect(held.log.some(({ message }) => message.includes('1 deletes wait'))).toBe(true);
    await pair.expectCopied(['a', 'b', 'c', 'd']);
    pair.clear();
    pair.originVault.add({ path: dataOf('b'), action: answers.forbidden });
    expect(countsOf(await pair.destinationOnce({ code: 3 }))).toEqual({ failed: 1, delete: 1 });
    await pair.expectCopied(['b', 'c', 'd']);
  });

  it('R4: a secret that is back at the origin by the time of the delete is not deleted', async ({ pair }) => {
    await pair.fill(['a', 'b']);
    await pair.sync();
    await pair.softDelete('a');
    await pair.originOnce();
    await pair.fill(['a']);
    const run = await pair.destinationOnce();
    expect(pathsOf(run, 'path.skip')).toEqual([pair.path('a')]);
    await pair.expectCopied(['a', 'b']);
    expect(countsOf(await pair.sync())).toEqual({ update: 1 });
  });

  it('R4: a rename whose old and new path lead to one target (transforms): the target is not deleted', async ({
    pair,
  }) => {
    const { mount } = pair.scope;
    const rule = {
      name: 'both',
      from: `^${mount}(?P<kind>data)/(old|new)/(?P<key>.+)$`,
      to: `${mount}kind/all/key`,
    };
    const as = { block: { transforms: [rule] } };
    await pair.fill(['old/x', 'old/y']);
    await pair.originOnce();
    await pair.destinationOnce(as);
    // One is renamed with its value, the other one with a new value.
    await pair.world.origin.put(pair.path('new/x'), { key: 'old/x' });
    await pair.world.origin.put(pair.path('new/y'), { key: 'new/y' });
    await pair.softDelete('old/x', 'old/y');
    await pair.originOnce();
    expect(countsOf(await pair.destinationOnce(as))).toEqual({ add: 1, recorded: 1 });
    expect(await pair.copied()).toEqual({ 'all/x': { key: 'old/x' }, 'all/y': { key: 'new/y' } });
    expect(await pair.versions()).toEqual({ 'all/x': 1, 'all/y': 2 });
    expect(pair.destinationVault.requests.filter((line) => line.startsWith('DELETE'))).toEqual([]);
    expect(cycleEnd(await pair.destinationOnce(as)).result).toBe('noop');
  });

  describe.concurrent('that are held', () => {
    const heldSet = (run: Finished) => String(run.log.find(({ event }) => event === 'guard.held')?.set);

    async function approve(pair: Pair, role: Role, set: string, ...more: string[]): Promise<void> {
      const { scope } = pair;
      const { block, top } = pair.runAs(role);
      const config =
        role === 'origin' ? await scope.originConfig(block, top) : await scope.destinationConfig(block, top);
      expectCode(await runVsync(['approve', set, '--role', role, '--config', config, ...more]), 0);
    }

    /** How a set is released, for the run that follows. */
    const ways: readonly {
      way: string;
      release: (pair: Pair, role: Role, set: string) => Promise<PairRun>;
    }[] = [
      { way: '`vsync approve`', release: async (...of) => approve(...of).then(() => ({})) },
      {
        way: '--approve-deletes',
        release: async (_pair, _role, set) => ({ args: ['--approve-deletes', set] }),
      },
    ];

    it.for(ways)(
      'R4: of an origin that was emptied: held at both ends, with exit 4, and released by $way',
      async ({ release }, { pair }) => {
        const keys = ['a', 'b', 'c', 'd'];
        await pair.fill(keys);
        await pair.sync();
        const before = await pair.info('origin');
        await pair.softDelete(...keys);
        const first = await pair.originOnce({ code: 4 });
        expect(errorIds(first)).toEqual(['ORIGIN_EMPTY']);
        expect(await pair.info('origin')).toEqual(before);
        expect(await pair.scope.status('origin')).toMatchObject({
          health: 'Held',
          sync: 'OutOfSync',
          errorCode: 'ORIGIN_EMPTY',
          held: { deletes: 4, limit: 5, paths: 4 },
        });
        expect(cycleEnd(await pair.destinationOnce()).result).toBe('noop');
        await pair.expectCopied(keys);

        const published = await pair.originOnce(await release(pair, 'origin', heldSet(first)));
        expect(cycleEnd(published)).toMatchObject({ result: 'success', paths: 0 });
        const held = await pair.destinationOnce({ code: 4 });
        expect(errorIds(held)).toEqual(['ORIGIN_EMPTY']);
        expect(await pair.scope.status('destination')).toMatchObject({
          health: 'Held',
          errorCode: 'ORIGIN_EMPTY',
          held: { deletes: 4, paths: 4 },
        });
        await pair.expectCopied(keys);

        const released = await pair.destinationOnce(await release(pair, 'destination', heldSet(held)));
        expect(countsOf(released)).toEqual({ delete: 4 });
        expect(await pair.scope.status('destination')).toMatchObject({ health: 'Healthy' });
      },
    );

    it.for(ways)(
      'R4: a set that changes after it was released by $way is another one, and is held again',
      async ({ release }, { pair }) => {
        const { world } = pair;
        const keys = numbered(12);
        await pair.fill(keys);
        await pair.sync();
        await pair.softDelete(...keys.slice(0, 7));
        await pair.originOnce();
        const set = heldSet(await pair.destinationOnce({ code: 4 }));
        const released = await release(pair, 'destination', set);
        // One more, and one less, and as many but others.
        await pair.softDelete('k7');
        await pair.originOnce();
        expect(heldSet(await pair.destinationOnce({ ...released, code: 4 }))).not.toBe(set);
        await world.origin.undelete(pair.path('k0'), [1]);
        await pair.originOnce();
        expect(heldSet(await pair.destinationOnce({ ...released, code: 4 }))).not.toBe(set);
        await pair.expectCopied(keys);
        // The very set again.
        await world.origin.undelete(pair.path('k7'), [1]);
        await pair.softDelete('k0');
        await pair.originOnce();
        expect(countsOf(await pair.destinationOnce(released))).toEqual({ delete: 7 });
        await pair.expectCopied(keys.slice(7));
      },
    );

    it('R4: an approval that has expired releases nothing; a new one does, for a daemon too', async ({
      pair,
    }) => {
      const keys = numbered(12);
      await pair.fill(keys);
      await pair.sync();
      await pair.softDelete(...keys.slice(0, 7));
      await pair.originOnce();
      const set = heldSet(await pair.destinationOnce({ code: 4 }));
      await approve(pair, 'destination', set, '--for', '1ms');
      expect(heldSet(await pair.destinationOnce({ code: 4 }))).toBe(set);
      const daemon = await pair.start('destination', { block: { tick: '200ms', watch: false } });
      await daemon.untilEntry(({ result }) => result === 'held');
      await approve(pair, 'destination', set);
      expect(await daemon.untilEntry(({ result }) => result === 'success')).toMatchObject({ delete: 7 });
      await pair.expectCopied(keys.slice(7));
      expect((await daemon.stop()).code).toBe(0);
    });

    it('R4: an approved delete is still confirmed by the origin, one by one', async ({ pair }) => {
      const keys = numbered(12);
      await pair.fill(keys);
      await pair.sync();
      await pair.softDelete(...keys.slice(0, 7));
      await pair.originOnce();
      const set = heldSet(await pair.destinationOnce({ code: 4 }));
      await pair.world.origin.undelete(pair.path('k3'), [1]);
      const run = await pair.destinationOnce({ args: ['--approve-deletes', set] });
      expect(countsOf(run)).toEqual({ delete: 6 });
      await pair.expectCopied(['k3', ...keys.slice(7)]);
    });
  });
});
