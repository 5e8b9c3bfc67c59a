import { shownPath } from '../terminal/text-style.ts';
import type { Change, PlanDocument } from './document.ts';

/**
 * A plan for other programs without JSON: one line a path. Control characters in paths are escaped as on a terminal, so that each line
 * is one path and each tab a column.
 */

/** `op path dest_path from to reason`, tab-separated; `-` for what there is not. What is not done has `held`, `keep`, `forget`, `skip`. */
export function plainText({ changes, held, kept, forgotten, errors }: PlanDocument): string {
  const line = (op: string, { path, destination_path, from, to, reason }: Change) =>
    columns([op, path, destination_path, from?.version, to?.version, reason]);
  return [
    ...changes.map((change) => line(change.op, change)),
    ...forgotten.map((change) => line('forget', change)),
    ...kept.map((change) => line('keep', change)),
    ...held.map((change) => line('held', change)),
    ...errors.map(({ path, destination_path, code }) =>
      columns(['skip', path, destination_path, undefined, undefined, code]),
    ),
  ].join('');
}

/** The origin's paths of everything that would be done. */
export function pathsText({ changes }: PlanDocument): string {
  return changes.map(({ path }) => `${shownPath(path)}\n`).join('');
}

function columns(cells: readonly (string | number | undefined)[]): string {
  return `${cells.map((cell) => (cell === undefined ? '-' : shownPath(String(cell)))).join('\t')}\n`;
}
