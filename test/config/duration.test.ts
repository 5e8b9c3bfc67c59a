import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration, suggestDuration } from '../../src/config/duration.ts';

describe('a Go duration', () => {
  it.each([
    ['90s', 90_000],
    ['1h2m3s', 3_723_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['5.s', 5_000],
    ['+10s', 10_000],
    ['-10s', -10_000],
    ['0', 0],
    ['0s', 0],
    ['250ms', 250],
    ['1500us', 2],
    ['1ns', 1],
    ['1\u00b5s', 1],
    ['1\u03bcs', 1],
    ['100m100s', 6_100_000],
    ['1m1h', 3_660_000],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([
    '',
    '10',
    '-',
    '+',
    '1d',
    '1w',
    '10 s',
    ' 10s',
    '10s ',
    '10S',
    '1H',
    's',
    '.s',
    '1..5s',
    '1e3s',
    '1,5s',
    '--1s',
    '10s5',
    '1h ',
  ])('%j is none', (text) => expect(parseDuration(text)).toBeUndefined());

  it('answers at once for a very long text', () => {
    expect(parseDuration('1'.repeat(1_000_000))).toBeUndefined();
    expect(suggestDuration('1'.repeat(1_000_000))).toBeUndefined();
  });
});

describe('the suggested spelling', () => {
  it.each([
    ['10', '10s'],
    ['1d', '24h'],
    ['2 weeks', '336h'],
    ['10 s', '10s'],
    ['10S', '10s'],
    ['5 minutes', '5m'],
    ['1 hour 30 min', '1h30m'],
    ['-5s', '5s'],
    ['300 msec', '300ms'],
    ['soon', undefined],
    ['', undefined],
    ['0', undefined],
    ['60d', undefined],
  ])('%j -> %s', (text, spelled) => expect(suggestDuration(text)).toBe(spelled));
});

it.each([
  [0, '0s'],
  [250, '250ms'],
  [60_000, '1m'],
  [90_000, '1m30s'],
  [5_400_000, '1h30m'],
  [3_723_004, '1h2m3s4ms'],
])('%d ms is written as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
  expect(parseDuration(text)).toBe(ms);
});
