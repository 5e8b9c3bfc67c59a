import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SortedMap } from '../../../src/dev/consul/sorted-map.ts';

/** Few letters, so that keys share prefixes and meet again. */
const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'z'), maxLength: 4 });
const step = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), key, value: fc.nat() }),
  fc.record({ kind: fc.constant('delete' as const), key }),
  fc.record({ kind: fc.constant('deletePrefix' as const), key }),
);

describe('a sorted map', () => {
  it('is a map whose prefixes are ranges, whatever is done to it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), key, (steps, prefix) => {
        const map = new SortedMap<number>();
        const model = new Map<string, number>();
        for (const each of steps) {
          if (each.kind === 'set') {
            map.set(each.key, each.value);
            model.set(each.key, each.value);
          } else if (each.kind === 'delete') {
            map.delete(each.key);
            model.delete(each.key);
          } else {
            map.deletePrefix(each.key);
            for (const name of [...model.keys()]) if (name.startsWith(each.key)) model.delete(name);
          }
        }
        const expected = [...model]
          .filter(([name]) => name.startsWith(prefix))
          .sort(([a], [b]) => (a < b ? -1 : 1));
        expect(map.size).toBe(model.size);
        expect(map.values(map.range(prefix))).toEqual(expected.map(([, value]) => value));
        expect(map.get(prefix)).toBe(model.get(prefix));
      }),
    );
  });

  it('has no key outside of itself', () => {
    expect(() => new SortedMap<number>().keyAt(0)).toThrow(RangeError);
  });
});
