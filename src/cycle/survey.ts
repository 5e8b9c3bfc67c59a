import { sameInsight } from '../sync/insight.ts';
import type { CycleRun } from './cycle-run.ts';
import { countOwnPaths, loadBuckets, withIndexes } from './load-infos.ts';
import { type Comparison, compareInfos, type PlanOptions } from './plan-destination.ts';

/** A comparison for people: the plan, and how much there is on both sides. Reads all of the origin's sync info. Writes nothing. */
export interface Survey {
  readonly comparison: Comparison;
  readonly totals: SurveyTotals;
}

export interface SurveyTotals {
  /** Paths in the origin's info. */
  readonly origin: number;
  /** Paths in the destination's info. */
  readonly destination: number;
  /** Paths of which both infos say the same. */
  readonly unchanged: number;
  /** The origin's buckets, and how many of them differ. */
  readonly buckets: number;
  readonly differing: number;
}

/** Compares and counts. Throws like `planDestination`. */
export async function surveyDestination(options: PlanOptions, run: CycleRun): Promise<Survey> {
  return withIndexes(options, run, async (origin, own) => {
    const comparison = await compareInfos(options, origin, own, run);
    return { comparison, totals: await count(options, comparison, run) };
  });
}

async function count(
  { originStore, store }: PlanOptions,
  { origin, info }: Comparison,
  run: CycleRun,
): Promise<SurveyTotals> {
  const buckets = await loadBuckets(originStore, origin, [...origin.index.keys()], run);
  // What is not loaded of the own info has the origin's hash, so it says the same.
  const unloaded = new Set(info.unloaded);
  let [paths, unchanged, differing] = [0, 0, 0];
  for (const [id, bucket] of buckets) {
    paths += bucket.size;
    const own = unloaded.has(id) ? bucket : info.bucket(id);
    const same = [...bucket].filter(([path, insight]) => {
      const ours = own.get(path);
      return ours !== undefined && sameInsight(ours, insight);
    }).length;
    unchanged += same;
    if (same !== bucket.size || same !== own.size) differing += 1;
  }
  const destination = await countOwnPaths(store, info, run);
  return { origin: paths, destination, unchanged, buckets: origin.index.length, differing };
}
