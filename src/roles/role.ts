import type { Log } from '../base/log.ts';
import type { Releasers } from '../base/releasers.ts';
import type { CycleRun } from '../cycle/cycle-run.ts';
import type { CycleEvent } from '../cycle/events.ts';
import type { CycleOutcome } from '../cycle/outcome.ts';
import type { CallScope } from '../cycle/ports.ts';
import type { SignalChannel } from '../cycle/signal-channel.ts';
import type { TriggerSource } from '../cycle/ticker.ts';

/** What origin and destination have in common for the daemon: checks, cycles, and what starts them besides the clock. */
export interface Role {
  /** The checks before the first cycle. */
  readonly check: (scope: CallScope) => Promise<void>;
  readonly cycle: (run: CycleRun) => Promise<CycleOutcome>;
  readonly sources: readonly TriggerSource[];
  /** Hears every event of a cycle. */
  readonly observe: (event: CycleEvent) => void;
  /** Resolves when nothing goes on beside the cycles. */
  readonly idle: () => Promise<void>;
}

/** What a role is opened with. */
export interface RoleContext<C> {
  readonly config: C;
  readonly log: Log;
  readonly releasers: Releasers;
  readonly signals: SignalChannel;
  /** Sets of deletes released on the command line. */
  readonly approvedSets: readonly string[];
  /** When the next cycle is planned. */
  readonly nextCycle: () => Date | undefined;
}
