import pRetry from 'p-retry';
import { type Clock, systemClock } from './clock.ts';
import { VsyncError } from './errors.ts';

/**
 * The one retry policy, for Vault and for Consul: exponential backoff with full jitter, `Retry-After` honoured, a budget per cycle.
 * Only failures that say `retryable` are retried.
 */

export interface RetryPolicy {
  /** How often a failed request is sent again; 0 = never. */
  readonly retries: number;
  /** The upper end of the first wait; each further one is twice as long. */
  readonly baseMs: number;
  /** No wait is longer than this, one that the server asks for included. */
  readonly maxMs: number;
}

export const defaultRetryPolicy: RetryPolicy = { retries: 4, baseMs: 250, maxMs: 60_000 };

/**
 * How many retries one cycle may spend. During an outage every request fails; without a limit each of them would be sent
 * five times. Successes earn retries back, a tenth each.
 */
export class RetryBudget {
  #left: number;
  readonly #limit: number;

  constructor(limit = 100) {
    this.#left = limit;
    this.#limit = limit;
  }

  /** Takes one retry; false when none is left. */
  take(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  earn(): void {
    this.#left = Math.min(this.#limit, this.#left + 0.1);
  }
}

/** What a caller passes along: what ends the attempts, and what pays for them. */
export interface RetryScope {
  readonly signal?: AbortSignal | undefined;
  readonly budget?: RetryBudget | undefined;
}

/** How one client retries, whatever is asked for. */
export interface RetryRules {
  readonly policy: RetryPolicy;
  /** Refuses retries that the policy would make, say of an ambiguous write. */
  readonly allow?: (error: VsyncError) => boolean;
  /** Hears of each retry, before the wait. */
  onRetry?: ((error: VsyncError, attempt: number, delayMs: number) => void) | undefined;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** Calls `attempt` until it succeeds, fails for good, or the policy, the budget or the signal ends it. Throws the last failure. */
export async function withRetry<T>(
  attempt: () => Promise<T>,
  rules: RetryRules,
  scope: RetryScope = {},
): Promise<T> {
  let result: T;
  try {
    result = await attempt();
  } catch (error) {
    // Nearly all requests succeed at once: what retries need is set up for the others only.
    result = await retried(error, attempt, rules, scope);
  }
  scope.budget?.earn();
  return result;
}

/** Goes on after a first attempt that failed with `firstError`. */
function retried<T>(
  firstError: unknown,
  attempt: () => Promise<T>,
  { policy, allow, onRetry, clock = systemClock, random = Math.random }: RetryRules,
  { signal, budget }: RetryScope,
): Promise<T> {
  let first: { readonly error: unknown } | undefined = { error: firstError };
  const attemptOrFirst = () => {
    if (first === undefined) return attempt();
    const { error } = first;
    first = undefined;
    throw error;
  };
  return pRetry(attemptOrFirst, {
    retries: policy.retries,
    minTimeout: 0,
    // The decision waits by itself: p-retry's own delay knows neither full jitter nor Retry-After.
    shouldRetry: async ({ error, attemptNumber }) => {
      if (!(error instanceof VsyncError) || !error.retryable || signal?.aborted) return false;
      if (allow?.(error) === false || budget?.take() === false) return false;
      const delayMs = retryDelayMs(error, attemptNumber, policy, random);
      onRetry?.(error, attemptNumber, delayMs);
      await clock.sleep(delayMs, signal);
      return true;
    },
  });
}

/** The wait before attempt `attempt` + 1: full jitter, or what the server asks for and a little jitter on top. */
export function retryDelayMs(
  error: VsyncError,
  attempt: number,
  policy: RetryPolicy,
  random: () => number,
): number {
  const backoffMs = random() * Math.min(policy.maxMs, policy.baseMs * 2 ** (attempt - 1));
  if (error.retryAfterMs === undefined) return backoffMs;
  return Math.min(policy.maxMs, error.retryAfterMs + random() * policy.baseMs);
}

/** A `Retry-After` header in milliseconds: whole seconds or an HTTP date; `undefined` for anything else. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  // Every HTTP date begins with the day of the week; Date.parse alone takes "-5" and "1.5" for days in 2001.
  const at = /^[A-Z][a-z]+,? /.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
