import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { showConfig } from '../../src/config/show.ts';
import { placeOf } from '../../src/config/source.ts';
import { configOf, destinationKeys, lineOf, load, originKeys, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const { 'origin.vault.token': _, ...withoutToken } = originKeys;

describe('*_file keys', () => {
  it('give the contents of the file, and keep its name', async () => {
    const token = folder.write('token', 'hvs.abc\r\n\n');
    const loaded = await load({ ...withoutToken, 'origin.vault.token_file': token });
    const { vault } = configOf(loaded).origin;
    expect(vault.token?.reveal()).toBe('hvs.abc');
    expect(vault.tokenFile).toBe(token);
    const source = loaded.sources.get('origin.vault.token');
    expect(source && placeOf(source)).toMatch(/\/token \(named by stdin:1:\d+\)$/);
  });

  it('are there for every secret, in the environment as the _FILE twin', async () => {
    const env = Object.fromEntries(
      ['VAULT_APPROLE_ROLE_ID', 'VAULT_APPROLE_SECRET_ID', 'CONSUL_TOKEN'].map((name) => [
        `VSYNC_ORIGIN_${name}_FILE`,
        folder.write(name, `${name}-content`),
      ]),
    );
    const { vault, consul } = configOf(await load(withoutToken, { env })).origin;
    expect(vault.approle.roleId?.reveal()).toBe('VAULT_APPROLE_ROLE_ID-content');
    expect(vault.approle.secretId?.reveal()).toBe('VAULT_APPROLE_SECRET_ID-content');
    expect(consul.token?.reveal()).toBe('CONSUL_TOKEN-content');
    expect(vault.approle.secretIdFile).toBe(join(folder.path, 'VAULT_APPROLE_SECRET_ID'));
  });

  it('are relative to the working directory, or to the home with ~/', async () => {
    folder.write('sub/t', 'x');
    const options = { cwd: join(folder.path, 'sub'), home: folder.path };
    for (const name of ['t', './t', '~/sub/t']) {
      const loaded = await load({ ...withoutToken, 'origin.vault.token_file': name }, options);
      expect(configOf(loaded).origin.vault.tokenFile).toBe(join(folder.path, 'sub/t'));
    }
  });

  mkdirSync(join(folder.path, 'folder'));
  it.each([
    { name: 'missing', content: undefined, says: 'does not exist' },
    { name: 'empty', content: '', says: 'is empty - it must hold origin.vault.token' },
    { name: 'newline', content: '\n', says: 'is empty - it must hold origin.vault.token' },
    { name: 'folder', content: undefined, says: 'is a directory, not a file' },
    {
      name: 'lines',
      content: 'hvs.canary\nmore',
      says: 'holds a line break or another control character - give the secret alone, on one line',
    },
    { name: 'large', content: 'canary'.repeat(400_000), says: 'is larger than 1024 KiB' },
  ])('with a file that is unusable ($name) are an error that names it', async ({ name, content, says }) => {
    const file = join(folder.path, name);
    if (content !== undefined) folder.write(name, content);
    const loaded = await load({ ...withoutToken, 'origin.vault.token_file': file });
    expect(loaded.config).toBeUndefined();
    expect(loaded.lines).toHaveLength(1);
    expect(loaded.lines[0]).toMatch(/^error stdin:1:\d+ origin\.vault\.token_file: /);
    expect(loaded.lines[0]).toContain(`${file} ${says}`);
    expect(loaded.lines[0]).not.toContain('canary');
  });

  it('with a name that no file can have are an error', async () => {
    const loaded = await load({
      ...withoutToken,
      'origin.vault.token_file': 'a\0b',
      'origin.vault.tls.ca_cert': 'a\0b',
    });
    expect(loaded.lines.filter((line) => line.startsWith('error'))).toHaveLength(2);
  });

  it('of the side that is not used are not read', async () => {
    const loaded = await load({ ...originKeys, 'destination.vault.token_file': '/nonexistent' });
    expect(loaded.lines).toEqual([]);
  });
});

describe('TLS files', () => {
  it('must be there, and are made absolute', async () => {
    folder.write('ca.pem', 'x');
    const options = { cwd: folder.path };
    expect(
      configOf(await load({ ...originKeys, 'origin.vault.tls.ca_cert': 'ca.pem' }, options)).origin.vault.tls
        .caCert,
    ).toBe(join(folder.path, 'ca.pem'));
    const { lines } = await load(
      {
        ...originKeys,
        'origin.consul.tls': { ca_path: 'none', client_cert: 'ca.pem', client_key: 'key.pem' },
      },
      options,
    );
    expect(lines.map((line) => line.replace(/stdin:1:\d+/, 'stdin').replaceAll(folder.path, ''))).toEqual([
      'error stdin origin.consul.tls.ca_path: /none does not exist',
      'error stdin origin.consul.tls.client_key: /key.pem does not exist',
    ]);
  });
});

it('no secret is in problems, in what is shown, or in a printed configuration', async () => {
  const secretFile = folder.write('canary-file', 'hvs.canary-in-file');
  const keys = {
    ...destinationKeys,
    'origin.vault.approle': { role_id: 'canary-role', secret_id: 'canary-secret' },
    'origin.consul.token': 'canary-consul',
    'destination.consul.token_file': secretFile,
  };
  const loaded = await load(keys, {
    role: 'destination',
    flags: { 'destination.vault.token': 'hvs.canary-flag' },
    env: {
      VSYNC_DESTINATION_VAULT_APPROLE_ROLE_ID: 'canary-env',
      VAULT_TOKEN: 'canary-shell',
      CONSUL_HTTP_TOKEN: 'canary-shell',
    },
  });
  const config = configOf(loaded);
  expect(config.origin.consul.token?.reveal()).toBe('canary-consul');
  const shown = showConfig(config, loaded.sources).map((row) => Object.values(row).join(' '));
  const everything = [
    JSON.stringify(config),
    inspect(config, { depth: 9, showHidden: true }),
    ...shown,
    ...loaded.problems.map(lineOf),
    JSON.stringify([...loaded.sources]),
  ];
  // The name of the file may be printed.
  expect(everything.join('\n').replaceAll('canary-file', '')).not.toContain('canary');

  const broken = Object.fromEntries(
    [
      'origin.vault.token',
      'origin.vault.approle.role_id',
      'origin.vault.approle.secret_id',
      'origin.consul.token',
    ].flatMap((key) => [
      [key, 'canary\n'],
      [`${key}x`, 'canary'],
    ]),
  );
  for (const value of [broken, Object.fromEntries(Object.keys(broken).map((key) => [key, ['canary']]))]) {
    const { lines, config: none } = await load(value);
    expect(none).toBeUndefined();
    expect(lines.join('\n')).not.toContain('canary');
  }
});
