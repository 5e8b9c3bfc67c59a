import type { Role } from './config.ts';
import { type KeySpec, keySpecs } from './keys.ts';

/** A command-line flag that sets a configuration key. The command line takes its options from here, and the loader their meaning. */
export interface FlagSpec {
  /** Without the leading `--`. */
  readonly name: string;
  /** The key it sets in a process of that role. */
  readonly key: Readonly<Record<Role, string>>;
  /** `optional`: `--flag` alone means true. `none`: it takes no value. */
  readonly value: 'required' | 'optional' | 'none';
  /** What a flag without a value sets. */
  readonly implied: string;
  /** May be given more than once, each adding to the list. */
  readonly repeatable: boolean;
  readonly description: string;
  /** What to warn of when it is used. */
  readonly warning?: string;
  /** One of the few that `--help` of a command shows; the others are the dotted keys. */
  readonly short: boolean;
}

const dotted: readonly FlagSpec[] = keySpecs
  .filter((spec) => spec.kind !== 'transforms')
  .map((spec) => flagFor(spec.key, spec, spec));

/** Spellings of Go vsync and of the documentation for dotted keys. */
const sameMeaning: readonly (readonly [name: string, key: string])[] = [
  ...(['origin', 'destination'] as const).flatMap(
    (side) =>
      [
        [`${side}.dc`, `${side}.consul.dc`],
        [`${side}.vault.role_id`, `${side}.vault.approle.role_id`],
        [`${side}.vault.secret_id`, `${side}.vault.approle.secret_id`],
      ] as const,
  ),
  ['log-level', 'log.level'],
  ['log-type', 'log.type'],
];

/** Short flags: for a key of the side that the role is named after, or one key for both roles. */
const short: readonly (readonly [name: string, key: string])[] = [
  ['tick', '*.tick'],
  ['cron', '*.cron'],
  ['timezone', '*.timezone'],
  ['timeout', '*.timeout'],
  ['workers', '*.numWorkers'],
  ['include', '*.include'],
  ['exclude', '*.exclude'],
  ['max-deletes', 'guards.maxDeletes'],
  ['max-delete-ratio', 'guards.maxDeleteRatio'],
  ['ignore-deletes', 'ignoreDeletes'],
];

/** Every flag that sets a key. */
export const flagSpecs: readonly FlagSpec[] = [
  ...short.map(([name, key]) => ({ ...flagOf(name, key), short: true })),
  {
    ...flagOf('no-watch', 'destination.watch'),
    value: 'none' as const,
    implied: 'false',
    description: 'Start cycles on tick or cron only, not when the origin publishes.',
    short: true,
  },
  ...sameMeaning.map(([name, key]) => flagOf(name, key)),
  ...dotted,
];

const byName = new Map(flagSpecs.map((spec) => [spec.name, spec]));

/** The flag of that name, without `--`. */
export function findFlag(name: string): FlagSpec | undefined {
  return byName.get(name);
}

function flagOf(name: string, pattern: string): FlagSpec {
  const origin = keyOf(pattern.replace('*', 'origin'));
  return flagFor(name, origin, keyOf(pattern.replace('*', 'destination')));
}

function keyOf(key: string): KeySpec {
  const spec = keySpecs.find((each) => each.key === key);
  if (spec === undefined) throw new Error(`flag for a key that does not exist: ${key}`);
  return spec;
}

function flagFor(name: string, origin: KeySpec, destination: KeySpec): FlagSpec {
  return {
    name,
    key: { origin: origin.key, destination: destination.key },
    value: origin.kind === 'boolean' ? 'optional' : 'required',
    implied: 'true',
    repeatable: origin.kind === 'list',
    description: origin.description,
    ...(origin.kind === 'secret' && { warning: `visible in ps; use --${origin.fileKey}` }),
    short: false,
  };
}
