/**
 * What sync info knows of one secret, and how it is taken from KV v2 metadata.
 * Pure: the server's clock comes in as an argument.
 */

/** The only type there is today, as the Go program spells it. */
export const kvV2 = 'kvV2';

/** `{version, updateTime, type}` of one path; `updateTime` is the server's text, never reformatted. */
export interface Insight {
  readonly version: number;
  readonly updateTime: string;
  readonly type: string;
  /**
   * Only in a destination's info: the version written there, when it holds exactly this insight's version.
   * It serves the next check-and-set. Not hashed, ignored by Go nodes, and lost when one rewrites the bucket.
   */
  readonly dv?: number;
}

/** The part of a KV v2 metadata answer (`data` of `GET <mount>metadata/<key>`) that an insight needs. */
export interface KvMetadata {
  readonly current_version: number;
  readonly updated_time: string;
  readonly versions: Readonly<
    Record<string, { readonly deletion_time: string; readonly destroyed: boolean }>
  >;
}

/**
 * The insight of a live secret, or `undefined` when there is no secret: `current_version` 0 (metadata only), a destroyed current
 * version, or one whose `deletion_time` has passed. A `deletion_time` in the future (`delete_version_after`) is live.
 * `serverNowMs` is the Vault's clock, not ours. A current version that is missing from `versions` counts as live:
 * absence of evidence must not look like a deletion (R2).
 */
export function insightOf(metadata: KvMetadata, serverNowMs: number): Insight | undefined {
  if (metadata.current_version === 0) return undefined;
  const current = metadata.versions[String(metadata.current_version)];
  if (current?.destroyed) return undefined;
  if (current !== undefined && isPast(current.deletion_time, serverNowMs)) return undefined;
  return { version: metadata.current_version, updateTime: metadata.updated_time, type: kvV2 };
}

/** Whether a `deletion_time` ("" = none) has passed. A time that cannot be read counts as not passed. */
export function isPast(deletionTime: string, serverNowMs: number): boolean {
  return deletionTime !== '' && Date.parse(deletionTime) <= serverNowMs;
}

/** Whether two insights say the same of the origin's secret. */
export function sameInsight(a: Insight, b: Insight): boolean {
  return a.version === b.version && a.updateTime === b.updateTime && a.type === b.type;
}

/** -1, 0 or 1 as time `a` is before, the same as, or after `b`: RFC 3339 in UTC with 0 to 9 fraction digits, to the nanosecond. */
export function compareTimes(a: string, b: string): number {
  const [left, right] = [sortable(a), sortable(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The time with nine fraction digits, so that texts order like times (`...05Z`, `...05.1Z`). */
function sortable(time: string): string {
  const [, seconds = time, fraction = ''] = /^([^.Z]*)(?:\.(\d+))?Z?$/.exec(time) ?? [];
  return `${seconds}.${fraction.padEnd(9, '0')}`;
}
