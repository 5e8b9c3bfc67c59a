import { describe, expect, it } from 'vitest';
import type { Mount } from '../../src/sync/mount-path.ts';
import { pathFilter } from '../../src/sync/path-filter.ts';

const secret = 'secret/' as Mount;
const team = 'team/a/kv/' as Mount;

describe('a path filter', () => {
  it.each([
    { name: 'none: all', include: [], exclude: [], key: 'a/b', matches: true },
    { name: 'a subtree', include: ['secret/app/**'], exclude: [], key: 'app/x/y', matches: true },
    { name: 'not beside it', include: ['secret/app/**'], exclude: [], key: 'apple', matches: false },
    { name: 'one level', include: ['secret/app/*'], exclude: [], key: 'app/x/y', matches: false },
    { name: 'hidden names too', include: ['secret/**'], exclude: [], key: '.hidden/.x', matches: true },
    {
      name: 'exclude wins',
      include: ['secret/**'],
      exclude: ['secret/tmp/**'],
      key: 'tmp/a',
      matches: false,
    },
    {
      name: 'a literal name with glob characters, escaped',
      include: ['secret/a\\*b'],
      exclude: [],
      key: 'a*b',
      matches: true,
    },
    { name: 'alternatives', include: ['secret/{app,web}/**'], exclude: [], key: 'web/x', matches: true },
  ])('$name', ({ include, exclude, key, matches }) => {
    expect(pathFilter(include, exclude).matches(secret, key)).toBe(matches);
    expect(pathFilter(include, exclude).matchesPath(`secret/data/${key}`, [secret])).toBe(matches);
  });

  it.each([
    { include: [], mount: secret, roots: [''] },
    { include: ['**/db'], mount: secret, roots: [''] },
    { include: ['secret/**'], mount: secret, roots: [''] },
    { include: ['secret/app/**', 'secret/app/x/*', 'secret/web/a?'], mount: secret, roots: ['app/', 'web/'] },
    { include: ['secret/app/one'], mount: secret, roots: ['app/'] },
    { include: ['secret/one'], mount: secret, roots: [''] },
    { include: ['other/**'], mount: secret, roots: [] },
    { include: ['team/**'], mount: team, roots: [''] },
    { include: ['secret/**', 'secret/app/**'], mount: secret, roots: [''] },
  ])('walks only where something may match: $include', ({ include, mount, roots }) => {
    expect(pathFilter(include, []).roots(mount)).toEqual(roots);
  });

  it('does not go into folders that cannot match', () => {
    const filter = pathFilter(['secret/app/x/**'], []);
    expect(filter.mayContain(secret, 'app/')).toBe(true);
    expect(filter.mayContain(secret, 'app/x/y/')).toBe(true);
    expect(filter.mayContain(secret, 'web/')).toBe(false);
  });

  it('leaves a path on no known mount in: a filter never makes a secret look gone', () => {
    expect(pathFilter(['secret/app/**'], []).matchesPath('else/data/x', [secret])).toBe(true);
  });
});
