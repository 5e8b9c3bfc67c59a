import { writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem, type } from 'node:os';
import { isMet, type Measure } from './measure.ts';
import { notesOf, tableOf } from './report.ts';

/** A whole run with what it was made on, as JSON and as `bench/RESULTS.md`. Numbers are never typed by hand. */
export interface Results {
  readonly date: string;
  readonly command: string;
  readonly machine: Machine;
  /** Load of the machine before the run and after it: others may have used it too. */
  readonly load: readonly [before: number, after: number];
  /** The servers that were measured. */
  readonly servers: string;
  readonly vsync: string;
  readonly sections: readonly Section[];
  /** Whether all was measured that was asked for. */
  readonly state: 'complete' | 'stopped' | 'failed';
}

export interface Section {
  readonly title: string;
  readonly measures: readonly Measure[];
}

interface Machine {
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
}

/** Processes that wanted to run, on average of the last minute. */
export function currentLoad(): number {
  return Math.round((loadavg()[0] ?? 0) * 10) / 10;
}

export function describeMachine(): Machine {
  return {
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    system: type(),
    node: process.version,
  };
}

/** Limits met and missed. */
export function summaryOf(sections: readonly Section[]): string {
  const judged = sections.flatMap(({ measures }) => measures).filter(({ limit }) => limit !== undefined);
  const missed = judged.filter((measure) => isMet(measure) === false);
  return `${judged.length - missed.length} limits met, ${missed.length} missed`;
}

export function markdownOf(results: Results): string {
  const { date, command, machine, load, servers, vsync, sections, state } = results;
  const { cores, memoryGb, system, node } = machine;
  const head = `# Results of the bench

Made by \`npm run bench\`; do not edit. What each row is: [README.md](README.md).

* ${date}, \`${command}\`
* ${vsync.startsWith('vsync') ? vsync : `vsync ${vsync}`}, Node ${node}, ${servers}
* ${cores} cores, ${memoryGb} GB, ${system}; servers, raw loop and vsync share them; load before the run ${load[0]}, after it ${load[1]}
* Each cell: median (smallest to largest). Raw limit: the same requests sent by a bare undici loop, in turn with vsync in the same run.
* ${summaryOf(sections)}${stateTexts[state]}
`;
  return [head, ...sections.map(sectionText)].join('\n');
}

const stateTexts = {
  complete: '',
  stopped: '; the run was stopped before its end, the rest was not measured',
  failed: '; some of it could not be measured',
};

/** A section as it is printed and written. */
export function sectionText({ title, measures }: Section): string {
  const notes = notesOf(measures);
  return `## ${title}\n\n${tableOf(measures)}\n${notes === '' ? '' : `\n${notes}\n`}`;
}

export function writeJson(file: string, results: Results): void {
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}
