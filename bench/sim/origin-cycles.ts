import { syncInfoStore } from '../../src/consul/info-store.ts';
import { OriginCycle } from '../../src/cycle/origin-cycle.ts';
import { defaultGuards } from '../../src/sync/delete-guard.ts';
import { pathFilter } from '../../src/sync/path-filter.ts';
import { timedCycle, workers } from './cycles.ts';
import { PretendConsul } from './pretend-consul.ts';
import { mount, PretendOrigin } from './pretend-vault.ts';
import type { Simulated } from './simulation.ts';

/** An origin's first cycle, one without a change, and one with 1 % changed. */
export async function originCycles(secrets: number): Promise<Simulated> {
  const consul = new PretendConsul();
  const vault = new PretendOrigin(secrets);
  const bareMs = await bareScan(vault);
  const cycle = openOriginCycle(vault, consul);
  const first = await timedCycle((run) => cycle.run(run), 'success');
  const unchanged = await timedCycle((run) => cycle.run(run), 'noop');
  vault.change();
  const changed = await timedCycle((run) => cycle.run(run), 'success');
  consul.close();
  return { steps: { first, unchanged, changed }, bareMs };
}

export function openOriginCycle(vault: PretendOrigin, consul: PretendConsul): OriginCycle {
  return new OriginCycle({
    vault,
    store: syncInfoStore(consul.asClient(), 'vsync/origin/'),
    mounts: [mount],
    filter: pathFilter([], []),
    numWorkers: workers,
    numBuckets: undefined,
    maxFailedPaths: 0.1,
    guards: defaultGuards,
    approvedSets: async () => [],
  });
}

/** Every folder listed and every insight read, one after the other; returns the milliseconds. */
async function bareScan(vault: PretendOrigin): Promise<number> {
  const startedAt = performance.now();
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const listing = await vault.listFolder(mount, folder);
    for (const name of listing.folders) folders.push(`${folder}${name}`);
    for (const name of listing.keys) await vault.readInsight(mount, `${folder}${name}`);
  }
  return performance.now() - startedAt;
}
