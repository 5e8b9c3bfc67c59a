import { describe, expect } from 'vitest';
import { waitFor } from '../servers/processes.ts';
import { runRealServers } from '../servers/real-servers.ts';
import { cycleEnd, errorIds } from '../support/log-reading.ts';
import type { Finished } from '../support/vsync-process.ts';
import { passAfter } from './fault-proxy.ts';
import { expectNoneTwice, writtenValues } from './histories.ts';
import { it, numbered, type Pair } from './pair.ts';
import { dataOf, metadataOf, transaction } from './requests.ts';

/** Two processes with one configuration, by mistake or in a handover: no version twice, no torn info, and no delete that was not due (R5, R7). */
describe
  .runIf(runRealServers)
  .concurrent('two processes with one configuration', { timeout: 300_000 }, () => {
    /** What a process may end with that was not alone. */
    const maySay = ['SYNC_INFO_CONFLICT'];
    const exitCodes = [0, 75];

    function expectFair(runs: readonly Finished[]): void {
      for (const run of runs) {
        expect(exitCodes, run.stderr).toContain(run.code);
        expect(maySay).toEqual(expect.arrayContaining(errorIds(run)));
      }
      expect(runs.some(({ code }) => code === 0)).toBe(true);
    }

    async function together(pair: Pair, role: 'origin' | 'destination', block = {}): Promise<Finished[]> {
      const running = await Promise.all(
        [1, 2].map(() => pair.start(role, { args: ['--once'], block, top: { numBuckets: 100 } })),
      );
      return Promise.all(running.map(({ finished }) => finished));
    }

    const allAt = (keys: readonly string[], version: number) =>
      Object.fromEntries(keys.map((key) => [key, version]));

    /** One more cycle of each leaves nothing to do, and both infos are the same. */
    async function expectSettled(pair: Pair): Promise<void> {
      pair.clear();
      expect(errorIds(await pair.originOnce())).toEqual([]);
      expect(errorIds(await pair.destinationOnce())).toEqual([]);
      expect((await pair.info('destination')).index).toBe((await pair.info('origin')).index);
      expect(cycleEnd(await pair.destinationOnce()).result).toBe('noop');
    }

    it('R7: two destinations at once, first copy, updates and deletes: each secret is written once', async ({
      pair,
    }) => {
      const keys = numbered(120);
      const [deleted, changed] = [keys.slice(0, 10), keys.slice(10)];
      await pair.fill(keys);
      await pair.originOnce({ top: { numBuckets: 100 } });
      expectFair(await together(pair, 'destination', { batchSize: 10 }));
      await expectSettled(pair);
      await pair.expectCopied(keys);
      expect(await pair.versions()).toEqual(allAt(keys, 1));

      await pair.change(...changed);
      await pair.softDelete(...deleted);
      await pair.originOnce();
      expectFair(await together(pair, 'destination', { batchSize: 10 }));
      await expectSettled(pair);
      await pair.expectCopied([], changed);
      expect(await pair.versions()).toEqual({ ...allAt(deleted, 1), ...allAt(changed, 2) });
    });

    it.for(['overwrite', 'fail'])(
      'R7: both are about to write the same secret: one does, the other one takes it for its own (onConflict %s)',
      async (onConflict, { pair }) => {
        await pair.fill(['a', 'b']);
        await pair.sync();
        await pair.change('a', 'c');
        await pair.originOnce();
        // The first one is held before its writes until the second one has made all of them, and has recorded them.
        const other = () => pair.destinationOnce({ block: { onConflict } });
        pair.destinationVault.add({ method: 'POST', path: dataOf('a', 'c'), times: 2, ...passAfter(other) });
        const run = await pair.destinationOnce({ block: { onConflict }, code: 75 });
        expect(errorIds(run)).toEqual(['SYNC_INFO_CONFLICT']);
        await pair.expectCopied(['b'], ['a', 'c']);
        expect(await pair.versions()).toEqual({ a: 2, b: 1, c: 1 });
        await expectSettled(pair);
        expect(await pair.versions()).toEqual({ a: 2, b: 1, c: 1 });
      },
    );

    it('R7: one is held before its deletes while the other one makes them, and the secret is made anew: it stays', async ({
      pair,
    }) => {
      await pair.fill(['a', 'b', 'c']);
      await pair.sync();
      await pair.softDelete('b');
      await pair.originOnce();
      const other = async () => {
        await pair.destinationOnce();
        await pair.fill(['b'], { changed: true });
        await pair.sync();
      };
      // The question to the origin comes right before the delete.
      pair.originVault.add({ path: dataOf('b'), times: 1, ...passAfter(other) });
      const run = await pair.destinationOnce();
      expect(cycleEnd(run).delete ?? 0).toBe(0);
      await pair.expectCopied(['a', 'c'], ['b']);
      await expectSettled(pair);
    });

    it('R5: two origins at once: one publishes, what is published is whole', async ({ pair }) => {
      const keys = numbered(120);
      await pair.fill(keys);
      expectFair(await together(pair, 'origin'));
      expect(await pair.insights('origin')).toEqual(allAt(keys, 1));
      await pair.change(...keys);
      expectFair(await together(pair, 'origin'));
      expect(await pair.insights('origin')).toEqual(allAt(keys, 2));
      await expectSettled(pair);
      await pair.expectCopied([], keys);
      expect(await pair.versions()).toEqual(allAt(keys, 1));
    });

    it('R1: an origin that is slow does not publish what it saw over what another one has published since', async ({
      pair,
    }) => {
      await pair.fill(['a', 'b', 'c']);
      await pair.sync();
      await pair.change('a');
      const other = async () => {
        await pair.change('b');
        await pair.softDelete('c');
        await pair.originOnce();
        await pair.destinationOnce();
      };
      // It has scanned all of it, and is about to save.
      pair.originConsul.add({ method: 'PUT', path: transaction, times: 1, ...passAfter(other) });
      const slow = await pair.originOnce({ code: 75 });
      expect(errorIds(slow)).toEqual(['SYNC_INFO_CONFLICT']);
      expect(await pair.insights('origin')).toEqual({ a: 2, b: 2 });
      await expectSettled(pair);
      await pair.expectCopied([], ['a', 'b']);
      expect(pair.originVault.seen.filter(({ path }) => metadataOf('a').test(path)).length).toBeGreaterThan(
        2,
      );
    });

    it('R5: two daemons of each role while the origin is edited: afterwards all is as at the origin, each value written once', async ({
      pair,
    }) => {
      const keys = numbered(60);
      const top = { numBuckets: 80 };
      await pair.fill(keys);
      const tick = { tick: '150ms' };
      const daemons = await Promise.all(
        (['origin', 'origin', 'destination', 'destination'] as const).map((role) =>
          pair.start(role, { block: { ...tick, ...(role === 'destination' && { batchSize: 5 }) }, top }),
        ),
      );
      const cycles = () => daemons.map(({ log }) => log.filter(({ event }) => event === 'cycle.end').length);
      for (let round = 1; round <= 6; round += 1) {
        await pair.fill(keys, { round });
        await pair.softDelete(`k${round}`);
        const before = cycles();
        await waitFor(() => cycles().every((count, i) => count >= (before[i] ?? 0) + 2));
      }
      for (const daemon of daemons) {
        const { code, log } = await daemon.stop();
        expect(code).toBe(0);
        const said = errorIds({ log }).filter((id) => id !== 'ORIGIN_INFO_MISSING');
        expect([...maySay, 'SYNC_INFO_CORRUPT']).toEqual(expect.arrayContaining(said));
        expect(log.filter(({ event }) => event === 'path.conflict')).toEqual([]);
      }
      await expectSettled(pair);
      const { k6: _, ...left } = Object.fromEntries(keys.map((key) => [key, { key, round: 6 }]));
      expect(await pair.copied()).toEqual(left);
      expectNoneTwice(await writtenValues(pair, keys));
    });
  });
