import { setMaxListeners } from 'node:events';
import { exitCodes, type Side, VsyncError } from '../base/errors.ts';
import type { Releasers } from '../base/releasers.ts';
import { RetryBudget } from '../base/retry.ts';
import type { Config } from '../config/config.ts';
import type { ConsulClient } from '../consul/client.ts';
import type { CallScope } from '../cycle/ports.ts';
import { openConsul, retryPolicyOf } from '../roles/connections.ts';
import { ownPrefix } from '../roles/shared.ts';
import type { CommandIo } from './command-io.ts';

/** What commands that inspect have in common: the Consuls of a configuration, and requests that a signal ends. */

/** One side's Consul as a command looks into it. */
export interface InfoSide {
  readonly side: Side;
  readonly consul: ConsulClient;
  /** `vsync/` */
  readonly syncPath: string;
  /** Where its sync info is: `vsync/origin/`. */
  readonly prefix: string;
}

/**
 * Opens the Consul of each side that the configuration names: of the origin, and for a destination of both. `retries`: how often a
 * failed request is sent again, where a person waits less patiently than a daemon.
 */
export async function openSides(config: Config, releasers: Releasers, retries?: number): Promise<InfoSide[]> {
  const { origin } = config;
  const sides = [
    { side: 'origin', of: origin } as const,
    ...(config.role === 'destination' ? [{ side: 'destination', of: config.destination } as const] : []),
  ];
  const policy = retryPolicyOf(config);
  return Promise.all(
    sides.map(async ({ side, of }) => {
      const consul = await openConsul(side, of.consul, { ...policy, retries: retries ?? policy.retries });
      releasers.push(() => consul.close());
      return { side, consul, syncPath: of.syncPath, prefix: ownPrefix(of.syncPath, side) };
    }),
  );
}

/** The side that the process of this configuration writes. */
export function ownSide(config: Config, sides: readonly InfoSide[]): InfoSide {
  return sides.find(({ side }) => side === config.role) as InfoSide;
}

/** What requests are made with: a signal to the process ends them. */
export function inspectScope({ signals }: CommandIo): CallScope {
  const stop = new AbortController();
  // Each request under way listens.
  setMaxListeners(0, stop.signal);
  const onStop = () => {
    const exitCode = signals.received === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted;
    stop.abort(new VsyncError({ code: 'INTERRUPTED', exitCode, message: 'interrupted by a signal' }));
  };
  if (signals.draining.aborted) onStop();
  else signals.draining.addEventListener('abort', onStop, { once: true });
  return { signal: stop.signal, budget: new RetryBudget() };
}
