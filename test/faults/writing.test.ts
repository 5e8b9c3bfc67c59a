import { describe, expect } from 'vitest';
import { waitFor } from '../servers/processes.ts';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd, errorIds, pathsOf } from '../support/log-reading.ts';
import { answers, type FaultAction, passAfter } from './fault-proxy.ts';
import { it, numbered, type Pair } from './pair.ts';
import { dataOf, nodeStatus, transaction } from './requests.ts';

/** Writes whose outcome is unclear are resolved by reading, and nobody else's write is lost unsaid (R6, R7, R8). */
describe.runIf(runRealServers).concurrent('writes', () => {
  const soon = { block: { vault: { requestTimeout: '400ms' }, consul: { requestTimeout: '400ms' } } };

  /** The server did it, and nobody learns of it. */
  const lostReplies: readonly { name: string; action: FaultAction }[] = [
    { name: 'the reply is lost', action: { kind: 'dropReply' } },
    { name: 'the reply never comes', action: { kind: 'dropReply', silently: true } },
    { name: 'the reply is cut', action: { kind: 'cutAfter', bytes: 10 } },
    { name: 'a 500 after it was done', action: { ...answers.internalError, kind: 'answerAfterEffect' } },
    { name: 'a 504 after it was done', action: { kind: 'answerAfterEffect', status: 504 } },
    { name: 'a page of a proxy after it was done', action: { ...answers.html, kind: 'answerAfterEffect' } },
  ];
  /** A 204 has no body that could be cut or be a page. */
  const lostRepliesWithoutBody = lostReplies.filter(({ name }) => !/cut|page/.test(name));

  async function expectInSync(pair: Pair, versions: Readonly<Record<string, number>>): Promise<void> {
    expect(await pair.versions()).toEqual(versions);
    expect((await pair.info('destination')).index).toBe((await pair.info('origin')).index);
    pair.clear();
    expect(cycleEnd(await pair.destinationOnce()).result).toBe('noop');
    expect(await pair.versions()).toEqual(versions);
  }

  it.for(lostReplies)('R8: add, and $name: no second version, nothing lost', async ({ action }, { pair }) => {
    await pair.fill(['a', 'b', 'c']);
    await pair.originOnce();
    const hit = pair.destinationVault.add({ method: 'POST', path: dataOf('b'), times: 1, action });
    const run = await pair.destinationOnce(soon);
    expect(hit.hits()).toBe(1);
    expect(errorIds(run)).toEqual([]);
    expect(pathsOf(run, 'path.add')).toEqual(['a', 'b', 'c'].map((key) => pair.path(key)));
    await pair.expectCopied(['a', 'b', 'c']);
    await expectInSync(pair, { a: 1, b: 1, c: 1 });
  });

  it.for(lostReplies)(
    'R8: update, and $name: no second version, nothing lost',
    async ({ action }, { pair }) => {
      await pair.fill(['a', 'b']);
      await pair.sync();
      await pair.change('a', 'b');
      await pair.originOnce();
      const hit = pair.destinationVault.add({ method: 'POST', path: dataOf('b'), times: 1, action });
      const run = await pair.destinationOnce(soon);
      expect(hit.hits()).toBe(1);
      expect(errorIds(run)).toEqual([]);
      await pair.expectCopied([], ['a', 'b']);
      await expectInSync(pair, { a: 2, b: 2 });
    },
  );

  it.for(lostRepliesWithoutBody)(
    'R8: delete, and $name: it is found to be done',
    async ({ action }, { pair }) => {
      await pair.fill(['a', 'b']);
      await pair.sync();
      await pair.softDelete('b');
      await pair.originOnce();
      const hit = pair.destinationVault.add({ method: 'DELETE', path: dataOf('b'), times: 1, action });
      const run = await pair.destinationOnce(soon);
      expect(hit.hits()).toBe(1);
      expect(errorIds(run)).toEqual([]);
      expect(countsOf(run)).toEqual({ delete: 1 });
      expect(pair.destinationVault.requests.filter((line) => line.startsWith('DELETE'))).toHaveLength(1);
      await pair.expectCopied(['a']);
      await expectInSync(pair, { a: 1, b: 1 });
    },
  );

  it.for([
    { name: 'is reset', action: { kind: 'reset' } },
    { name: 'goes into a black hole', action: { kind: 'blackHole' } },
    { name: 'meets a 500', action: answers.internalError },
    { name: 'meets a 429', action: answers.rateLimited },
    { name: 'meets a 503', action: answers.sealed },
  ] as const)(
    'R8: a write that $name before the server has it is made once, after a look',
    async ({ action }, { pair }) => {
      await pair.fill(['a', 'b', 'c']);
      await pair.sync();
      await pair.softDelete('c');
      await pair.change('b');
      await pair.fill(['d']);
      await pair.originOnce();
      for (const key of ['b', 'd'])
        pair.destinationVault.add({ method: 'POST', path: dataOf(key), times: 1, action });
      pair.destinationVault.add({ method: 'DELETE', path: dataOf('c'), times: 1, action });
      const run = await pair.destinationOnce(soon);
      expect(errorIds(run)).toEqual([]);
      expect(countsOf(run)).toEqual({ add: 1, update: 1, delete: 1 });
      await pair.expectCopied(['a', 'd'], ['b']);
      await expectInSync(pair, { a: 1, b: 2, c: 1, d: 1 });
    },
  );

  it('R8: the reply is lost, and the look as well: the cycle fails, the next one writes nothing twice', async ({
    pair,
  }) => {
    await pair.fill(['a', 'b']);
    await pair.sync();
    await pair.change('a', 'b');
    await pair.fill(['c']);
    await pair.originOnce();
    for (const key of ['b', 'c']) {
      pair.destinationVault.add({ method: 'POST', path: dataOf(key), action: { kind: 'dropReply' } });
      pair.destinationVault.add({ method: 'GET', path: dataOf(key), action: { kind: 'reset' } });
    }
    const run = await pair.destinationOnce({ code: 69 });
    expect(errorIds(run)).toEqual(['VAULT_UNREACHABLE']);
    pair.clear();
    expect(errorIds(await pair.destinationOnce())).toEqual([]);
    await pair.expectCopied(['c'], ['a', 'b']);
    await expectInSync(pair, { a: 2, b: 2, c: 1 });
  });

  const saves = [
    { role: 'origin', numBuckets: 4, steps: 'buckets and index in one transaction' },
    { role: 'origin', numBuckets: 150, steps: 'buckets in several transactions, then the index' },
    { role: 'destination', numBuckets: 4, steps: 'buckets and index in one transaction' },
    { role: 'destination', numBuckets: 150, steps: 'buckets in several transactions, then the index' },
  ] as const;

  it.for(saves)(
    'R8: save of the $role ($steps), and each reply is lost once: it is saved, once, and whole',
    async ({ role, numBuckets }, { pair }) => {
      const keys = numbered(200);
      const as = { top: { numBuckets, retry: { base: '5ms' } } };
      await pair.fill(keys);
      const proxy = role === 'origin' ? pair.originConsul : pair.destinationConsul;
      // The first save, and one over what is there.
      for (const round of [1, 2]) {
        if (round === 2) await pair.change(...keys);
        if (role === 'destination') await pair.originOnce(as);
        const sent = new Set<string>();
        const isNew = (body: string) => !sent.has(body) && sent.add(body).has(body);
        const action = { kind: 'dropReply' } as const;
        const lost = proxy.add({ method: 'PUT', path: transaction, body: isNew, action });
        const run = await pair.once(role, role === 'origin' ? as : { block: { batchSize: 1000 } });
        expect(errorIds(run)).toEqual([]);
        expect(lost.hits()).toBeGreaterThanOrEqual(numBuckets > 64 ? 4 : 1);
        pair.clear();
      }
      expect(Object.keys(await pair.insights(role))).toHaveLength(200);
      if (role === 'origin') return;
      expect(new Set(Object.values(await pair.versions()))).toEqual(new Set([2]));
      expect(cycleEnd(await pair.destinationOnce()).result).toBe('noop');
    },
  );

  it.for(['origin', 'destination'] as const)(
    'R8: the status of a %s whose reply is lost harms nothing',
    async (role, { pair }) => {
      await pair.fill(['a']);
      const proxies = { origin: pair.originConsul, destination: pair.destinationConsul };
      const hit = proxies[role].add({ method: 'PUT', path: nodeStatus, action: { kind: 'dropReply' } });
      await pair.sync();
      expect(hit.hits()).toBe(1);
      expect(await pair.scope.status(role)).toMatchObject({ health: 'Healthy' });
      await pair.expectCopied(['a']);
    },
  );

  describe.concurrent('beside somebody else', () => {
    /** `edited` and `new` are written by hand in the very moment before vsync writes them. */
    async function editedMeanwhile(pair: Pair): Promise<void> {
      await pair.fill(['edited', 'plain']);
      await pair.sync();
      await pair.change('edited', 'plain', 'new');
      await pair.originOnce();
      for (const key of ['edited', 'new']) {
        const edit = () => pair.world.destination.put(pair.path(key), { key, by: 'hand' });
        pair.destinationVault.add({ method: 'POST', path: dataOf(key), times: 1, ...passAfter(edit) });
      }
    }

    it('R7: an edit between look and write, onConflict overwrite: one version on top of it, and it is reported', async ({
      pair,
    }) => {
      await editedMeanwhile(pair);
      const run = await pair.destinationOnce();
      expect(errorIds(run)).toEqual(['DEST_EDITED']);
      expect(pathsOf(run, 'path.conflict')).toEqual([pair.path('edited'), pair.path('new')]);
      await pair.expectCopied([], ['edited', 'new', 'plain']);
      await expectInSync(pair, { edited: 3, new: 2, plain: 2 });
    });

    it('R7: the same with onConflict skip: the edit stays, the rest is copied', async ({ pair }) => {
      await editedMeanwhile(pair);
      const run = await pair.destinationOnce({ block: { onConflict: 'skip' } });
      expect(countsOf(run)).toEqual({ update: 1 });
      expect(pathsOf(run, 'path.skip')).toEqual([pair.path('edited'), pair.path('new')]);
      expect(await pair.copied()).toEqual({
        edited: { key: 'edited', by: 'hand' },
        new: { key: 'new', by: 'hand' },
        plain: { key: 'plain', changed: true },
      });
    });

    it('R7: the same with onConflict fail: those paths fail, with exit 3, the rest is copied', async ({
      pair,
    }) => {
      await editedMeanwhile(pair);
      const run = await pair.destinationOnce({ block: { onConflict: 'fail' }, code: 3 });
      expect(errorIds(run)).toEqual(['DEST_EDITED']);
      expect(pathsOf(run, 'path.error')).toEqual([pair.path('edited'), pair.path('new')]);
      expect(await pair.versions()).toEqual({ edited: 2, new: 1, plain: 2 });
    });

    it.for(['overwrite', 'skip', 'fail'])(
      'R7: our own write that a kill left unrecorded is nobody else’s, also if the origin has moved on since (%s)',
      async (onConflict, { pair }) => {
        await pair.fill(['a', 'b']);
        await pair.sync();
        await pair.change('a', 'c');
        await pair.originOnce();
        // Both are written, and nothing of it is recorded.
        pair.destinationConsul.add({ path: transaction, action: { kind: 'blackHole' } });
        const killed = await pair.start('destination', { args: ['--once'] });
        await waitFor(async () => (await pair.versions()).a === 2 && (await pair.versions()).c === 1);
        killed.kill('SIGKILL');
        await killed.finished;
        pair.clear();
        await pair.fill(['a', 'c'], { changed: 'again' });
        await pair.originOnce();
        const run = await pair.destinationOnce({ block: { onConflict } });
        expect(errorIds(run)).toEqual([]);
        expect(await pair.copied()).toEqual({
          a: { key: 'a', changed: 'again' },
          b: { key: 'b' },
          c: { key: 'c', changed: 'again' },
        });
      },
    );
  });
});
