import type { ErrorCode } from '../base/errors.ts';
import { withoutTokens } from '../base/secret.ts';

/** What is wrong, or worth knowing, about a configuration. Problems are data: all of them are found at once, none is thrown. */
export interface Problem {
  /** `error`: no configuration comes of it. `warning`: an error in strict mode. */
  readonly severity: 'error' | 'warning' | 'info';
  readonly code: ErrorCode;
  /** Where it was written: `/etc/vsync/dest.json:12:5`, `flag --origin.tick`, `env VSYNC_ORIGIN_TICK`. */
  readonly place?: string;
  /** The key it is about, in its canonical spelling if it has one. */
  readonly key?: string;
  /** What is wrong, with what was found. Never holds the value of a secret. */
  readonly message: string;
  /** Lines that show the fault, such as an expression with a caret under it. */
  readonly detail?: string;
  /** What to do. */
  readonly hint?: string;
}

/** One line: `place key: what is wrong (got X) - what to do`, and the detail below it, indented. */
export function renderProblem(problem: Problem): string {
  const subject = [problem.place, problem.key].filter((part) => part !== undefined).join(' ');
  const hint = problem.hint === undefined ? '' : ` - ${problem.hint}`;
  return `${subject === '' ? '' : `${subject}: `}${problem.message}${hint}${detail(problem)}`;
}

function detail(problem: Problem): string {
  return problem.detail === undefined ? '' : `\n${problem.detail}`.replaceAll('\n', '\n    ');
}

/** A value as `(got X)` shows it: short, on one line, without what may be credentials in an address. */
export function quoted(text: string): string {
  const clean = withoutTokens(text)
    .replace(/^(.*?:\/\/)?.*@/s, '$1***@')
    .replace(/(:\/\/[^?#]*)[?#].*/s, '$1?***');
  return JSON.stringify(clean.length > 60 ? `${clean.slice(0, 57)}...` : clean);
}

/** A key as problems show it: what does not look like one may be a secret that slipped there. */
export function printableKey(dotted: string): string {
  if (dotted.length > 200) return '(unprintable)';
  return dotted
    .split('.')
    .map((part) => (/^[\w$-]{1,20}$/.test(part) ? part : '(unprintable)'))
    .join('.');
}
