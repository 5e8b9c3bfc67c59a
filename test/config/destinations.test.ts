import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';

const connection = { address: 'http://127.0.0.1:8200', token: 'hvs.origin' };
const consul = { address: 'http://127.0.0.1:8500' };
const origin = { vault: connection, consul, mounts: ['secret/'] };

const load = (content: unknown, more: Partial<Parameters<typeof loadConfig>[0]> = {}) =>
  loadConfig({
    role: 'destination',
    files: ['-'],
    flags: {},
    env: {},
    cwd: '/',
    home: undefined,
    readStdin: async () => Buffer.from(JSON.stringify(content)),
    ...more,
  });
const one = (name: string, more: Record<string, unknown> = {}) => ({
  name,
  vault: { address: `http://${name}.example.net:8200`, token: `hvs.${name}` },
  syncPath: `vsync-${name}/`,
  ...more,
});

describe('destinations', () => {
  it('are each a configuration, with what they share from destination and the top', async () => {
    const { configs, problems } = await load({
      origin,
      destination: { consul, numWorkers: 7, tick: '30s' },
      guards: { maxDeletes: 9 },
      destinations: [
        one('iad'),
        one('sin', { numWorkers: 3, guards: { maxDeletes: 1 }, ignoreDeletes: true, mounts: ['kv/'] }),
      ],
    });
    expect(problems).toEqual([]);
    const shown = configs.map((config) => {
      if (config.role !== 'destination') throw new Error('no destination');
      const { vault, syncPath, numWorkers, tickMs, mounts } = config.destination;
      return [
        config.name,
        vault.address,
        vault.token?.reveal(),
        syncPath,
        numWorkers,
        tickMs,
        mounts,
        config.guards.maxDeletes,
        config.ignoreDeletes,
      ];
    });
    expect(shown).toEqual([
      ['iad', 'http://iad.example.net:8200', 'hvs.iad', 'vsync-iad/', 7, 30_000, undefined, 9, false],
      ['sin', 'http://sin.example.net:8200', 'hvs.sin', 'vsync-sin/', 3, 30_000, ['kv/'], 1, true],
    ]);
  });

  it('are one without the list', async () => {
    const { config, configs } = await load({ origin, destination: { ...one('x'), name: undefined, consul } });
    expect(configs).toEqual([config]);
  });

  it('may be dotted and in any case, and one map counts as a list of one', async () => {
    const { configs, problems } = await load({
      origin,
      'destination.consul': consul,
      DESTINATIONS: {
        Name: 'iad',
        'vault.address': 'http://iad:8200',
        'Vault.Token': 't',
        'Guards.MaxDeletes': 3,
      },
    });
    expect(problems).toEqual([]);
    expect(configs[0]).toMatchObject({ name: 'iad', guards: { maxDeletes: 3 } });
  });

  it('get what variables and flags say of all of them', async () => {
    const list = { origin, destination: { consul }, destinations: [one('iad'), one('sin')] };
    const { configs } = await load(list, {
      env: { VSYNC_DESTINATION_NUMWORKERS: '5' },
      flags: { timeout: '1m' },
    });
    expect(
      configs.map(
        (config) =>
          config.role === 'destination' && [config.destination.numWorkers, config.destination.timeoutMs],
      ),
    ).toEqual([
      [5, 60_000],
      [5, 60_000],
    ]);
  });

  it('are of no concern to an origin', async () => {
    const { config, problems } = await load({ origin, destinations: [one('iad')] }, { role: 'origin' });
    expect([config?.role, problems]).toEqual(['origin', []]);
  });

  it('make a configuration that of a destination', async () => {
    const { role } = await load(
      { origin, destination: { consul }, destinations: [one('iad')] },
      { role: undefined },
    );
    expect(role).toBe('destination');
  });

  it.each([
    { name: 'not a list', destinations: 'iad', says: 'must be a list of destinations' },
    { name: 'empty', destinations: [], says: 'must be a list of destinations' },
    {
      name: 'with something that is no destination',
      destinations: [one('iad'), 1],
      says: 'must be a list of destinations',
    },
    {
      name: 'of the same name',
      destinations: [one('iad'), one('iad', { syncPath: 'other/' })],
      says: 'and so has another destination',
    },
    {
      name: 'with one place for their sync info',
      destinations: [one('iad'), one('sin', { syncPath: 'vsync-iad/' })],
      says: 'where another destination does',
    },
    { name: 'with a key that is wrong', destinations: [one('iad', { tick: '10' })], says: '10s' },
    {
      name: 'with a key that is unknown',
      destinations: [one('iad', { tikc: '10s' })],
      says: 'is not a known key',
      severity: 'warning',
    },
  ])('$name: said with its place', async ({ destinations, says, severity = 'error' }) => {
    const { problems } = await load({ origin, destination: { consul }, destinations });
    expect(problems).toContainEqual(expect.objectContaining({ severity }));
    expect(problems.map(({ message, hint }) => `${message} ${hint}`).join('\n')).toContain(says);
  });

  it('say what all of them share once', async () => {
    const { problems } = await load({
      origin: { ...origin, unknown: 1 },
      destination: { consul },
      destinations: [one('iad'), one('sin')],
    });
    expect(problems).toHaveLength(1);
  });
});
