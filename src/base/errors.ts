/**
 * The one error type of vsync, and the codes it carries. Everything a person, a script or a log sees of a failure comes from here.
 * May import: nothing.
 */

/**
 * What a failure means for the cycle it happens in (`docs/failure-modes.md`):
 * `path` one secret failed, the cycle goes on; `transient` retry, then fail the cycle, the daemon lives on;
 * `fatal` no retry can cure it; `abort` a signal, a timeout or lost leadership, never logged as an error.
 */
export type FailureClass = 'path' | 'transient' | 'fatal' | 'abort';

/** Which of the two ends an object belongs to. */
export type Side = 'origin' | 'destination';

/** The process exit codes (64 to 78 are the sysexits). The table only ever grows. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  differences: 2,
  somePathsFailed: 3,
  held: 4,
  usage: 64,
  stale: 65,
  unavailable: 69,
  tryLater: 75,
  denied: 77,
  config: 78,
  interrupted: 130,
  terminated: 143,
} as const;

/** Every code a failure can carry: its class unless said otherwise, and the exit code of a one-shot that ends with it. */
export const errorCodes = {
  VAULT_UNREACHABLE: { class: 'transient', exit: exitCodes.unavailable },
  VAULT_SEALED: { class: 'transient', exit: exitCodes.unavailable },
  VAULT_UNAVAILABLE: { class: 'transient', exit: exitCodes.unavailable },
  VAULT_BAD_ANSWER: { class: 'transient', exit: exitCodes.unavailable },
  VAULT_REDIRECT: { class: 'transient', exit: exitCodes.unavailable },
  VAULT_REFUSED: { class: 'path', exit: exitCodes.somePathsFailed },
  VAULT_FORBIDDEN: { class: 'path', exit: exitCodes.denied },
  VAULT_LIST_DENIED: { class: 'transient', exit: exitCodes.denied },
  VAULT_LIST_UNKNOWN: { class: 'transient', exit: exitCodes.unavailable },
  RATE_LIMITED: { class: 'transient', exit: exitCodes.somePathsFailed },
  TOKEN_EXPIRED: { class: 'fatal', exit: exitCodes.denied },
  TOKEN_UNUSABLE: { class: 'fatal', exit: exitCodes.denied },
  LOGIN_FAILED: { class: 'fatal', exit: exitCodes.denied },
  MOUNT_NOT_KV2: { class: 'fatal', exit: exitCodes.config },
  MOUNT_MISSING: { class: 'fatal', exit: exitCodes.config },
  NAMESPACE_IGNORED: { class: 'fatal', exit: exitCodes.config },
  PATH_NOT_ADDRESSABLE: { class: 'path', exit: exitCodes.somePathsFailed },
  SECRET_TOO_LARGE: { class: 'path', exit: exitCodes.somePathsFailed },
  SECRET_UNREADABLE: { class: 'path', exit: exitCodes.somePathsFailed },
  DEST_EDITED: { class: 'path', exit: exitCodes.somePathsFailed },
  ORIGIN_STALE: { class: 'path', exit: exitCodes.somePathsFailed },
  TRANSFORM_BAD_REGEX: { class: 'fatal', exit: exitCodes.config },
  TRANSFORM_BAD_TARGET: { class: 'path', exit: exitCodes.somePathsFailed },
  TRANSFORM_COLLISION: { class: 'path', exit: exitCodes.somePathsFailed },
  TRANSFORM_LOOP: { class: 'path', exit: exitCodes.somePathsFailed },
  CONSUL_UNREACHABLE: { class: 'transient', exit: exitCodes.unavailable },
  CONSUL_UNAVAILABLE: { class: 'transient', exit: exitCodes.unavailable },
  CONSUL_REFUSED: { class: 'transient', exit: exitCodes.failed },
  CONSUL_FORBIDDEN: { class: 'fatal', exit: exitCodes.denied },
  CONSUL_VALUE_TOO_LARGE: { class: 'fatal', exit: exitCodes.config },
  SYNC_INFO_CONFLICT: { class: 'transient', exit: exitCodes.tryLater },
  SYNC_INFO_CORRUPT: { class: 'transient', exit: exitCodes.stale },
  ORIGIN_INFO_MISSING: { class: 'transient', exit: exitCodes.unavailable },
  PLAN_STALE: { class: 'fatal', exit: exitCodes.stale },
  PLAN_INVALID: { class: 'fatal', exit: exitCodes.stale },
  TOO_MANY_FAILED_PATHS: { class: 'transient', exit: exitCodes.somePathsFailed },
  DELETES_HELD: { class: 'path', exit: exitCodes.held },
  ORIGIN_EMPTY: { class: 'path', exit: exitCodes.held },
  CYCLE_TIMEOUT: { class: 'abort', exit: exitCodes.tryLater },
  INTERRUPTED: { class: 'abort', exit: exitCodes.interrupted },
  SHUTDOWN_TIMEOUT: { class: 'abort', exit: exitCodes.terminated },
  CONFIG_UNREADABLE: { class: 'fatal', exit: exitCodes.config },
  CONFIG_SYNTAX: { class: 'fatal', exit: exitCodes.config },
  CONFIG_BAD_VALUE: { class: 'fatal', exit: exitCodes.config },
  CONFIG_MISSING_VALUE: { class: 'fatal', exit: exitCodes.config },
  CONFIG_CONFLICT: { class: 'fatal', exit: exitCodes.config },
  CONFIG_UNKNOWN_KEY: { class: 'fatal', exit: exitCodes.config },
  CONFIG_DEPRECATED_KEY: { class: 'fatal', exit: exitCodes.config },
  USAGE: { class: 'fatal', exit: exitCodes.usage },
  USAGE_UNKNOWN_FLAG: { class: 'fatal', exit: exitCodes.usage },
  STARTUP_TIMEOUT: { class: 'fatal', exit: exitCodes.unavailable },
  UNEXPECTED: { class: 'fatal', exit: exitCodes.failed },
} as const satisfies Record<string, { class: FailureClass; exit: number }>;

export type ErrorCode = keyof typeof errorCodes;

/** What is worth a warning, and fails nothing. */
export type WarningCode = 'TOKEN_TTL_SHORT' | 'CLOCK_SKEW';

/** What a person wants to know of an error code, beyond what the message of one failure says. */
export interface ErrorExplanation {
  /** What has happened. */
  readonly means: string;
  /** What most often is behind it, the likeliest first. */
  readonly causes: readonly string[];
  /** What to do, in this order. */
  readonly fix: readonly string[];
}

/** The object a failure is about. Never holds a value, a token or a key inside a secret. */
export interface Where {
  readonly side?: Side;
  readonly server?: 'vault' | 'consul';
  /** URL of the server, without credentials. */
  readonly address?: string;
  /** Data path, folder, mount or Consul key. */
  readonly path?: string;
}

export interface VsyncErrorFields extends Where {
  readonly code: ErrorCode;
  /** What failed, one line, with the object. */
  readonly message: string;
  /** The most likely cause. */
  readonly why?: string | undefined;
  /** What to do: a command or a configuration key. */
  readonly hint?: string | undefined;
  /** The consequence: what was or was not changed. */
  readonly note?: string | undefined;
  readonly class?: FailureClass;
  /** HTTP status, where there was an answer. */
  readonly status?: number | undefined;
  /** Whether the same request may succeed a moment later. */
  readonly retryable?: boolean;
  /** What the server asked us to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** True if the request may have had its effect although it failed (R8: resolve by reading). */
  readonly ambiguous?: boolean;
  /** Instead of the code's own: for a failure that stands for others. */
  readonly exitCode?: number | undefined;
  readonly cause?: unknown;
}

/**
 * A failure that a person can act on: what, why, what to do, and a stable `code`.
 * `cause` is kept for debugging only and must itself be free of secrets: raw errors of client libraries never get here.
 */
export class VsyncError extends Error {
  override readonly name = 'VsyncError';
  readonly code: ErrorCode;
  readonly class: FailureClass;
  readonly where: Where;
  readonly why: string | undefined;
  readonly hint: string | undefined;
  readonly note: string | undefined;
  readonly status: number | undefined;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly ambiguous: boolean;
  /** What a one-shot that ends with this failure returns. */
  readonly exitCode: number;

  constructor(fields: VsyncErrorFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.class = fields.class ?? errorCodes[fields.code].class;
    const { side, server, address, path } = fields;
    this.where = {
      ...(side && { side }),
      ...(server && { server }),
      ...(address && { address }),
      ...(path && { path }),
    };
    this.why = fields.why;
    this.hint = fields.hint;
    this.note = fields.note;
    this.status = fields.status;
    this.retryable = fields.retryable ?? false;
    this.retryAfterMs = fields.retryAfterMs;
    this.ambiguous = fields.ambiguous ?? false;
    this.exitCode = fields.exitCode ?? errorCodes[fields.code].exit;
  }

  /** The same failure in another class, say a path's failure that turned out to hit the whole mount. */
  as(failureClass: FailureClass): VsyncError {
    return new VsyncError({
      ...this.where,
      code: this.code,
      message: this.message,
      why: this.why,
      hint: this.hint,
      note: this.note,
      class: failureClass,
      status: this.status,
      retryable: this.retryable,
      retryAfterMs: this.retryAfterMs,
      ambiguous: this.ambiguous,
      exitCode: this.exitCode,
      ...(this.cause === undefined ? {} : { cause: this.cause }),
    });
  }
}

/** `error` itself, or an `UNEXPECTED` one around it: what is thrown is always read the same way. */
export function asVsyncError(error: unknown): VsyncError {
  if (error instanceof VsyncError) return error;
  return new VsyncError({
    code: 'UNEXPECTED',
    message: `unexpected failure: ${error instanceof Error ? described(error) : String(error)}`,
    hint: 'this is a defect of vsync; run again with --log.level debug and report it',
    cause: error,
  });
}

/** Parsers quote what they stumble over, which may be a secret. */
function described({ name, message }: Error): string {
  return name === 'SyntaxError' ? name : `${name}: ${message}`;
}
