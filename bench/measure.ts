/** What the bench finds out, as data. */

/** Several runs of the same thing. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
}

export type Unit =
  | 's'
  | 'ms'
  | 'us'
  | 'us/path'
  | 'MB'
  | 'B/path'
  | 'KB'
  | 'requests'
  | 'requests/path'
  | 'exponent';

/** The two kinds of token: with the `default` policy each request costs Vault more than twice as much. */
export type TokenKind = 'lean' | 'default';

/** What a row must reach: a part of the raw limit of the same run, or a number of its own unit. */
export type Limit =
  | { readonly of: 'ratio'; readonly max: number }
  /** `why` says where a computed maximum comes from. */
  | { readonly of: 'value'; readonly max: number; readonly why?: string };

/** One row of the table. */
export interface Measure {
  /** What was done: `origin cycle, one-shot`. */
  readonly what: string;
  readonly secrets: number;
  readonly token?: TokenKind | undefined;
  readonly unit: Unit;
  readonly vsync: Spread;
  /** The same requests sent by a bare loop. */
  readonly raw?: Spread | undefined;
  /** The program that `VSYNC_BENCH_OTHER` names. */
  readonly other?: Spread | undefined;
  readonly limit?: Limit | undefined;
  readonly note?: string | undefined;
}

export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('nothing was measured');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2;
  return { median, min: sorted[0] as number, max: sorted.at(-1) as number, runs: sorted.length };
}

/** Ours over the raw limit, of medians. */
export function ratioOf({ vsync, raw }: Measure): number | undefined {
  return raw === undefined ? undefined : vsync.median / raw.median;
}

/** Whether the limit is met; `undefined` without one. */
export function isMet(measure: Measure): boolean | undefined {
  const { limit } = measure;
  if (limit === undefined) return undefined;
  const value = limit.of === 'ratio' ? ratioOf(measure) : measure.vsync.median;
  return value !== undefined && value <= limit.max;
}

/**
 * The exponent e in time ~ size^e between two sizes: 1 is linear growth. Measured where sizes are large enough that neither start-up nor
 * a cold compiler counts.
 */
export function growthExponent(small: Sized, large: Sized): number {
  return Math.log(large.value / small.value) / Math.log(large.size / small.size);
}

export interface Sized {
  readonly size: number;
  readonly value: number;
}
