import { describe, expect, it } from 'vitest';
import { keySpecs } from '../../src/config/keys.ts';
import { placeOf } from '../../src/config/source.ts';
import { configOf, destinationKeys, load, originKeys, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const file = (name: string, content: object) => folder.write(name, JSON.stringify(content));

describe('precedence', () => {
  const env = { VSYNC_NUMBUCKETS: '3' };
  const flags = { numBuckets: '4' };
  it.each([
    { name: 'default', content: originKeys, options: {}, is: undefined, from: undefined },
    { name: 'file', content: { ...originKeys, numBuckets: 2 }, options: {}, is: 2, from: 'stdin:1:162' },
    {
      name: 'environment over file',
      content: { ...originKeys, numBuckets: 2 },
      options: { env },
      is: 3,
      from: 'env VSYNC_NUMBUCKETS',
    },
    {
      name: 'flag over environment',
      content: { ...originKeys, numBuckets: 2 },
      options: { env, flags },
      is: 4,
      from: 'flag --numBuckets',
    },
    {
      name: 'an empty variable is not set',
      content: { ...originKeys, numBuckets: 2 },
      options: { env: { VSYNC_NUMBUCKETS: '' } },
      is: 2,
      from: 'stdin:1:162',
    },
    {
      name: 'null is not set',
      content: { ...originKeys, numBuckets: null },
      options: {},
      is: undefined,
      from: undefined,
    },
  ])('$name', async ({ content, options, is, from }) => {
    const loaded = await load(content, options);
    expect(configOf(loaded).numBuckets).toBe(is);
    const source = loaded.sources.get('numBuckets');
    expect(source && placeOf(source)).toBe(from);
  });

  it('of several files the right-most wins, key by key', async () => {
    const files = [
      file('1.json', { ...originKeys, name: 'one', numBuckets: 1 }),
      file('2.json', { numBuckets: 2, log: { level: 'debug' } }),
      file('3.json', { numBuckets: null, 'origin.mounts': ['x/'] }),
    ];
    const loaded = await load(undefined, { files });
    expect(configOf(loaded)).toMatchObject({
      name: 'one',
      numBuckets: 2,
      log: { level: 'debug' },
      origin: { mounts: ['x/'] },
    });
    expect(loaded.sources.get('numBuckets')).toMatchObject({ kind: 'file', file: files[1] });
    expect(loaded.files).toEqual(files);
  });

  it('a wrong value that is overridden does not matter', async () => {
    expect(configOf(await load({ ...originKeys, numBuckets: 'x' }, { env })).numBuckets).toBe(3);
  });

  it('an empty flag takes a value away', async () => {
    const loaded = await load({ ...originKeys, name: 'x' }, { flags: { name: '' } });
    expect(configOf(loaded).name).toBe('origin');
  });

  it('VSYNC_CONFIG names the file, unless --config does', async () => {
    const [a, b] = [
      file('a.json', { ...originKeys, name: 'a' }),
      file('b.json', { ...originKeys, name: 'b' }),
    ];
    expect(configOf(await load(undefined, { env: { VSYNC_CONFIG: a } })).name).toBe('a');
    expect(configOf(await load(undefined, { env: { VSYNC_CONFIG: a }, files: [b] })).name).toBe('b');
  });

  it('tells the source of every value', async () => {
    const { config, sources } = await load(destinationKeys, { role: 'destination' });
    expect(config).toBeDefined();
    for (const [key, source] of sources) {
      expect(source.kind, key).toBe(key in destinationKeys ? 'file' : 'default');
    }
    for (const spec of keySpecs.filter((each) => each.default !== undefined))
      expect(sources.has(spec.key), spec.key).toBe(true);
  });
});

describe('what is required', () => {
  it('of an origin: its addresses, a login, its mounts; no destination', async () => {
    const { lines } = await load({});
    expect(lines.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'error origin.vault.address:',
      'error origin.consul.address:',
      'error origin.vault.token:',
      'error origin.mounts:',
    ]);
    const config = configOf(await load(originKeys));
    expect(config).not.toHaveProperty('destination');
  });

  it('of a destination: both addresses of both sides, two logins; no mounts', async () => {
    const { lines } = await load({}, { role: 'destination' });
    expect(lines.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'error origin.vault.address:',
      'error origin.consul.address:',
      'error destination.vault.address:',
      'error destination.consul.address:',
      'error origin.vault.token:',
      'error destination.vault.token:',
    ]);
    const { 'origin.mounts': _, ...others } = destinationKeys;
    const config = configOf(await load(others, { role: 'destination' }));
    expect(config).toMatchObject({ role: 'destination', name: 'destination' });
    expect(config.origin.mounts).toBeUndefined();
  });

  it('is named with the key, the variable and the flag', async () => {
    const { lines } = await load({ ...originKeys, 'origin.vault.address': '' });
    expect(lines).toEqual([
      'error stdin:1:2 origin.vault.address: is missing - set it in the file, or VSYNC_ORIGIN_VAULT_ADDRESS, or --origin.vault.address',
    ]);
  });

  it('without a role is what the configuration is for', async () => {
    expect((await load(originKeys, { role: undefined })).config?.role).toBe('origin');
    expect((await load(destinationKeys, { role: undefined })).config?.role).toBe('destination');
    expect(
      (
        await load(originKeys, {
          role: undefined,
          flags: { 'destination.vault.address': 'https://two', tick: '5s' },
        })
      ).lines.join(),
    ).toContain('destination.consul.address: is missing');
    expect(
      (await load({ ...originKeys, 'destination.syncPath': 'x/' }, { role: undefined })).config?.role,
    ).toBe('origin');
  });
});

describe('a part that the role does not use', () => {
  it('may be wrong: a warning', async () => {
    const { config, lines } = await load({
      ...originKeys,
      'destination.tick': 5,
      'destination.transforms': [{ from: '(', to: 'x' }],
    });
    expect(config).toBeDefined();
    expect(lines[0]).toMatch(
      /^warning stdin:1:\d+ destination\.tick: needs a unit \(got 5\); the origin does not use it - write it like "5s"$/,
    );
    expect(lines[1]).toContain('warning');
  });

  it('of the origin has its default then', async () => {
    const loaded = await load(
      { ...destinationKeys, 'origin.tick': 5, 'origin.cron': '* * * * *' },
      { role: 'destination' },
    );
    expect(configOf(loaded).origin).toMatchObject({ tickMs: 60_000, cron: '* * * * *' });
    expect(loaded.lines).toHaveLength(1);
  });
});

it('of a file that cannot be read says just that, not that all its keys are missing', async () => {
  const broken = folder.write('broken.json', '{"origin": }');
  for (const files of [[broken], ['/nonexistent.json']]) {
    const { lines, config } = await load(undefined, { files });
    expect(config).toBeUndefined();
    expect(lines).toHaveLength(1);
  }
  const { lines } = await load(undefined, { files: [broken], env: { VSYNC_NUMBUCKETS: '0' } });
  expect(lines).toHaveLength(2);
});

it('finds all problems at once, in every source', async () => {
  const { lines, config } = await load(
    {
      ...originKeys,
      nam: 'x',
      'origin.tick': 10,
      'origin.mounts': ['a//b'],
      'log.level': 'loud',
      'origin.vault.tls.client_cert': '/nonexistent.pem',
    },
    { env: { VSYNC_NUMBUCKETS: '0', VSYNC_ORIGN: 'x' }, flags: { workers: 'none', tik: '1m' } },
  );
  expect(config).toBeUndefined();
  expect(lines.map((line) => line.replace(/:1:\d+/, '').split(' - ')[0])).toEqual([
    'warning stdin nam: is not a known key',
    'warning env VSYNC_ORIGN: is not a variable of vsync; it is ignored',
    'error flag --tik: is not a flag',
    'error stdin log.level: must be one of error, warn, info, debug, trace (got "loud")',
    'error env VSYNC_NUMBUCKETS numBuckets: must be a whole number from 1 to 65535 (got "0")',
    'error flag --workers origin.numWorkers: must be a whole number from 1 to 65535 or "auto" (got "none")',
    'error stdin origin.tick: needs a unit (got 10)',
    'error stdin origin.mounts[0]: "a//b" is not a mount: it has an empty part between slashes',
    'error stdin origin.vault.tls.client_cert: /nonexistent.pem does not exist',
    'error origin.vault.tls.client_key: is missing, but origin.vault.tls.client_cert is set',
  ]);
});
