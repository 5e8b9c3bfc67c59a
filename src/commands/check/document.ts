import type { VsyncError } from '../../base/errors.ts';
import type { NodeStatus } from '../../consul/node-store.ts';
import type { CheckResult, Drifted } from '../../cycle/check-destination.ts';
import type { CycleEvent } from '../../cycle/events.ts';
import type { DataPath } from '../../sync/mount-path.ts';
import { version } from '../../version.ts';
import type { DestinationConfig } from '../plan/basis.ts';
import { destinationPart, originPart } from '../plan/build.ts';
import { type DestinationPart, formatVersion, type OriginPart, type PathError } from '../plan/document.ts';

/** What `vsync check` found, as data: its `--json`. Paths, versions and reasons; of values only whether they are equal. */

export interface CheckDocument {
  readonly format_version: string;
  readonly type: 'check';
  readonly vsync_version: string;
  readonly created_at: string;
  readonly origin: OriginPart;
  readonly destination: DestinationPart;
  /** By what was compared. */
  readonly mode: 'metadata' | 'values';
  readonly drift: readonly Drift[];
  /** Paths that could not be compared. */
  readonly errors: readonly PathError[];
  readonly extras: {
    /** `partly`: a folder could not be listed. */
    readonly looked_for: 'yes' | 'partly' | 'no';
    /** That folder. */
    readonly denied?: string;
  };
  readonly summary: CheckSummary;
}

export interface Drift {
  /** `pending`: nothing is wrong, the next cycle makes them equal. `extra`: no path of the origin leads here. */
  readonly kind: 'changed' | 'missing' | 'pending' | 'extra';
  /** At the origin; an extra has none. */
  readonly path?: string;
  readonly destination_path: string;
  readonly transform?: string | null;
  /** The current version at the destination, where there is one. */
  readonly destination_version?: number;
  /** The version that was written there when it was copied. */
  readonly copied_version?: number;
  /** As it is published. */
  readonly origin_version?: number;
  readonly why: string;
  /** Of `--repair`. */
  readonly repair?: {
    readonly result: 'done' | 'failed' | 'skipped';
    readonly message?: string;
    readonly code?: string;
  };
}

export interface CheckSummary {
  readonly in_sync: number;
  readonly changed: number;
  readonly missing: number;
  readonly pending: number;
  readonly extra: number;
  /** There, but only `--deep` can tell whether they are equal. */
  readonly unverified: number;
  readonly error: number;
  /** Of `--repair`: what drifted and was made equal; it counts as its kind too. */
  readonly repaired?: number;
}

export interface CheckFacts {
  readonly result: CheckResult;
  readonly failedPaths: ReadonlyMap<DataPath, VsyncError>;
  readonly status: NodeStatus | undefined;
  readonly deep: boolean;
}

export function checkDocument(
  { result, failedPaths, status, deep }: CheckFacts,
  config: DestinationConfig,
  now: Date,
): CheckDocument {
  const { drifted, extras, skipped, counts, basis } = result;
  const drift = [
    ...drifted.map(driftOf),
    ...(extras?.found ?? []).map(
      ({ target, version: there, wasCopied }): Drift => ({
        kind: 'extra',
        destination_path: target,
        destination_version: there,
        why: wasCopied
          ? 'deleted at the origin; its delete is pending, held or ignored'
          : 'no path of the origin leads here',
      }),
    ),
  ];
  const errors = [
    ...skipped.map(({ path, target, code, message }) => ({ path, destination_path: target, code, message })),
    ...[...failedPaths].map(([path, { code, message }]) => ({ path, code, message })),
  ];
  const count = (wanted: Drift['kind']) => drift.filter(({ kind }) => kind === wanted).length;
  return {
    format_version: formatVersion,
    type: 'check',
    vsync_version: version,
    created_at: now.toISOString(),
    origin: originPart(config, status, counts.origin, basis.origin.index.length),
    destination: destinationPart(config, counts.destination),
    mode: deep ? 'values' : 'metadata',
    drift,
    errors,
    extras: {
      looked_for: extras === undefined ? 'no' : extras.denied === undefined ? 'yes' : 'partly',
      ...(extras?.denied !== undefined && { denied: extras.denied }),
    },
    summary: {
      in_sync: counts.inSync,
      changed: count('changed'),
      missing: count('missing'),
      pending: count('pending'),
      extra: count('extra'),
      unverified: counts.unverified,
      error: errors.length,
    },
  };
}

function driftOf({ task, finding }: Drifted): Drift {
  const { path, target, rule, from, to } = task;
  return {
    kind: finding.kind,
    path,
    destination_path: target,
    transform: rule ?? null,
    ...(finding.version !== undefined && { destination_version: finding.version }),
    ...(from?.dv !== undefined && { copied_version: from.dv }),
    ...(to !== undefined && { origin_version: to.version }),
    why: finding.why,
  };
}

/** Hears what becomes of a repair and adds it to what was found. */
export class RepairReport {
  readonly #results = new Map<string, NonNullable<Drift['repair']>>();

  observe(event: CycleEvent): void {
    if (event.kind === 'path.add' || event.kind === 'path.update') {
      const message = event.recorded ? 'equal already, no new version' : undefined;
      this.#results.set(event.path, { result: 'done', ...(message && { message }) });
    } else if (event.kind === 'path.skip') {
      this.#results.set(event.path, { result: 'skipped', message: event.why });
    } else if (event.kind === 'path.error') {
      const { message, code } = event.error;
      this.#results.set(event.path, { result: 'failed', message, code });
    }
  }

  /** What was found, with what became of it. A repair that was not begun was stopped. */
  added(check: CheckDocument): CheckDocument {
    const drift = check.drift.map((each): Drift => {
      if (each.path === undefined || each.kind === 'pending') return each;
      const repair = this.#results.get(each.path) ?? { result: 'skipped', message: 'the run was stopped' };
      return { ...each, repair };
    });
    const repaired = drift.filter(({ repair }) => repair?.result === 'done').length;
    return { ...check, drift, summary: { ...check.summary, repaired } };
  }
}
