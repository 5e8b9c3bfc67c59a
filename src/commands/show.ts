import { exitCodes } from '../base/errors.ts';
import type { CommandIo } from './command-io.ts';
import type { GlobalOptions } from './global-options.ts';
import type { PlanDocument } from './plan/document.ts';
import { readPlan } from './plan/file.ts';
import { markdownText } from './plan/markdown.ts';
import { maxLinesFor, printJson, styleFor } from './plan/print.ts';
import { planText } from './plan/text.ts';
import { quotedWord, shownPath } from './terminal/text-style.ts';

export interface ShowOptions extends GlobalOptions {
  readonly format: 'text' | 'markdown' | 'json';
  readonly full: boolean;
}

/** `vsync show PLAN`: a saved plan, or the report of an apply, in another form. Needs no configuration and no network. */
export async function showCommand(file: string, options: ShowOptions, io: CommandIo): Promise<number> {
  const plan = await readPlan(file, io.cwd);
  const format = options.json ? 'json' : options.format;
  if (format === 'json') printJson(plan, io);
  else if (format === 'markdown') io.out.write(markdownText(plan, options.full));
  else {
    const ending = [endingOf(plan, file)];
    const style = styleFor(options, io);
    io.out.write(planText(plan, { style, maxLines: maxLinesFor(options, io), ending }));
  }
  return exitCodes.ok;
}

function endingOf({ type, created_at, complete }: PlanDocument, file: string): string {
  const createdAt = shownPath(created_at);
  if (type === 'plan')
    return `Saved plan of ${createdAt}. To run exactly this: vsync apply ${quotedWord(file)}`;
  return `Applied at ${createdAt}${complete ? '' : '; the run was stopped before its end'}.`;
}
