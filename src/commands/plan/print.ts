import { type CommandIo, colorFor, widthOf } from '../command-io.ts';
import type { GlobalOptions } from '../global-options.ts';
import { quotedWord, type TextStyle, wrapped } from '../terminal/text-style.ts';
import { jsonText, type PlanDocument } from './document.ts';
import { planFlags } from './flags.ts';
import { pathsText, plainText } from './plain.ts';
import { maxListLines } from './rows.ts';
import { planText } from './text.ts';

/** How a command that makes a plan was asked to print it. */
export interface PlanForm extends Pick<GlobalOptions, 'json' | 'color' | 'config' | 'flags'> {
  readonly plain?: boolean;
  readonly paths?: boolean;
  /** Every line, also on a terminal. */
  readonly full?: boolean;
  /** Where it was saved. */
  readonly out?: string | undefined;
}

export function printPlan(plan: PlanDocument, form: PlanForm, io: CommandIo): void {
  if (form.json) printJson(plan, io);
  else if (form.plain) io.out.write(plainText(plan));
  else if (form.paths) io.out.write(pathsText(plan));
  else {
    const style = styleFor(form, io);
    io.out.write(
      planText(plan, { style, maxLines: maxLinesFor(form, io), ending: endingOf(plan, form, style) }),
    );
  }
}

export function printJson(document: object, io: CommandIo): void {
  for (const text of jsonText(document)) io.out.write(text);
}

export function styleFor({ color }: Pick<GlobalOptions, 'color'>, io: CommandIo): TextStyle {
  return { width: widthOf(io.out), color: colorFor(io.out, io.env, color) };
}

/** Lists are cut on a terminal only: a file or another program gets all. */
export function maxLinesFor({ full }: { readonly full?: boolean }, io: CommandIo): number {
  return io.out.isTTY && full !== true ? maxListLines : Number.POSITIVE_INFINITY;
}

/** What was changed (nothing), and what to run next. */
function endingOf(plan: PlanDocument, form: PlanForm, style: TextStyle): string[] {
  const { out } = form;
  const nothing = plan.changes.length + plan.forgotten.length + plan.held.length === 0;
  const given = givenArguments(form);
  if (out !== undefined)
    return command(
      `Nothing was changed. Saved as ${quotedWord(out)}; to run exactly this:`,
      [`vsync apply ${given}${quotedWord(out)}`],
      style,
    );
  if (nothing) return ['Nothing was changed, and there is nothing to do.'];
  return command(
    'Nothing was changed. To run exactly this:',
    [`vsync plan ${given}--out p.json`, `vsync apply ${given}p.json`],
    style,
  );
}

/** What the plan was asked for with, as far as it decides what is in it and is no secret. */
function givenArguments({ config, flags }: PlanForm): string {
  const files = config.map((file) => `-c ${quotedWord(file)} `);
  const others = planFlags.flatMap((name) => {
    const given = flags[name];
    if (given === undefined || given === false) return [];
    if (given === true) return [`--${name} `];
    return [given].flat().map((value) => `--${name}=${quotedWord(value)} `);
  });
  return [...files, ...others].join('');
}

/** A command that can be copied: on one line where it fits, else broken where a shell takes it. */
function command(lead: string, parts: readonly string[], { width }: TextStyle): string[] {
  const whole = parts.join(' && ');
  if (`${lead} ${whole}`.length <= width) return [`${lead} ${whole}`];
  const lines =
    `  ${whole}`.length <= width
      ? [whole]
      : parts.map((part, i) => (i < parts.length - 1 ? `${part} &&` : part));
  return [...wrapped(lead, width, '  '), ...lines.map((line) => `  ${line}`)];
}
