import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { errorCodes } from '../../src/base/errors.ts';
import { aliases } from '../../src/config/aliases.ts';
import { flagSpecs } from '../../src/config/flags.ts';
import { groupSpecs, keySpecs } from '../../src/config/keys.ts';
import { migrateConfig } from '../../src/config/migrate.ts';
import { renderProblem } from '../../src/config/problem.ts';
import { parseConfigText } from '../../src/config/read-file.ts';
import { showConfig } from '../../src/config/show.ts';
import { destinationKeys, type LoadedText, load } from './support.ts';

/** The loader answers with problems or a configuration, whatever it is given; it never throws. */
const runs = { numRuns: 60 };

const keys = fc.oneof(
  fc.constantFrom(
    ...keySpecs.map(({ key }) => key),
    ...groupSpecs.map(({ group }) => group),
    ...aliases.map(({ from }) => from),
  ),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'origin.__proto__',
    'origin.vault.hasOwnProperty',
    '$schema',
    '.',
    'origin.',
    '',
  ),
  fc.string(),
);
const scalars = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    1,
    -1,
    Number.POSITIVE_INFINITY,
    '',
    ' ',
    '1m',
    '10',
    '10%',
    'yes',
    'auto',
    'https://a',
    'kv/ x',
    '/',
    '..',
    '(?P<a>.+)',
    '*',
    '\u0000',
    '\ud800',
  ),
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.integer(),
);
const rules = fc.record(
  { name: scalars, from: fc.oneof(scalars, fc.string()), to: scalars },
  { requiredKeys: [] },
);
const values = fc.oneof(
  scalars,
  fc.array(scalars, { maxLength: 4 }),
  fc.array(rules, { maxLength: 3 }),
  rules,
  fc.dictionary(keys, scalars, { maxKeys: 3 }),
);
const configurations = fc.dictionary(keys, values, { maxKeys: 8 });
const names = fc.constantFrom('a.json', 'a.jsonc', 'a.yaml', 'a.hcl', 'a', 'a.toml');

function checkAnswer({ config, problems, sources }: LoadedText): void {
  expect(config !== undefined).toBe(!problems.some(({ severity }) => severity === 'error'));
  for (const problem of problems) {
    expect(errorCodes).toHaveProperty(problem.code);
    expect(problem.code).not.toBe('UNEXPECTED');
    expect(renderProblem(problem)).not.toMatch(/undefined|\[object|at .*\.ts:/);
  }
  if (config !== undefined) expect(showConfig(config, sources).length).toBeGreaterThan(50);
}

const roles = fc.constantFrom('origin' as const, 'destination' as const, undefined);

describe('whatever it is given, the loader answers', () => {
  it('configurations of any shape, as JSON and YAML', async () => {
    await fc.assert(
      fc.asyncProperty(
        configurations,
        roles,
        fc.boolean(),
        fc.boolean(),
        async (content, role, strict, asYaml) => {
          const whole = { ...destinationKeys, ...content };
          checkAnswer(await load(asYaml ? stringify(whole, { version: '1.1' }) : whole, { role, strict }));
        },
      ),
      runs,
    );
  });

  it('any variables and flags', async () => {
    const texts = fc.oneof(fc.string({ unit: 'binary' }), scalars.map(String));
    const variables = fc.oneof(
      fc.constantFrom(
        ...keySpecs.map(({ env }) => env),
        'VAULT_ADDR',
        'VAULT_TOKEN',
        'VAULT_CACERT',
        'CONSUL_HTTP_ADDR',
        'CONSUL_HTTP_SSL',
        'VSYNC_ORIGIN',
      ),
      fc.string().map((text) => `VSYNC_${text}`),
    );
    const flags = fc.oneof(fc.constantFrom(...flagSpecs.map(({ name }) => name)), fc.string());
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(variables, texts, { maxKeys: 5 }),
        fc.dictionary(flags, fc.oneof(texts, fc.boolean(), fc.array(texts, { maxLength: 3 })), {
          maxKeys: 5,
        }),
        roles,
        async (env, given, role) =>
          checkAnswer(await load(destinationKeys, { role, flags: given, env, home: '/nonexistent' })),
      ),
      runs,
    );
  });

  it('files of any text, in every format', async () => {
    const hclPieces = fc
      .array(
        fc.constantFrom(
          'origin',
          '"a.b"',
          ' = ',
          '{',
          '}',
          '[',
          ']',
          ',',
          '\n',
          '"x"',
          '1',
          'true',
          '#',
          '//',
          '/*',
          '*/',
          '<<E\n',
          '\nE\n',
          '${',
          '"',
          '\\',
        ),
        { maxLength: 20 },
      )
      .map((all) => all.join(''));
    const yamlPieces = fc
      .array(
        fc.constantFrom(
          'a',
          ': ',
          '- ',
          '\n',
          '  ',
          '&x ',
          '*x',
          '<<',
          '{',
          '}',
          '[',
          ']',
          ',',
          '"',
          "'",
          '|',
          '>',
          '!!int ',
          '---',
          '#',
          '? ',
          '%',
          '~',
          'origin',
          'yes',
        ),
        { maxLength: 20 },
      )
      .map((all) => all.join(''));
    const jsonPieces = fc
      .array(
        fc.constantFrom(
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '"a"',
          '"origin"',
          '1',
          'null',
          ' ',
          '//',
          '/*',
          '\\u',
          '"',
        ),
        { maxLength: 20 },
      )
      .map((all) => all.join(''));
    const texts = fc.oneof(hclPieces, yamlPieces, jsonPieces, fc.string({ unit: 'binary' }), fc.json());
    await fc.assert(
      fc.asyncProperty(texts, names, async (text, name) => {
        const result = await parseConfigText(Buffer.from(text), name);
        if ('problem' in result)
          expect(result.problem).toMatchObject({ severity: 'error', message: expect.any(String) });
        checkAnswer(await load(text));
        await migrateConfig(Buffer.from(text), name);
      }),
      { numRuns: 150 },
    );
  });

  it('files of any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), names, async (bytes, name) => {
        const result = await parseConfigText(bytes, name);
        expect('problem' in result || 'document' in result).toBe(true);
      }),
      runs,
    );
  });
});
