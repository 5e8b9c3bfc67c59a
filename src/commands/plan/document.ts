import type { TaskKind, TaskReason } from '../../sync/compare.ts';

/**
 * A plan as data: what `vsync plan --json` prints, `--out` saves, `apply` reads and reports, and `show` renders. It names paths,
 * versions, times and reasons; never a value, its length or hash, or a key inside a secret. The published form of these types is
 * `schema/plan.schema.json`; a minor version of the format only adds fields.
 */

export const formatVersion = '1.0';

export interface PlanDocument {
  readonly format_version: string;
  /** `apply`: what came of a plan. */
  readonly type: 'plan' | 'apply';
  readonly vsync_version: string;
  /** RFC 3339. */
  readonly created_at: string;
  /** False when the run ended before all of it was looked at or done. */
  readonly complete: boolean;
  readonly origin: OriginPart;
  readonly destination: DestinationPart;
  readonly basis: Basis;
  /** What is done: adds and updates first, deletes last. */
  readonly changes: readonly Change[];
  /** Deletes that the guard holds. */
  readonly held: readonly Change[];
  /** Deletes that `ignoreDeletes` leaves out. */
  readonly kept: readonly Change[];
  /** Entries that are forgotten without a delete: another path of the origin owns their target. */
  readonly forgotten: readonly Change[];
  /** Paths that are left alone because something is wrong with them. */
  readonly errors: readonly PathError[];
  readonly guards: readonly [MaxDeletesGuard, EmptyOriginGuard];
  readonly summary: PlanSummary;
}

export interface OriginPart {
  /** As the origin calls itself, where that could be read. */
  readonly name?: string;
  readonly vault: string;
  readonly sync_path: string;
  /** When the origin last published, or found nothing to publish, where that could be read. */
  readonly published_at?: string;
  /** Paths that the origin could not read then; their last known state counts. */
  readonly unreadable?: number;
  readonly paths: number;
  readonly buckets: number;
}

export interface DestinationPart {
  readonly name: string;
  readonly vault: string;
  readonly sync_path: string;
  readonly paths: number;
}

/** What a plan was made from: `apply` refuses when it has moved. */
export interface Basis {
  /** Consul's ModifyIndex of both index keys; 0: there is none. */
  readonly origin_index_modify: number;
  readonly destination_index_modify: number;
  readonly origin_index_hash: string;
  readonly config_hash: string;
  readonly differing_buckets: number;
}

export interface Version {
  readonly version: number;
  readonly updated_at: string;
}

export interface Change {
  readonly op: TaskKind;
  readonly path: string;
  readonly destination_path: string;
  readonly from?: Version;
  readonly to?: Version;
  readonly reason: TaskReason;
  /** The name of the transform that gave `destination_path`. */
  readonly transform: string | null;
  /** Of `apply`: what came of it. */
  readonly result?: 'done' | 'failed' | 'skipped';
  /** Why it failed or was skipped, or a word on how it was done. */
  readonly message?: string;
  /** The id of the failure. */
  readonly code?: string;
  readonly hint?: string;
}

export interface PathError {
  readonly path: string;
  readonly destination_path?: string;
  readonly code: string;
  readonly message: string;
}

export interface MaxDeletesGuard {
  readonly name: 'max_deletes';
  readonly held: boolean;
  /** The deletes, and how many pass. */
  readonly value: number;
  readonly limit: number;
  /** The paths that the limit is a part of. */
  readonly paths: number;
  readonly max_deletes: number;
  readonly max_delete_ratio: number;
  /** The name of exactly these deletes, where there are any: what an operator approves. */
  readonly set?: string;
  readonly approved: boolean;
}

export interface EmptyOriginGuard {
  readonly name: 'empty_origin';
  readonly held: boolean;
}

/** Counts. Of a plan: what would be done; of `apply`: what was done. */
export interface PlanSummary {
  readonly operation: 'plan' | 'apply';
  readonly add: number;
  readonly update: number;
  readonly delete: number;
  readonly error: number;
  readonly held: number;
  readonly unchanged: number;
  /** Of `apply` only. */
  readonly failed?: number;
  readonly skipped?: number;
}

/** The document as text, one line for each entry of a list; in pieces, since the text of a large plan may be too long for one. */
export function* jsonText(document: object): Generator<string> {
  let separator = '{\n';
  for (const [name, value] of Object.entries(document)) {
    if (value === undefined) continue;
    yield `${separator}  ${JSON.stringify(name)}: `;
    separator = ',\n';
    if (Array.isArray(value) && value.length > 0) yield* listText(value);
    else yield JSON.stringify(value);
  }
  yield '\n}\n';
}

function* listText(items: readonly unknown[]): Generator<string> {
  for (const [i, item] of items.entries()) yield `${i === 0 ? '[' : ','}\n    ${JSON.stringify(item)}`;
  yield '\n  ]';
}
