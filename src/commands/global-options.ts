import type { Command } from 'commander';
import type { FlagValues } from '../config/flag-values.ts';
import { flagValuesOf } from './flag-options.ts';

/** What every command can be called with, before or after its name. */
export interface GlobalOptions {
  /** `--config` arguments, in their order. */
  readonly config: readonly string[];
  /** Warnings about the configuration are errors. */
  readonly strictConfig: boolean;
  readonly color: ColorChoice;
  /** One JSON document on standard output instead of text. */
  readonly json: boolean;
  /** Nothing but errors on standard error. */
  readonly quiet: boolean;
  /** Which of the `destinations` of the configuration is meant; left out: the only one, or all. */
  readonly node: string | undefined;
  /** Never ask; what would have to be asked is an error. */
  readonly noInput: boolean;
  /** Flags that set configuration keys. */
  readonly flags: FlagValues;
}

export type ColorChoice = 'auto' | 'always' | 'never';

/** The options of a command that was called, its own and the global ones. */
export function globalOptions(command: Command): GlobalOptions & Readonly<Record<string, unknown>> {
  const options = command.optsWithGlobals();
  const level = options.quiet ? 'error' : options.verbose ? 'debug' : undefined;
  return {
    ...options,
    config: options.config ?? [],
    strictConfig: options.strictConfig === true,
    color: options.color === false ? 'never' : options.color,
    json: options.json === true,
    quiet: options.quiet === true,
    node: options.node,
    noInput: options.input === false,
    // A level that was asked for by name counts more than -q and -v.
    flags: { ...(level !== undefined && { 'log.level': level }), ...flagValuesOf(options) },
  };
}
