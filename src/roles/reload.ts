import { asVsyncError, VsyncError } from '../base/errors.ts';
import { errorFields, type Log } from '../base/log.ts';
import type { Releasers } from '../base/releasers.ts';
import { RetryBudget } from '../base/retry.ts';
import type { Config, ConsulConfig, VaultConfig } from '../config/config.ts';
import { interrupted } from '../cycle/cycle-run.ts';
import type { CallScope } from '../cycle/ports.ts';
import type { TriggerSource } from '../cycle/ticker.ts';
import type { Role } from './role.ts';

/** A configuration at work: its role, what starts its cycles by the clock, and what was opened for it. */
export interface AtWork {
  readonly config: Config;
  readonly role: Role;
  readonly timed: TriggerSource;
  readonly releasers: Releasers;
}

export interface ReloadOptions {
  readonly log: Log;
  /** Reads the configuration anew, with the files it names. `undefined`: it is not valid, and the log says why. */
  readonly load: () => Promise<Config | undefined>;
  readonly open: (config: Config) => Promise<AtWork>;
  /** Aborted: nothing is taken up any more. */
  readonly draining: AbortSignal;
}

/**
 * SIGHUP: the configuration is read anew and takes over between two cycles, if it is valid and passes the checks of a start. Else the one
 * in use stays: a bad configuration never ends a process that works.
 */
export class Reload {
  readonly #options: ReloadOptions;
  #inUse: Config;
  #asked = false;
  #working: Promise<void> | undefined;
  #next: AtWork | undefined;
  #ready = new AbortController();
  readonly #closing = new AbortController();
  readonly #stop: AbortSignal;

  constructor(inUse: Config, options: ReloadOptions) {
    this.#inUse = inUse;
    this.#options = options;
    this.#stop = AbortSignal.any([options.draining, this.#closing.signal]);
  }

  /** Aborted when one waits to take over. */
  get ready(): AbortSignal {
    return this.#ready.signal;
  }

  /** Reads, checks and opens in the background; asked for again meanwhile, once more afterwards. */
  ask(): void {
    this.#asked = true;
    this.#working ??= this.#work();
  }

  /** The one that takes over now, if there is one. */
  take(): AtWork | undefined {
    const next = this.#next;
    if (next === undefined) return undefined;
    this.#next = undefined;
    this.#ready = new AbortController();
    this.#inUse = next.config;
    return next;
  }

  /** Ends what is under way and releases what has not taken over. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#working;
    await this.#next?.releasers.release();
  }

  async #work(): Promise<void> {
    const { log } = this.#options;
    while (this.#asked && !this.#stop.aborted) {
      this.#asked = false;
      try {
        await this.#prepare();
      } catch (thrown) {
        const error = asVsyncError(thrown);
        if (error.class !== 'abort')
          log.error('reload failed; the configuration in use stays', {
            event: 'config.reload_failed',
            ...errorFields(error),
          });
      }
    }
    this.#working = undefined;
  }

  async #prepare(): Promise<void> {
    const { load, open, log } = this.#options;
    const config = await load();
    if (config === undefined) throw notValid();
    const moved = movedKeys(this.#inUse, config);
    if (moved.length > 0) throw needsRestart(moved);
    const opened = await open(config);
    try {
      await untilDrained(this.#stop, (scope) => opened.role.check(scope));
    } catch (error) {
      await opened.releasers.release();
      throw error;
    }
    if (JSON.stringify(config.log) !== JSON.stringify(this.#inUse.log))
      log.warn('log.level and log.type stay as they were: they need a restart');
    await this.#next?.releasers.release();
    this.#next = opened;
    this.#ready.abort();
  }
}

/** Runs a call outside of a cycle that ends when the process is asked to end. */
export async function untilDrained<T>(
  draining: AbortSignal,
  call: (scope: CallScope) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const onDrain = () => stop.abort(interrupted());
  draining.addEventListener('abort', onDrain, { once: true });
  if (draining.aborted) onDrain();
  try {
    return await call({ signal: stop.signal, budget: new RetryBudget() });
  } finally {
    draining.removeEventListener('abort', onDrain);
  }
}

/** The keys by which a node knows its servers and others know the node: with another value it is another node. */
function movedKeys(from: Config, to: Config): readonly string[] {
  const before = identity(from);
  return Object.entries(identity(to)).flatMap(([key, value]) => (before[key] === value ? [] : [key]));
}

function identity(config: Config): Readonly<Record<string, string | undefined>> {
  const side = (name: string, at: { vault: VaultConfig; consul: ConsulConfig; syncPath: string }) => ({
    [`${name}.vault.address`]: at.vault.address,
    [`${name}.vault.namespace`]: at.vault.namespace,
    [`${name}.consul.address`]: at.consul.address,
    [`${name}.consul.remoteDc`]: at.consul.remoteDc,
    [`${name}.consul.namespace`]: at.consul.namespace,
    [`${name}.consul.partition`]: at.consul.partition,
    [`${name}.syncPath`]: at.syncPath,
  });
  return {
    name: config.name,
    ...side('origin', config.origin),
    ...(config.role === 'destination' && side('destination', config.destination)),
  };
}

function notValid(): VsyncError {
  return new VsyncError({
    code: 'CONFIG_BAD_VALUE',
    message: 'the new configuration is not valid',
    hint: 'correct what the lines above name, then send SIGHUP again',
  });
}

function needsRestart(keys: readonly string[]): VsyncError {
  return new VsyncError({
    code: 'CONFIG_CONFLICT',
    message: `${keys.join(', ')} changed: that needs a restart`,
    why: 'with other servers, or at another place, it is another node',
    hint: 'restart the process, or put the old value back and send SIGHUP again',
    note: 'Nothing of the new configuration is in use.',
  });
}
