import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseKvAnswer } from '../../src/vault/kv-answer.ts';
import { expectNoLeak } from './leaks.ts';

/** Text of JSON values as a server may spell them: any white space, any escape, numbers that `JSON.parse` would alter. */
const space = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  fc.constantFrom(' ', '\n', '\t\r\n ', '  '),
);
const nastyNames = [
  'data',
  'metadata',
  '__proto__',
  'constructor',
  '',
  '"',
  '\\',
  '\\"',
  '{',
  '}',
  ']',
  'a,b',
  'a:b',
  'errors',
];
const stringText = fc
  .oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(...nastyNames),
    fc.string({ unit: fc.constantFrom('\\', '"', '{', '}', ',') }),
  )
  .chain((text) =>
    fc.constantFrom(
      JSON.stringify(text),
      // The other spelling of each character.
      `"${[...Array(text.length).keys()].map((i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`,
    ),
  );
const scalarText = fc.oneof(
  stringText,
  fc.constantFrom(
    '0',
    '-0',
    '1.0',
    '1.10',
    '1e400',
    '-1E+21',
    '12345678901234567890',
    '9007199254740993',
    'true',
    'false',
    'null',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
);
const { value: valueText, object: objectText } = fc.letrec<{ value: string; object: string; list: string }>(
  (tie) => ({
    value: fc.oneof({ maxDepth: 5 }, scalarText, tie('object'), tie('list')),
    object: fc
      .tuple(
        space,
        fc.array(fc.tuple(space, stringText, space, space, tie('value'), space), { maxLength: 5 }),
      )
      .map(([inside, members]) =>
        members.length === 0
          ? `{${inside}}`
          : `{${members.map(([a, name, b, c, value, d]) => `${a}${name}${b}:${c}${value}${d}`).join(',')}}`,
      ),
    list: fc
      .tuple(space, fc.array(fc.tuple(space, tie('value'), space), { maxLength: 5 }))
      .map(([inside, items]) =>
        items.length === 0 ? `[${inside}]` : `[${items.map((parts) => parts.join('')).join(',')}]`,
      ),
  }),
);

/** Members that may stand around the one that is wanted; their names are not it. */
const others = fc.array(
  fc.tuple(
    stringText.filter((text) => !['data', 'metadata'].includes(JSON.parse(text) as string)),
    valueText,
  ),
  { maxLength: 3 },
);

/** An object of these members in any order, with any white space. */
function shuffled(
  members: readonly (readonly [string, string])[],
  order: readonly number[],
  spaces: readonly string[],
): string {
  const at = (i: number) => spaces[i % spaces.length] ?? '';
  const sorted = members
    .map((member, i) => [order[i % order.length] ?? 0, member] as const)
    .sort(([a], [b]) => a - b);
  return `{${sorted.map(([, [name, value]], i) => `${at(i)}${name}${at(i + 1)}:${at(i + 2)}${value}${at(i + 3)}`).join(',')}}`;
}

const order = fc.array(fc.nat(9), { minLength: 1, maxLength: 8 });
const spaces = fc.array(space, { minLength: 1, maxLength: 6 });
const answer = fc
  .record({
    value: fc.oneof(objectText, fc.constant('null')),
    version: fc.nat(),
    inner: others,
    outer: others,
    order,
    spaces,
    end: space,
  })
  .map(({ value, version, inner, outer, order, spaces, end }) => {
    const metadata = `{"created_time":"2026-01-02T03:04:05.678Z","custom_metadata":{"data":{"data":{}}},"version":${version}}`;
    const data = shuffled([['"data"', value], ['"metadata"', metadata], ...inner], order, spaces);
    return { value, version, text: shuffled([['"data"', data], ...outer], order, spaces) + end };
  });

describe('the value of an answer', () => {
  it('is cut out byte for byte, and what is around it is understood', () => {
    fc.assert(
      fc.property(answer, ({ value, version, text }) => {
        const found = parseKvAnswer(text);
        expect(found.value.reveal()).toBe(value);
        expect(found).toMatchObject({ version, createdTime: '2026-01-02T03:04:05.678Z' });
        const parsed = JSON.parse(text) as { data: { data: unknown } };
        expect(JSON.parse(found.value.reveal())).toEqual(parsed.data.data);
      }),
      { numRuns: 500 },
    );
  });

  it('of any JSON value in Vault’s own spelling', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
        const envelope = {
          request_id: '1',
          lease_id: '',
          renewable: false,
          lease_duration: 0,
          data: {
            data,
            metadata: { created_time: '2026-01-02T03:04:05Z', custom_metadata: null, version: 3 },
          },
          wrap_info: null,
          warnings: null,
          auth: null,
          mount_type: 'kv',
        };
        expect(parseKvAnswer(`${JSON.stringify(envelope)}\n`).value.reveal()).toBe(JSON.stringify(data));
      }),
    );
  });

  it.each([
    { name: 'a value named data in a value named data', value: '{"data":{"data":{"data":1}}}' },
    { name: '__proto__', value: '{"__proto__":{"admin":true}}' },
    { name: 'a name twice', value: '{"a":1,"a":2}' },
    { name: 'numbers beyond float64', value: '{"n":12345678901234567890,"f":1.0,"e":1e400}' },
    { name: 'brackets and quotes in texts', value: '{"a":"}\\"]{[","}":"\\\\"}' },
    { name: 'nothing', value: '{}' },
    { name: 'null', value: 'null' },
  ])('$name', ({ value }) => {
    const text = `{"data":{"data":${value},"metadata":{"created_time":"t","version":1}}}`;
    expect(parseKvAnswer(text).value.reveal()).toBe(value);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('of 1 MiB is found in little time', () => {
    const value = JSON.stringify({
      a: '\\"'.repeat(300_000),
      b: Array.from({ length: 50_000 }, (_, i) => ({ i })),
    });
    const text = `{"data":{"data":${value},"metadata":{"created_time":"t","version":1}}}`;
    expect(parseKvAnswer(text).value.reveal()).toBe(value);
  });
});

describe('what is no such answer', () => {
  it.each([
    { name: 'nothing', text: '' },
    { name: 'HTML', text: '<html>canary</html>' },
    { name: 'a text', text: '"canary"' },
    { name: 'a list', text: '[{"data":{"data":{}}}]' },
    { name: 'no data', text: '{"auth":{"client_token":"canary"}}' },
    { name: 'data that is null', text: '{"data":null}' },
    { name: 'no data in data', text: '{"data":{"keys":["canary"]}}' },
    {
      name: 'a value that is a text',
      text: '{"data":{"data":"canary","metadata":{"version":1,"created_time":"t"}}}',
    },
    {
      name: 'a value that is a list',
      text: '{"data":{"data":["canary"],"metadata":{"version":1,"created_time":"t"}}}',
    },
    {
      name: 'a value that is a number',
      text: '{"data":{"data":42,"metadata":{"version":1,"created_time":"t"}}}',
    },
    { name: 'almost null', text: '{"data":{"data":nullcanary,"metadata":{"version":1,"created_time":"t"}}}' },
    { name: 'no metadata', text: '{"data":{"data":{"p":"canary"}}}' },
    {
      name: 'a version that is a text',
      text: '{"data":{"data":{"p":"canary"},"metadata":{"version":"1","created_time":"t"}}}',
    },
    { name: 'no time', text: '{"data":{"data":{"p":"canary"},"metadata":{"version":1}}}' },
    {
      name: 'something behind the end',
      text: '{"data":{"data":{},"metadata":{"version":1,"created_time":"t"}}}"canary"',
    },
    {
      name: 'a missing comma',
      text: '{"data":{"data":{} "canary":1,"metadata":{"version":1,"created_time":"t"}}}',
    },
    {
      name: 'a secret that stands where it should not',
      text: '{"data":{"data":{}"canary","metadata":{"version":1}}}',
    },
    { name: 'a word for the metadata', text: '{"data":{"data":{},"metadata":canary}}' },
    {
      name: 'a word before the data',
      text: '{"auth":canary,"data":{"data":{},"metadata":{"version":1,"created_time":"t"}}}',
    },
    { name: 'a name without an end', text: '{"canary' },
    { name: 'a backslash at the end', text: '{"canary\\' },
    { name: 'a KV v1 answer', text: '{"data":{"password":"canary","data":"x"},"lease_duration":2764800}' },
  ])('throws for $name, and quotes nothing', ({ text }) => {
    const error = thrownBy(() => parseKvAnswer(text));
    expect(error).toBeInstanceOf(SyntaxError);
    expectNoLeak(error, 'canary');
  });

  it('throws wherever a good answer is cut off, and quotes nothing', () => {
    const canary = fc.constant('canary-4711');
    fc.assert(
      fc.property(objectText, canary, fc.nat(), (object, secret, at) => {
        const text = `{"auth":null,"data":{"data":{"p":"${secret}","o":${object}},"metadata":{"created_time":"t","version":1}}}`;
        const error = thrownBy(() => parseKvAnswer(text.slice(0, at % text.length)));
        expect(error).toBeInstanceOf(SyntaxError);
        expectNoLeak(error, secret);
      }),
    );
  });

  it('never quotes anything, whichever byte is broken', () => {
    const text =
      '{"auth":null,"data":{"data":{"p":"canary","canary":[{"canary":1}]},"metadata":{"created_time":"t","version":1}}}';
    for (let at = 0; at < text.length; at += 1) {
      for (const byte of '"\\{}[],:x ') {
        const error = thrownBy(() => parseKvAnswer(text.slice(0, at) + byte + text.slice(at + 1)));
        if (error !== undefined) expectNoLeak(error, /canar|anary/);
      }
    }
  });
});

function thrownBy(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}
