import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type Usage, usageNow } from './usage.ts';

/**
 * `launcher.mjs <dist/vsync.js> <file descriptor> <vsync arguments>`: runs vsync in this process, as `bin/vsync.js` does, and writes a
 * report line to the file descriptor at the end of each cycle and of the process. The end of a cycle is seen in the JSON log.
 */

/** One line of the report. */
export interface Report extends Usage {
  readonly kind: 'cycle' | 'exit';
  /** Of the cycle, by its own log. */
  readonly durationMs: number;
  readonly result: string;
}

const [bundle = '', descriptor = '', ...args] = process.argv.slice(2);
process.argv.splice(1, Number.POSITIVE_INFINITY, bundle, ...args);

const cycleEnd = '"event":"cycle.end"';
const write = process.stderr.write;
process.stderr.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
  if (typeof chunk === 'string' && chunk.includes(cycleEnd)) {
    const usage = usageNow();
    // Several lines of the log come in one piece.
    for (const line of chunk.split('\n').filter((each) => each.includes(cycleEnd))) {
      const { durationMs, result } = JSON.parse(line) as { durationMs: number; result: string };
      report({ kind: 'cycle', durationMs, result, ...usage });
    }
  }
  return Reflect.apply(write, process.stderr, [chunk, ...rest]);
};
process.once('exit', (code) => report({ kind: 'exit', durationMs: 0, result: String(code), ...usageNow() }));

const { start } = (await import(pathToFileURL(bundle).href)) as { start: () => Promise<void> };
await start();

function report(line: Report): void {
  writeSync(Number(descriptor), `${JSON.stringify(line)}\n`);
}
