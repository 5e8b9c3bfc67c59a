import { asVsyncError, type ErrorCode, type WarningCode } from '../../base/errors.ts';

/** What `doctor` found, check by check. */

export type CheckStatus = 'pass' | 'warn' | 'fail' | 'skip';

export type FindingCode = ErrorCode | WarningCode;

export interface Check {
  /** `skip`: something before it failed, so that nothing can be said. */
  readonly status: CheckStatus;
  /** What was looked at: `token`. */
  readonly topic: string;
  readonly message: string;
  readonly code?: FindingCode | undefined;
  /** What to do, as a sentence. */
  readonly fix?: string | undefined;
  /** What to do, as lines to copy. */
  readonly commands?: readonly string[] | undefined;
}

export type Advice = Pick<Check, 'code' | 'fix' | 'commands'>;

export interface Section {
  readonly title: string;
  readonly checks: readonly Check[];
}

/** Hears of each section and each check as soon as it is known: some take seconds. */
export interface ReportListener {
  section(title: string): void;
  check(check: Check): void;
}

/** Collects checks in sections, in the order in which they are made. */
export class Report {
  readonly #sections: { title: string; checks: Check[] }[] = [];
  readonly #listener: ReportListener;
  readonly #signal: AbortSignal;

  /** `signal`: what is aborted by it is no finding. */
  constructor(listener: ReportListener, signal: AbortSignal) {
    this.#listener = listener;
    this.#signal = signal;
  }

  get sections(): readonly Section[] {
    return this.#sections;
  }

  /** Begins a section; the checks that follow belong to it. */
  section(title: string): void {
    this.#sections.push({ title, checks: [] });
    this.#listener.section(title);
  }

  pass(topic: string, message: string): void {
    this.add({ status: 'pass', topic, message });
  }

  warn(topic: string, message: string, advice: Advice = {}): void {
    this.add({ status: 'warn', topic, message, ...advice });
  }

  fail(topic: string, message: string, advice: Advice = {}): void {
    this.add({ status: 'fail', topic, message, ...advice });
  }

  /** Says what is not looked at, because of what failed before. */
  skip(topic: string, message: string): void {
    this.add({ status: 'skip', topic, message });
  }

  add(check: Check): void {
    this.#sections.at(-1)?.checks.push(check);
    this.#listener.check(check);
  }

  /** Does a step; what it throws is a failed check, and `undefined` comes back. */
  async attempt<T>(topic: string, step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      this.#signal.throwIfAborted();
      this.failure(topic, error);
      return undefined;
    }
  }

  /** A failed check for what was thrown. */
  failure(topic: string, error: unknown): void {
    const { code, message, why, hint } = asVsyncError(error);
    this.fail(topic, why === undefined ? message : `${message}: ${why}`, { code, fix: hint });
  }

  count(status: CheckStatus): number {
    return this.#sections.reduce(
      (sum, { checks }) => sum + checks.filter((check) => check.status === status).length,
      0,
    );
  }
}
