import { formatShortDuration } from './go-time.ts';
import { plainError, wrappedError } from './logical.ts';
import { systemTtlSeconds } from './tokens.ts';

/** What a lease may be, all in seconds; 0 is "not set". */
export interface TtlRequest {
  readonly increment: number;
  readonly ttl: number;
  readonly period: number;
  readonly maxTtl: number;
  readonly explicitMaxTtl: number;
  /** Seconds since the lease began. */
  readonly age: number;
}

/**
 * The TTL that Vault grants: without a period it is capped at what is left of the maximum, so that renewals give ever less;
 * with a period it starts over each time. Throws when nothing is left.
 */
export function grantTtl(request: TtlRequest): {
  readonly ttl: number;
  readonly warnings: readonly string[];
} {
  const { increment, explicitMaxTtl, age } = request;
  const limits = [systemTtlSeconds, request.maxTtl, explicitMaxTtl].filter((limit) => limit > 0);
  const maxTtl = Math.min(...limits);
  const warnings: string[] = [];
  let ttl = increment > 0 ? increment : request.ttl > 0 ? request.ttl : systemTtlSeconds;
  let left = maxTtl - age;
  if (request.period > 0) {
    ttl = Math.min(request.period, maxTtl);
    left = explicitMaxTtl > 0 ? explicitMaxTtl - age : Number.POSITIVE_INFINITY;
    if (ttl < request.period) warnings.push(exceeded('period', request.period, maxTtl, 'period value'));
  }
  if (left <= 0) throw wrappedError(500, 'past the max TTL, cannot renew');
  if (ttl > left) {
    warnings.push(exceeded('TTL', ttl, left, 'TTL value'));
    ttl = left;
  }
  return { ttl, warnings };
}

function exceeded(what: string, asked: number, max: number, value: string): string {
  const [shown, limit] = [formatShortDuration(asked), formatShortDuration(max)];
  return `${what} of "${shown}" exceeded the effective max_ttl of "${limit}"; ${value} is capped accordingly`;
}

/** A field that must not be negative. */
export function positive(name: string, seconds: number): number {
  if (seconds < 0) throw plainError(400, `${name} must be positive`);
  return seconds;
}
