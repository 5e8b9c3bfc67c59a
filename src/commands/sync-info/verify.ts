import { exitCodes, VsyncError } from '../../base/errors.ts';
import type { CheckedBucket } from '../../consul/info-check.ts';
import type { CallScope } from '../../cycle/ports.ts';
import type { CommandIo } from '../command-io.ts';
import { writeJson } from '../inspect-json.ts';
import type { InfoSide } from '../inspect-sides.ts';
import { counted } from '../terminal/text-style.ts';
import { countPaths, faultOf, faultTexts, infoMissing, readInfo } from './read.ts';
import { type SyncInfoOptions, withSides } from './show.ts';

/**
 * `vsync sync-info verify`: reads every bucket, empty ones included, and compares its hash with the index. Names what is wrong and
 * returns 65 then; 69 when nothing is stored at all.
 */
export async function syncInfoVerify(options: SyncInfoOptions, io: CommandIo): Promise<number> {
  return withSides(options, io, async (sides, scope) => {
    const verdicts: Verdict[] = [];
    for (const side of sides) verdicts.push(await verify(side, scope));
    if (options.json) writeJson(io, 'sync_info_verification', { sides: verdicts.map(verdictJson) });
    else io.out.write(`${verdicts.map(verdictText).join('\n')}\n`);
    const [failure] = verdicts.flatMap(({ error }) => (error === undefined ? [] : [error]));
    if (failure !== undefined) throw failure;
    if (verdicts.every(({ buckets }) => buckets === undefined)) throw infoMissing(sides[0] as InfoSide);
    return exitCodes.ok;
  });
}

interface Verdict {
  readonly side: InfoSide;
  /** `undefined`: nothing is stored, or the index itself is wrong. */
  readonly buckets: readonly CheckedBucket[] | undefined;
  /** What is wrong. */
  readonly error: VsyncError | undefined;
  /** Keys below the prefix that are no part of sync info. */
  readonly strangers: readonly string[];
}

async function verify(side: InfoSide, scope: CallScope): Promise<Verdict> {
  try {
    const info = await readInfo(side, scope);
    if (info === undefined) return { side, buckets: undefined, error: undefined, strangers: [] };
    const { stored, buckets } = info;
    const known = new Set(['index', ...buckets.map(({ id }) => String(id))]);
    const { keys } = await side.consul.keys(side.prefix, scope);
    const strangers = keys.filter((key) => !known.has(key.slice(side.prefix.length)));
    return { side, buckets, error: faultOf(side, stored, buckets), strangers };
  } catch (error) {
    if (!(error instanceof VsyncError) || error.code !== 'SYNC_INFO_CORRUPT') throw error;
    return { side, buckets: undefined, error, strangers: [] };
  }
}

function verdictJson({ side: { side, prefix }, buckets, error, strangers }: Verdict) {
  const faults = (buckets ?? []).flatMap(({ id, fault }) =>
    fault === undefined ? [] : [{ bucket: id, fault }],
  );
  return {
    side,
    prefix,
    stored: buckets !== undefined || error !== undefined,
    ok: error === undefined,
    num_buckets: buckets?.length ?? null,
    paths: buckets === undefined ? null : countPaths(buckets),
    faults,
    error: error === undefined ? null : { id: error.code, message: error.message },
    other_keys: strangers,
  };
}

function verdictText({ side: { side, prefix }, buckets, error, strangers }: Verdict): string {
  if (buckets === undefined) {
    return error === undefined ? `${side}: nothing is stored at ${prefix} yet` : `${side}: ${error.message}`;
  }
  const wrong = buckets.filter(({ fault }) => fault !== undefined);
  const rest =
    strangers.length === 0 ? [] : [`  other keys below ${prefix}: ${strangers.slice(0, 5).join(', ')}`];
  const verified = `${buckets.length - wrong.length} of ${counted(buckets.length, 'bucket')} verified`;
  return [
    `${side}: ${verified}, ${counted(countPaths(buckets), 'path')} at ${prefix}`,
    ...wrong.map(({ id, fault }) => `  bucket ${id} ${fault && faultTexts[fault]}`),
    ...rest,
  ].join('\n');
}
