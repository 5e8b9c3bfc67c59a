import { exitCodes } from '../../base/errors.ts';
import type { Role } from '../../config/config.ts';
import type { Loaded } from '../../config/load.ts';
import { type Problem, renderProblem } from '../../config/problem.ts';
import type { CommandIo } from '../command-io.ts';
import type { GlobalOptions } from '../global-options.ts';
import { errorCount, exitCodeFor, inputName, loadFor, problemsAsError } from '../load-config.ts';
import { printError } from '../terminal/print-error.ts';
import { counted } from '../terminal/text-style.ts';

/**
 * `vsync config validate`: every problem of the configuration, without a connection to anything. Stricter than a start in one thing: a
 * key that is not known is an error. Milder in one: token and TLS files may be on another machine, so absent ones are warnings.
 */
export async function configValidateCommand(
  options: GlobalOptions & { readonly role?: Role },
  io: CommandIo,
): Promise<number> {
  const loaded = await loadFor(options.role, options, { interactive: false, filesMayBeAbsent: true }, io);
  const problems = loaded.problems.map(asJudged);
  const isValid = problems.every(({ severity }) => severity !== 'error');
  const { role, files } = loaded;
  if (options.json) {
    io.out.write(`${JSON.stringify({ valid: isValid, role, files, problems })}\n`);
    if (!isValid)
      printError(problemsAsError(problems, `${errorCount(problems)} in the configuration`), io, true);
  } else {
    const shown = options.quiet ? problems.filter(({ severity }) => severity === 'error') : problems;
    for (const problem of shown) io.out.write(`${problem.severity}: ${renderProblem(problem)}\n`);
    io.out.write(verdict(loaded, problems, isValid));
  }
  return isValid ? exitCodes.ok : exitCodeFor(problems);
}

function asJudged(problem: Problem): Problem {
  return problem.code === 'CONFIG_UNKNOWN_KEY' ? { ...problem, severity: 'error' } : problem;
}

function verdict({ role, config, files }: Loaded, problems: readonly Problem[], isValid: boolean): string {
  const what =
    files.length === 0 ? 'no file, so environment and flags alone' : files.map(inputName).join(', ');
  const warnings = problems.filter(({ severity }) => severity === 'warning').length;
  const tail = warnings === 0 ? '' : `, ${counted(warnings, 'warning')}`;
  const name = config === undefined || config.name === role ? '' : ` ${config.name}`;
  return isValid
    ? `valid for ${role}${name}${tail}: ${what}\n`
    : `not valid for ${role}, ${errorCount(problems)}${tail}: ${what}\n`;
}
