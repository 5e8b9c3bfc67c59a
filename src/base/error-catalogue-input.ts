import type { ErrorExplanation } from './errors.ts';

/** Failures of what vsync is given: configuration, transforms, plans, command lines. */
export const inputErrors = {
  CONFIG_UNREADABLE: {
    means: 'A configuration file, or a file that it names, cannot be read.',
    causes: ['it does not exist', 'its permissions', 'it is a folder, too large, or not UTF-8'],
    fix: ['correct the name or the permissions'],
  },
  CONFIG_SYNTAX: {
    means: 'A configuration file is not valid JSON, YAML or HCL.',
    causes: ['the fault that the message points at, by line and column'],
    fix: ['correct it; JSON with comments needs the extension `.jsonc`'],
  },
  CONFIG_BAD_VALUE: {
    means: 'A key has a value that it cannot have, or one to be reminded of.',
    causes: ['a wrong type, a number out of its range, a duration without a unit'],
    fix: ['write it as the message says; `vsync config validate` finds all at once'],
  },
  CONFIG_MISSING_VALUE: {
    means: 'A key that this role needs is not set.',
    causes: ['it is not in the file, or the file is not the one that is read'],
    fix: [
      'set it in the file, as `VSYNC_...` variable or as flag',
      '`vsync config show` says what is read from where',
    ],
  },
  CONFIG_CONFLICT: {
    means: 'Two settings exclude each other, or one is not used because of another.',
    causes: ['a key that is there twice', 'a token and a token file', 'a tick and a cron expression'],
    fix: ['keep one of them'],
  },
  CONFIG_UNKNOWN_KEY: {
    means:
      'Nothing reads this key. A warning at a start; an error with `--strict-config` and in `vsync config validate`.',
    causes: ['a typing error', 'a key of a later version'],
    fix: ['correct or remove it'],
  },
  CONFIG_DEPRECATED_KEY: {
    means: 'A key of Go vsync under its old name. It works, or is ignored where the message says so.',
    causes: ['a configuration written for Go vsync'],
    fix: ['`vsync config migrate FILE` prints the file with the names of today'],
  },
  TRANSFORM_BAD_REGEX: {
    means: '`from` of a transform is not a valid regular expression.',
    causes: ['look-around or back-references, which the syntax of Go (RE2) does not have'],
    fix: ['the caret in the message points at the fault; try it with `vsync transform test PATH`'],
  },
  TRANSFORM_BAD_TARGET: {
    means: 'A transform leads to a path that is not `<mount>data/<key>` of a KV v2 mount at the destination.',
    causes: ['`to` without `data`', 'a mount that does not exist there'],
    fix: ['correct `to`, or make the mount'],
  },
  TRANSFORM_COLLISION: {
    means: 'Several secrets of the origin have the same path at the destination. None of them is copied.',
    causes: ['`to` lacks a group that tells them apart', '`from` matches a part of the path only'],
    fix: ['put the missing group into `to`, or anchor `from` with `^` and `$`'],
  },
  TRANSFORM_LOOP: {
    means: 'Origin and destination are one Vault, and a secret would be written onto itself.',
    causes: ['a secret that no transform matches'],
    fix: ['a transform for it, or `destination.exclude`'],
  },
  PLAN_STALE: {
    means: 'What a saved plan was made from has changed since. Nothing was done.',
    causes: ['a cycle ran in between', 'another configuration'],
    fix: ['make a new plan'],
  },
  PLAN_INVALID: {
    means: 'The file is not a plan that this version can read. Nothing was done.',
    causes: ['another file, a cut one, or one of a later version'],
    fix: ['make a new plan'],
  },
  USAGE: {
    means: 'The command line cannot be followed.',
    causes: ['a missing or superfluous argument', 'a value that is not one of the choices'],
    fix: ['`vsync COMMAND --help`'],
  },
  USAGE_UNKNOWN_FLAG: {
    means: 'There is no such flag.',
    causes: ['a typing error', 'a single dash before a long name'],
    fix: ['`vsync COMMAND --help`; every configuration key is a flag, too: `--origin.vault.address`'],
  },
  UNEXPECTED: {
    means: 'A defect of vsync.',
    causes: [],
    fix: ['run it again with `--log.level debug`, and report what it prints'],
  },
} as const satisfies Readonly<Record<string, ErrorExplanation>>;
