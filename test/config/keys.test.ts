import { describe, expect, it } from 'vitest';
import { aliases, isNotSupportedYet } from '../../src/config/aliases.ts';
import { findFlag, flagSpecs } from '../../src/config/flags.ts';
import { findGroup, findKey, groupSpecs, keySpec, keySpecs } from '../../src/config/keys.ts';

/** go-vsync.md, section 2.4, and operations.md, section 12. */
const expected = {
  shared: [
    'name',
    'log.level',
    'log.type',
    'numBuckets',
    'ignoreDeletes',
    'guards.enabled',
    'guards.maxDeletes',
    'guards.maxDeleteRatio',
    'guards.allowEmptyOrigin',
    'retry.base',
    'retry.max',
    'retry.attempts',
    'startupTimeout',
    'shutdownTimeout',
  ],
  bothSides: [
    'vault.address',
    'vault.token',
    'vault.token_file',
    'vault.namespace',
    'vault.approle.path',
    'vault.approle.role_id',
    'vault.approle.role_id_file',
    'vault.approle.secret_id',
    'vault.approle.secret_id_file',
    'vault.requestTimeout',
    'vault.maxRetries',
    'vault.rateLimit',
    'consul.address',
    'consul.dc',
    'consul.remoteDc',
    'consul.token',
    'consul.token_file',
    'consul.namespace',
    'consul.partition',
    'consul.requestTimeout',
    'consul.rateLimit',
    'mounts',
    'syncPath',
    'numWorkers',
    'tick',
    'timeout',
    'cron',
    'timezone',
    'jitter',
    'runOnStart',
    'renewToken',
    'include',
    'exclude',
    ...['vault', 'consul'].flatMap((server) =>
      ['ca_cert', 'ca_path', 'client_cert', 'client_key', 'server_name', 'skip_verify'].map(
        (name) => `${server}.tls.${name}`,
      ),
    ),
  ],
  origin: ['maxFailedPaths'],
  destination: ['transforms', 'watch', 'onConflict', 'batchSize'],
};

describe('the keys', () => {
  it('are those of the references, no more', () => {
    const all = [
      ...expected.shared,
      ...['origin', 'destination'].flatMap((side) => expected.bothSides.map((name) => `${side}.${name}`)),
      ...expected.origin.map((name) => `origin.${name}`),
      ...expected.destination.map((name) => `destination.${name}`),
    ];
    expect(keySpecs.map(({ key }) => key).sort()).toEqual(all.sort());
  });

  it('have one sentence of description each', () => {
    for (const { key, description } of keySpecs) expect(description, key).toMatch(/^[A-Z][^\n]+\.$/);
    for (const { group, description } of groupSpecs) expect(description, group).toMatch(/\.$/);
  });

  it('have environment names that are all different, and flags', () => {
    expect(new Set(keySpecs.map(({ env }) => env)).size).toBe(keySpecs.length);
    expect(keySpec('origin.vault.approle.role_id')).toMatchObject({
      env: 'VSYNC_ORIGIN_VAULT_APPROLE_ROLE_ID',
      flag: '--origin.vault.approle.role_id',
      fileKey: 'origin.vault.approle.role_id_file',
      pattern: '*.vault.approle.role_id',
      from: 'documented',
    });
    expect(keySpec('numBuckets').env).toBe('VSYNC_NUMBUCKETS');
  });

  it('give every secret a file twin whose variable is the _FILE twin', () => {
    const secrets = keySpecs.filter(({ kind }) => kind === 'secret');
    expect(secrets).toHaveLength(8);
    for (const { fileKey, env } of secrets)
      expect(keySpec(fileKey ?? '')).toMatchObject({ path: 'secret', env: `${env}_FILE` });
  });

  it('know which role reads them', () => {
    expect(keySpec('origin.tick').readBy).toEqual(['origin']);
    expect(keySpec('origin.vault.token').readBy).toEqual(['origin', 'destination']);
    expect(keySpec('destination.tick').readBy).toEqual(['destination']);
    expect(keySpec('numBuckets').readBy).toEqual(['origin', 'destination']);
  });

  it('have the defaults of the references', () => {
    const defaults = Object.fromEntries(
      keySpecs.filter((spec) => spec.default !== undefined).map((spec) => [spec.key, spec.default]),
    );
    expect(defaults).toMatchObject({
      'log.level': 'info',
      'log.type': 'console',
      ignoreDeletes: false,
      'origin.vault.approle.path': 'approle',
      'origin.vault.requestTimeout': '60s',
      'origin.vault.maxRetries': 4,
      'origin.syncPath': 'vsync/',
      'origin.numWorkers': 1,
      'origin.tick': '1m',
      'origin.timeout': '5m',
      'origin.timezone': 'UTC',
      'origin.jitter': '0s',
      'origin.runOnStart': true,
      'origin.renewToken': true,
      'origin.maxFailedPaths': '10%',
      'destination.watch': true,
      'destination.onConflict': 'overwrite',
      'destination.batchSize': 100,
      'destination.transforms': [],
      'guards.enabled': true,
      'guards.maxDeletes': 50,
      'guards.maxDeleteRatio': 0.1,
      'guards.allowEmptyOrigin': false,
      'retry.base': '250ms',
      'retry.max': '1m',
      startupTimeout: '0s',
      shutdownTimeout: '25s',
    });
    for (const key of ['numBuckets', 'destination.renewToken', 'origin.mounts', 'retry.attempts'])
      expect(defaults).not.toHaveProperty(key);
  });

  it('are found in any case, groups too', () => {
    expect(findKey('ORIGIN.syncpath')?.key).toBe('origin.syncPath');
    expect(findGroup('Origin.Vault.TLS')).toBe('origin.vault.tls');
    expect(findKey('origin.vault')).toBeUndefined();
    expect(() => keySpec('origin.nothing')).toThrow('no such configuration key');
  });

  it('are not the names of aliases or of features to come', () => {
    for (const { from, to } of aliases) {
      expect(findKey(from), from).toBeUndefined();
      for (const key of to) expect(findKey(key)?.key).toBe(key);
    }
    expect(keySpecs.filter(({ key }) => isNotSupportedYet(key))).toEqual([]);
    for (const key of [
      'lock.ttl',
      'http.listen',
      'telemetry.otlp',
      'heartbeatUrl',
      'destination.copyMetadata',
      'origin.vault.auth.method',
    ]) {
      expect(isNotSupportedYet(key), key).toBe(true);
    }
  });
});

describe('the flags', () => {
  it('have names that are all different, and one for each key but transforms', () => {
    expect(new Set(flagSpecs.map(({ name }) => name)).size).toBe(flagSpecs.length);
    for (const { key, kind } of keySpecs)
      expect(findFlag(key) !== undefined, key).toBe(kind !== 'transforms');
  });

  it('hold every flag of Go vsync and of its documentation', () => {
    for (const side of ['origin', 'destination']) {
      for (const name of [
        'consul.address',
        'consul.dc',
        'vault.address',
        'vault.token',
        'vault.approle.path',
        'vault.approle.role_id',
      ]) {
        expect(findFlag(`${side}.${name}`)?.key.origin).toBe(`${side}.${name}`);
      }
      expect(findFlag(`${side}.vault.role_id`)?.key.destination).toBe(`${side}.vault.approle.role_id`);
      expect(findFlag(`${side}.vault.secret_id`)?.key.destination).toBe(`${side}.vault.approle.secret_id`);
      expect(findFlag(`${side}.dc`)?.key.destination).toBe(`${side}.consul.dc`);
    }
    expect(findFlag('log.level')).toMatchObject({ key: { origin: 'log.level' }, value: 'required' });
  });

  it('mean the side of the role where they are short', () => {
    for (const [name, key] of [
      ['tick', 'tick'],
      ['cron', 'cron'],
      ['timezone', 'timezone'],
      ['timeout', 'timeout'],
      ['workers', 'numWorkers'],
      ['include', 'include'],
      ['exclude', 'exclude'],
    ] as const) {
      expect(findFlag(name)).toMatchObject({
        key: { origin: `origin.${key}`, destination: `destination.${key}` },
        short: true,
      });
    }
    expect(findFlag('max-deletes')?.key).toEqual({
      origin: 'guards.maxDeletes',
      destination: 'guards.maxDeletes',
    });
    expect(findFlag('ignore-deletes')).toMatchObject({ value: 'optional', implied: 'true' });
    expect(findFlag('no-watch')).toMatchObject({ value: 'none', implied: 'false' });
  });

  it('warn where the value is a secret', () => {
    expect(findFlag('origin.vault.token')?.warning).toBe('visible in ps; use --origin.vault.token_file');
    expect(findFlag('destination.vault.secret_id')?.warning).toContain(
      '--destination.vault.approle.secret_id_file',
    );
    expect(findFlag('origin.vault.token_file')?.warning).toBeUndefined();
  });
});
