import { describe, expect, it } from 'vitest';
import {
  dataPath,
  locate,
  type Mount,
  parseMount,
  possibleLocations,
  segmentsProblem,
} from '../../src/sync/mount-path.ts';

describe('a mount', () => {
  it.each([
    ['secret/', 'secret/'],
    ['secret', 'secret/'],
    ['/team/a/kv//', 'team/a/kv/'],
    ['x/data', 'x/data/'],
    ['a b', 'a b/'],
  ])('%j is %j', (text, mount) => {
    expect(parseMount(text)).toBe(mount);
  });

  it.each(['', '/', 'a//b', '../secret', 'a/./b', '\ud800'])('%j is refused', (text) => {
    expect(() => parseMount(text)).toThrow(expect.objectContaining({ code: 'CONFIG_BAD_VALUE' }));
  });
});

describe('a data path', () => {
  const mounts = ['secret/', 'x/', 'x/data/', 'team/metadata-x/'] as Mount[];

  it.each([
    { path: 'secret/data/a/b', location: { mount: 'secret/', key: 'a/b' } },
    { path: 'x/data/a', location: { mount: 'x/', key: 'a' } },
    { path: 'x/data/data/a', location: { mount: 'x/data/', key: 'a' } },
    { path: 'team/metadata-x/data/k', location: { mount: 'team/metadata-x/', key: 'k' } },
    { path: 'secret/data/', location: undefined },
    { path: 'secret/metadata/a', location: undefined },
    { path: 'othersecret/data/a', location: undefined },
  ])('$path', ({ path, location }) => {
    expect(locate(path, mounts)).toEqual(location);
  });

  it('is built from mount and key, whatever their names', () => {
    expect(dataPath('team/metadata-x/' as Mount, 'metadata/y')).toBe('team/metadata-x/data/metadata/y');
  });

  it('may be split in several places when the mount is not known', () => {
    expect(possibleLocations('a/data/b/data/c').map(({ mount }) => mount)).toEqual(['a/', 'a/data/b/']);
    expect(possibleLocations('/data/x')).toEqual([]);
    expect(possibleLocations('a/data/')).toEqual([]);
  });
});

describe('what cannot be named in a request', () => {
  it.each(['', 'a//b', 'a/', '/a', 'a/./b', '..', 'a/..', '\udc00'])('%j', (key) => {
    expect(segmentsProblem(key)).toBeTypeOf('string');
  });

  it.each(['a', 'a/b', '...', '.hidden', 'a..b', ' lead', 'trail ', 'é', '%2F', 'a?b#c', '💥'])(
    '%j is fine',
    (key) => {
      expect(segmentsProblem(key)).toBeUndefined();
    },
  );
});
