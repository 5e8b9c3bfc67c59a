import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PathTree } from '../../../src/dev/vault/path-tree.ts';

const names = fc.constantFrom('a', 'b', 'ab', 'é', '\uFF5E', '\u{1F600}', '');
const paths = fc.array(names, { minLength: 1, maxLength: 4 });
const steps = fc.array(fc.record({ remove: fc.boolean(), path: paths }), { maxLength: 40, size: 'max' });

const bytewise = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** The names in a folder, found the slow way. */
function naiveList(keys: readonly (readonly string[])[], folder: readonly string[]): string[] {
  const below = keys.filter(
    (key) => key.length > folder.length && folder.every((name, i) => key[i] === name),
  );
  const shown = below.map((key) => `${key[folder.length]}${key.length > folder.length + 1 ? '/' : ''}`);
  return [...new Set(shown)].sort(bytewise);
}

describe('a path tree', () => {
  it('lists each folder as if it looked at all keys', () => {
    fc.assert(
      fc.property(steps, fc.array(names, { maxLength: 3 }), (done, folder) => {
        const tree = new PathTree<number>();
        const keys = new Map<string, readonly string[]>();
        for (const { remove, path } of done) {
          if (remove) tree.delete(path);
          else tree.set(path, 1);
          if (remove) keys.delete(JSON.stringify(path));
          else keys.set(JSON.stringify(path), path);
          expect(tree.list(folder)).toEqual(naiveList([...keys.values()], folder));
        }
        expect([...tree.walk([])].sort(bytewise)).toEqual(
          [...keys.values()].map((key) => key.join('/')).sort(bytewise),
        );
        for (const path of keys.values()) expect(tree.get(path)).toBe(1);
      }),
    );
  });

  it("walks a folder's own values before its folders", () => {
    const tree = new PathTree<number>();
    for (const key of ['b/z', 'a/x', 'c', 'b', 'a/y/z']) tree.set(key.split('/'), 1);
    expect([...tree.walk([])]).toEqual(['b', 'c', 'a/x', 'a/y/z', 'b/z']);
    expect([...tree.walk(['a'])]).toEqual(['x', 'y/z']);
  });

  it('is copied with its values', () => {
    const tree = new PathTree<{ n: number }>();
    tree.set(['a', 'b'], { n: 1 });
    const copy = tree.clone((value) => ({ ...value }));
    tree.set(['a', 'c'], { n: 2 });
    const original = tree.get(['a', 'b']);
    if (original !== undefined) original.n = 9;
    expect(copy.list(['a'])).toEqual(['b']);
    expect(copy.get(['a', 'b'])).toEqual({ n: 1 });
  });
});
