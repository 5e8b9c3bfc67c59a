import type { CommandIo } from '../command-io.ts';
import { type Color, counted, paint, shownPath, type TextStyle } from '../terminal/text-style.ts';
import { wrapText } from '../terminal/wrap-text.ts';
import type { Check, CheckStatus, Report, ReportListener } from './report.ts';

/** Checks for a person to read, each as soon as it is known. */

const words: Readonly<Record<CheckStatus, { readonly word: string; readonly color: Color }>> = {
  pass: { word: 'PASS', color: 'green' },
  warn: { word: 'WARN', color: 'yellow' },
  fail: { word: 'FAIL', color: 'boldRed' },
  skip: { word: 'SKIP', color: 'dim' },
};

/** Prints as it hears. */
export function printingListener(io: CommandIo, style: TextStyle): ReportListener {
  return {
    section: (title) => io.out.write(`\n${paint(title, 'bold', style)}\n`),
    check: (check) => io.out.write(`${checkText(check, style)}\n`),
  };
}

/** `  PASS  topic: message`, the fix below it; commands are not broken into lines, so that they can be copied. */
function checkText({ status, topic, message, code, fix, commands = [] }: Check, style: TextStyle): string {
  const { word, color } = words[status];
  const id = code === undefined ? '' : ` [${code}]`;
  const indent = ' '.repeat(8);
  const [first, ...rest] = wrapText(
    `  ${word}  ${topic}: ${shownPath(message)}${id}`,
    style.width,
    indent,
  ).split('\n');
  return [
    first?.replace(word, paint(word, color, style)),
    ...rest,
    ...(fix === undefined
      ? []
      : [wrapText(`${indent}fix: ${shownPath(fix)}`, style.width, `${indent}     `)]),
    ...commands.map((command) => `${indent}     ${command}`),
  ].join('\n');
}

/** The last line: what it comes to. */
export function summaryText(report: Report): string {
  const [fail, warn, pass] = [report.count('fail'), report.count('warn'), report.count('pass')];
  const verdict = fail > 0 ? 'Not ready' : warn > 0 ? 'Ready, with warnings' : 'Ready';
  return `\n${verdict}: ${fail} failed, ${counted(warn, 'warning')}, ${pass} passed.\n`;
}
