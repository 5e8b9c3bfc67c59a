import { expect, it } from 'vitest';
import { printableKey, quoted, renderProblem } from '../../src/config/problem.ts';

it.each([
  { name: 'plain', text: 'abc', is: '"abc"' },
  { name: 'with a line break', text: 'a\nb', is: '"a\\nb"' },
  { name: 'long', text: 'x'.repeat(100), is: `"${'x'.repeat(57)}..."` },
  { name: 'an address with a password', text: 'https://u:canary@host:1/x', is: '"https://***@host:1/x"' },
  {
    name: 'a password with a slash and an at sign',
    text: 'https://u:can/a@ry@host',
    is: '"https://***@host"',
  },
  { name: 'a password without a scheme', text: 'u:canary@host:1', is: '"***@host:1"' },
  { name: 'a query', text: 'https://host/?token=canary', is: '"https://host/?***"' },
])('a value is quoted short and without credentials: $name', ({ text, is }) => {
  expect(quoted(text)).toBe(is);
});

it.each([
  ['origin.tick', 'origin.tick'],
  ['$schema', '$schema'],
  ['', '(unprintable)'],
  ['origin.a b', 'origin.(unprintable)'],
  [`hvs.${'x'.repeat(24)}`, 'hvs.(unprintable)'],
])('a key that may be a secret is not printed: %s', (key, is) => expect(printableKey(key)).toBe(is));

it('a problem is one line, and its detail below', () => {
  expect(
    renderProblem({
      severity: 'error',
      code: 'CONFIG_BAD_VALUE',
      place: 'a.json:1:2',
      key: 'k',
      message: 'is wrong',
      hint: 'do that',
      detail: '(x\n  ^',
    }),
  ).toBe('a.json:1:2 k: is wrong - do that\n    (x\n      ^');
  expect(renderProblem({ severity: 'error', code: 'CONFIG_SYNTAX', message: 'is wrong' })).toBe('is wrong');
});
