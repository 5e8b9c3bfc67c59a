import { describe, expect, it } from 'vitest';
import { parseJsonWithUint64, parseUint64, uint64OfJson } from '../../../src/dev/consul/uint64.ts';

describe('uint64', () => {
  it.each([
    { text: '0', value: 0n },
    { text: '007', value: 7n },
    { text: '18446744073709551615', value: 18446744073709551615n },
    { text: '18446744073709551616', value: 'value out of range' },
    { text: '', value: 'invalid syntax' },
    { text: '+1', value: 'invalid syntax' },
    { text: '1.0', value: 'invalid syntax' },
  ])('reads $text', ({ text, value }) => {
    expect(parseUint64(text)).toBe(value);
  });

  it.each([
    { json: '{"n":5}', value: 5n },
    { json: '{"n":9007199254740993}', value: 9007199254740993n },
    { json: '{"n": 18446744073709551615 }', value: 18446744073709551615n },
    { json: '{"n":18446744073709551616}', value: undefined },
    { json: '{"n":1.5}', value: undefined },
    { json: '{"n":-1}', value: undefined },
    { json: '{"n":"18446744073709551615"}', value: undefined },
  ])('is exact in $json', ({ json, value }) => {
    const { n } = parseJsonWithUint64(json) as { n: unknown };
    expect(uint64OfJson(n)).toBe(value);
  });

  it('leaves digits in strings alone, next to an integer that is kept', () => {
    const json = '{"a":" 12345678901234567890\\" 12345678901234567890","b":12345678901234567890}';
    const parsed = parseJsonWithUint64(json) as { a: string; b: unknown };
    expect(parsed.a).toBe(' 12345678901234567890" 12345678901234567890');
    expect(uint64OfJson(parsed.b)).toBe(12345678901234567890n);
  });
});
