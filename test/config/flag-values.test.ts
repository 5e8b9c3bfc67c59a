import { describe, expect, it } from 'vitest';
import type { FlagValues } from '../../src/config/flag-values.ts';
import { configOf, destinationKeys, load } from './support.ts';

const run = (flags: FlagValues, role: 'origin' | 'destination' = 'destination') =>
  load(destinationKeys, { role, flags, files: ['-'] });
const destinationOf = async (flags: FlagValues) => {
  const loaded = await run(flags);
  const config = configOf(loaded);
  if (config.role !== 'destination') throw new Error('not a destination');
  return { ...config.destination, config, lines: loaded.lines };
};

describe('flags', () => {
  it('short ones mean the side of the role', async () => {
    const flags = {
      tick: '5s',
      workers: '7',
      timeout: '1m',
      timezone: 'Europe/Paris',
      include: ['a/*', 'b/*'],
      exclude: 'c d',
    };
    const side = {
      tickMs: 5_000,
      numWorkers: 7,
      timeoutMs: 60_000,
      timezone: 'Europe/Paris',
      include: ['a/*', 'b/*'],
      exclude: ['c', 'd'],
    };
    expect(configOf(await run(flags))).toMatchObject({
      destination: side,
      origin: { tickMs: 60_000, numWorkers: 1 },
    });
    expect(configOf(await run(flags, 'origin'))).toMatchObject({ origin: side });
  });

  it('of guards, deletes, watch and log', async () => {
    const { config, lines } = await destinationOf({
      'max-deletes': '9',
      'max-delete-ratio': '20%',
      'ignore-deletes': true,
      'no-watch': true,
      'log-level': 'trace',
      'log.type': 'json',
    });
    expect(config).toMatchObject({
      guards: { maxDeletes: 9, maxDeleteRatio: 0.2 },
      ignoreDeletes: true,
      destination: { watch: false },
      log: { level: 'trace', type: 'json' },
    });
    expect(lines).toEqual([]);
  });

  it('booleans take a value or none', async () => {
    expect((await destinationOf({ 'ignore-deletes': 'false' })).config.ignoreDeletes).toBe(false);
    expect((await destinationOf({ 'ignore-deletes': false })).config.ignoreDeletes).toBe(false);
    expect((await destinationOf({ 'destination.renewToken': true })).renewToken).toBe(true);
    expect((await destinationOf({ 'no-watch': false })).watch).toBe(true);
  });

  it('--cron beats the tick of a file, and --tick its cron', async () => {
    const byCron = await load(
      { ...destinationKeys, 'destination.tick': '2m' },
      { role: 'destination', flags: { cron: '* * * * *' } },
    );
    expect(configOf(byCron)).toMatchObject({ destination: { cron: '* * * * *', tickMs: 60_000 } });
    expect(byCron.lines).toEqual([
      'info stdin:1:313 destination.tick: is not used, since destination.cron is set by flag --cron',
    ]);
    const byTick = await load(
      { ...destinationKeys, 'destination.cron': '* * * * *' },
      { role: 'destination', flags: { tick: '2m' } },
    );
    expect(configOf(byTick)).toMatchObject({ destination: { tickMs: 120_000 } });
    expect(configOf(byTick)).not.toHaveProperty('destination.cron');
  });

  it('Go vsync never read role_id and secret_id; these mean the AppRole, and warn', async () => {
    const { 'origin.vault.token': _, ...others } = destinationKeys;
    const loaded = await load(others, {
      role: 'destination',
      flags: { 'origin.vault.role_id': 'r', 'origin.vault.secret_id': 's', 'origin.dc': 'fra' },
    });
    expect(configOf(loaded).origin).toMatchObject({
      consul: { dc: 'fra' },
      vault: { approle: { roleId: expect.anything(), secretId: expect.anything() } },
    });
    expect(loaded.lines).toEqual([
      'warning flag --origin.vault.role_id origin.vault.approle.role_id: visible in ps; use --origin.vault.approle.role_id_file',
      'warning flag --origin.vault.secret_id origin.vault.approle.secret_id: visible in ps; use --origin.vault.approle.secret_id_file',
    ]);
  });

  it.each<{ name: string; flags: FlagValues; says: string }>([
    {
      name: 'unknown',
      flags: { 'orgin.vault.address': 'x' },
      says: 'error flag --orgin.vault.address: is not a flag - did you mean --origin.vault.address?',
    },
    {
      name: 'unknown, like nothing',
      flags: { xyzzyxyzzy: 'x' },
      says: 'error flag --xyzzyxyzzy: is not a flag',
    },
    { name: 'a prototype key', flags: { constructor: 'x' }, says: 'error flag --constructor: is not a flag' },
    {
      name: 'transforms',
      flags: { 'destination.transforms': '[]' },
      says: 'error flag --destination.transforms: is not a flag',
    },
    {
      name: 'without a value',
      flags: { tick: true },
      says: 'error flag --tick destination.tick: needs a value',
    },
    {
      name: 'with an empty value',
      flags: { tick: '' },
      says: 'error flag --tick destination.tick: is empty, not a duration',
    },
    {
      name: 'with a wrong value',
      flags: { workers: 'x' },
      says: 'error flag --workers destination.numWorkers: must be a whole number from 1 to 65535 or "auto" (got "x")',
    },
    {
      name: 'repeated',
      flags: { tick: ['1s', '2s'] },
      says: 'warning flag --tick destination.tick: is given 2 times; the last one counts',
    },
  ])('$name is named', async ({ flags, says }) => {
    expect((await run(flags)).lines.join('\n')).toContain(says);
  });

  it('have a usage code for what is wrong with them', async () => {
    const { problems } = await run({
      workers: 'x',
      tick: '5',
      nonsense: '1',
      cron: 'x',
      'origin.mounts': 'a//b',
    });
    expect(problems.map(({ code }) => code)).toEqual([
      'USAGE_UNKNOWN_FLAG',
      'USAGE',
      'USAGE',
      'USAGE',
      'USAGE',
      'USAGE',
    ]);
  });

  it('that are empty take a text away', async () => {
    const { lines } = await run({ 'origin.vault.address': '' });
    expect(lines).toContainEqual(
      expect.stringContaining('error flag --origin.vault.address origin.vault.address: is missing'),
    );
  });
});
