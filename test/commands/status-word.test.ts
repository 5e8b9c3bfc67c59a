import { describe, expect, it } from 'vitest';
import { headline, isGood, silentSince, wordOf } from '../../src/commands/status/word.ts';
import { ago, inFuture, span } from '../../src/commands/terminal/relative-time.ts';
import { wrapText } from '../../src/commands/terminal/wrap-text.ts';
import type { NodeStatus } from '../../src/consul/node-store.ts';

const noon = Date.parse('2026-01-02T12:00:00Z');
const at = (seconds: number) => new Date(noon + seconds * 1000).toISOString();

/** A destination that ticks each minute; its last cycle took 2 s and ended at noon. */
const told: NodeStatus = {
  role: 'destination',
  name: 'd',
  vsyncVersion: '1.0.0',
  health: 'Healthy',
  sync: 'InSync',
  cycleEndedAt: at(0),
  nextCycleAt: at(58),
  result: 'noop',
  trigger: 'tick',
  durationMs: 2000,
  counts: {},
};

describe('the word of a node', () => {
  const cases = [
    { name: 'health, unless it is Healthy', status: { health: 'Held', sync: 'OutOfSync' }, word: 'Held' },
    { name: 'then sync', status: { sync: 'OutOfSync' }, word: 'OutOfSync' },
    { name: 'Unknown for a word of another version', status: { health: 'Dancing' }, word: 'Unknown' },
  ] as const;
  it.each(cases)('$name', ({ status, word }) => expect(wordOf({ ...told, ...status }, undefined)).toBe(word));

  it('is Unknown when it was told too long ago', () => expect(wordOf(told, at(0))).toBe('Unknown'));

  it('of a fleet is the first that any node has', () => {
    expect(headline(['InSync', 'OutOfSync', 'Degraded', 'Held'])).toBe('Held');
    expect(headline([])).toBe('Unknown');
  });

  it('is good for every node, or not at all: a paused one hides no other', () => {
    expect(isGood(['InSync', 'Progressing', 'Paused'])).toBe(true);
    expect(isGood(['Paused', 'Held'])).toBe(false);
    expect(isGood([])).toBe(false);
  });
});

describe('a silent node', () => {
  const cases = [
    { name: 'on time', after: 60, silent: false },
    { name: 'late by less than three ticks', after: 170, silent: false },
    { name: 'late by more', after: 190, silent: true },
    { name: 'a one-shot plans no next cycle', after: 1e6, status: { nextCycleAt: undefined }, silent: false },
    {
      name: 'a cycle that was started by a watch just before a tick says nothing of the interval',
      after: 40,
      status: { trigger: 'watch', nextCycleAt: at(1) },
      silent: false,
    },
    {
      name: 'after which silence is noticed all the same',
      after: 70,
      status: { trigger: 'watch', nextCycleAt: at(1) },
      silent: true,
    },
    {
      name: 'a long cycle tells that it is at work',
      after: 300,
      status: { aliveAt: at(295) },
      silent: false,
    },
    { name: 'until it does not any more', after: 500, status: { aliveAt: at(295) }, silent: true },
  ];
  it.each(cases)('$name', ({ after, status, silent }) => {
    const since = silentSince({ ...told, ...status } as NodeStatus, noon + after * 1000);
    expect(since !== undefined).toBe(silent);
  });
});

describe('times and texts', () => {
  it('spans have the largest unit', () => {
    const spans = [900, 59_000, 61_000, 4_800_000, 40_000_000, 90_000_000, 900_000_000].map(span);
    expect(spans).toEqual(['0s', '59s', '1m', '1h 20m', '11h', '1d 1h', '10d']);
  });

  it('a clock that is a little ahead makes no negative time', () => {
    expect(ago(at(3), noon)).toBe('now');
    expect(ago(at(-3), noon)).toBe('3s ago');
    expect(inFuture(at(48), noon)).toBe('in 48s');
    expect(inFuture(at(-1), noon)).toBe('now');
  });

  it('text is wrapped at spaces, not within numbers, and keeps its first indent', () => {
    expect(wrapText('  one two three', 10, '    ')).toBe('  one two\n    three');
    expect(wrapText('has 4 209 paths', 9)).toBe('has 4 209\npaths');
    expect(wrapText('has 14 209 paths', 9)).toBe('has\n14 209\npaths');
    expect(wrapText('is (10 %) full', 6)).toBe('is\n(10 %)\nfull');
    expect(wrapText('averylongword x', 5, ' ')).toBe('averylongword\n x');
  });
});
