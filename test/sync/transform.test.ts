import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VsyncError } from '../../src/base/errors.ts';
import { compileTransform, transformPath } from '../../src/sync/transform.ts';

interface Vector {
  readonly from: string;
  readonly to: string;
  readonly cases: readonly { readonly path: string; readonly matched: boolean; readonly result: string }[];
}
const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL('../golden/transforms.json', import.meta.url), 'utf8'),
);

describe('transforms give what the Go program gives', () => {
  for (const { from, to, cases } of vectors) {
    const transform = compileTransform({ name: 'golden', from, to });
    it.each(cases)(`${to}: $path`, ({ path, matched, result }) => {
      expect(transform.apply(path)).toBe(matched ? result : undefined);
    });
  }
});

describe('a transform', () => {
  const rule = (from: string, to: string) => compileTransform({ name: 'r', from, to });

  it.each([
    {
      name: 'a repeated group name: the last one counts',
      from: '(?P<n>a)(?P<n>b)',
      to: 'x/n',
      path: 'ab',
      target: 'x/b',
    },
    {
      name: 'a repeated name inside a class or an escape is text',
      from: '[(?P<n>]+\\(?P<n>(?P<n>z)',
      to: 'n',
      path: 'n(P<n>z',
      target: 'z',
    },
    {
      name: 'a name inside a longer piece is not replaced',
      from: '^(?P<app>.+)$',
      to: 'x/my-app/app',
      path: 'p',
      target: 'x/my-app/p',
    },
    {
      name: 'slashes collapse, an outer one stays',
      from: '^(?P<a>.+)$',
      to: '/x//a/',
      path: 'p',
      target: '/x/p/',
    },
    { name: 'no named group never matches', from: '.*', to: 'x', path: 'p', target: undefined },
    {
      name: 'an empty group is no match',
      from: '^(?P<a>x*)(?P<b>y)$',
      to: 'a/b',
      path: 'y',
      target: undefined,
    },
    {
      name: 'an optional group that is absent is no match',
      from: '^(?P<a>x)?(?P<b>y)$',
      to: 'a/b',
      path: 'y',
      target: undefined,
    },
    { name: 'ASCII classes', from: '^(?P<a>\\w+)$', to: 'a', path: 'é', target: undefined },
  ])('$name', ({ from, to, path, target }) => {
    expect(rule(from, to).apply(path)).toBe(target);
  });

  it('points at the fault of a bad expression', () => {
    try {
      rule('(?P<mount>secret)/(?=x)', 'mount');
      expect.unreachable('a look-ahead must be refused');
    } catch (error) {
      expect(error).toBeInstanceOf(VsyncError);
      const { code, why } = error as VsyncError;
      expect(code).toBe('TRANSFORM_BAD_REGEX');
      expect(why?.split('\n')[1]?.indexOf('^')).toBe('(?P<mount>secret)/'.length);
    }
  });

  it.each([
    { from: '(?P<a>x)', warning: 'not anchored' },
    { from: '^x$', warning: 'no named group' },
    { from: '^(?P<a>x)(?P<a>y)$', warning: 'twice' },
  ])('warns: $warning', ({ from, warning }) => {
    expect(rule(from, 'a').warnings.join()).toContain(warning);
  });

  it('does not warn of an anchored rule with groups', () => {
    expect(rule('^(?P<a>x)$', 'a').warnings).toEqual([]);
    expect(rule('(?i)^(?P<a>x)$', 'a').warnings).toEqual([]);
  });

  it('takes linear time where a backtracking engine takes for ever', () => {
    expect(rule('^(?P<a>(a+)+)$', 'a').apply(`${'a'.repeat(40)}!`)).toBeUndefined();
  });
});

describe('the first rule that matches decides', () => {
  const rules = [
    compileTransform({ name: 'one', from: '^kv/data/(?P<k>a.*)$', to: 'one/data/k' }),
    compileTransform({ name: 'two', from: '^kv/data/(?P<k>.*)$', to: 'two/data/k' }),
  ];
  it.each([
    { path: 'kv/data/ab', target: { path: 'one/data/ab', rule: 'one' } },
    { path: 'kv/data/b', target: { path: 'two/data/b', rule: 'two' } },
    { path: 'other/data/b', target: { path: 'other/data/b', rule: undefined } },
  ])('$path', ({ path, target }) => {
    expect(transformPath(rules, path)).toEqual(target);
  });
});
