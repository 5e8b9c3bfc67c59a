import { createInterface } from 'node:readline/promises';
import { VsyncError } from '../../base/errors.ts';
import { interrupted } from '../../cycle/cycle-run.ts';
import type { CommandIo } from '../command-io.ts';

/**
 * Asks a person before something is changed; returns when the answer is yes. Throws `USAGE` for any other answer, and without asking
 * where nobody can answer: with `--no-input`, or when standard input is no terminal.
 */
export async function confirm(
  question: string,
  { yes, noInput }: { readonly yes: boolean; readonly noInput: boolean },
  io: CommandIo,
): Promise<void> {
  if (yes) return;
  if (noInput || !process.stdin.isTTY) {
    throw new VsyncError({
      code: 'USAGE',
      message: 'this has to be confirmed, and nobody can be asked here',
      why: question,
      hint: 'add --yes',
      note: 'Nothing was changed.',
    });
  }
  const terminal = createInterface({ input: process.stdin, output: io.err });
  try {
    const answer = await terminal.question(`${question} [y/N] `, { signal: io.signals.draining });
    if (/^y(es)?$/i.test(answer.trim())) return;
  } catch {
    throw interrupted();
  } finally {
    terminal.close();
  }
  throw new VsyncError({ code: 'USAGE', message: 'not confirmed', note: 'Nothing was changed.' });
}
