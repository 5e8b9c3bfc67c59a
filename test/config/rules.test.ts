import { describe, expect, it } from 'vitest';
import { configOf, destinationKeys, load, originKeys, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const file = folder.write('file', 'from-file\n');
const { 'origin.vault.token': _token, ...noLogin } = originKeys;

/** Lines without the column of the one-line JSON that these tests write. */
const lines = async (keys: object, options = {}) =>
  (await load({ ...keys }, options)).lines.map((line) => line.replace(/stdin:1:\d+/, 'stdin'));

describe('logging in', () => {
  it.each([
    {
      name: 'neither token nor AppRole',
      keys: noLogin,
      says: 'error origin.vault.token: is missing: nothing to log in to the origin Vault with - set origin.vault.token_file or origin.vault.token, or origin.vault.approle.role_id and .secret_id',
    },
    {
      name: 'an empty token',
      keys: { ...noLogin, 'origin.vault.token': '' },
      says: 'error stdin origin.vault.token: is missing',
    },
    {
      name: 'a secret_id alone',
      keys: { ...noLogin, 'origin.vault.approle.secret_id': 's' },
      says: 'error origin.vault.approle.role_id: is missing - secret_id alone is no login',
    },
    {
      name: 'token and token_file',
      keys: { ...originKeys, 'origin.vault.token_file': file },
      says: 'error stdin origin.vault.token_file: is set, and so is origin.vault.token - remove one of them',
    },
    {
      name: 'role_id and role_id_file',
      keys: { ...noLogin, 'origin.vault.approle': { role_id: 'r', role_id_file: file } },
      says: 'error stdin origin.vault.approle.role_id_file: is set, and so is origin.vault.approle.role_id',
    },
    {
      name: 'consul token and token_file',
      keys: { ...originKeys, 'origin.consul.token': 't', 'origin.consul.token_file': file },
      says: 'error stdin origin.consul.token_file: is set, and so is origin.consul.token',
    },
  ])('$name is an error', async ({ keys, says }) => {
    const loaded = await load(keys);
    expect(loaded.config).toBeUndefined();
    expect((await lines(keys))[0]).toContain(says);
  });

  it('with both the token counts, which is worth a line', async () => {
    const loaded = await load({ ...originKeys, 'origin.vault.approle': { role_id: 'r', secret_id: 's' } });
    expect(configOf(loaded).origin.vault.token?.reveal()).toBe('hvs.canary-one');
    expect(loaded.lines).toEqual([
      expect.stringMatching(
        /^info stdin:1:\d+ origin\.vault\.approle\.role_id: is not used, since a token is set$/,
      ),
    ]);
  });

  it('with AppRole needs no secret_id, and an empty token beside it is none', async () => {
    const loaded = await load({ ...noLogin, 'origin.vault': { token: '', approle: { role_id: 'r' } } });
    expect(configOf(loaded).origin.vault.approle.roleId?.reveal()).toBe('r');
    expect(loaded.lines).toEqual([]);
  });

  it('the better source of token and token_file counts', async () => {
    const loaded = await load(originKeys, { env: { VSYNC_ORIGIN_VAULT_TOKEN_FILE: file } });
    expect(configOf(loaded).origin.vault.token?.reveal()).toBe('from-file');
    expect(loaded.lines).toEqual([
      expect.stringMatching(
        /^info stdin:1:\d+ origin\.vault\.token: is not used, since origin\.vault\.token_file is set by env VSYNC_ORIGIN_VAULT_TOKEN_FILE$/,
      ),
    ]);
  });
});

describe('mounts', () => {
  it.each([
    {
      name: 'a missing final slash',
      mounts: ['kv'],
      is: ['kv/'],
      says: ['warning stdin origin.mounts[0]: "kv" is not written as a mount - write "kv/" (used as that)'],
    },
    {
      name: 'a leading slash',
      mounts: ['kv/', '/x/'],
      is: ['kv/', 'x/'],
      says: ['warning stdin origin.mounts[1]: "/x/" is not written as a mount - write "x/" (used as that)'],
    },
    {
      name: 'one twice',
      mounts: ['kv/', 'kv/'],
      is: ['kv/'],
      says: ['warning stdin origin.mounts[1]: "kv/" is there twice'],
    },
    {
      name: 'one inside another',
      mounts: ['a/b/', 'a/'],
      is: ['a/b/', 'a/'],
      says: ['warning stdin origin.mounts[0]: "a/b/" lies inside "a/", but mounts do not nest'],
    },
    { name: 'one with a similar name', mounts: ['kv/', 'kv-us/'], is: ['kv/', 'kv-us/'], says: [] },
  ])('$name', async ({ mounts, is, says }) => {
    const keys = { ...originKeys, 'origin.mounts': mounts };
    expect(configOf(await load(keys)).origin.mounts).toEqual(is);
    expect(await lines(keys)).toEqual(says);
  });

  it('by the thousand are checked soon', async () => {
    const mounts = Array.from({ length: 5_000 }, (_, i) => `m/${i}/`);
    expect((await load({ ...originKeys, 'origin.mounts': mounts })).config).toBeDefined();
  });
});

describe('syncPath', () => {
  it('loses a leading slash with a warning, gains a final one without', async () => {
    const keys = { ...originKeys, 'origin.syncPath': '/a/b' };
    expect(configOf(await load(keys)).origin.syncPath).toBe('a/b/');
    expect(await lines(keys)).toEqual([
      'warning stdin origin.syncPath: begins with a slash - write "a/b/" (used as that)',
    ]);
  });

  it('with unusual characters is warned of', async () => {
    expect(await lines({ ...originKeys, 'origin.syncPath': 'a b/' })).toEqual([
      'warning stdin origin.syncPath: has characters that some versions of Consul refuse in keys - use letters, digits and , _ . / -',
    ]);
  });

  it('may be the same for both sides in one Consul', async () => {
    const keys = { ...destinationKeys, 'destination.consul.address': 'https://consul.one:8501' };
    expect(await lines(keys, { role: 'destination' })).toEqual([]);
  });
});

describe('time', () => {
  it.each([
    {
      name: 'a request longer than the cycle',
      keys: { ...originKeys, 'origin.vault.requestTimeout': '10m' },
      says: [
        'warning stdin origin.vault.requestTimeout: 10m is longer than origin.timeout (5m), the limit of a whole cycle - make it shorter, or the cycle longer',
      ],
    },
    {
      name: 'a cycle shorter than the default request',
      keys: { ...originKeys, 'origin.timeout': '30s' },
      says: [],
    },
    {
      name: 'a first pause longer than the longest',
      keys: { ...originKeys, retry: { base: '2m', max: '1m' } },
      says: ['error stdin retry.base: 2m is longer than retry.max (1m) - make it shorter than retry.max'],
    },
    {
      name: 'tick and cron',
      keys: { ...originKeys, 'origin.tick': '1m', 'origin.cron': '* * * * *' },
      says: ['error stdin origin.cron: is set, and so is origin.tick - remove one of them'],
    },
    { name: 'cron alone', keys: { ...originKeys, 'origin.cron': '*/5 * * * *' }, says: [] },
  ])('$name', async ({ keys, says }) => expect(await lines(keys)).toEqual(says));

  it('of a destination bounds the requests to both sides', async () => {
    const keys = { ...destinationKeys, 'origin.consul.requestTimeout': '2m', 'destination.timeout': '1m' };
    expect(await lines(keys, { role: 'destination' })).toEqual([
      expect.stringContaining('origin.consul.requestTimeout: 2m is longer than destination.timeout (1m)'),
    ]);
  });
});

describe('TLS', () => {
  it.each([
    {
      name: 'a certificate without key',
      tls: { client_cert: file },
      says: ['error origin.vault.tls.client_key: is missing, but origin.vault.tls.client_cert is set'],
    },
    {
      name: 'a key without certificate',
      tls: { client_key: file },
      says: ['error origin.vault.tls.client_cert: is missing, but origin.vault.tls.client_key is set'],
    },
    {
      name: 'no verification',
      tls: { skip_verify: true },
      says: [
        'warning stdin origin.vault.tls.skip_verify: is on: whoever is between sees the token and every value - use tls.ca_cert instead',
      ],
    },
    {
      name: 'all of it',
      tls: { ca_cert: file, ca_path: folder.path, client_cert: file, client_key: file, server_name: 'x' },
      says: [],
    },
  ])('$name', async ({ tls, says }) =>
    expect(await lines({ ...originKeys, 'origin.vault.tls': tls })).toEqual(says),
  );

  it('options for an http address have no effect', async () => {
    const keys = {
      ...originKeys,
      'origin.vault.address': 'http://vault.one:8200',
      'origin.vault.tls.ca_cert': file,
    };
    expect(await lines(keys)).toEqual([
      'warning stdin origin.vault.tls.ca_cert: has no effect: origin.vault.address is http - write https:// in the address',
    ]);
  });
});

describe('deliberate choices', () => {
  const keys = { ...destinationKeys, 'guards.enabled': false, 'origin.vault.tls.skip_verify': true };

  it('are repeated as warnings, also in strict mode', async () => {
    for (const strict of [false, true]) {
      const loaded = await load(keys, { role: 'destination', strict });
      expect(loaded.config).toBeDefined();
      expect(loaded.problems.map(({ severity, key }) => `${severity} ${key}`)).toEqual([
        'warning origin.vault.tls.skip_verify',
        'warning guards.enabled',
      ]);
    }
  });

  it('that the role does not use are not', async () => {
    expect(
      await lines({ ...originKeys, 'guards.enabled': false, 'destination.vault.tls.skip_verify': true }),
    ).toEqual([]);
  });
});
