import type { Side } from '../base/errors.ts';
import type { ConsulClient } from '../consul/client.ts';
import { type NodeStatus, statusKey, writeStatus } from '../consul/node-store.ts';
import type { CycleEvent, TriggerName } from '../cycle/events.ts';
import type { CycleOutcome } from '../cycle/outcome.ts';
import type { KeyValue } from '../cycle/ports.ts';
import { version } from '../version.ts';

/**
 * Writes how the last cycle ended to Consul, and now and then that a long one is still at work, so that `vsync status` shows the whole
 * fleet and a silent node is noticed.
 */
export interface StatusWriter {
  /** Takes an event; what there is to tell is written in the background. */
  readonly observe: (event: CycleEvent) => void;
  /** The status of the running cycle as one that found nothing to do, for it to write by itself. */
  readonly heartbeat: () => Promise<KeyValue>;
  /** Resolves when nothing is being written. */
  readonly idle: () => Promise<void>;
}

/** How often a running cycle tells that it is at work. A shorter one tells nothing but its end. */
const aliveEveryMs = 10_000;

export function statusWriter(options: {
  readonly consul: ConsulClient;
  readonly syncPath: string;
  readonly role: Side;
  readonly name: string;
  readonly nextCycle: () => Date | undefined;
  readonly onError: (error: unknown) => void;
}): StatusWriter {
  const { consul, role, name } = options;
  const key = statusKey(options.syncPath, role, name);
  let lastSuccessAt: string | undefined;
  let last: NodeStatus | undefined;
  let toldAt = Date.now();
  let started: { readonly trigger: TriggerName; readonly at: number } = {
    trigger: 'startup',
    at: performance.now(),
  };
  let writing: Promise<void> = Promise.resolve();
  const write = (status: NodeStatus) => {
    toldAt = Date.now();
    // One after the other, so that an older status never overwrites a newer one.
    writing = writing.then(() => writeStatus(consul, key, status)).catch(options.onError);
  };
  const statusOf = (outcome: CycleOutcome, durationMs: number): NodeStatus => {
    const cycleEndedAt = new Date().toISOString();
    if (outcome.result === 'success' || outcome.result === 'noop') lastSuccessAt = cycleEndedAt;
    return {
      role,
      name,
      vsyncVersion: version,
      ...wordsOf(outcome),
      cycleEndedAt,
      lastSuccessAt,
      nextCycleAt: options.nextCycle()?.toISOString(),
      result: outcome.result,
      trigger: started.trigger,
      durationMs: Math.round(durationMs),
      counts: countsOf(outcome),
      errorCode: outcome.error?.code,
      errorMessage: outcome.error?.message,
      held: outcome.held && {
        set: outcome.held.set,
        deletes: outcome.held.deletes,
        limit: outcome.held.limit,
        paths: outcome.held.paths,
      },
    };
  };
  return {
    observe: (event) => {
      if (event.kind === 'cycle.start') {
        toldAt = Date.now();
        started = { trigger: event.trigger, at: performance.now() };
        last ??= {
          ...firstStatus,
          role,
          name,
          cycleEndedAt: new Date().toISOString(),
          trigger: event.trigger,
        };
      }
      if (event.kind !== 'cycle.end') {
        if (last !== undefined && Date.now() - toldAt >= aliveEveryMs)
          write({ ...last, health: 'Progressing', aliveAt: new Date().toISOString() });
        return;
      }
      last = statusOf(event.outcome, event.durationMs);
      if (!event.outcome.told) write(last);
    },
    heartbeat: async () => {
      await writing;
      const found = {
        result: 'noop',
        counts: { paths: undefined, failed: 0 },
        failedPaths: new Map(),
      } as const;
      return { key, value: JSON.stringify(statusOf(found, performance.now() - started.at)) };
    },
    idle: () => writing,
  };
}

/** Of a process whose first cycle is running: its end is taken to be its start. */
const firstStatus = {
  vsyncVersion: version,
  health: 'Progressing',
  sync: 'Unknown',
  result: 'running',
  durationMs: 0,
  counts: {},
} as const;

function countsOf({ counts }: CycleOutcome): NodeStatus['counts'] {
  const { paths, failed, changes } = counts;
  return { ...(paths !== undefined && { paths }), failed, ...changes };
}

/** Health and sync as the words that status, page and log share. */
function wordsOf({ result }: CycleOutcome): Pick<NodeStatus, 'health' | 'sync'> {
  switch (result) {
    case 'success':
    case 'noop':
      return { health: 'Healthy', sync: 'InSync' };
    case 'partial':
      return { health: 'Degraded', sync: 'OutOfSync' };
    case 'held':
      return { health: 'Held', sync: 'OutOfSync' };
    case 'failed':
    case 'timeout':
      return { health: 'Failed', sync: 'Unknown' };
    case 'aborted':
      return { health: 'Healthy', sync: 'Unknown' };
  }
}
