import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Secret } from '../../src/base/secret.ts';
import { goDestinationYaml, goOriginJson, isGoFlag, leaves } from './go-samples.ts';
import { configOf, load, temporaryFolder } from './support.ts';

/** The two examples of go-vsync.md, section 2.5, unmodified: by file, by environment alone, and by flags with the environment. */
const folder = temporaryFolder();
const origin = folder.write('origin.json', goOriginJson);
const destination = folder.write('destination.yaml', goDestinationYaml);

/** Secrets compare equal whatever they hold, so they are revealed here. */
const revealed = (value: unknown): unknown => {
  if (value instanceof Secret) return `secret ${value.reveal()}`;
  if (typeof value === 'function') return undefined;
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]));
};

const leavesOf = (file: string) => leaves(parse(file === origin ? goOriginJson : goDestinationYaml));
const asVariables = (pairs: [string, string][]) =>
  Object.fromEntries(pairs.map(([key, text]) => [`VSYNC_${key.toUpperCase().replaceAll('.', '_')}`, text]));

const byFile = async (role: 'origin' | 'destination', file: string) => {
  const loaded = await load(undefined, { role, files: [file] });
  expect(loaded.lines).toEqual([]);
  return revealed(configOf(loaded));
};

it('the origin by file', async () => {
  expect(await byFile('origin', origin)).toEqual({
    role: 'origin',
    name: 'fra-origin',
    log: { level: 'info', type: 'json' },
    numBuckets: 16,
    ignoreDeletes: false,
    origin: {
      vault: {
        address: 'https://vault.fra.example.net:8200',
        token: 'secret hvs.EXAMPLE-ONLY',
        approle: { path: 'approle' },
        tls: { skipVerify: false },
        requestTimeoutMs: 60_000,
        maxRetries: 4,
        rateLimit: 0,
      },
      consul: {
        address: 'https://consul.fra.example.net:8501',
        dc: 'fra',
        tls: { skipVerify: false },
        requestTimeoutMs: 60_000,
        rateLimit: 0,
      },
      mounts: ['kv/', 'teams/payments/'],
      syncPath: 'sync/vault/',
      numWorkers: 16,
      tickMs: 60_000,
      timeoutMs: 300_000,
      timezone: 'UTC',
      jitterMs: 0,
      runOnStart: true,
      renewToken: true,
      include: [],
      exclude: [],
      maxFailedPaths: 0.1,
    },
    guards: { enabled: true, maxDeletes: 50, maxDeleteRatio: 0.1, allowEmptyOrigin: false },
    retry: { baseMs: 250, maxMs: 60_000 },
    startupTimeoutMs: 0,
    shutdownTimeoutMs: 25_000,
  });
});

it('the destination by file', async () => {
  expect(await byFile('destination', destination)).toMatchObject({
    role: 'destination',
    name: 'iad-destination',
    numBuckets: 16,
    origin: {
      vault: { token: 'secret hvs.EXAMPLE-ONLY' },
      mounts: ['kv/', 'teams/payments/'],
      syncPath: 'sync/vault/',
    },
    destination: {
      vault: {
        address: 'https://vault.iad.example.net:8200',
        approle: { path: 'approle', roleId: 'secret EXAMPLE-ROLE-ID', secretId: 'secret EXAMPLE-SECRET-ID' },
      },
      consul: { address: 'https://consul.iad.example.net:8501', dc: 'iad' },
      mounts: ['kv/', 'kv-us/'],
      numWorkers: 16,
      tickMs: 60_000,
      timeoutMs: 600_000,
      renewToken: true,
      transforms: [{ name: 'billing stages first' }, { name: 'payments team' }],
    },
  });
});

it('the transforms of the destination do what the reference says', async () => {
  const config = configOf(await load(undefined, { role: 'destination', files: [destination] }));
  if (config.role !== 'destination') throw new Error('not a destination');
  const [billing, payments] = config.destination.transforms;
  expect(billing?.apply('kv/data/billing/prod/db/main')).toBe('kv-us/data/prod/billing/db/main');
  expect(payments?.apply('teams/payments/data/a/b')).toBe('kv-us/data/payments-team/a/b');
});

describe.each([
  { role: 'origin', file: origin },
  { role: 'destination', file: destination },
] as const)('the $role', ({ role, file }) => {
  it('by environment alone is the same', async () => {
    const loaded = await load(undefined, { role, env: asVariables(leavesOf(file)) });
    expect(loaded.lines).toEqual([]);
    expect(revealed(configOf(loaded))).toEqual(await byFile(role, file));
  });

  it('by the flags of Go vsync, and the environment for the rest, is the same', async () => {
    const pairs = leavesOf(file);
    const flags = Object.fromEntries(
      pairs.filter(([key]) => isGoFlag(key)).map(([key, text]) => [key.replace('.approle', ''), text]),
    );
    const env = asVariables(pairs.filter(([key]) => !isGoFlag(key)));
    expect(Object.keys(flags).length).toBeGreaterThan(4);
    const loaded = await load(undefined, { role, flags, env });
    expect(loaded.lines.filter((line) => !line.includes('visible in ps'))).toEqual([]);
    expect(revealed(configOf(loaded))).toEqual(await byFile(role, file));
  });

  it('by flags alone, in our spellings, is the same but for transforms', async () => {
    const transforms = {
      VSYNC_DESTINATION_TRANSFORMS: Object.fromEntries(leavesOf(file))['destination.transforms'],
    };
    const flags = Object.fromEntries(leavesOf(file).filter(([key]) => key !== 'destination.transforms'));
    const loaded = await load(undefined, { role, flags, env: role === 'destination' ? transforms : {} });
    expect(revealed(configOf(loaded))).toEqual(await byFile(role, file));
  });

  it('without a role given is found to be for it', async () => {
    expect((await load(undefined, { role: undefined, files: [file] })).config?.role).toBe(role);
  });
});
