import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { RawRequest, RawResult } from './children/raw.ts';
import { endWithBench } from './processes.ts';

/** The bare loops of `children/raw.ts` in a process of their own. */
export class RawChild {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  /** `dir` holds the bundled `raw.mjs`. */
  constructor(dir: string) {
    this.#child = endWithBench(
      spawn(process.execPath, [`${dir}/raw.mjs`], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('no pipe to the raw loop');
    this.#answers = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  async run(request: RawRequest): Promise<RawResult> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('the raw loop ended: see above');
    return JSON.parse(value) as RawResult;
  }

  async stop(): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.stdin?.end();
    await closed;
  }
}

/** One command in a fresh process, with a cold compiler: what a one-shot is compared with. */
export async function runRawOnce(dir: string, request: RawRequest): Promise<RawResult> {
  const child = new RawChild(dir);
  try {
    return await child.run(request);
  } finally {
    await child.stop();
  }
}
