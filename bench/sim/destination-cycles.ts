import { syncInfoReader, syncInfoStore } from '../../src/consul/info-store.ts';
import { DestinationCycle } from '../../src/cycle/destination-cycle.ts';
import { defaultGuards } from '../../src/sync/delete-guard.ts';
import { pathFilter } from '../../src/sync/path-filter.ts';
import { timedCycle, workers } from './cycles.ts';
import { openOriginCycle } from './origin-cycles.ts';
import { PretendConsul } from './pretend-consul.ts';
import { mount, PretendDestination, PretendOrigin } from './pretend-vault.ts';
import type { Simulated } from './simulation.ts';

/** A destination's first copy, a cycle without a change, and one with 1 % changed. What the origin does between is not timed. */
export async function destinationCycles(secrets: number): Promise<Simulated> {
  const consul = new PretendConsul();
  const origin = new PretendOrigin(secrets);
  const destination = new PretendDestination();
  const originCycle = openOriginCycle(origin, consul);
  const cycle = openDestinationCycle(origin, destination, consul);
  await timedCycle((run) => originCycle.run(run), 'success');

  const before = consul.bytesWritten;
  const first = await timedCycle((run) => cycle.run(run), 'success');
  if (destination.writes !== secrets) throw new Error(`${destination.writes} writes for ${secrets} secrets`);
  const firstCopyConsulBytes = consul.bytesWritten - before;
  const unchanged = await timedCycle((run) => cycle.run(run), 'noop');
  origin.change();
  await timedCycle((run) => originCycle.run(run), 'success');
  const changed = await timedCycle((run) => cycle.run(run), 'success');
  consul.close();
  return { steps: { first, unchanged, changed }, firstCopyConsulBytes };
}

function openDestinationCycle(
  origin: PretendOrigin,
  destination: PretendDestination,
  consul: PretendConsul,
): DestinationCycle {
  const open = pathFilter([], []);
  return new DestinationCycle({
    originStore: syncInfoReader(consul.asClient(), 'vsync/origin/'),
    store: syncInfoStore(consul.asClient(), 'vsync/destination/'),
    origin,
    vault: destination,
    transforms: [],
    filter: open,
    originMounts: [mount],
    originFilter: open,
    sameVault: false,
    ignoreDeletes: false,
    guards: defaultGuards,
    approvedSets: async () => [],
    numWorkers: workers,
    onConflict: 'overwrite',
    batchSize: 100,
  });
}
