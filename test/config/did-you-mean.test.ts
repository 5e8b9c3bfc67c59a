import { expect, it } from 'vitest';
import { didYouMean, didYouMeanText } from '../../src/config/did-you-mean.ts';

const known = [
  'origin',
  'origin.tick',
  'destination.tick',
  'origin.timeout',
  'origin.timezone',
  'name',
  'log.level',
];

it.each([
  { name: 'one letter missing', word: 'orgin.tick', found: ['origin.tick'] },
  { name: 'in any case', word: 'ORIGIN.TICKS', found: ['origin.tick'] },
  { name: 'the last part alone', word: 'tick', found: ['origin.tick', 'destination.tick'] },
  { name: 'the nearest and those nearly as near', word: 'origin.timeot', found: ['origin.timeout'] },
  { name: 'a group', word: 'orign', found: ['origin'] },
  { name: 'nothing near', word: 'somethingElse', found: [] },
  { name: 'not a word that would have to change entirely', word: 'ab', found: [] },
  { name: 'empty', word: '', found: [] },
  { name: 'very long', word: 'x'.repeat(100_000), found: [] },
])('$name', ({ word, found }) => expect(didYouMean(word, known)).toEqual(found));

it('gives three at most', () => {
  expect(didYouMean('item', ['item1', 'item2', 'item3', 'item4'])).toEqual(['item1', 'item2', 'item3']);
});

it('asks in words', () => {
  expect(didYouMeanText('tick', known)).toBe('did you mean origin.tick or destination.tick?');
  expect(didYouMeanText('item', ['item1', 'item2', 'item3'])).toBe('did you mean item1, item2 or item3?');
  expect(didYouMeanText('zzzzzz', known)).toBeUndefined();
});
