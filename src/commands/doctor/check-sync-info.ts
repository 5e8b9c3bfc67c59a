import { countPaths, faultOf, infoMissing, maxBucketBytes } from '../sync-info/read.ts';
import { counted } from '../terminal/text-style.ts';
import type { DoctorContext, DoctorSide, StoredInfo } from './context.ts';

/** The stored sync info of each side: there, verified, and with room in its buckets. */

/** Above this share of what Consul stores in one key, it is time for more buckets. */
const fullShare = 0.8;

export async function checkSyncInfo(context: DoctorContext): Promise<void> {
  const { sides, report } = context;
  for (const side of sides) {
    if (!side.reachable.consul) report.skip(side.side, 'its Consul cannot be reached');
    else await checkSide(context, side);
  }
}

async function checkSide(context: DoctorContext, side: DoctorSide): Promise<void> {
  const { report, config } = context;
  const read = await report.attempt(side.side, async () => ({ info: await side.stored() }));
  if (read === undefined) return;
  const { info } = read;
  if (info === undefined) {
    // Nothing follows an origin that publishes nothing; the own info is made by the first cycle.
    if (side.isOwn)
      report.pass(side.side, `nothing is stored at ${side.info.prefix} yet: the first cycle does that`);
    else report.failure(side.side, infoMissing(side.info));
    return;
  }
  const fault = faultOf(side.info, info.stored, info.buckets);
  if (fault !== undefined) return report.failure(side.side, fault);
  const paths = counted(countPaths(info.buckets), 'path');
  report.pass(
    side.side,
    `${paths} in ${counted(info.buckets.length, 'bucket')} at ${side.info.prefix}, all verified`,
  );
  judgeSize(context, side, info);
  const { numBuckets } = config;
  const published = info.stored.index.length;
  if (side.side !== 'origin' || numBuckets === undefined || numBuckets === published) return;
  report.pass(
    side.side,
    config.role === 'origin'
      ? `numBuckets is ${numBuckets}: the next cycle publishes that number instead of ${published}`
      : `the origin decides the number of buckets: numBuckets ${numBuckets} is ignored here`,
  );
}

function judgeSize({ report }: DoctorContext, { side }: DoctorSide, { buckets }: StoredInfo): void {
  const largest = buckets.reduce((max, each) => (each.bytes > max.bytes ? each : max));
  const percent = Math.round((largest.bytes / maxBucketBytes) * 100);
  const kibibytes = (bytes: number) => (bytes / 1024).toFixed(bytes < 10_240 ? 1 : 0);
  const size = `the largest bucket, ${largest.id}, has ${kibibytes(largest.bytes)} of ${kibibytes(maxBucketBytes)} KiB (${percent} %)`;
  if (largest.bytes <= maxBucketBytes * fullShare) {
    report.pass(side, size);
    return;
  }
  report.warn(side, `${size}; beyond that nothing can be published`, {
    code: 'CONSUL_VALUE_TOO_LARGE',
    fix: 'more buckets at the origin; destinations follow (Go vsync ones: set numBuckets there too):',
    commands: [`vsync sync-info rebucket --role origin --to ${Math.min(4096, buckets.length * 4)}`],
  });
}
