import { expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { keySpecs } from '../../src/config/keys.ts';
import { showConfig } from '../../src/config/show.ts';
import { configOf, destinationKeys, load, originKeys } from './support.ts';

it('shows every key of the role with value and source', async () => {
  const rule = { name: 'a', from: '^(?P<x>.+)$', to: 'kv/data/x' };
  const loaded = await load(
    { ...destinationKeys, 'destination.transforms': rule, 'destination.timeout': '90m' },
    {
      role: 'destination',
      env: { VSYNC_NUMBUCKETS: '8' },
      flags: { tick: '30s', include: ['a/*', 'b'] },
    },
  );
  const rows = showConfig(configOf(loaded), loaded.sources);
  expect(rows.map(({ key }) => key)).toEqual(
    keySpecs.filter(({ readBy }) => readBy.includes('destination')).map(({ key }) => key),
  );
  const row = (key: string) => rows.find((each) => each.key === key);
  expect(row('numBuckets')).toEqual({ key: 'numBuckets', value: '8', source: 'env VSYNC_NUMBUCKETS' });
  expect(row('destination.tick')).toEqual({ key: 'destination.tick', value: '30s', source: 'flag --tick' });
  expect(row('destination.timeout')).toMatchObject({
    value: '1h30m',
    source: expect.stringMatching(/^stdin:1:\d+$/),
  });
  expect(row('destination.include')).toMatchObject({ value: '["a/*","b"]', source: 'flag --include' });
  expect(row('destination.syncPath')).toMatchObject({ value: 'vsync/', source: 'default' });
  expect(row('destination.transforms')?.value).toBe(JSON.stringify([rule]));
  expect(row('origin.vault.namespace')).toEqual({
    key: 'origin.vault.namespace',
    value: undefined,
    source: undefined,
  });
  expect(row('origin.vault.token')?.value).toMatch(/^hvs\.\*\*\*\*\(sha256:[0-9a-f]{4}\)$/);
  expect(row('name')).toEqual({ key: 'name', value: 'destination', source: 'default' });
});

it('leaves out what the role does not read', async () => {
  const loaded = await load({ ...originKeys, 'destination.vault.token': 'x' });
  const keys = showConfig(configOf(loaded), loaded.sources).map(({ key }) => key);
  expect(keys).toContain('origin.tick');
  expect(keys.filter((key) => key.startsWith('destination.'))).toEqual([]);
});

it.each([
  ['hvs.abcdef', 'hvs.****(sha256:'],
  ['s.abcdef', 's.****(sha256:'],
  ['0ae1-uuid', '****(sha256:'],
])('redacts %s', (text, beginning) => {
  expect(new Secret(text).fingerprint().startsWith(beginning)).toBe(true);
  expect(new Secret(text).fingerprint()).toHaveLength(beginning.length + 5);
});
