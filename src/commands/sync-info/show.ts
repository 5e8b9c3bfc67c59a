import { exitCodes, type Side, VsyncError } from '../../base/errors.ts';
import { Releasers } from '../../base/releasers.ts';
import type { CheckedBucket } from '../../consul/info-check.ts';
import type { CallScope, StoredIndex } from '../../cycle/ports.ts';
import { bucketIdOf } from '../../sync/bucket.ts';
import type { DataPath } from '../../sync/mount-path.ts';
import type { CommandIo } from '../command-io.ts';
import type { GlobalOptions } from '../global-options.ts';
import { writeJson } from '../inspect-json.ts';
import { type InfoSide, inspectScope, openSides } from '../inspect-sides.ts';
import { configFor } from '../load-config.ts';
import { counted, grouped, shownPath } from '../terminal/text-style.ts';
import { countPaths, faultOf, faultTexts, infoMissing, maxBucketBytes, readInfo } from './read.ts';

export interface SyncInfoOptions extends GlobalOptions {
  /** The process whose configuration it is; unset: as the configuration tells. */
  readonly role: Side | undefined;
  /** Only this side's info. */
  readonly side: Side | undefined;
}

/** Buckets that text output lists at most. */
const maxListed = 32;

/**
 * `vsync sync-info show [PATH...]`: what is stored for each side: buckets, paths and sizes; or with paths, what is known of each.
 * Returns 65 when something of it does not match its index.
 */
export async function syncInfoShow(
  paths: readonly string[],
  options: SyncInfoOptions,
  io: CommandIo,
): Promise<number> {
  return withSides(options, io, async (sides, scope) => {
    const idsOf = (index: readonly string[]) =>
      paths.length === 0
        ? [...index.keys()]
        : [...new Set(paths.map((path) => bucketIdOf(path as DataPath, index.length)))];
    const found: Found[] = [];
    for (const side of sides) {
      const info = await readInfo(side, scope, idsOf);
      found.push({ side, stored: info?.stored, buckets: info?.buckets ?? [] });
    }
    if (found.every(({ stored }) => stored === undefined)) throw infoMissing(sides[0] as InfoSide);
    const lookUp = (each: Found) => paths.map((path) => insightOf(path as DataPath, each));
    if (options.json) {
      const document = found.map((each) => ({ ...infoJson(each), paths_asked: lookUp(each) }));
      writeJson(io, 'sync_info', { sides: document });
    } else {
      const text = (each: Found) => (paths.length === 0 ? infoText(each) : insightsText(each, lookUp(each)));
      io.out.write(`${found.map(text).join('\n\n')}\n`);
    }
    for (const { side, stored, buckets } of found) {
      const fault = stored && faultOf(side, stored, buckets);
      if (fault !== undefined) throw fault;
    }
    return exitCodes.ok;
  });
}

/** Opens the sides that were asked for, does the work, and closes them. */
export async function withSides(
  options: SyncInfoOptions,
  io: CommandIo,
  work: (sides: readonly InfoSide[], scope: CallScope) => Promise<number>,
): Promise<number> {
  // For the origin's info the origin's configuration is enough, also where a file serves both roles.
  const role = options.role ?? (options.side === 'destination' ? 'destination' : undefined);
  const loaded = await configFor(role, options, { interactive: true }, io);
  if ('exitCode' in loaded) return loaded.exitCode;
  const releasers = new Releasers();
  try {
    const all = await openSides(loaded.config, releasers);
    const sides = all.filter(({ side }) => options.side === undefined || side === options.side);
    if (sides.length === 0) {
      throw new VsyncError({
        code: 'USAGE',
        message: `the configuration of an origin names no ${options.side}`,
        hint: "use the destination's own configuration, without --role origin",
      });
    }
    return await work(sides, inspectScope(io));
  } finally {
    await releasers.release();
  }
}

interface Found {
  readonly side: InfoSide;
  readonly stored: StoredIndex | undefined;
  readonly buckets: readonly CheckedBucket[];
}

function infoJson({ side: { side, consul, prefix }, stored, buckets }: Found) {
  return {
    side,
    consul: consul.address,
    prefix,
    modify_index: stored?.modifyIndex ?? null,
    num_buckets: stored?.index.length ?? null,
    paths: countPaths(buckets),
    buckets: buckets.map(({ id, bytes, bucket, fault }) => ({
      id,
      hash: stored?.index[id],
      bytes,
      paths: bucket?.size ?? 0,
      fault: fault ?? null,
    })),
  };
}

function heading({ side: { side, consul, prefix } }: Found): string {
  return `${side} sync info at ${prefix} in Consul ${consul.address}`;
}

function infoText(found: Found): string {
  const { stored, buckets } = found;
  if (stored === undefined) return `${heading(found)}\n  nothing is stored yet`;
  const largest = buckets.reduce((max, each) => (each.bytes > max.bytes ? each : max));
  const percent = ((largest.bytes / maxBucketBytes) * 100).toFixed(1);
  const rows = [...buckets].slice(0, maxListed).map(({ id, bytes, bucket, fault }) => {
    const hash = (stored.index[id] ?? '').slice(0, 12);
    const cells = [
      String(id).padStart(8),
      grouped(bucket?.size ?? 0).padStart(9),
      grouped(bytes).padStart(9),
    ];
    return `  ${cells.join('  ')}  ${hash}${fault === undefined ? '' : `  ${faultTexts[fault]}`}`;
  });
  const more = buckets.length - maxListed;
  return [
    heading(found),
    `  ${counted(countPaths(buckets), 'path')} in ${counted(buckets.length, 'bucket')}`,
    `  largest: bucket ${largest.id}, ${grouped(largest.bytes)} bytes (${percent} % of what Consul stores)`,
    `    bucket      paths      bytes  hash`,
    ...rows,
    ...(more > 0 ? [`  ... and ${counted(more, 'more bucket')}; --json has all`] : []),
  ].join('\n');
}

function insightOf(path: DataPath, { stored, buckets }: Found) {
  const id = stored && bucketIdOf(path, stored.index.length);
  const insight = buckets.find((each) => each.id === id)?.bucket?.get(path);
  return { path, bucket: id ?? null, insight: insight ?? null };
}

function insightsText(found: Found, asked: readonly ReturnType<typeof insightOf>[]): string {
  const lines = asked.flatMap(({ path, bucket, insight }) => {
    if (insight === null) return [`  ${shownPath(path)}`, '    not there'];
    const { version, updateTime, type, dv } = insight;
    const written = dv === undefined ? '' : `, written here as v${dv}`;
    return [
      `  ${shownPath(path)}`,
      `    v${version}, updated ${shownPath(updateTime)}${written}, bucket ${bucket}${type === 'kvV2' ? '' : `, type ${shownPath(type)}`}`,
    ];
  });
  return [heading(found), ...lines].join('\n');
}
