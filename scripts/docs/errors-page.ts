import { errorCatalogue, warningCatalogue } from '../../src/base/error-catalogue.ts';
import {
  type ErrorCode,
  type ErrorExplanation,
  errorCodes,
  exitCodes,
  type FailureClass,
} from '../../src/base/errors.ts';
import { generatedFrom, table } from './markdown.ts';

const classes: Readonly<Record<FailureClass, string>> = {
  path: 'one secret failed; the cycle goes on, and the secret keeps its entry',
  transient:
    'may pass: repeated with growing pauses; if it lasts, the cycle fails and nothing is saved, a daemon lives on',
  fatal: 'no repetition cures it: the cycle stops, a daemon ends with the exit code',
  abort: 'a signal or the time limit ended the cycle; what was finished is saved',
};

/** `docs/errors.md`: every code that a failure can carry. */
export function errorsPage(): string {
  const codes = Object.keys(errorCatalogue) as ErrorCode[];
  return `# Errors

${generatedFrom('`src/base/errors.ts` and `src/base/error-catalogue.ts`')}

Each failure carries one of these codes: as \`id:\` in the text, \`id\` with \`--json\`, \`error.id\` in the log. The code stays the same from version to version;
the words of a message do not. \`<side>\` stands for \`origin\` or \`destination\`.

The class says what a failure means for the cycle; a single failure can be of another class than its code, where that is known better.

${table(
  ['class', 'what happens'],
  Object.entries(classes).map(([name, meaning]) => [name, meaning]),
)}

The exit code is that of a one-shot (\`--once\`) which ends with the failure: [cli.md](cli.md#exit-codes).

${table(
  ['code', 'class', 'exit', ''],
  codes.map((code) => {
    const { class: failureClass, exit } = errorCodes[code];
    const [means] = errorCatalogue[code].means.split(/(?<=\.) /);
    return [`[${code}](#${code.toLowerCase()})`, failureClass, String(exit), means ?? ''];
  }),
)}

${[...codes.map(section), ...Object.entries(warningCatalogue).map(warningSection)].join('\n')}`;
}

function section(code: ErrorCode): string {
  const { class: failureClass, exit } = errorCodes[code];
  const exitNote = exit === exitCodes.interrupted ? `${exit}, after SIGTERM ${exitCodes.terminated}` : exit;
  return explained(code, errorCatalogue[code], `Class ${failureClass}, exit code ${exitNote}.`);
}

function warningSection([code, explanation]: readonly [string, ErrorExplanation]): string {
  return explained(code, explanation, 'A warning: nothing fails because of it.');
}

function explained(code: string, { means, causes, fix }: ErrorExplanation, weight: string): string {
  const because = causes.length === 0 ? '' : `Likely because of:\n\n${list(causes)}\n`;
  return `## ${code}

${means}

${weight}

${because}What to do:

${list(fix)}
`;
}

function list(items: readonly string[]): string {
  return items.map((item) => `* ${item}\n`).join('');
}
