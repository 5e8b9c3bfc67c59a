import { describe, expect, it } from 'vitest';
import { configOf, load, originKeys, outcome } from './support.ts';

describe('conversions of Go vsync (section 2.2)', () => {
  it.each([
    // string: also numbers and booleans
    { key: 'name', value: 'a', is: 'a' },
    { key: 'name', value: 12, is: '12' },
    { key: 'name', value: 1.5, is: '1.5' },
    { key: 'name', value: true, is: 'true' },
    { key: 'name', value: null, is: 'destination' },
    { key: 'name', value: '', is: 'destination' },
    { key: 'origin.vault.token', value: 12345, is: 'secret 12345' },
    // integer: numbers and decimal text
    { key: 'numBuckets', value: 16, is: 16 },
    { key: 'numBuckets', value: '16', is: 16 },
    { key: 'numBuckets', value: ' 16 ', is: 16 },
    { key: 'origin.numWorkers', value: 'auto', is: 'auto' },
    { key: 'origin.numWorkers', value: 'AUTO', is: 'auto' },
    // boolean
    ...[true, '1', 't', 'T', 'TRUE', 'true', 'True'].map((value) => ({
      key: 'ignoreDeletes',
      value,
      is: true,
    })),
    ...[false, '0', 'f', 'F', 'FALSE', 'false', 'False'].map((value) => ({
      key: 'ignoreDeletes',
      value,
      is: false,
    })),
    { key: 'ignoreDeletes', value: null, is: false },
    // list: array, or text split at white space
    { key: 'origin.mounts', value: ['kv/', 'team/a/'], is: ['kv/', 'team/a/'] },
    { key: 'origin.mounts', value: 'kv/ team/a/', is: ['kv/', 'team/a/'] },
    { key: 'origin.mounts', value: ' kv/\n team/a/\t', is: ['kv/', 'team/a/'] },
    { key: 'origin.include', value: [1, true], is: ['1', 'true'] },
    { key: 'origin.include', value: '', is: [] },
    // duration
    { key: 'origin.tick', value: '1h2m3s', is: 3_723_000 },
    // enum: any case, and the names of Go's logging library
    { key: 'log.level', value: 'DEBUG', is: 'debug' },
    { key: 'log.level', value: 'warning', is: 'warn' },
    { key: 'log.level', value: 'panic', is: 'error' },
    { key: 'log.level', value: '', is: 'info' },
    // share
    { key: 'origin.maxFailedPaths', value: 0.25, is: 0.25 },
    { key: 'origin.maxFailedPaths', value: '0.25', is: 0.25 },
    { key: 'origin.maxFailedPaths', value: '2.5%', is: 0.025 },
    { key: 'guards.maxDeleteRatio', value: 1, is: 1 },
    // 0 where it has a meaning
    { key: 'origin.jitter', value: '0s', is: 0 },
    { key: 'startupTimeout', value: 0, is: 0 },
    { key: 'origin.vault.rateLimit', value: 12.5, is: 12.5 },
    // addresses
    { key: 'origin.vault.address', value: 'https://Vault.One:8200/', is: 'https://vault.one:8200' },
    { key: 'origin.vault.address', value: 'http://[::1]:8200', is: 'http://[::1]:8200' },
    { key: 'origin.consul.address', value: 'consul.one:8500', is: 'http://consul.one:8500' },
    { key: 'origin.consul.address', value: '127.0.0.1:8500', is: 'http://127.0.0.1:8500' },
    // paths
    { key: 'origin.syncPath', value: 'a/b', is: 'a/b/' },
    { key: 'destination.mounts', value: null, is: undefined },
    { key: 'destination.renewToken', value: null, is: undefined },
    { key: 'origin.cron', value: '*/5 * * * *', is: '*/5 * * * *' },
    { key: 'origin.timezone', value: 'Europe/Berlin', is: 'Europe/Berlin' },
  ])('$key: $value is $is', async ({ key, value, is }) => {
    const result = await outcome(key, value);
    expect(result.value, result.lines.join('\n')).toEqual(is);
  });

  it.each([
    { written: 'yes', is: true },
    { written: 'on', is: true },
    { written: 'y', is: true },
    { written: '1', is: true },
    { written: 'True', is: true },
    { written: 'no', is: false },
    { written: 'off', is: false },
    { written: '0', is: false },
    { written: '~', is: false },
  ])('YAML 1.1: ignoreDeletes: $written is $is', async ({ written, is }) => {
    const result = await outcome('ignoreDeletes', written, 'yaml');
    expect(result.value, result.lines.join('\n')).toBe(is);
  });

  it.each([
    { key: 'numBuckets', written: '012', is: 10 },
    { key: 'name', written: '12:30', is: '12:30' },
    { key: 'name', written: '2026-01-02', is: '2026-01-02' },
    { key: 'name', written: '0123', is: '0123' },
    { key: 'name', written: 'yes', is: 'yes' },
    { key: 'origin.vault.token', written: '12345678901234567890', is: 'secret 12345678901234567890' },
  ])('YAML: $key: $written is $is', async ({ key, written, is }) => {
    const result = await outcome(key, written, 'yaml');
    expect(result.value, result.lines.join('\n')).toBe(is);
  });
});
describe('a comma in a text for a list', () => {
  it('is a warning, since it does not separate', async () => {
    const { lines } = await load({ ...originKeys, 'origin.mounts': 'kv/,team/' });
    expect(lines[0]).toBe(
      'warning stdin:1:138 origin.mounts: holds a comma (got "kv/,team/") - commas do not separate; separate with spaces, or write a list in a file',
    );
  });

  it('is meant inside braces', async () => {
    expect(configOf(await load({ ...originKeys, 'origin.include': '{a,b}/** c' })).origin.include).toEqual([
      '{a,b}/**',
      'c',
    ]);
  });
});
