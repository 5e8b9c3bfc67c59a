import { Server, Socket } from 'node:net';
import { afterEach, beforeEach, expect } from 'vitest';

/**
 * For every test that runs in this process: it leaves no connection, server or timer that keeps the process alive. What was open before
 * it may stay. Tests that run side by side cannot be told apart, so they are left out.
 */

/** The one list that tells the two ends of a connection within one process apart; Node has no public one. */
const { _getActiveHandles: activeHandles } = process as unknown as {
  _getActiveHandles(): readonly unknown[];
};

/** What is open, by kind. The servers' ends of connections are theirs: a server in memory keeps one for the next request of a test. */
export function open(): ReadonlyMap<string, number> {
  const handles = activeHandles.call(process);
  const sockets = handles.filter(
    (each): each is Socket => each instanceof Socket && each.remotePort !== undefined,
  );
  return new Map([
    ['connections', sockets.filter((each) => !('_server' in each && each._server !== null)).length],
    ['servers', handles.filter((each) => each instanceof Server).length],
    ['timers', process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length],
  ]);
}

export function leaked(before: ReadonlyMap<string, number>): string[] {
  return [...open()].flatMap(([kind, count]) => {
    const more = count - (before.get(kind) ?? 0);
    return more > 0 ? [`${more} ${kind}`] : [];
  });
}

let before: ReadonlyMap<string, number>;
beforeEach(() => {
  before = open();
});
afterEach(async ({ task }) => {
  if (task.concurrent) return;
  // The close of a connection is heard of a few turns of the loop later.
  const deadline = performance.now() + 2_000;
  while (leaked(before).length > 0 && performance.now() < deadline)
    await new Promise((resolve) => setImmediate(resolve));
  expect(leaked(before), 'left open by the test').toEqual([]);
});
