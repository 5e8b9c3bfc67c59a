import { type Command, Option } from 'commander';
import type { FlagValues } from '../config/flag-values.ts';
import { flagSpecs } from '../config/flags.ts';

/**
 * The flags that set configuration keys, as options of commander. They come from the configuration's schema; the dotted ones may stand
 * before or after the command and are not listed in `--help`, which names the page that lists them.
 */

/** Adds the dotted flags and their old spellings to the program. */
export function addDottedFlags(program: Command): void {
  for (const spec of flagSpecs) if (!spec.short) program.addOption(optionFor(spec).hideHelp());
}

/** Adds the short flags (`--tick`, `--workers`) to a command that runs cycles; with `only`, those of these names. */
export function addShortFlags(command: Command, only?: readonly string[]): void {
  for (const spec of flagSpecs)
    if (spec.short && (only === undefined || only.includes(spec.name))) command.addOption(optionFor(spec));
}

/** What was given of all these flags, for the configuration loader. */
export function flagValuesOf(options: Readonly<Record<string, unknown>>): FlagValues {
  const given = flagSpecs.flatMap(({ name, value }) => {
    const texts = options[attributeOf(name)];
    if (texts === undefined) return [];
    return [[name, value === 'none' ? true : (texts as readonly string[])] as const];
  });
  return Object.fromEntries(given);
}

function optionFor({ name, value, implied, description }: (typeof flagSpecs)[number]): Option {
  const argument = value === 'none' ? '' : value === 'optional' ? ' [value]' : ' <value>';
  const option = new Option(`--${name}${argument}`, description);
  if (value === 'none') return new PlainFlag(option.flags, description);
  if (value === 'optional') option.preset(implied);
  // Collected, so that a flag given twice is seen to be.
  return option.argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]);
}

/** An option whose name begins with `no-` and is not the negation of another one. */
class PlainFlag extends Option {
  constructor(flags: string, description: string) {
    super(flags, description);
    this.negate = false;
  }

  override attributeName(): string {
    return attributeOf(this.name());
  }
}

/** commander's own rule, for names with dots too. */
function attributeOf(name: string): string {
  return name.split('-').reduce((all, word) => all + word.charAt(0).toUpperCase() + word.slice(1));
}
