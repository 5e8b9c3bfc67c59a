import type { Measure } from './measure.ts';
import { type Section, sectionText } from './results.ts';

/** How they stand in the results, whatever is measured first. */
const order = [
  'Origin cycle',
  'First copy',
  'Destination cycles',
  'Number of workers',
  'Requests',
  'OpenBao',
  'Many destinations',
  'Simulation without HTTP',
  'Start',
];

/** What was measured so far. It is printed and published as it comes, and a part that fails takes nothing else with it. */
export class Findings {
  readonly #measures = new Map<string, Measure[]>();
  readonly #say: (text: string) => void;
  readonly #publish: (findings: Findings) => void;
  #ended = false;
  /** A part of it could not be measured: standard error says why. */
  failed = false;
  servers = 'no real servers';

  constructor(say: (text: string) => void, publish: (findings: Findings) => void) {
    this.#say = say;
    this.#publish = publish;
  }

  get sections(): readonly Section[] {
    return [...this.#measures]
      .map(([title, measures]) => ({ title, measures }))
      .sort((a, b) => order.indexOf(a.title) - order.indexOf(b.title));
  }

  get state(): 'complete' | 'stopped' | 'failed' {
    return this.failed ? 'failed' : this.#ended ? 'complete' : 'stopped';
  }

  async add(title: string, measure: () => Promise<Measure[]>): Promise<void> {
    try {
      const measures = await measure();
      if (measures.length === 0) return;
      process.stdout.write(`\n${sectionText({ title, measures })}`);
      this.#measures.set(title, [...(this.#measures.get(title) ?? []), ...measures]);
    } catch (error) {
      this.failed = true;
      this.#say(`FAILED: ${title}: ${(error as Error).stack}`);
    }
    this.#publish(this);
  }

  end(): void {
    this.#ended = true;
    this.#publish(this);
  }
}
