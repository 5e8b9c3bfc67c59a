import type { LogEntry } from './vsync-process.ts';

/** Questions that tests ask of a JSON log. */

interface Logged {
  readonly log: readonly LogEntry[];
}

/** The paths of all entries of one event (`path.add`, `path.error`, ...), sorted. */
export function pathsOf({ log }: Logged, event: string): string[] {
  return log
    .filter((entry) => entry.event === event)
    .map(({ path }) => String(path))
    .sort();
}

/** What the last cycle counted: only what it did, so that `{ add: 2 }` says that there was nothing else. */
export function countsOf(logged: Logged): Record<string, number> {
  const { add, update, delete: deleted, recorded, failed } = cycleEnd(logged);
  return Object.fromEntries(
    Object.entries({ add, update, delete: deleted, recorded, failed }).filter(
      (count): count is [string, number] => typeof count[1] === 'number' && count[1] > 0,
    ),
  );
}

/** The last `cycle.end`; throws when no cycle ended. */
export function cycleEnd({ log }: Logged): LogEntry {
  const entry = log.findLast(({ event }) => event === 'cycle.end');
  if (entry === undefined) throw new Error(`no cycle ended: ${JSON.stringify(log)}`);
  return entry;
}

/** Every stable error id that was logged, each once, sorted. */
export function errorIds({ log }: Logged): string[] {
  return [
    ...new Set(log.flatMap((entry) => (entry['error.id'] === undefined ? [] : [String(entry['error.id'])]))),
  ].sort();
}
