import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../src/config/formats/json.ts';

const strict = (text: string) => parseJson(text, { comments: false });
const faultOf = (text: string, comments = false) => {
  const result = parseJson(text, { comments });
  return 'fault' in result ? result.fault : undefined;
};

it('knows the place of every key and value', () => {
  expect(strict('{\n  "a": {\r\n    "b": [1, "x"]\n  }\n}')).toEqual({
    document: {
      format: 'json',
      root: {
        kind: 'map',
        at: { line: 1, column: 1 },
        entries: [
          {
            key: 'a',
            at: { line: 2, column: 3 },
            value: {
              kind: 'map',
              at: { line: 2, column: 8 },
              entries: [
                {
                  key: 'b',
                  at: { line: 3, column: 5 },
                  value: {
                    kind: 'list',
                    at: { line: 3, column: 10 },
                    items: [
                      { kind: 'scalar', value: 1, text: '1', at: { line: 3, column: 11 } },
                      { kind: 'scalar', value: 'x', text: 'x', at: { line: 3, column: 14 } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  });
});

describe('a fault', () => {
  it.each([
    {
      name: 'a comment',
      text: '{"a": 1} // x',
      line: 1,
      column: 10,
      message: 'not valid JSON: a comment',
      hint: 'remove it, or name the file .jsonc',
    },
    {
      name: 'a trailing comma',
      text: '{\n"a": 1,\n}',
      line: 3,
      column: 1,
      message: 'not valid JSON: a comma before the closing bracket',
      hint: 'remove it, or name the file .jsonc',
    },
    {
      name: 'a missing comma',
      text: '{"a": 1\n"b": 2}',
      line: 2,
      column: 1,
      message: 'not valid JSON: a comma is missing',
    },
    {
      name: 'a missing colon',
      text: '{"a" 1}',
      line: 1,
      column: 6,
      message: 'not valid JSON: a colon is missing after the key',
    },
    {
      name: 'a missing value',
      text: '{"a": }',
      line: 1,
      column: 7,
      message: 'not valid JSON: a value is missing',
    },
    {
      name: 'an open text',
      text: '{"a": "x',
      line: 1,
      column: 7,
      message: 'not valid JSON: the closing quote of a text is missing',
    },
    {
      name: 'an open object',
      text: '{"a": 1',
      line: 1,
      column: 8,
      message: 'not valid JSON: a closing } is missing',
    },
    {
      name: 'a bare word',
      text: '{a: 1}',
      line: 1,
      column: 2,
      message:
        'not valid JSON: something that is neither a text in double quotes, a number, true, false nor null',
    },
    {
      name: 'two documents',
      text: '{"a": 1} {}',
      line: 1,
      column: 10,
      message: 'not valid JSON: something follows the end of the object',
    },
    {
      name: 'a list',
      text: '[1]',
      line: 1,
      column: 1,
      message: 'holds no keys',
      hint: 'the file must be one object: { ... }',
    },
    {
      name: 'a text',
      text: '"x"',
      line: 1,
      column: 1,
      message: 'holds no keys',
      hint: 'the file must be one object: { ... }',
    },
  ])('$name has a place and a cause', ({ text, line, column, message, hint }) => {
    expect(faultOf(text)).toEqual({ at: { line, column }, message, ...(hint && { hint }) });
  });

  it('never quotes the text', () => {
    for (const text of ['{"t": hvs.canary}', '{"t": "canary\n"}', '{"canary: 1}', '{"t": "\\canary"}']) {
      expect(JSON.stringify(faultOf(text)), text).not.toContain('canary');
    }
  });
});

it('of nothing, or null, has no root', () => {
  for (const text of ['', ' \n', 'null'])
    expect(strict(text)).toEqual({ document: { format: 'json', root: undefined } });
});

it('with comments takes comments and trailing commas', () => {
  expect(faultOf('// a\n{"a": [1, /* b */ 2,],}', true)).toBeUndefined();
  expect(faultOf('{"a" 1,}', true)).toBeDefined();
});
