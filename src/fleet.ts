import { exitCodes } from './base/errors.ts';
import type { Log } from './base/log.ts';
import { Releasers } from './base/releasers.ts';
import type { Config } from './config/config.ts';
import { type DaemonOptions, runDaemon } from './daemon.ts';
import { openOriginEnd } from './roles/origin-end.ts';

/**
 * Several destinations in one process: a daemon for each, with its own ticker, workers, guard, backoff and progress, and one origin that
 * all of them read, each secret once. None waits for another: one that fails or ends leaves the others as they are.
 */
export async function runFleet(
  configs: readonly Config[],
  options: Omit<DaemonOptions, 'config' | 'load' | 'originEnd'> & {
    /** Reads the configuration anew, for SIGHUP: that of the destination of this name. */
    readonly load: (name: string) => Promise<Config | undefined>;
  },
): Promise<number> {
  const destinations = configs.filter((config) => config.role === 'destination');
  const releasers = new Releasers();
  try {
    const originEnd = await openOriginEnd(destinations, { log: options.log, releasers });
    const codes = await Promise.all(
      destinations.map((config) =>
        runDaemon({
          ...options,
          config,
          originEnd,
          log: named(options.log, config),
          load: () => options.load(config.name),
        }),
      ),
    );
    // The worst one: a script must not take a part for the whole.
    return Math.max(exitCodes.ok, ...codes);
  } finally {
    await releasers.release();
  }
}

/** A log in which each line says whose it is. */
function named(log: Log, { name }: Config): Log {
  return log.with({ name, node: name });
}
