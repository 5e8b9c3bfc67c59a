import * as z from 'zod';
import type { Side } from '../base/errors.ts';
import { boolean, duration, int, intOrAuto, oneOf, ratio, text } from './leaf.ts';
import { cron, globs, mounts, syncPath, timezone, transforms } from './parsed-values.ts';
import { consulKeys, vaultKeys } from './schema-connections.ts';

/**
 * Every configuration key: its place, type, default, bounds and meaning. The single source: the loader, the environment names, the
 * flags, `config show`, the JSON Schema, help, documentation and completion are all derived from it (`keys.ts` walks it).
 */

const documented = { from: 'documented' } as const;
const code = { from: 'code' } as const;
const fresh = { from: 'new' } as const;

/** The keys that both sides have, under `origin.` and `destination.`. */
function sideKeys(side: Side) {
  const own = { ownRoleOnly: true };
  return {
    vault: vaultKeys(side),
    consul: consulKeys(side),
    syncPath: syncPath(
      `Path in the ${side} Consul under which sync info is kept; "${side}/" is appended.`,
      documented,
    ).prefault('vsync/'),
    numWorkers: intOrAuto(
      'Paths worked on at the same time; "auto" finds how many bring the most, 64 at most.',
      { min: 1, max: 65535 },
      { ...documented, ...own },
    ).prefault(1),
    tick: duration('Time between the starts of two cycles.', { ...documented, ...own }).prefault('1m'),
    timeout: duration('Time limit of one cycle; a cycle that runs past it is dropped.', {
      ...documented,
      ...own,
    }).prefault('5m'),
    cron: cron('Cron expression that starts the cycles, instead of tick.', { ...fresh, ...own }).optional(),
    timezone: timezone('IANA time zone of cron.', { ...fresh, ...own }).prefault('UTC'),
    jitter: duration('Random time of at most this length before each cycle.', {
      ...fresh,
      ...own,
      zero: true,
    }).prefault('0s'),
    runOnStart: boolean('Run the first cycle at once, not one tick after the start.', {
      ...fresh,
      ...own,
    }).prefault(true),
    include: globs(
      'Globs on the secret path (mount and key); when given, only matching secrets are synced.',
      fresh,
    ).prefault([]),
    exclude: globs(
      'Globs on the secret path (mount and key); matching secrets are not synced.',
      fresh,
    ).prefault([]),
  };
}

const origin = z
  .strictObject({
    ...sideKeys('origin'),
    mounts: mounts(
      'KV v2 mounts of the origin Vault to publish, such as ["secret/"].',
      documented,
    ).optional(),
    renewToken: boolean('Renew the token of the origin Vault.', documented).prefault(true),
    maxFailedPaths: ratio('Share of paths that may fail to be read before a cycle fails; at least one may.', {
      ...fresh,
      ownRoleOnly: true,
    }).prefault('10%'),
  })
  .describe('The origin: the source of truth.');

const destination = z
  .strictObject({
    ...sideKeys('destination'),
    mounts: mounts(
      'KV v2 mounts of the destination Vault; unset: where transforms and origin.mounts lead.',
      documented,
    ).optional(),
    renewToken: boolean(
      'Renew the token of the destination Vault; unset: if it is renewable.',
      code,
    ).optional(),
    transforms: transforms(
      'Rules that give origin paths another path at the destination; the first match decides.',
      documented,
    ).prefault([]),
    watch: boolean('Start a cycle when the origin publishes, not only on tick or cron.', fresh).prefault(
      true,
    ),
    onConflict: oneOf(
      'What to do with a secret that somebody else changed at the destination.',
      ['overwrite', 'skip', 'fail'],
      fresh,
    ).prefault('overwrite'),
    batchSize: int(
      'Changes after which progress is saved; saving takes a twentieth of the time at most.',
      { min: 1, max: 1_000_000 },
      fresh,
    ).prefault(100),
  })
  .describe('The destination: what follows the origin.');

/** The whole configuration, nested as in a file. */
export const configSchema = z
  .strictObject({
    name: text('Name of this node in logs, status and metrics; unset: the role.', code).optional(),
    log: z
      .strictObject({
        level: oneOf(
          'Least important kind of message that is logged.',
          ['error', 'warn', 'info', 'debug', 'trace'],
          documented,
        ).prefault('info'),
        type: oneOf('Form of the log: for people or for machines.', ['console', 'json'], documented).prefault(
          'console',
        ),
      })
      .describe('Logging.'),
    numBuckets: int(
      'Buckets of the sync info; unset: keep the published number.',
      { min: 1, max: 65535 },
      documented,
    ).optional(),
    ignoreDeletes: boolean('Never delete anything at the destination.', documented).prefault(false),
    origin,
    destination,
    guards: z
      .strictObject({
        enabled: boolean(
          'Hold deletes that are more than the limits until they are approved.',
          fresh,
        ).prefault(true),
        maxDeletes: int(
          'Deletes in one cycle that are always within the limit, up to half of the paths.',
          { min: 0, max: 1_000_000_000 },
          fresh,
        ).prefault(50),
        maxDeleteRatio: ratio(
          'Share of the paths that one cycle may delete, if that is more than maxDeletes.',
          fresh,
        ).prefault(0.1),
        allowEmptyOrigin: boolean('Let an origin without any path delete everything.', fresh).prefault(false),
      })
      .describe('Limits on deletes.'),
    retry: z
      .strictObject({
        base: duration(
          'Pause before the first repetition of a failed request or cycle; it doubles each time.',
          fresh,
        ).prefault('250ms'),
        max: duration('Longest pause between repetitions.', fresh).prefault('1m'),
        attempts: int(
          'Repetitions before giving up; unset: no limit in daemons, 5 in one-shots.',
          { min: 1, max: 1_000_000 },
          fresh,
        ).optional(),
      })
      .describe('Repetition of what failed for a transient reason.'),
    startupTimeout: duration('Time to wait at the start for servers that cannot be reached; 0 = for ever.', {
      ...fresh,
      zero: true,
    }).prefault('0s'),
    shutdownTimeout: duration('Time for writes in flight to end after SIGTERM.', fresh).prefault('25s'),
  })
  .describe('Configuration of vsync.');

/** What the schema yields for a complete configuration, with the names of the file. `config.ts` gives it the names of code. */
export type SchemaOutput = z.output<typeof configSchema>;
