import { describe, expect } from 'vitest';
import { waitFor } from '../servers/processes.ts';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd, errorIds } from '../support/log-reading.ts';
import type { RunningVsync } from '../support/vsync-process.ts';
import type { Role } from '../support/world.ts';
import { it, numbered, type Pair, type PairRun } from './pair.ts';
import { Random } from './random.ts';
import { transaction } from './requests.ts';

/** kill -9 at any moment: the next run goes on from what is there, and nothing is lost, wrong or written twice (R5, R6, R10). */
describe.runIf(runRealServers).concurrent('a crash', { timeout: 300_000 }, () => {
  const random = new Random('crash');

  /**
   * Runs one cycle of a role and kills it at its n-th step: a request that comes, or an answer of a server that is on its way back.
   * Returns whether it was killed: it may have ended before.
   */
  function killing(pair: Pair): (role: Role, step: number, as?: PairRun) => Promise<boolean> {
    let left = Number.POSITIVE_INFINITY;
    let running: RunningVsync | undefined;
    const step = () => {
      left -= 1;
      if (left === 0) running?.kill('SIGKILL');
    };
    for (const proxy of pair.proxies) {
      proxy.onRequest(step);
      proxy.onReply(step);
    }
    return async (role, at, as = {}) => {
      running = await pair.start(role, { ...as, args: ['--once'] });
      left = at;
      const { signal } = await running.finished;
      left = Number.POSITIVE_INFINITY;
      return signal === 'SIGKILL';
    };
  }

  /** Kills a role so many times, each at a random step. */
  async function kill(pair: Pair, role: Role, times: number, maxStep: number, as: PairRun = {}) {
    const run = killing(pair);
    for (let killed = 0; killed < times; ) if (await run(role, random.integer(1, maxStep), as)) killed += 1;
  }

  async function expectSettled(pair: Pair, versions: Readonly<Record<string, number>>): Promise<void> {
    expect(await pair.versions()).toEqual(versions);
    expect((await pair.info('destination')).index).toBe((await pair.info('origin')).index);
    expect(cycleEnd(await pair.destinationOnce()).result).toBe('noop');
    expect(await pair.versions()).toEqual(versions);
  }

  const allAt = (keys: readonly string[], version: number) =>
    Object.fromEntries(keys.map((key) => [key, version]));

  // 50 in all: with a record now and then, and never.
  it.for([10, 1000])(
    'R10: 25 kills at random points of a first copy of 500 secrets (batchSize %i), then one clean run: all there, each written once',
    async (batchSize, { pair }) => {
      const keys = numbered(500);
      await pair.fill(keys);
      await pair.originOnce();
      await kill(pair, 'destination', 25, 220, { block: { batchSize } });
      const run = await pair.destinationOnce();
      expect(errorIds(run)).toEqual([]);
      await pair.expectCopied(keys);
      await expectSettled(pair, allAt(keys, 1));
    },
  );

  it('R10: kills at random points of updates and deletes, then one clean run: each made once, none taken for an edit', async ({
    pair,
  }) => {
    const keys = numbered(100);
    const [deleted, changed] = [keys.slice(0, 20), keys.slice(20)];
    const block = { batchSize: 10, onConflict: 'fail' };
    await pair.fill(keys);
    await pair.sync();
    await pair.change(...changed);
    await pair.softDelete(...deleted);
    await pair.originOnce();
    await kill(pair, 'destination', 8, 150, { block });
    expect(errorIds(await pair.destinationOnce({ block }))).toEqual([]);
    await pair.expectCopied([], changed);
    await expectSettled(pair, { ...allAt(deleted, 1), ...allAt(changed, 2) });
  });

  it('R1: kills at random points of a scan: what is published is the old or the new, and whole', async ({
    pair,
  }) => {
    const keys = numbered(100);
    await pair.fill(keys);
    await kill(pair, 'origin', 4, 200);
    expect(errorIds(await pair.originOnce())).toEqual([]);
    expect(await pair.insights('origin')).toEqual(allAt(keys, 1));
    await pair.change(...keys);
    await kill(pair, 'origin', 4, 200);
    expect(new Set(Object.values(await pair.insights('origin')))).toHaveLength(1);
    expect(errorIds(await pair.originOnce())).toEqual([]);
    expect(await pair.insights('origin')).toEqual(allAt(keys, 2));
  });

  /** So many buckets do not fit one transaction: the save claims the index, writes buckets in two of them, and then the index. */
  const large = { top: { numBuckets: 200 } };
  const many = numbered(120);

  /** Kills a role when so many transactions of its save are done, and the next ones are not. */
  async function killInSave(pair: Pair, role: Role, done: number, as: PairRun = {}): Promise<void> {
    const consul = role === 'origin' ? pair.originConsul : pair.destinationConsul;
    const from = consul.seen.length;
    const lost = consul.add({ method: 'PUT', path: transaction, skip: done, action: { kind: 'blackHole' } });
    const answered = () =>
      consul.seen.slice(from).filter(({ path, status }) => transaction.test(path) && status === 200).length;
    const running = await pair.start(role, { ...as, args: ['--once'] });
    await waitFor(() => lost.hits() > 0 && answered() === done);
    running.kill('SIGKILL');
    await running.finished;
    pair.clear();
  }

  const points = [
    { done: 1, at: 'when the index is claimed' },
    { done: 2, at: 'between its buckets' },
    { done: 3, at: 'before its index' },
  ];

  it.for(points)(
    'R5: a kill in a large save of the origin, $at: what it leaves is not compared, and the next cycle repairs it',
    async ({ done }, { pair }) => {
      await pair.fill(many);
      await pair.originOnce(large);
      await pair.destinationOnce();
      // The destination is behind, so that it has to read what the crash leaves.
      await pair.change(...many);
      await pair.originOnce(large);
      await pair.fill(many, { changed: 'again' });
      await killInSave(pair, 'origin', done, large);
      const torn = done >= 2;
      const run = await pair.destinationOnce({ code: torn ? 65 : 0 });
      expect(errorIds(run)).toEqual(torn ? ['SYNC_INFO_CORRUPT'] : []);
      expect(new Set(Object.values(await pair.versions()))).toEqual(new Set([torn ? 1 : 2]));
      const repaired = await pair.originOnce(large);
      expect(cycleEnd(repaired)).toMatchObject({ result: 'success', paths: 120 });
      // Before that, what the destination had copied was the newest value already, under an insight that was older.
      expect(countsOf(await pair.destinationOnce())).toEqual(torn ? { update: 120 } : { recorded: 120 });
      expect(await pair.copied()).toEqual(
        Object.fromEntries(many.map((key) => [key, { key, changed: 'again' }])),
      );
      await expectSettled(pair, allAt(many, 2));
    },
  );

  it.for(points)(
    'R5: a kill in a large save of a destination, $at: the next cycle finds by comparing what was written',
    async ({ done }, { pair }) => {
      const as = { block: { batchSize: 1000 } };
      await pair.fill(many);
      await pair.originOnce(large);
      await pair.destinationOnce(as);
      await pair.change(...many);
      await pair.originOnce(large);
      await killInSave(pair, 'destination', done, as);
      expect(countsOf(await pair.destinationOnce(as))).toEqual({ recorded: 120 });
      await pair.expectCopied([], many);
      await expectSettled(pair, allAt(many, 2));
    },
  );

  it.for(points.slice(1, 2))(
    'R5: a kill in a large first save of both, $at: nothing is lost',
    async ({ done }, { pair }) => {
      await pair.fill(many);
      await killInSave(pair, 'origin', done, large);
      expect(errorIds(await pair.destinationOnce({ code: 69 }))).toEqual(['ORIGIN_INFO_MISSING']);
      await pair.originOnce(large);
      await killInSave(pair, 'destination', done, { block: { batchSize: 1000 } });
      expect(countsOf(await pair.destinationOnce())).toEqual({ recorded: 120 });
      await pair.expectCopied(many);
      await expectSettled(pair, allAt(many, 1));
    },
  );
});
