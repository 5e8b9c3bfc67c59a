import { describe, expect, it } from 'vitest';
import { destinationKeys, load } from './support.ts';

describe('transforms', () => {
  const transforms = async (value: unknown) => {
    const loaded = await load(
      { ...destinationKeys, 'destination.transforms': value },
      { role: 'destination' },
    );
    const list = loaded.config?.role === 'destination' ? loaded.config.destination.transforms : undefined;
    return { rules: list?.map(({ name, from, to }) => ({ name, from, to })), lines: loaded.lines, list };
  };
  const rule = { name: 'a', from: '^(?P<x>.+)$', to: 'kv/data/x' };

  it('are compiled', async () => {
    const { list } = await transforms([rule]);
    expect(list?.[0]?.apply('old')).toBe('kv/data/old');
  });

  it('may be one object, in any case of keys, and without a name', async () => {
    expect((await transforms({ NAME: 'a', From: rule.from, tO: rule.to })).rules).toEqual([rule]);
    expect((await transforms([rule, { from: rule.from, to: rule.to }])).rules?.[1]?.name).toBe('transform 2');
    expect((await transforms([])).rules).toEqual([]);
  });

  it('that do not compile show a caret under the fault', async () => {
    const { lines } = await transforms([rule, { name: 'v1', from: '(?P<a>x)/(?P<b>\\w+', to: 'x' }]);
    expect(lines).toEqual([
      expect.stringMatching(
        /^error stdin:1:\d+ destination\.transforms\[1\]\.from: transform "v1": `from` is not a valid regular expression: missing closing \) - Go \(RE2\) syntax.*\n {4}\(\?P<a>x\)\/\(\?P<b>\\w\+\n {4} {18}\^ missing closing \)$/,
      ),
    ]);
  });

  it.each([
    {
      name: 'no from',
      value: [{ to: 'x' }],
      says: 'destination.transforms[0]: has no from - give from and to',
    },
    { name: 'empty to', value: [{ from: rule.from, to: '' }], says: 'destination.transforms[0]: has no to' },
    {
      name: 'a text',
      value: ['x'],
      says: 'destination.transforms[0]: must be a rule with name, from and to',
    },
    {
      name: 'a number as list',
      value: 7,
      says: 'destination.transforms: must be a list of {name, from, to} (got 7)',
    },
    {
      name: 'a key twice',
      value: [{ from: 'a', FROM: 'b', to: 'x' }],
      says: 'destination.transforms[0]: has from twice',
    },
    {
      name: 'a list as to',
      value: [{ from: 'a', to: [] }],
      says: 'destination.transforms[0].to: must be a text',
    },
  ])('with $name are refused', async ({ value, says }) => {
    const { rules, lines } = await transforms(value);
    expect(rules).toBeUndefined();
    expect(lines.find((line) => line.startsWith('error'))).toContain(says);
  });

  it('with an unknown key are warned of', async () => {
    const { rules, lines } = await transforms([{ ...rule, form: 'x' }]);
    expect(rules).toEqual([rule]);
    expect(lines[0]).toContain('warning stdin:1:');
    expect(lines[0]).toContain(
      'destination.transforms[0]: holds a key that is not known - did you mean from?',
    );
  });

  it('that are legal but most likely not meant are warned of', async () => {
    const { lines } = await transforms([rule, { name: 'loose', from: '(?P<x>a)', to: 'x' }]);
    expect(lines).toEqual([
      expect.stringMatching(
        /^warning stdin:1:\d+ destination\.transforms\[1\]: "loose": `from` is not anchored/,
      ),
    ]);
  });
});
