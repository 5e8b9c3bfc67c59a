import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { segmentsProblem } from '../../src/sync/mount-path.ts';
import { realServersRequired, runRealServers } from '../servers/real-servers.ts';
import { cycleEnd, errorIds, pathsOf } from '../support/log-reading.ts';
import type { VaultApi } from '../support/vault-api.ts';
import { type EmbeddedPair, Pair } from './fidelity-pair.ts';

/**
 * Names and values that nobody would think of, through the whole program: each batch is written at one origin, copied by
 * `origin --once` and `destination --once`, and compared as the text that the servers give. A failure prints its seed.
 */

/** Texts that URLs, shells, JSON or Go take for something else. */
const nasty = fc.constantFrom(
  ...[
    ' ',
    '  ',
    '%',
    '%2F',
    '%2e%2e',
    '%252F',
    '%zz',
    '#',
    '?',
    '?list=true',
    '+',
    '\\',
    '\\\\',
    '&',
    ';',
    ':',
    '@',
  ],
  ...[
    '"',
    "'",
    '`',
    '$',
    '$x',
    '{',
    '}',
    '[',
    ']',
    '<',
    '>',
    '|',
    '^',
    '~',
    '*',
    '(',
    ')',
    '=',
    ',',
    '!',
    '-',
    '--',
  ],
  ...[
    '.a',
    'a.',
    '..a',
    'a..',
    'a..b',
    '...',
    '....',
    ' a',
    'a ',
    ' . ',
    '. ',
    ' ..',
    '\u00a0',
    '\u3000',
    '\t',
    '\u0000',
  ],
  ...[
    'é',
    'e\u0301',
    'ﬀ',
    'ß',
    'İ',
    'ı',
    'K',
    'Å',
    '中文',
    '한국어',
    'עברית',
    'العربية',
    '\u202eabc',
    'a\u200db',
    '😀',
    '𝒜',
    '👩\u200d👧',
  ],
  ...[
    'data',
    'metadata',
    'data/',
    'metadata/x',
    'index',
    '0',
    'vsyncChecks',
    '__proto__',
    'constructor',
    'toString',
    'null',
    'App',
    'app',
  ],
);

/** A part of a name between slashes. Vault itself is asked whether it takes it. */
const segment = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }) },
  { weight: 3, arbitrary: fc.array(nasty, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')) },
  { weight: 2, arbitrary: fc.constantFrom('a', 'b', 'leaf') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }) },
);

const name = fc
  .array(segment, { minLength: 1, maxLength: 6 })
  .map((segments) =>
    segments
      .join('/')
      .replace(/^\/+|\/+$/g, '')
      .replace(/\/{2,}/g, '/'),
  )
  .filter((text) => segmentsProblem(text) === undefined);

/** Names of one batch, with a leaf that is also a folder, and one that lies deep. */
const names = fc
  .tuple(fc.uniqueArray(name, { minLength: 10, maxLength: 30 }), segment)
  .map(([batch, end]) => {
    const [first = 'a'] = batch;
    const more = [
      `${first}/${end.replaceAll('/', '') || 'x'}`,
      Array.from({ length: 40 }, (_, i) => `${i}`).join('/'),
    ];
    return [...new Set([...batch, ...more.filter((each) => segmentsProblem(each) === undefined)])];
  });

const text = fc
  .oneof(
    { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 10 }) },
    { weight: 2, arbitrary: nasty },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '',
        '\u0000',
        '\u2028\u2029',
        '</script>',
        '"}],',
        '\\u0041',
        '\ud800',
        'a\udc00',
      ),
    },
  )
  .map((each) => JSON.stringify(each));

const key = fc.oneof(
  { weight: 3, arbitrary: text },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        '',
        '__proto__',
        'constructor',
        'prototype',
        'hasOwnProperty',
        'data',
        'metadata',
        'errors',
        'options',
        'cas',
      )
      .map((each) => JSON.stringify(each)),
  },
);

const number = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((each) => JSON.stringify(each)),
  fc.constantFrom(
    '-0',
    '0.0',
    '1.0',
    '1.10',
    '1e21',
    '1E+2',
    '1e-7',
    '-0.0',
    '9007199254740993',
    '5e-324',
    '1.7976931348623157e308',
  ),
);

/** The JSON text of an object: digits, escapes and repeated names as nothing that parses would keep them. */
const { object } = fc.letrec<{ json: string; object: string; array: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 5, depthSize: 'medium' },
    { weight: 3, arbitrary: text },
    { weight: 2, arbitrary: number },
    { weight: 1, arbitrary: fc.constantFrom('true', 'false', 'null', '{}', '[]', '[[]]', '""') },
    { weight: 2, arbitrary: tie('object') },
    { weight: 1, arbitrary: tie('array') },
  ),
  array: fc.array(tie('json'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
  object: fc
    .uniqueArray(fc.tuple(key, tie('json')), { selector: ([each]) => each, maxLength: 6 })
    .map((members) => `{${members.map(([each, value]) => `${each}:${value}`).join(', ')}}`),
}));

const values = fc.array(
  fc.oneof({ weight: 9, arbitrary: object }, { weight: 1, arbitrary: fc.constant('null') }),
  {
    minLength: 10,
    maxLength: 30,
  },
);

const kinds: { name: string; runs: number; pair: () => Promise<Pair>; skip?: boolean }[] = [
  { name: 'real Vault', runs: realServersRequired ? 8 : 4, pair: () => Pair.real(), skip: !runRealServers },
  { name: 'OpenBao in memory', runs: 8, pair: () => Pair.embedded('openbao', 'openbao') },
  { name: 'Vault to OpenBao in memory', runs: 6, pair: () => Pair.embedded('vault', 'openbao') },
];

/** Writes what the origin takes: data path -> the text that it serves from then on. */
async function fill(origin: VaultApi, secrets: Iterable<readonly [path: string, json: string]>) {
  const written = [...secrets].map(async ([path, json]): Promise<[string, string][]> => {
    const url = path.split('/').map(encodeURIComponent).join('/');
    const body = `{"data":${json}}`;
    // Characters that Vault does not print, and what is too much for OpenBao: nothing is there to be copied.
    const refused = await origin.call('POST', url, body).then(
      () => false,
      (error: Error) => (/: 400 /.test(error.message) ? true : Promise.reject(error)),
    );
    return refused ? [] : [[path, String(await origin.valueText(path))]];
  });
  return new Map((await Promise.all(written)).flat());
}

/** Everything below a mount: data path -> the text that is served. */
async function textsOf(vault: VaultApi, mount: string) {
  const paths = await vault.paths(mount);
  return new Map(
    await Promise.all(paths.map(async (path) => [path, String(await vault.valueText(path))] as const)),
  );
}

describe.each(kinds)('$name', ({ runs, pair: open, skip = false }) => {
  describe.skipIf(skip)('names and values', () => {
    let pair: Pair;
    beforeAll(async () => {
      pair = await open();
    });
    afterAll(() => pair?.stop());

    /** Copies a batch, and finds nothing more to do; both ends then serve the same text under the same names. */
    async function copied(secrets: (mount: string) => Iterable<readonly [string, string]>): Promise<void> {
      const mount = await pair.mount();
      const taken = await fill(pair.origin, secrets(mount));
      const history = await pair.origin.history(mount);
      const run = await pair.sync(mount);
      expect(pathsOf(run, 'path.add')).toEqual([...taken.keys()].sort());
      expect(sorted(await textsOf(pair.destination, mount))).toEqual(sorted(taken));
      expect(await pair.origin.history(mount), 'the origin is only read').toEqual(history);
      expect(cycleEnd(await pair.once('destination', mount)).result).toBe('noop');
      const versions = [...taken.keys()].map((path) => pair.destination.versionOf(path));
      expect(new Set(await Promise.all(versions))).toEqual(new Set(taken.size > 0 ? [1] : []));
    }

    it('any name that the server takes', async () => {
      await fc.assert(
        fc.asyncProperty(names, (batch) =>
          copied((mount) => batch.map((each, i) => [`${mount}data/${each}`, JSON.stringify({ i, each })])),
        ),
        { numRuns: runs, endOnFailure: true },
      );
    });

    it('any value that the server takes', async () => {
      await fc.assert(
        fc.asyncProperty(values, (batch) =>
          copied((mount) => batch.map((json, i) => [`${mount}data/k${i}`, json])),
        ),
        { numRuns: runs, endOnFailure: true },
      );
    });

    it('any value over any other: one version more at most', async () => {
      await fc.assert(
        fc.asyncProperty(values, values, async (before, after) => {
          const mount = await pair.mount();
          const at = (batch: readonly string[]) =>
            batch.map((json, i) => [`${mount}data/k${i}`, json] as const);
          const first = await fill(pair.origin, at(before));
          await pair.sync(mount);
          const second = await fill(pair.origin, at(after));
          await pair.sync(mount);
          const now = new Map([...first, ...second]);
          expect(sorted(await textsOf(pair.destination, mount))).toEqual(sorted(now));
          for (const path of now.keys()) {
            // Written anew with the same text it may be either: the origin has two versions of it, too.
            const both = first.has(path) && second.has(path);
            const versions = both && first.get(path) === second.get(path) ? [1, 2] : [both ? 2 : 1];
            expect(versions).toContain(await pair.destination.versionOf(path));
          }
        }),
        { numRuns: Math.ceil(runs / 2), endOnFailure: true },
      );
    });

    it('any target of a transform: written under exactly that name, or reported; nothing lands elsewhere', async () => {
      const anyTarget = fc.oneof(
        { weight: 3, arbitrary: name },
        {
          weight: 2,
          arbitrary: fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
        },
        {
          weight: 2,
          arbitrary: fc
            .tuple(
              fc.constantFrom('x', 'x/y'),
              fc.constantFrom('.', '..', './', '../x', '../../../sys', '%2e%2e', '\ud800', '\u007f', ''),
              fc.constantFrom('', '/z', '/'),
            )
            .map(([head, odd, tail]) => `${head}/${odd}${tail}`),
        },
      );
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(anyTarget, { minLength: 10, maxLength: 25 }), async (batch) => {
          const mount = await pair.mount();
          // What a rule makes of slashes is the Go program's: several are one.
          const targets = [...new Set(batch.map((each) => `${mount}data/${each}`.replace(/\/{2,}/g, '/')))];
          const transforms = targets.map((to, i) => ({
            name: `${i}`,
            from: `^(?P<g_g>${mount})data/k${i}$`,
            to,
          }));
          for (const i of targets.keys()) await pair.origin.put(`${mount}data/k${i}`, { i });
          const run = await pair.sync(mount, { transforms }, [0, 3]);
          const failed = new Set(pathsOf(run, 'path.error'));
          const wanted = new Map(
            targets.flatMap((target, i) =>
              failed.has(`${mount}data/k${i}`) ? [] : [[target, `{"i":${i}}`] as const],
            ),
          );
          expect(sorted(await textsOf(pair.destination, mount))).toEqual(sorted(wanted));
          expect(run.code).toBe(failed.size > 0 ? 3 : 0);
          for (const [i, target] of targets.entries()) {
            // Whatever can be named is refused by the server alone, not by us.
            const local = segmentsProblem(target) !== undefined || target === `${mount}data/`;
            if (local) expect(failed, target).toContain(`${mount}data/k${i}`);
          }
        }),
        { numRuns: runs, endOnFailure: true },
      );
    });
  });
});

function sorted(texts: ReadonlyMap<string, string>): [string, string][] {
  return [...texts].sort(([a], [b]) => (a < b ? -1 : 1));
}

describe.runIf(runRealServers)('sizes, to a Vault with raft storage', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await Pair.real({ stored: true });
  });
  afterAll(() => pair?.stop());

  it('what the storage cannot take fails by itself, is said so, and everything else is copied', async () => {
    const mount = await pair.mount();
    const path = (key: string) => `${mount}data/${key}`;
    const fits = new Map<string, unknown>([
      [path('a million'), { text: 'x'.repeat(1_000_000) }],
      [path('last'), { n: 4 }],
    ]);
    const refused = new Map<string, unknown>([
      [path('one mebibyte'), { text: 'x'.repeat(1024 * 1024) }],
      [path('three'), { text: 'ü'.repeat(1_500_000) }],
      // Of the storage's 32 KiB for a key a part is taken by what Vault puts before it. Vault's own time grows with the square.
      [path('k'.repeat(20_000)), { n: 2 }],
    ]);
    for (const [at, value] of [...fits, ...refused]) await pair.origin.put(at, value);
    const run = await pair.sync(mount, {}, [3]);
    expect(pathsOf(run, 'path.error')).toEqual([...refused.keys()].sort());
    expect(cycleEnd(run)).toMatchObject({ result: 'partial', add: 2, failed: 3 });
    expect(new Map(Object.entries(await pair.destination.values(mount)))).toEqual(fits);
    expect(run.stderr).not.toContain('xxxxxxxx');
  });
});

describe('sizes, in memory', () => {
  let pair: EmbeddedPair;
  beforeAll(async () => {
    pair = await Pair.embedded('vault', 'vault');
  });
  afterAll(() => pair?.stop());

  it('names of 64 KiB and a value of one mebibyte, where the servers take them: copied', async () => {
    const mount = await pair.mount();
    const secrets = new Map<string, unknown>([
      [`${mount}data/${'k'.repeat(65_536)}`, { n: 1 }],
      [`${mount}data/${`${'f'.repeat(327)}/`.repeat(199)}k`, { n: 2 }],
      [`${mount}data/value`, { text: 'x'.repeat(1024 * 1024) }],
    ]);
    for (const [path, value] of secrets) await pair.origin.put(path, value);
    await pair.sync(mount);
    expect(new Map(Object.entries(await pair.destination.values(mount)))).toEqual(secrets);
  });

  it.each([414, 431, 400, 413])(
    'a proxy that refuses long addresses with %i: that one fails, the others are copied',
    async (status) => {
      const mount = await pair.mount();
      for (const key of ['a', 'b']) await pair.origin.put(`${mount}data/${key}`, { key });
      const transforms = [
        { name: 'long', from: `^(?P<m>${mount})data/a$`, to: `${mount}data/${'k'.repeat(65_536)}` },
      ];
      const { faults } = pair.embedded.destination;
      faults.add({
        match: ({ target }) => target.length > 8192,
        action: { kind: 'answer', answer: { status, body: '<html>too long</html>' } },
      });
      const run = await pair.sync(mount, { transforms }, [3]);
      faults.clear();
      expect(pathsOf(run, 'path.error')).toEqual([`${mount}data/a`]);
      expect(await pair.destination.values(mount)).toEqual({ [`${mount}data/b`]: { key: 'b' } });
    },
  );

  it('names that are together too much for one bucket: nothing is published, and it says what to do', async () => {
    const mount = await pair.mount();
    await pair.origin.put(`${mount}data/a`, { n: 1 });
    await pair.sync(mount);
    for (let i = 0; i < 9; i += 1) await pair.origin.put(`${mount}data/${'k'.repeat(65_536)}${i}`, { i });
    const run = await pair.once('origin', mount, {}, [78]);
    expect(errorIds(run)).toEqual(['CONSUL_VALUE_TOO_LARGE']);
    expect(cycleEnd(await pair.once('destination', mount)).result).toBe('noop');
  });
});
