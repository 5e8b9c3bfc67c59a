import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Places } from '../../src/base/places.ts';

/** Lets everything that can go on go on. */
const settled = () => new Promise(setImmediate);

/** Tasks that run until they are ended. */
function tasks(places: Places) {
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const all: Promise<void>[] = [];
  return {
    started,
    all,
    underWay: () => ends.length,
    add: (id: number) => {
      const task = async () => {
        const free = places.take();
        if (free !== undefined) await free;
        started.push(id);
        await new Promise<void>((resolve) => ends.push(resolve));
        places.give();
      };
      all.push(task());
    },
    end: () => ends.shift()?.(),
  };
}

describe('places', () => {
  it('are given in the order in which tasks came, also to those that come while one is handed over', async () => {
    const places = new Places(1);
    const { add, end, started } = tasks(places);
    add(1);
    add(2);
    expect(started).toEqual([1]);
    expect(places.size).toBe(1);
    end();
    await Promise.resolve();
    add(3);
    await settled();
    expect(started).toEqual([1, 2]);
    end();
    await settled();
    expect(started).toEqual([1, 2, 3]);
    end();
  });

  it('are never more than the limit of that moment, and none is left empty while somebody waits', async () => {
    const steps = fc.array(
      fc.oneof(fc.constant('add' as const), fc.constant('end' as const), fc.integer({ min: 1, max: 5 })),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), steps, async (limit, moves) => {
        const places = new Places(limit);
        const { add, end, started, underWay, all } = tasks(places);
        let added = 0;
        for (const move of moves) {
          const before = underWay();
          if (move === 'add') add(added++);
          else if (move === 'end') end();
          else places.concurrency = move;
          await settled();
          if (underWay() > before) expect(underWay()).toBeLessThanOrEqual(places.concurrency);
          if (places.size > 0) expect(underWay()).toBeGreaterThanOrEqual(places.concurrency);
        }
        while (underWay() > 0) {
          end();
          await settled();
        }
        await Promise.all(all);
        expect(started).toEqual([...Array(added).keys()]);
      }),
      { numRuns: 100 },
    );
  });
});
