import type { ErrorCode } from '../base/errors.ts';
import type { Task } from './compare.ts';
import { type GuardSettings, type GuardVerdict, guardDeletes } from './delete-guard.ts';
import type { DataPath } from './mount-path.ts';
import type { Target } from './transform.ts';

/**
 * What a destination is going to do, as data: printed by a dry run, executed by a cycle.
 * Pure. What had to be looked up (mounts, approvals) comes in as arguments.
 */

/** A task together with where it acts. */
export interface PlannedTask extends Task {
  readonly target: DataPath;
  /** The transform that gave the target; `undefined` when the path stays. */
  readonly rule: string | undefined;
}

/** A path that is left alone, and why. */
export interface SkippedPath {
  readonly path: DataPath;
  readonly target: string;
  readonly code: Extract<
    ErrorCode,
    'TRANSFORM_COLLISION' | 'TRANSFORM_LOOP' | 'TRANSFORM_BAD_TARGET' | 'PATH_NOT_ADDRESSABLE'
  >;
  readonly message: string;
}

export interface Plan {
  /** Adds and updates, in the order of their buckets, so that a batch touches few of them. */
  readonly copies: readonly PlannedTask[];
  /** Deletes that may be made. They come last. */
  readonly deletes: readonly PlannedTask[];
  /** Deletes that the guard holds. */
  readonly held: readonly PlannedTask[];
  /** Deletes that are not made because of `ignoreDeletes`; the entries stay. */
  readonly ignored: readonly PlannedTask[];
  /** Entries to forget without a delete: another live path of the origin owns their target. */
  readonly drops: readonly PlannedTask[];
  readonly skipped: readonly SkippedPath[];
  readonly guard: GuardVerdict;
}

export interface PlanInput {
  readonly tasks: readonly Task[];
  readonly targetOf: (path: DataPath) => Target;
  /**
   * All paths of the origin, needed when there are transforms: two of them may lead to one target.
   * `undefined`: no transforms, so no two paths can meet.
   */
  readonly originPaths: Iterable<DataPath> | undefined;
  /** Why a target cannot be written, or `undefined`: no KV v2 mount there, or not addressable. */
  readonly targetProblem: (target: DataPath) => Pick<SkippedPath, 'code' | 'message'> | undefined;
  /** Whether a path of the destination is also a path of the origin: one Vault, and a mount that the origin scans (B8). */
  readonly isOriginPath: (target: DataPath) => boolean;
  readonly ignoreDeletes: boolean;
  readonly guard: {
    readonly settings: GuardSettings;
    readonly destinationPaths: number;
    readonly originIsEmpty: boolean;
    readonly approvedSets: readonly string[];
  };
}

export function buildPlan(input: PlanInput): Plan {
  const owners = input.originPaths === undefined ? undefined : ownersOf(input.originPaths, input.targetOf);
  const copies: PlannedTask[] = [];
  const wanted: PlannedTask[] = [];
  const drops: PlannedTask[] = [];
  const skipped: SkippedPath[] = [];

  for (const task of input.tasks) {
    const { kind, path, from, to, reason } = task;
    const { path: target, rule } = input.targetOf(path);
    // Named one by one: of a million tasks a spread makes half a gigabyte.
    const planned: PlannedTask = { kind, path, from, to, reason, target: target as DataPath, rule };
    if (task.kind === 'delete' && (owners?.has(target) || input.isOriginPath(planned.target))) {
      // What another live path maps onto stays (defect A6 of the Go program), and so does what is the origin's own (R14).
      drops.push(planned);
      continue;
    }
    const problem = task.kind === 'delete' ? input.targetProblem(planned.target) : copyProblem(planned);
    if (problem !== undefined) skipped.push({ path: task.path, target, ...problem });
    else if (task.kind === 'delete') wanted.push(planned);
    else copies.push(planned);
  }

  const guard = guardDeletes({
    ...input.guard,
    deletes: input.ignoreDeletes ? [] : wanted.map(({ path }) => path),
  });
  const deletes = input.ignoreDeletes || guard.held ? [] : wanted;
  return {
    copies,
    deletes,
    held: guard.held ? wanted : [],
    ignored: input.ignoreDeletes ? wanted : [],
    drops,
    skipped,
    guard,
  };

  function copyProblem({ path, target }: PlannedTask): Pick<SkippedPath, 'code' | 'message'> | undefined {
    if (input.isOriginPath(target)) {
      const message =
        path === target
          ? 'it would be written onto itself: origin and destination are one Vault, and no transform moves it'
          : `its target ${target} is itself a path of the origin, in the same Vault: each cycle would copy it further`;
      return { code: 'TRANSFORM_LOOP', message };
    }
    const sources = owners?.get(target) ?? [];
    if (sources.length > 1) {
      const others = sources.filter((source) => source !== path).join(', ');
      return {
        code: 'TRANSFORM_COLLISION',
        message: `${others} maps to the same destination path ${target}`,
      };
    }
    return input.targetProblem(target);
  }
}

/** Which paths of the origin lead to each target. */
function ownersOf(paths: Iterable<DataPath>, targetOf: PlanInput['targetOf']): Map<string, DataPath[]> {
  const owners = new Map<string, DataPath[]>();
  for (const path of paths) {
    const target = targetOf(path).path;
    const sources = owners.get(target);
    if (sources === undefined) owners.set(target, [path]);
    else sources.push(path);
  }
  return owners;
}
