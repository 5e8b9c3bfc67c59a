import { describe, expect, it } from 'vitest';
import { startVsync } from '../support/vsync-process.ts';

/** A process that will not end when its command is done, because something is left open: it says what, and ends with the command's code. */

/** Code that runs before the program, and leaves something behind. */
function beforehand(code: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(code)}"` };
}

describe.concurrent('the watchdog', () => {
  it.each([
    {
      name: 'a timer',
      code: 'setInterval(() => {}, 1 << 30)',
      args: ['version'],
      exit: 0,
      holds: /still open: Timeout$/m,
    },
    {
      name: 'servers, after a failure',
      code: 'import net from "node:net"; for (const _ of "ab") net.createServer().listen(0, "127.0.0.1")',
      args: ['nonsense'],
      exit: 64,
      holds: /still open: TCPServerWrap \(2\)$/m,
    },
  ])('$name: named, and the code is $exit', async ({ code, args, exit, holds }) => {
    const { code: ended, stderr } = await startVsync(args, { env: beforehand(code), mayHang: true }).finished;
    expect(stderr).toMatch(holds);
    expect(ended).toBe(exit);
  });

  it('says nothing, and holds up nothing, where nothing is left', async () => {
    const startedAt = performance.now();
    const { code, stderr } = await startVsync(['version']).finished;
    expect([code, stderr]).toEqual([0, '']);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('what is not read yet is no defect: it is written to its end', async () => {
    // A pipe that takes nothing for longer than the time limit, as of a pager that waits for a key.
    const slow =
      'const take = process.stdout._write; process.stdout._write = function (...given) { setTimeout(() => take.apply(this, given), 6000).ref(); }';
    const { code, stdout, stderr } = await startVsync(['version'], { env: beforehand(slow) }).finished;
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^vsync /);
  });
});
