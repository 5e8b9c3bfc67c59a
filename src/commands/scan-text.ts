import type { VsyncError } from '../base/errors.ts';
import type { Config } from '../config/config.ts';
import type { ScanResult } from '../cycle/origin-cycle.ts';
import { counted, grouped, paint, shownPath, type TextStyle } from './text-style.ts';

/** What an origin would publish, for a person to read. */
export function scanText(
  scan: ScanResult,
  failedPaths: ReadonlyMap<string, VsyncError>,
  config: Config,
  style: TextStyle,
): string {
  const { info, previous, gathered } = scan;
  const { index, buckets } = info.reindex(previous.replaces?.index ?? []);
  const sizes = buckets.map(({ json }) => Buffer.byteLength(json()));
  const lines = [
    `vsync origin --dry-run  ${config.origin.vault.address}  (name: ${config.name})`,
    `Found ${counted(gathered.listed, 'key')}: ${counted(info.size, 'secret')}, ${grouped(gathered.withoutSecret)} deleted or without a version.`,
    ...[...failedPaths].map(
      ([path, error]) => `  ${paint('!', 'boldRed', style)} ${shownPath(path)}  ${error.message}`,
    ),
    `Would publish ${counted(info.size, 'path')} in ${counted(index.length, 'bucket')}; ${
      buckets.length === 0
        ? 'nothing differs from what is published.'
        : `${counted(buckets.length, 'bucket')} would be written (largest ${grouped(Math.max(0, ...sizes))} bytes).`
    }`,
    'Nothing was changed.',
  ];
  return `${lines.join('\n')}\n`;
}
