import { describe, expect, it } from 'vitest';
import { SortedMap } from '../../../src/dev/consul/sorted-map.ts';
import { watchScope } from '../../../src/dev/consul/watch-scope.ts';

describe('the scope of a watch on what is missing', () => {
  it.each([
    { name: 'an empty store: any write', keys: [], missing: 'a', scope: '' },
    { name: 'nothing in common: any write', keys: ['a/1', 'b/1'], missing: 'z', scope: '' },
    {
      name: 'a branch: it, and what splits the edge to it',
      keys: ['aa/1', 'aa/2', 'b/1'],
      missing: 'aa/9',
      scope: 'a',
    },
    { name: 'a branch below a branch', keys: ['a/b/1', 'a/b/2', 'a/c'], missing: 'a/b/9', scope: 'a/b' },
    { name: 'in the middle of an edge', keys: ['abcdef', 'z'], missing: 'abx', scope: 'a' },
    { name: 'a key that begins the missing one', keys: ['c', 'z'], missing: 'cx', scope: 'c' },
    { name: 'a key that the missing one begins', keys: ['cxy', 'z'], missing: 'c', scope: 'c' },
    { name: 'between two branches', keys: ['m/a/1', 'm/c/1', 'n'], missing: 'm/b', scope: 'm' },
    { name: 'behind all keys', keys: ['a', 'y1', 'y2'], missing: 'y9', scope: 'y' },
  ])('$name', ({ keys, missing, scope }) => {
    const map = new SortedMap<number>();
    for (const key of keys) map.set(key, 1);
    expect(watchScope(map, missing)).toBe(scope);
  });
});
