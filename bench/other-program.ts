import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { cpuUsOf, peakRssOf } from './children/usage.ts';
import { endWithBench } from './processes.ts';
import type { CycleRun, Role } from './program.ts';
import { type ConfigOptions, type Site, type Tokens, writeConfig } from './site.ts';

/**
 * Another program that reads vsync's configuration: the Go vsync, or another build of this one. It is run as a daemon and measured from
 * outside, by the line that both log at the end of a cycle. It has a sync path of its own.
 */
export class OtherProgram {
  readonly #command: readonly string[];
  readonly #dir: string;

  /** `command` is split at white space; `<command> origin --config FILE` is what is run. */
  constructor(command: string, dir: string) {
    this.#command = command.trim().split(/\s+/);
    this.#dir = dir;
  }

  static readonly syncPath = 'vsync-bench-other/';

  /** Cycles that follow each other without a pause, the first two left out: each ends when the next begins. */
  async cycles(
    role: Role,
    site: Site,
    tokens: Tokens,
    count: number,
    options: ConfigOptions,
  ): Promise<CycleRun[]> {
    const running = await this.#start(role, site, tokens, options);
    try {
      await running.untilCompleted();
      let before = await running.untilCompleted();
      const runs: CycleRun[] = [];
      while (runs.length < count) {
        const now = await running.untilCompleted();
        runs.push({
          durationMs: now.at - before.at,
          result: 'unknown',
          cpuUs: now.cpuUs - before.cpuUs,
          peakRssBytes: now.peakRssBytes,
        });
        before = now;
      }
      return runs;
    } finally {
      await running.stop();
    }
  }

  /** From the start of the process, its checks and first tick included, to the end of its first cycle. */
  async firstCycle(role: Role, site: Site, tokens: Tokens, options: ConfigOptions): Promise<CycleRun> {
    const startedAt = performance.now();
    const running = await this.#start(role, site, tokens, options);
    try {
      const { at, cpuUs, peakRssBytes } = await running.untilCompleted();
      return { durationMs: at - startedAt, result: 'unknown', cpuUs, peakRssBytes };
    } finally {
      await running.stop();
    }
  }

  async #start(role: Role, site: Site, tokens: Tokens, options: ConfigOptions): Promise<Running> {
    const config = await writeConfig(this.#dir, site, tokens, role, {
      ...options,
      tick: '10ms',
      syncPath: OtherProgram.syncPath,
    });
    const [program = '', ...args] = this.#command;
    const child = spawn(program, [...args, role, '--config', config, '--log.type', 'json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: '/nonexistent' },
    });
    return new Running(endWithBench(child));
  }
}

interface Completed {
  readonly at: number;
  readonly cpuUs: number;
  readonly peakRssBytes: number;
}

/** A daemon and the ends of its cycles. The Go program logs to standard output, ours to standard error. */
class Running {
  readonly #child: ChildProcess;
  readonly #completed: Completed[] = [];
  #wake = () => {};
  #lastLines: string[] = [];
  #ended = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#take(line));
    child.once('exit', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  async untilCompleted(): Promise<Completed> {
    while (this.#completed.length === 0) {
      if (this.#ended) throw new Error(`the other program ended:\n${this.#lastLines.join('\n')}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#completed.shift() as Completed;
  }

  /** The Go program takes 80 s to end when it is asked to. */
  async stop(): Promise<void> {
    if (this.#ended) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  #take(line: string): void {
    this.#lastLines = [...this.#lastLines.slice(-9), line];
    if (!line.includes('completed sync cycle')) return;
    const pid = this.#child.pid ?? 0;
    this.#completed.push({ at: performance.now(), cpuUs: cpuUsOf(pid), peakRssBytes: peakRssOf(pid) ?? 0 });
    this.#wake();
  }
}
