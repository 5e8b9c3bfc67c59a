import { describe, expect, it } from 'vitest';
import type { DocumentNode } from '../../../src/config/document.ts';
import { parseYaml } from '../../../src/config/formats/yaml.ts';

const plain = (node: DocumentNode | undefined): unknown => {
  if (node === undefined) return undefined;
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
};
const read = (text: string) => {
  const result = parseYaml(text);
  return 'fault' in result ? result.fault : plain(result.document.root);
};

it('knows the place of every key, also with CRLF', () => {
  const result = parseYaml('a:\r\n  - x\r\nb: {c: 1}\r\n');
  expect(result).toMatchObject({
    document: {
      root: {
        entries: [
          {
            key: 'a',
            at: { line: 1, column: 1 },
            value: { items: [{ text: 'x', at: { line: 2, column: 5 } }] },
          },
          {
            key: 'b',
            at: { line: 3, column: 1 },
            value: { entries: [{ key: 'c', at: { line: 3, column: 5 } }] },
          },
        ],
      },
    },
  });
});

it('reads as YAML 1.1, but times and dates as texts', () => {
  expect(
    read('a: yes\nb: off\nc: 012\nd: 1:30\ne: 2026-01-02\nf: ~\ng: 1_000\nh: "yes"\ni: 0o12\ny: n'),
  ).toEqual({
    a: true,
    b: false,
    c: 10,
    d: '1:30',
    e: '2026-01-02',
    f: null,
    g: 1000,
    h: 'yes',
    i: '0o12',
    y: false,
  });
});

it('resolves anchors and merges; a key of the map itself wins', () => {
  expect(
    read('base: &b {x: 1, y: 2}\nmore: &m {x: 9, z: 3}\na: {<<: [*b, *m], y: 5}\nlist: [*b]\n"<<": text'),
  ).toEqual({
    base: { x: 1, y: 2 },
    more: { x: 9, z: 3 },
    a: { y: 5, x: 1, z: 3 },
    list: [{ x: 1, y: 2 }],
    '<<': 'text',
  });
});

it('of nothing has no root', () => {
  for (const text of ['', '# only a comment\n', '---\n', 'null', '~'])
    expect(parseYaml(text)).toEqual({ document: { format: 'yaml', root: undefined } });
});

describe('a fault', () => {
  it.each([
    { name: 'a tab', text: 'a:\n\tb: 1', line: 2, message: 'not valid YAML: a tab as indentation' },
    {
      name: 'an open quote',
      text: 'a: "x',
      line: 1,
      message: 'not valid YAML: a quote, a bracket or a colon is missing',
    },
    {
      name: 'a reserved character',
      text: 'a: @x',
      line: 1,
      message: 'not valid YAML: a text that begins with a reserved character must be in quotes',
    },
    {
      name: 'a colon in a text',
      text: 'a: b: c',
      line: 1,
      message: 'not valid YAML: wrong indentation, or a text with a colon that must be in quotes',
    },
    {
      name: 'several documents',
      text: 'a: 1\n---\nb: 1',
      line: 2,
      message: 'not valid YAML: more than one document',
    },
    {
      name: 'an unknown anchor',
      text: 'a: *b',
      line: 1,
      message: 'an alias (*name) without an anchor (&name) before it',
    },
    {
      name: 'an anchor that comes later',
      text: 'a: *b\nb: &b 1',
      line: 1,
      message: 'an alias (*name) without an anchor (&name) before it',
    },
    { name: 'a cycle', text: 'a: &a\n  - *a', line: 2, message: 'an alias inside its own anchor' },
    { name: 'a list as key', text: '? [a]\n: b', line: 1, message: 'a key that is not a text' },
    {
      name: 'a merge of a text',
      text: 'a: {<<: x}',
      line: 1,
      message: '<< merges something that is no mapping',
    },
    { name: 'a list', text: '- a', line: 1, message: 'holds no keys' },
    { name: 'a text', text: 'hello', line: 1, message: 'holds no keys' },
  ])('$name has a place and a cause', ({ text, line, message }) => {
    expect(read(text)).toMatchObject({ at: { line, column: expect.any(Number) }, message });
  });

  it('of aliases that unfold without end comes soon', () => {
    const bomb =
      'a: &a [x,x,x,x,x,x,x,x,x]\n' +
      [...'bcdefghi']
        .map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
        .join('\n');
    expect(read(bomb)).toMatchObject({ message: 'unfolds to more than 100000 values' });
  });

  it('never quotes the text', () => {
    for (const text of [
      't: *canary',
      't: @canary',
      '%canary\n---\na',
      't: "canary',
      'canary\n - x: y: z',
      't: !!int canary',
      ' canary: 1\ncanary: 2',
    ]) {
      expect(JSON.stringify(parseYaml(text)), text).not.toMatch(/message.*canary/);
    }
  });
});
