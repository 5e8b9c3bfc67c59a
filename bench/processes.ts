import type { ChildProcess } from 'node:child_process';

/** Processes that must not outlive the bench, whatever fails. */

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Ends this child with the bench, if it has not ended before. */
export function endWithBench<T extends ChildProcess>(child: T): T {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}
