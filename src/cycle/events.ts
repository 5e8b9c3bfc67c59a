import type { VsyncError } from '../base/errors.ts';
import type { GuardVerdict } from '../sync/delete-guard.ts';
import type { DataPath } from '../sync/mount-path.ts';
import type { CycleOutcome } from './outcome.ts';

/**
 * What happens in a cycle, for whoever listens: log, status, progress, metrics. The cycle knows none of them.
 * An event never holds a value.
 */

export type TriggerName = 'startup' | 'tick' | 'cron' | 'watch' | 'manual' | 'retry';

export type CycleEvent =
  | { readonly kind: 'cycle.start'; readonly cycle: string; readonly trigger: TriggerName }
  | {
      readonly kind: 'cycle.end';
      readonly cycle: string;
      readonly trigger: TriggerName;
      readonly durationMs: number;
      readonly outcome: CycleOutcome;
    }
  /** A path was written or deleted at the destination, or (`recorded`) found to be equal already. */
  | {
      readonly kind: 'path.add' | 'path.update' | 'path.delete';
      readonly path: DataPath;
      readonly target: DataPath;
      readonly version: number | undefined;
      readonly fromVersion: number | undefined;
      readonly recorded: boolean;
    }
  /** Someone else's write was found at the destination and, with `onConflict: overwrite`, overwritten. */
  | {
      readonly kind: 'path.conflict';
      readonly path: DataPath;
      readonly target: DataPath;
      readonly version: number;
    }
  | { readonly kind: 'path.error'; readonly path: DataPath; readonly error: VsyncError }
  /** A path that was left alone this time, without fault: say, it is gone at the origin by now. */
  | { readonly kind: 'path.skip'; readonly path: DataPath; readonly why: string }
  | { readonly kind: 'guard.held'; readonly verdict: GuardVerdict }
  | { readonly kind: 'note'; readonly message: string; readonly level: 'info' | 'warn' }
  | { readonly kind: 'progress'; readonly done: number; readonly total: number | undefined };

export type Emit = (event: CycleEvent) => void;
