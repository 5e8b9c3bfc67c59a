import { describe, expect, it } from 'vitest';
import type { CycleRun } from '../../src/cycle/cycle-run.ts';
import type { StoredIndex } from '../../src/cycle/ports.ts';
import { type Survey, surveyDestination } from '../../src/cycle/survey.ts';
import { FakeStore, FakeVault, planDefaults, runOnce } from './fakes.ts';

const insight = (version: number) => ({ version, updateTime: '2026-01-01T00:00:00Z', type: 'kvV2' });
const insights = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, insight(1)]));

async function survey(originStore: FakeStore, store: FakeStore) {
  let found: Survey | undefined;
  const outcome = await runOnce(async (run: CycleRun) => {
    found = await surveyDestination(
      {
        originStore,
        store,
        vault: new FakeVault(),
        ...planDefaults,
      },
      run,
    );
    return { result: 'noop', counts: { paths: undefined, failed: 0 }, failedPaths: new Map() };
  });
  return { ...outcome, ...found };
}

describe('a survey', () => {
  it('counts both sides, and what they say the same of', async () => {
    const [originStore, store] = [new FakeStore(), new FakeStore()];
    originStore.publish({ ...insights(20), k3: insight(2), new: insight(1) }, 4);
    store.publish({ ...insights(20), gone: insight(1) }, 4);
    expect(await survey(originStore, store)).toMatchObject({
      totals: { origin: 21, destination: 21, unchanged: 19, buckets: 4 },
    });
    expect(await survey(originStore, originStore)).toMatchObject({
      totals: { origin: 21, destination: 21, unchanged: 21, differing: 0 },
      comparison: { inSync: true },
    });
  });

  it('in another number of buckets counts the same', async () => {
    const [originStore, store] = [new FakeStore(), new FakeStore()];
    originStore.publish({ ...insights(20), k3: insight(2) }, 4);
    store.publish(insights(20), 1);
    expect(await survey(originStore, store)).toMatchObject({
      totals: { origin: 20, destination: 20, unchanged: 19, differing: 1 },
    });
  });

  it('begins anew when the origin publishes while it counts', async () => {
    let left = 2;
    class Moving extends FakeStore {
      override async loadBuckets(stored: StoredIndex, ids: readonly number[]) {
        // The comparison and the count load each time: let it move under the count.
        left -= 1;
        if (left === 0) this.publish(insights(6), 1);
        return super.loadBuckets(stored, ids);
      }
    }
    const originStore = new Moving();
    originStore.publish(insights(5), 1);
    expect(await survey(originStore, new FakeStore())).toMatchObject({
      result: 'noop',
      totals: { origin: 6 },
    });
  });

  it('gives up when that never ends', async () => {
    let count = 1;
    class Restless extends FakeStore {
      override async loadBuckets(stored: StoredIndex, ids: readonly number[]) {
        count += 1;
        this.publish(insights(count), 1);
        return super.loadBuckets(stored, ids);
      }
    }
    const originStore = new Restless();
    originStore.publish(insights(1), 1);
    const { error } = await survey(originStore, new FakeStore());
    expect(error).toMatchObject({ code: 'SYNC_INFO_CONFLICT', exitCode: 75 });
  });
});
