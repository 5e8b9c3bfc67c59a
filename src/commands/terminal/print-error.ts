import type { VsyncError } from '../../base/errors.ts';
import type { CommandIo } from '../command-io.ts';

/**
 * A failure for a person: what, where, why, what to do, and the id under which `docs/errors.md` says more. With `json` the same as one
 * line, the last on standard error, so that a script finds it.
 */
export function printError(error: VsyncError, io: Pick<CommandIo, 'err'>, json = false): void {
  if (json) {
    const { code: id, exitCode: code, message, why, hint, note, where, status } = error;
    io.err.write(
      `${JSON.stringify({ type: 'exit_error', code, id, message, why, hint, note, status, ...where })}\n`,
    );
    return;
  }
  const { side, server, address, path } = error.where;
  const place = [side && server && `${side} ${server}`, address, path, error.status && `HTTP ${error.status}`]
    .filter((part): part is string => typeof part === 'string' && !error.message.includes(part))
    .join(', ');
  const lines = [
    `error: ${error.message}`,
    ...(place === '' ? [] : [`  where: ${place}`]),
    ...(error.why === undefined ? [] : [`  why:   ${error.why.replaceAll('\n', '\n         ')}`]),
    ...(error.hint === undefined ? [] : [`  fix:   ${error.hint}`]),
    `  id:    ${error.code}`,
    ...(error.note === undefined ? [] : [`  ${error.note}`]),
  ];
  io.err.write(`${lines.join('\n')}\n`);
}
