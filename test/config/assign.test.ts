import { describe, expect, it } from 'vitest';
import { configOf, load, originKeys } from './support.ts';

const nested = {
  origin: {
    vault: { address: 'https://vault.one:8200', token: 't' },
    consul: { address: 'https://consul.one:8501', dc: 'fra' },
    mounts: ['kv/'],
  },
};
const expected = {
  origin: {
    vault: { address: 'https://vault.one:8200' },
    consul: { address: 'https://consul.one:8501', dc: 'fra' },
  },
};

describe('keys', () => {
  it.each([
    { name: 'nested', content: nested },
    {
      name: 'in other cases',
      content: {
        ORIGIN: {
          Vault: { ADDRESS: 'https://vault.one:8200', Token: 't' },
          CONSUL: nested.origin.consul,
          MOUNTS: ['kv/'],
        },
      },
    },
    { name: 'dotted', content: { ...originKeys, 'origin.consul.dc': 'fra' } },
    {
      name: 'dotted and nested mixed',
      content: {
        'origin.consul': { dc: 'fra' },
        origin: {
          'vault.token': 't',
          'consul.address': 'https://consul.one:8501',
          vault: { address: 'https://vault.one:8200' },
          Mounts: 'kv/',
        },
      },
    },
    {
      name: 'with null groups beside',
      content: { ...originKeys, origin: null, 'origin.consul': null, 'Origin.Consul.DC': 'fra' },
    },
    { name: 'with a $schema', content: { $schema: './vsync.schema.json', ...nested } },
  ])('$name are the same', async ({ content }) => {
    const loaded = await load(content);
    expect(loaded.lines).toEqual([]);
    expect(configOf(loaded)).toMatchObject(expected);
  });

  it.each([
    {
      name: 'exactly',
      text: '{"name": "a",\n "name": "b"}',
      says: 'error stdin:2:2 name: is there twice; the first one is at stdin:1:2 - keep one of them',
    },
    {
      name: 'in another case',
      text: '{"name": "a",\n "NAME": "b"}',
      says: 'error stdin:2:2 name: is there twice',
    },
    {
      name: 'dotted',
      text: '{"origin.tick": "1m",\n "origin": {"tick": "2m"}}',
      says: 'error stdin:2:13 origin.tick: is there twice; the first one is at stdin:1:2',
    },
    {
      name: 'as a group',
      text: '{"origin": {"tick": "1m"},\n "origin": {"timeout": "2m"}}',
      says: 'error stdin:2:2 origin: is there twice',
    },
    {
      name: 'in YAML',
      text: 'name: a\nname: b\n',
      says: 'error stdin:2:1 name: is there twice; the first one is at stdin:1:1',
    },
    {
      name: 'in a YAML flow',
      text: 'log: {level: info,\n  level: debug}',
      says: 'error stdin:2:3 log.level: is there twice',
    },
  ])('that are there twice ($name) are an error with both places', async ({ text, says }) => {
    const { lines, config } = await load(text);
    expect(lines.join('\n')).toContain(says);
    expect(config).toBeUndefined();
  });

  it.each([
    { value: 'x', says: 'error stdin:1:2 origin: must hold keys, not a value - such as vault.address' },
    { value: 7, says: 'must hold keys, not a value' },
    { value: false, says: 'must hold keys, not a value' },
    { value: [nested.origin], says: 'must hold keys, not a value' },
  ])('of a group that are no keys ($value) are an error', async ({ value, says }) => {
    expect((await load({ origin: value })).lines.join('\n')).toContain(says);
  });
});

describe('unknown keys', () => {
  it.each([
    { key: 'numBukets', says: 'numBukets: is not a known key - did you mean numBuckets?' },
    {
      key: 'origin.vault.adress',
      says: 'origin.vault.adress: is not a known key - did you mean origin.vault.address?',
    },
    { key: 'orgin', says: 'orgin: is not a known key - did you mean origin?' },
    { key: 'vault.address', says: 'did you mean origin.vault.address or destination.vault.address?' },
    { key: 'somethingElse', says: 'somethingElse: is not a known key' },
    { key: '', says: '(unprintable): is not a known key' },
    { key: '__proto__', says: '__proto__: is not a known key' },
    { key: 'constructor', says: 'constructor: is not a known key' },
  ])('$key: a warning', async ({ key, says }) => {
    const text = JSON.stringify(originKeys).replace('{', `{${JSON.stringify(key)}: {"a": 1}, `);
    const { lines, config } = await load(text);
    expect(config).toBeDefined();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('warning stdin:1:2 ');
    expect(lines[0]).toContain(says);
  });

  it.each([
    'lock',
    'lock.enabled',
    'http.listen',
    'telemetry.statsd.address',
    'heartbeatUrl',
    'destination.deleteMode',
    'origin.vault.auth.method',
    'destination.vault.approle.secret_id_wrapped',
  ])('%s: a warning that it is not supported yet, without a guess', async (key) => {
    const { lines, config } = await load({ [key]: 'x', ...originKeys });
    expect(lines).toEqual([
      `warning stdin:1:2 ${key.replace('secret_id_wrapped', 'secret_id_wrapped')}: is not supported yet - it is ignored; remove it`,
    ]);
    expect(config).toBeDefined();
  });

  it('that may be a secret in the wrong place are not printed', async () => {
    const token = `hvs.${'canary'.repeat(10)}`;
    const { lines } = await load({ [token]: 1, 'origin.vault': { [`token ${token}`]: 1 } });
    expect(lines.join('\n')).not.toContain('canarycanary');
    expect(lines[0]).toContain('hvs.(unprintable): is not a known key');
  });

  it('by the thousand are summarized', async () => {
    const { problems } = await load(
      Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key${i}`, i])),
    );
    const unknown = problems.filter(({ code }) => code === 'CONFIG_UNKNOWN_KEY');
    expect(unknown).toHaveLength(101);
    expect(unknown.at(-1)).toMatchObject({ place: 'stdin', message: 'has 4900 more problems like these' });
  });

  it('and repeated ones by the ten thousand are an error still', async () => {
    const { problems, config } = await load(`{${'"name": 1,'.repeat(10_000)}"name": 2}`);
    expect(config).toBeUndefined();
    expect(problems.filter(({ code }) => code === 'CONFIG_CONFLICT')).toHaveLength(100);
    expect(problems).toContainEqual(
      expect.objectContaining({ severity: 'error', message: 'has 9900 more problems like these' }),
    );
  });

  it('are errors in strict mode, as are all warnings', async () => {
    const { config, lines } = await load(
      { nam: 'x', ...originKeys, 'origin.mounts': 'kv' },
      { strict: true },
    );
    expect(config).toBeUndefined();
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['error', 'error']);
  });
});

describe('old keys', () => {
  it.each([
    {
      key: 'origin.dc',
      value: 'fra',
      is: { origin: { consul: { dc: 'fra' } } },
      says: 'origin.dc: is an old key - write origin.consul.dc (used as that)',
    },
    {
      key: 'origin.timout',
      value: '2m',
      is: { origin: { timeoutMs: 120_000 } },
      says: 'origin.timout: is an old key - write origin.timeout (used as that)',
    },
    {
      key: 'syncPath',
      value: 'a/',
      is: { origin: { syncPath: 'a/' } },
      says: 'syncPath: is an old key - write origin.syncPath and destination.syncPath (used as that)',
    },
    {
      key: 'logLevel',
      value: 'debug',
      is: { log: { level: 'debug' } },
      says: 'logLevel: is an old key - write log.level (used as that)',
    },
    { key: 'LOGLEVEL', value: 'debug', is: { log: { level: 'debug' } }, says: 'logLevel: is an old key' },
    {
      key: 'dataPaths',
      value: ['x'],
      is: { name: 'origin' },
      says: 'dataPaths: is an old key - it is ignored; write origin.mounts and destination.mounts',
    },
    {
      key: 'pprof',
      value: true,
      is: { name: 'origin' },
      says: 'pprof: is an old key - it is ignored: this vsync has no profiler port',
    },
    {
      key: 'origin.vault.role_id',
      value: 'r',
      is: { origin: { vault: { approle: { roleId: expect.anything() } } } },
      says: 'origin.vault.role_id: is an old key - write origin.vault.approle.role_id',
    },
  ])('$key: $value', async ({ key, value, is, says }) => {
    const loaded = await load({ ...originKeys, [key]: value });
    expect(configOf(loaded)).toMatchObject(is);
    expect(loaded.lines[0]).toMatch(/^warning stdin:1:\d+ /);
    expect(loaded.lines[0]).toContain(says);
  });

  it('destination.dc and syncPath reach a destination', async () => {
    const keys = {
      ...originKeys,
      'destination.vault.address': 'https://two',
      'destination.vault.token': 't',
      'destination.consul.address': 'two',
    };
    const loaded = await load({ ...keys, 'destination.dc': 'iad', syncPath: 'x' }, { role: 'destination' });
    expect(configOf(loaded)).toMatchObject({
      origin: { syncPath: 'x/' },
      destination: { syncPath: 'x/', consul: { dc: 'iad' } },
    });
  });

  it('yield to the new key of the same file, and win over an earlier file', async () => {
    expect(configOf(await load({ ...originKeys, logLevel: 'debug', log: { level: 'warn' } })).log.level).toBe(
      'warn',
    );
    expect(configOf(await load({ ...originKeys, log: { level: 'warn' }, logLevel: 'debug' })).log.level).toBe(
      'warn',
    );
  });
});
