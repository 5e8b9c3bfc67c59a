import { exitCodes } from '../../base/errors.ts';
import { Releasers } from '../../base/releasers.ts';
import type { Config } from '../../config/config.ts';
import { syncInfoReader, syncInfoStore } from '../../consul/info-store.ts';
import { completeBatch } from '../../cycle/outcome.ts';
import type { CallScope } from '../../cycle/ports.ts';
import { SyncInfo } from '../../sync/sync-info.ts';
import type { CommandIo } from '../command-io.ts';
import { writeJson } from '../inspect-json.ts';
import { type InfoSide, inspectScope, openSides, ownSide } from '../inspect-sides.ts';
import { configFor } from '../load-config.ts';
import { confirm } from '../terminal/confirm.ts';
import { counted } from '../terminal/text-style.ts';
import { faultOf, infoMissing, readInfo } from './read.ts';
import type { SyncInfoOptions } from './show.ts';

/**
 * `vsync sync-info rebucket --to N`: writes the own side's sync info in another number of buckets, if nobody else writes it meanwhile.
 * No secret is read or written. Asks first.
 */
export async function syncInfoRebucket(
  options: Omit<SyncInfoOptions, 'side'> & { readonly to: number; readonly yes: boolean },
  io: CommandIo,
): Promise<number> {
  const loaded = await configFor(options.role, options, { interactive: true }, io);
  if ('exitCode' in loaded) return loaded.exitCode;
  const { config } = loaded;
  const releasers = new Releasers();
  const scope = inspectScope(io);
  try {
    const sides = await openSides(config, releasers);
    const side = ownSide(config, sides);
    const info = await readInfo(side, scope);
    if (info === undefined) throw infoMissing(side);
    const { stored, buckets } = info;
    const fault = faultOf(side, stored, buckets);
    if (fault !== undefined) throw fault;
    const before = SyncInfo.stored(stored.index);
    for (const { id, bucket } of buckets) before.load(id, new Map(bucket));
    const [from, paths] = [before.numBuckets, before.size];
    if (from !== options.to) {
      const warnings = [...goNodes(options.to), ...(await whatUndoesIt(config, sides, options.to, scope))];
      for (const warning of warnings) io.err.write(`warning: ${warning}\n`);
      await confirm(
        `Write the ${side.side} sync info at ${side.prefix}, ${counted(paths, 'path')}, in ${counted(options.to, 'bucket')} instead of ${from}?`,
        options,
        io,
      );
      const changes = completeBatch(before.rebucket(options.to).reindex([]), { everyEntryConfirmed: true });
      // A save that has begun is finished: half of it would not match its index.
      const saveScope = { ...scope, signal: io.signals.aborting };
      await syncInfoStore(side.consul, side.prefix).save(changes, stored, saveScope);
    }
    const result = { side: side.side, prefix: side.prefix, paths, from, to: options.to };
    if (options.json) writeJson(io, 'sync_info_rebucket', { ...result, written: from !== options.to });
    else io.out.write(`${resultText(result)}\n`);
    return exitCodes.ok;
  } finally {
    await releasers.release();
  }
}

function resultText(result: {
  side: string;
  prefix: string;
  paths: number;
  from: number;
  to: number;
}): string {
  const { side, prefix, paths, from, to } = result;
  const what = `${side} sync info at ${prefix}: ${counted(paths, 'path')}`;
  return from === to
    ? `${what} in ${counted(to, 'bucket')} already; nothing was written.`
    : `${what}, now in ${counted(to, 'bucket')} (before: ${from}). No secret was touched.`;
}

/** Go vsync compares its own number with the stored one and gives up on any difference. */
function goNodes(to: number): string[] {
  return [`a Go vsync node on this sync path stops unless it is configured with numBuckets: ${to}`];
}

/** What would soon bring another number back. */
async function whatUndoesIt(
  config: Config,
  sides: readonly InfoSide[],
  to: number,
  scope: CallScope,
): Promise<string[]> {
  if (config.role === 'origin') {
    const { numBuckets } = config;
    if (numBuckets === undefined || numBuckets === to) return [];
    return [
      `numBuckets is ${numBuckets} in the configuration: the origin's next cycle publishes that number again`,
    ];
  }
  const [origin] = sides;
  const published = origin && (await syncInfoReader(origin.consul, origin.prefix).loadIndex(scope));
  if (published === undefined || published.index.length === to) return [];
  return [
    `the origin publishes ${published.index.length} buckets: this destination's next cycle adopts that number again`,
  ];
}
