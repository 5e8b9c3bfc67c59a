import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, cpSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Report } from './children/launcher.ts';
import { endWithBench } from './processes.ts';

/** vsync as a process, measured from inside by `children/launcher.ts`. */

export type Role = 'origin' | 'destination';

/** One cycle, with the CPU time since the one before it (since the start of the process, for the first). */
export interface CycleRun {
  readonly durationMs: number;
  readonly result: string;
  readonly cpuUs: number;
  readonly peakRssBytes: number;
}

/** A whole process that ran one cycle. */
export interface OneShot extends CycleRun {
  readonly wallMs: number;
  readonly exitCode: number;
}

export class Program {
  /** A copy of the build, so that it stays the same while others build. */
  readonly folder: string;
  readonly #dir: string;
  #logs = 0;

  /** `source` has `bin/` and `dist/`; `dir` holds the bundled launcher and gets the copy and the logs. */
  constructor(source: string, dir: string) {
    this.#dir = dir;
    this.folder = join(dir, 'program');
    for (const part of ['bin', 'dist', 'package.json'])
      cpSync(join(source, part), join(this.folder, part), { recursive: true });
  }

  /** What it says of itself. */
  version(): string {
    const { stdout } = spawnSync(process.execPath, [this.bin, '--version'], { encoding: 'utf8' });
    return stdout.split('\n', 1)[0] ?? '';
  }

  get bin(): string {
    return join(this.folder, 'bin', 'vsync.js');
  }

  /** One cycle. Throws with the log unless it ends with an expected exit code. */
  async once(
    role: Role,
    config: string,
    { profile, exitCodes = [0] }: { readonly profile?: string; readonly exitCodes?: readonly number[] } = {},
  ): Promise<OneShot> {
    const startedAt = performance.now();
    const launched = this.#launch([role, '--once', '--config', config], profile);
    const [code] = (await once(launched.child, 'exit')) as [number | null];
    const wallMs = performance.now() - startedAt;
    const reports = await launched.reports();
    const exit = reports.find(({ kind }) => kind === 'exit');
    const cycle = reports.find(({ kind }) => kind === 'cycle');
    if (code === null || exit === undefined || !exitCodes.includes(code))
      throw new Error(`vsync ${role} --once ended with ${code}:\n${launched.log()}`);
    return {
      durationMs: cycle?.durationMs ?? 0,
      result: cycle?.result ?? 'none',
      cpuUs: exit.cpuUs,
      peakRssBytes: exit.peakRssBytes,
      wallMs,
      exitCode: code,
    };
  }

  /** A daemon that has run its first cycle. */
  async daemon(role: Role, config: string): Promise<Daemon> {
    const launched = this.#launch([role, '--config', config]);
    const daemon = new Daemon(launched);
    await daemon.nextCycle();
    return daemon;
  }

  #launch(args: readonly string[], profile?: string): Launched {
    this.#logs += 1;
    const logFile = join(this.#dir, `vsync-${this.#logs}.log`);
    const log = openSync(logFile, 'w');
    const node =
      profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`, '--cpu-prof-interval=500'];
    const program = [join(this.folder, 'dist', 'vsync.js'), '3', ...args, '--log.type', 'json'];
    const child = endWithBench(
      spawn(process.execPath, [...node, join(this.#dir, 'launcher.mjs'), ...program], {
        // A file, as under systemd, not a pipe that this process would have to empty meanwhile.
        stdio: ['ignore', 'ignore', log, 'pipe'],
        env: { PATH: process.env.PATH, HOME: '/nonexistent' },
      }),
    );
    closeSync(log);
    return new Launched(child, logFile);
  }
}

/** A started process and what it reports. */
class Launched {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
  readonly #logFile: string;

  constructor(child: ChildProcess, logFile: string) {
    this.child = child;
    this.#logFile = logFile;
    const pipe = child.stdio[3] as NodeJS.ReadableStream;
    this.lines = createInterface({ input: pipe })[Symbol.asyncIterator]();
  }

  /** The next line of the report; `undefined` at its end. */
  async next(): Promise<Report | undefined> {
    const { value, done } = await this.lines.next();
    return done ? undefined : (JSON.parse(value) as Report);
  }

  async reports(): Promise<Report[]> {
    const all: Report[] = [];
    for (let each = await this.next(); each !== undefined; each = await this.next()) all.push(each);
    return all;
  }

  log(): string {
    return readFileSync(this.#logFile, 'utf8').slice(-10_000);
  }
}

export class Daemon {
  readonly #launched: Launched;
  #cpuUs = 0;

  constructor(launched: Launched) {
    this.#launched = launched;
  }

  /** Waits for the end of a cycle that something else starts. */
  async nextCycle(): Promise<CycleRun> {
    const report = await this.#launched.next();
    if (report?.kind !== 'cycle') throw new Error(`the daemon ended:\n${this.#launched.log()}`);
    const cpuUs = report.cpuUs - this.#cpuUs;
    this.#cpuUs = report.cpuUs;
    const { durationMs, result, peakRssBytes } = report;
    return { durationMs, result, cpuUs, peakRssBytes };
  }

  /** Runs a cycle now. */
  async cycle(): Promise<CycleRun> {
    this.#launched.child.kill('SIGUSR2');
    return this.nextCycle();
  }

  async stop(): Promise<void> {
    const exited = once(this.#launched.child, 'exit');
    this.#launched.child.kill('SIGTERM');
    await exited;
  }
}
