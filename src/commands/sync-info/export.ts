import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { exitCodes, VsyncError } from '../../base/errors.ts';
import type { CheckedBucket } from '../../consul/info-check.ts';
import { version } from '../../version.ts';
import type { CommandIo } from '../command-io.ts';
import type { InfoSide } from '../inspect-sides.ts';
import { counted } from '../terminal/text-style.ts';
import { countPaths, faultOf, infoMissing, readInfo } from './read.ts';
import { type SyncInfoOptions, withSides } from './show.ts';

/**
 * `vsync sync-info export`: all insights of one side as one JSON document, on standard output or in a file that must not exist.
 * Nothing is written unless all of it could be verified.
 */
export async function syncInfoExport(
  options: SyncInfoOptions & { readonly out: string | undefined },
  io: CommandIo,
): Promise<number> {
  return withSides(options, io, async (sides, scope) => {
    // The side of the process itself is the last one that was opened.
    const side = sides.at(-1) as InfoSide;
    const info = await readInfo(side, scope);
    if (info === undefined) throw infoMissing(side);
    const fault = faultOf(side, info.stored, info.buckets);
    if (fault !== undefined) throw fault;
    const chunks = document(side, info.stored.index.length, info.buckets);
    if (options.out === undefined) {
      await pipeline(chunks, io.out, { end: false });
      return exitCodes.ok;
    }
    const file = resolve(io.cwd, options.out);
    await pipeline(chunks, await newFile(file));
    if (!options.quiet)
      io.err.write(`${counted(countPaths(info.buckets), 'path')} of the ${side.side} in ${file}\n`);
    return exitCodes.ok;
  });
}

/** The document, a bucket at a time: as one text it could be larger than a string may be. */
function* document(
  { side, prefix }: InfoSide,
  numBuckets: number,
  buckets: readonly CheckedBucket[],
): Generator<string> {
  const head = {
    format_version: '1.0',
    type: 'sync_info_export',
    vsync_version: version,
    created_at: new Date().toISOString(),
    side,
    prefix,
    num_buckets: numBuckets,
    paths: countPaths(buckets),
  };
  yield `${JSON.stringify(head).slice(0, -1)},"insights":{`;
  let separator = '\n';
  for (const { bucket } of buckets) {
    for (const [path, insight] of bucket ?? []) {
      yield `${separator}${JSON.stringify(path)}:${JSON.stringify(insight)}`;
      separator = ',\n';
    }
  }
  yield '\n}}\n';
}

async function newFile(file: string): Promise<Writable> {
  try {
    return (await open(file, 'wx', 0o600)).createWriteStream();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new VsyncError({
      code: 'USAGE',
      exitCode: exitCodes.failed,
      message: `cannot write ${file}: ${code === 'EEXIST' ? 'it exists already' : code}`,
      hint: 'name a file that does not exist, in a folder that does',
    });
  }
}
