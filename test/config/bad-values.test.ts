import { describe, expect, it } from 'vitest';
import { keySpecs } from '../../src/config/keys.ts';
import { destinationKeys, load, outcome } from './support.ts';

describe('what Go vsync read as 0, false or nonsense is refused', () => {
  it.each([
    {
      key: 'numBuckets',
      value: '0x10',
      says: 'must be a whole number from 1 to 65535 (got "0x10") - write it in decimal, without leading zeros',
    },
    {
      key: 'numBuckets',
      value: '010',
      says: 'must be a whole number from 1 to 65535 (got "010") - write it in decimal, without leading zeros',
    },
    { key: 'numBuckets', value: true, says: 'must be a whole number from 1 to 65535 (got true)' },
    { key: 'numBuckets', value: 1.5, says: 'must be a whole number from 1 to 65535 (got 1.5)' },
    { key: 'numBuckets', value: 'many', says: 'must be a whole number from 1 to 65535 (got "many")' },
    { key: 'numBuckets', value: '', says: 'must be a whole number from 1 to 65535 (got "")' },
    { key: 'numBuckets', value: 0, says: '(got 0)' },
    { key: 'numBuckets', value: 65536, says: '(got 65536)' },
    { key: 'numBuckets', value: -1, says: '(got -1)' },
    { key: 'numBuckets', value: [1], says: '(got a list)' },
    { key: 'numBuckets', value: { a: 1 }, says: '(got keys)' },
    { key: 'origin.numWorkers', value: 0, says: 'must be a whole number from 1 to 65535 or "auto" (got 0)' },
    { key: 'ignoreDeletes', value: 'yes', says: 'must be true or false (got "yes")' },
    { key: 'ignoreDeletes', value: 1, says: 'must be true or false (got 1)' },
    { key: 'ignoreDeletes', value: '', says: 'must be true or false (got "")' },
    { key: 'origin.tick', value: 10, says: 'needs a unit (got 10) - write it like "10s"' },
    { key: 'origin.tick', value: '10', says: 'needs a unit (got "10") - write it like "10s"' },
    { key: 'origin.tick', value: '1d', says: 'is not a duration (got "1d") - write it like "24h"' },
    { key: 'origin.tick', value: '10 s', says: 'is not a duration (got "10 s") - write it like "10s"' },
    { key: 'origin.tick', value: '10S', says: 'is not a duration (got "10S") - write it like "10s"' },
    {
      key: 'origin.tick',
      value: '',
      says: 'is empty, not a duration - write it like "90s" or "1h30m"',
    },
    { key: 'origin.tick', value: '0s', says: 'must be more than 0 (got "0s")' },
    { key: 'origin.tick', value: '-1m', says: 'must be more than 0 (got "-1m") - write it like "1m"' },
    {
      key: 'origin.tick',
      value: '600h',
      says: 'must be 596h or less (got "600h") - for longer intervals use cron',
    },
    { key: 'origin.timeout', value: true, says: 'is not a duration (got true)' },
    {
      key: 'origin.timeout',
      value: ['1m'],
      says: 'must be a duration such as "90s" or "1h30m" (got a list)',
    },
    { key: 'origin.jitter', value: '-1s', says: 'must be more than 0, or 0 (got "-1s")' },
    { key: 'origin.mounts', value: [], says: 'is empty - name at least one mount, e.g. ["secret/"]' },
    { key: 'origin.mounts', value: '', says: 'is empty' },
    { key: 'origin.mounts', value: { a: 1 }, says: 'must be a list of texts (got keys)' },
    { key: 'origin.mounts', value: ['kv/', null], says: 'origin.mounts[1]: must be a text' },
    { key: 'origin.mounts', value: ['kv/', ['x/']], says: 'origin.mounts[1]: must be a text (got a list)' },
    {
      key: 'origin.mounts',
      value: ['kv/', 'a//b/'],
      says: 'origin.mounts[1]: "a//b/" is not a mount: it has an empty part between slashes',
    },
    { key: 'origin.mounts', value: ['../x/'], says: 'origin.mounts[0]: "../x/" is not a mount' },
    {
      key: 'origin.syncPath',
      value: '',
      says: 'is not a path in Consul: it is empty - write it like "vsync/"',
    },
    {
      key: 'origin.include',
      value: ['a/*', 'x'.repeat(70_000)],
      says: 'origin.include[1]: is not a glob (got "xxx',
    },
    { key: 'origin.syncPath', value: '/', says: 'is not a path in Consul: it is empty' },
    { key: 'origin.syncPath', value: 'a/../b', says: 'is not a path in Consul: it has the part ".."' },
    {
      key: 'log.level',
      value: 'debgu',
      says: 'must be one of error, warn, info, debug, trace (got "debgu") - did you mean debug?',
    },
    { key: 'log.type', value: 'xml', says: 'must be one of console, json (got "xml")' },
    {
      key: 'destination.onConflict',
      value: 'skpi',
      says: 'must be one of overwrite, skip, fail (got "skpi") - did you mean skip?',
    },
    {
      key: 'origin.maxFailedPaths',
      value: 10,
      says: 'must be a share from 0 to 1 (got 10) - a tenth is 0.1 or "10%", 10 % is "10%"',
    },
    { key: 'origin.maxFailedPaths', value: '200%', says: 'must be a share from 0 to 1 (got "200%")' },
    {
      key: 'origin.maxFailedPaths',
      value: 'x%',
      says: 'must be a share from 0 to 1, such as 0.1 or "10%" (got "x%")',
    },
    { key: 'origin.vault.maxRetries', value: -1, says: 'must be a whole number from 0 to 1000 (got -1)' },
    { key: 'origin.vault.rateLimit', value: 'fast', says: 'must be a number from 0 to 1000000 (got "fast")' },
    {
      key: 'origin.vault.address',
      value: 'vault.one:8200',
      says: 'has no scheme (got "vault.one:8200") - write "https://vault.one:8200"',
    },
    {
      key: 'origin.vault.address',
      value: 'ftp://vault.one',
      says: 'has the scheme "ftp://" (got "ftp://vault.one")',
    },
    {
      key: 'origin.vault.address',
      value: 'https://vault.one/v1',
      says: 'has more than scheme, host and port (got "https://vault.one/v1") - write "https://vault.one"',
    },
    {
      key: 'origin.vault.address',
      value: 'https://vault.one?x=1',
      says: 'has more than scheme, host and port',
    },
    { key: 'origin.vault.address', value: 'https://', says: 'is not an address' },
    { key: 'origin.vault.address', value: 'https://a b', says: 'is not an address' },
    { key: 'origin.consul.address', value: 'unix:///run/consul.sock', says: 'has the scheme "unix://"' },
    {
      key: 'origin.consul.address',
      value: 'https://u:canary@consul.one',
      says: 'holds credentials (got "https://***@consul.one") - write "https://consul.one" and give a token by consul.token_file',
    },
    {
      key: 'origin.cron',
      value: 'every day',
      says: 'is not a cron expression: invalid configuration format',
    },
    {
      key: 'origin.cron',
      value: '61 * * * *',
      says: 'is not a cron expression: Invalid value for minute: 61 (got "61 * * * *") - write it like "*/5 * * * *"',
    },
    { key: 'origin.cron', value: '0 0 30 2 *', says: 'never fires (got "0 0 30 2 *")' },
    {
      key: 'origin.timezone',
      value: 'Mars/Base',
      says: 'is not a time zone (got "Mars/Base") - use an IANA name',
    },
    {
      key: 'origin.vault.token',
      value: 'hvs.a\nb',
      says: 'holds a line break or another control character - give the secret alone, on one line',
    },
    { key: 'origin.vault.token', value: ['hvs.canary'], says: 'origin.vault.token: must be a text' },
    { key: 'destination.batchSize', value: 0, says: 'must be a whole number from 1 to 1000000 (got 0)' },
    { key: 'name', value: { a: 1 }, says: 'name: must be a text (got keys)' },
  ])('$key: $value', async ({ key, value, says }) => {
    const result = await outcome(key, value);
    expect(result.value).toBeUndefined();
    const line = result.lines.find((each) => each.startsWith('error') && each.includes(`${key}`));
    expect(line).toContain(says);
    expect(line).toMatch(/^error stdin:\d+:\d+ /);
    expect(result.lines.join()).not.toContain('canary');
  });
});
describe('every key', () => {
  const wrong: Record<string, unknown[]> = {
    string: [{ a: 1 }, ['x']],
    secret: [{ a: 1 }, ['x']],
    int: ['x', {}, [], true, -1, 1e10, 0.5, 'Infinity', 'NaN'],
    number: ['x', {}, [], true, -1, 1e10],
    ratio: ['x', {}, [], true, -0.1, 1.1, '101%'],
    boolean: ['x', {}, [], 2],
    list: [{ a: 1 }, [{}], [[]], ['']],
    duration: ['x', {}, [], true, 5, '', '-1s', '1000h'],
    enum: ['x', {}, [], true, 7],
    transforms: ['x', [1], [{}], [{ from: 'x' }], { from: '(', to: 'x' }, { from: {}, to: 'x' }, 7],
  };
  const rounds = Math.max(...Object.values(wrong).map((values) => values.length));

  it.each(
    (['origin', 'destination'] as const).flatMap((role) =>
      Array.from({ length: rounds }, (_, round) => ({ role, round })),
    ),
  )('of a wrong type is an error at its place, all at once ($role, $round)', async ({ role, round }) => {
    const wrongFor = (kind: string) => wrong[kind]?.[round % (wrong[kind]?.length ?? 1)];
    const content = Object.fromEntries(keySpecs.map(({ key, kind }) => [key, wrongFor(kind)]));
    const { problems, config } = await load(content, { role });
    expect(config).toBeUndefined();
    for (const { key, kind, readBy } of keySpecs) {
      const found = problems.filter(
        (problem) => problem.key?.replace(/\[.*/, '') === key && problem.place?.startsWith('stdin:1:'),
      );
      const isUsed = readBy.includes(role);
      const what = `${key}: ${JSON.stringify(wrongFor(kind))}`;
      expect(
        found.map(({ severity }) => severity),
        what,
      ).toContain(isUsed ? 'error' : 'warning');
      if (kind === 'secret') expect(found.map(({ message }) => message).join(), what).not.toContain('got');
    }
  });

  it('that has thousands of wrong entries is told of with some', async () => {
    const { problems } = await load({
      'origin.mounts': Array(5_000).fill('a//b'),
      'origin.include': Array(5_000).fill(null),
    });
    expect(problems.filter(({ key }) => key?.startsWith('origin.mounts['))).toHaveLength(20);
    expect(problems.filter(({ key }) => key?.startsWith('origin.include['))).toHaveLength(20);
  });

  it('that is null is as if it were not there', async () => {
    for (const role of ['origin', 'destination'] as const) {
      const nothing = await load(Object.fromEntries(keySpecs.map(({ key }) => [key, null])), { role });
      expect(nothing.lines).toEqual((await load({}, { role })).lines);
      const given = Object.keys(destinationKeys);
      const others = keySpecs.filter(({ key }) => !given.includes(key)).map(({ key }) => [key, null]);
      const loaded = await load({ ...destinationKeys, ...Object.fromEntries(others) }, { role });
      expect(loaded.lines).toEqual([]);
      expect(JSON.stringify(loaded.config)).toBe(
        JSON.stringify((await load(destinationKeys, { role })).config),
      );
    }
  });
});
