import type { Draft, Role } from './config.ts';
import type { Problem } from './problem.ts';

/** What cross-field rules see of a configuration, and how they speak. */
export interface RuleContext {
  readonly role: Role;
  /** Typed values, as far as they are right. */
  readonly draft: Draft;
  /** Whether something other than the default sets a key, be it right or wrong. */
  isSet(key: string): boolean;
  /** What is written, before it was repaired. */
  written(key: string): unknown;
  /** What more there is to say of a key that is not set. */
  hintFor(key: string): string | undefined;
  /** `part`: which part of a list, say `[2]`. */
  report(problem: Omit<Problem, 'place'> & { part?: readonly number[] }): void;
}
