import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd, errorIds, pathsOf } from '../support/log-reading.ts';
import { World } from '../support/world.ts';

/** What Vault allows in a name or a value comes through unchanged. */

const names = [
  ...[
    'with space',
    ' leading and trailing ',
    'per%cent',
    'encoded%2Fslash',
    'sha#rp',
    'quest?ion=1',
    'plus+',
  ],
  ...[
    'back\\slash',
    'amp&ersand',
    "quote'",
    'double"quote',
    'angle<b>',
    'semi;colon',
    'co:lon',
    'a=b',
    '~',
    '*',
  ],
  ...['.a', 'a.', '..x', 'x..', 'a..b', '...', 'é', '中文', 'Ω/ω', '😀', 'e\u0301', 'ﬀ'],
  ...['App', 'app', 'data', 'metadata', 'data/data', 'index', 'vsyncChecks/x', '__proto__', 'constructor'],
  ...['leaf', 'leaf/and folder', 'leaf/and folder/of one name', 'x'.repeat(200)],
  Array.from({ length: 30 }, (_, depth) => `level${depth}`).join('/'),
];

describe.runIf(runRealServers)('names and values', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  it('odd names: copied, found in sync as they are, and deleted', async () => {
    const scope = await world.scope();
    await Promise.all(names.map((name) => world.origin.put(scope.path(name), { name })));
    expect(countsOf(await scope.sync())).toEqual({ add: names.length });
    expect(await world.destination.values(scope.mount)).toEqual(
      Object.fromEntries(names.map((name) => [scope.path(name), { name }])),
    );
    expect(cycleEnd(await scope.sync()).result).toBe('noop');

    await Promise.all(names.map((name) => world.origin.softDelete(scope.path(name))));
    await world.origin.put(scope.path('kept'), {});
    const top = { guards: { enabled: false } };
    await scope.originOnce();
    expect(countsOf(await scope.destinationOnce({ top }))).toEqual({ add: 1, delete: names.length });
    expect(await world.destination.values(scope.mount)).toEqual({ [scope.path('kept')]: {} });
  });

  it('odd keys and texts in a value', async () => {
    const scope = await world.scope();
    const value = Object.fromEntries(
      [...names, '', '\u0000\u001f\u007f', '\n\r\t', '\u2028\u2029', '</script>', '\\"', '"}],', 'é😀'].map(
        (text) => [text, { [text]: [text] }],
      ),
    );
    await world.origin.put(scope.path('a'), value);
    await scope.sync();
    expect((await world.destination.get(scope.path('a')))?.data).toEqual(value);
  });

  it('a value without fields, and one that is null', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('empty'), {});
    await world.origin.put(scope.path('null'), null);
    await world.origin.put(scope.path('null in it'), { k: null });
    await scope.sync();
    expect(await world.destination.all(scope.mount)).toEqual(
      new Map([
        [scope.path('empty'), { data: {}, version: 1 }],
        [scope.path('null'), { data: null, version: 1 }],
        [scope.path('null in it'), { data: { k: null }, version: 1 }],
      ]),
    );
    await world.origin.put(scope.path('empty'), null);
    await world.origin.put(scope.path('null'), { k: 'v' });
    expect(countsOf(await scope.sync())).toEqual({ update: 2 });
    expect(await world.destination.values(scope.mount)).toEqual(await world.origin.values(scope.mount));
  });

  it('numbers: the digits that the origin gives are those that the destination has', async () => {
    const scope = await world.scope();
    const numbers =
      '{"big":12345678901234567890,"odd":9007199254740993,"float":1.10,"whole":1.0,"exp":1e21,"tiny":1e-7,"neg":-0.0}';
    await world.origin.call('POST', scope.path('n'), `{"data":${numbers}}`);
    await scope.sync();
    const served = await world.origin.valueText(scope.path('n'));
    expect(await world.destination.valueText(scope.path('n'))).toBe(served);
    expect(served).toContain('12345678901234567000');
    expect(cycleEnd(await scope.destinationOnce()).result).toBe('noop');
  });

  it('a value of one mebibyte', async () => {
    const scope = await world.scope();
    const value = { text: 'x'.repeat(1024 * 1024) };
    await world.origin.put(scope.path('large'), value);
    await scope.sync();
    expect((await world.destination.get(scope.path('large')))?.data).toEqual(value);
  });

  it('a value that Vault itself cannot give back: that path fails, the others are copied', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('good'), { n: 1 });
    // Vault stores the digits and then answers every read with a 500.
    await world.origin.call('POST', scope.path('bad'), '{"data":{"n":1e400}}');
    await scope.originOnce();
    const top = { retry: { base: '1ms' } };
    const run = await scope.destinationOnce({ top, code: 3 });
    expect(pathsOf(run, 'path.error')).toEqual([scope.path('bad')]);
    expect(errorIds(run)).toEqual(['VAULT_UNAVAILABLE']);
    expect(cycleEnd(run)).toMatchObject({ result: 'partial', failed: 1 });
    expect(await world.destination.values(scope.mount)).toEqual({ [scope.path('good')]: { n: 1 } });
    await world.origin.put(scope.path('bad'), { n: 2 });
    expect(countsOf(await scope.sync())).toEqual({ add: 1 });
  });

  it('a key with metadata only is no secret, and no reason to warn', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 1 });
    await world.origin.writeMetadata(scope.path('metadata only'), { max_versions: 5 });
    const origin = await scope.originOnce();
    expect(origin.log.filter(({ level }) => level !== 'info')).toEqual([]);
    await scope.destinationOnce();
    expect(await world.destination.paths(scope.mount)).toEqual([scope.path('a')]);
    await world.origin.put(scope.path('metadata only'), { n: 2 });
    expect(countsOf(await scope.sync())).toEqual({ add: 1 });
  });
});
