import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { placeOf } from '../../src/config/source.ts';
import { configOf, destinationKeys, load, originKeys, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const pem = folder.write('ca.pem', '-----BEGIN CERTIFICATE-----');
const tokenFile = folder.write('token', 'file-token\n');

describe('variables of the shell', () => {
  const env = {
    VAULT_ADDR: 'https://vault.shell:8200',
    VAULT_TOKEN: 'shell-token',
    VAULT_NAMESPACE: 'ns',
    VAULT_CACERT: pem,
    VAULT_CAPATH: folder.path,
    VAULT_CLIENT_CERT: pem,
    VAULT_CLIENT_KEY: pem,
    VAULT_TLS_SERVER_NAME: 'v',
    VAULT_SKIP_VERIFY: '0',
    VAULT_CLIENT_TIMEOUT: '30',
    VAULT_MAX_RETRIES: '7',
    VAULT_RATE_LIMIT: '100:200',
    CONSUL_HTTP_ADDR: 'consul.shell:8501',
    CONSUL_HTTP_SSL: 'true',
    CONSUL_HTTP_SSL_VERIFY: 'true',
    CONSUL_HTTP_TOKEN: 'consul-token',
    CONSUL_NAMESPACE: 'cns',
    CONSUL_PARTITION: 'part',
    CONSUL_CACERT: pem,
    CONSUL_CAPATH: folder.path,
    CONSUL_CLIENT_CERT: pem,
    CONSUL_CLIENT_KEY: pem,
    CONSUL_TLS_SERVER_NAME: 'c',
  };
  const side = {
    vault: {
      address: 'https://vault.shell:8200',
      namespace: 'ns',
      tls: {
        caCert: pem,
        caPath: folder.path,
        clientCert: pem,
        clientKey: pem,
        serverName: 'v',
        skipVerify: false,
      },
      requestTimeoutMs: 30_000,
      maxRetries: 7,
      rateLimit: 100,
    },
    consul: {
      address: 'https://consul.shell:8501',
      namespace: 'cns',
      partition: 'part',
      tls: {
        caCert: pem,
        caPath: folder.path,
        clientCert: pem,
        clientKey: pem,
        serverName: 'c',
        skipVerify: false,
      },
    },
  };

  it('count for the origin in an origin', async () => {
    const loaded = await load({ 'origin.mounts': ['kv/'] }, { env });
    const { origin } = configOf(loaded);
    expect(origin).toMatchObject(side);
    expect(origin.vault.token?.reveal()).toBe('shell-token');
    expect(origin.consul.token?.reveal()).toBe('consul-token');
    const source = loaded.sources.get('origin.vault.address');
    expect(source && placeOf(source)).toBe('env VAULT_ADDR');
  });

  it('count for the destination alone in a destination, and never fill the origin', async () => {
    const loaded = await load({}, { role: 'destination', env });
    expect(loaded.lines.filter((line) => line.startsWith('error'))).toEqual([
      'error origin.vault.address: is missing - set it in the file, or VSYNC_ORIGIN_VAULT_ADDRESS, or --origin.vault.address; VAULT_ADDR is set, but counts for the destination only',
      'error origin.consul.address: is missing - set it in the file, or VSYNC_ORIGIN_CONSUL_ADDRESS, or --origin.consul.address; CONSUL_HTTP_ADDR is set, but counts for the destination only',
      'error origin.vault.token: is missing: nothing to log in to the origin Vault with - set origin.vault.token_file or origin.vault.token, or origin.vault.approle.role_id and .secret_id; VAULT_TOKEN is set, but counts for the destination only',
    ]);
    expect(loaded.lines).toContain(
      'info env CONSUL_HTTP_TOKEN origin.consul.token: is not set by it: it counts for the destination only (Go vsync used it for both)',
    );
    const config = configOf(await load(originKeys, { role: 'destination', env }));
    expect(config).toMatchObject({
      origin: { vault: { address: 'https://vault.one:8200', tls: { skipVerify: false } } },
      destination: side,
    });
    expect(config.origin.vault.namespace).toBeUndefined();
    expect(config.origin.consul.token).toBeUndefined();
  });

  it('yield to files, VSYNC_* and flags', async () => {
    const loaded = await load(
      { ...originKeys, 'origin.vault.maxRetries': 1 },
      { env: { ...env, VSYNC_ORIGIN_VAULT_RATELIMIT: '5' }, flags: { 'origin.vault.namespace': 'flag' } },
    );
    expect(configOf(loaded).origin.vault).toMatchObject({
      address: 'https://vault.one:8200',
      maxRetries: 1,
      rateLimit: 5,
      namespace: 'flag',
    });
    expect(configOf(loaded).origin.vault.token?.reveal()).toBe('hvs.canary-one');
  });

  it('the BAO_ twin is read first', async () => {
    const loaded = await load(
      { 'origin.mounts': ['kv/'] },
      { env: { ...env, BAO_ADDR: 'https://bao', BAO_TOKEN: '' } },
    );
    expect(configOf(loaded).origin.vault.address).toBe('https://bao');
    expect(configOf(loaded).origin.vault.token?.reveal()).toBe('shell-token');
  });

  it('a CA may be given as text', async () => {
    const text = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
    const loaded = await load(originKeys, { env: { VAULT_CACERT: pem, VAULT_CACERT_BYTES: text } });
    expect(configOf(loaded).origin.vault.tls.caCert).toBe(text);
  });

  it('a Consul token file wins over a Consul token, as in Go', async () => {
    const loaded = await load(originKeys, {
      env: { CONSUL_HTTP_TOKEN: 'x', CONSUL_HTTP_TOKEN_FILE: tokenFile },
    });
    expect(configOf(loaded).origin.consul.token?.reveal()).toBe('file-token');
    expect(loaded.lines).toEqual([
      'info env CONSUL_HTTP_TOKEN origin.consul.token: is not used, since origin.consul.token_file is set',
    ]);
  });

  it('a token of the shell does not replace a configured AppRole or token file', async () => {
    for (const [key, value] of [
      ['origin.vault.approle.role_id', 'r'],
      ['origin.vault.token_file', tokenFile],
    ] as const) {
      const { 'origin.vault.token': _, ...others } = originKeys;
      const loaded = await load({ ...others, [key]: value }, { env: { VAULT_TOKEN: 'shell' } });
      expect(configOf(loaded).origin.vault.token?.reveal()).toBe(
        key.endsWith('file') ? 'file-token' : undefined,
      );
      expect(loaded.lines).toEqual([
        `info env VAULT_TOKEN origin.vault.token: is not used, since ${key} is set`,
      ]);
    }
  });

  it('CONSUL_HTTP_SSL gives https to an address without a scheme, wherever it comes from', async () => {
    const address = async (value: string, ssl: string) =>
      configOf(
        await load({ ...originKeys, 'origin.consul.address': value }, { env: { CONSUL_HTTP_SSL: ssl } }),
      ).origin.consul.address;
    expect(await address('c:8500', 'true')).toBe('https://c:8500');
    expect(await address('c:8500', 'false')).toBe('http://c:8500');
    expect(await address('http://c:8500', '1')).toBe('http://c:8500');
  });

  it('CONSUL_HTTP_SSL_VERIFY is the opposite of skip_verify', async () => {
    const skip = async (value: string) =>
      configOf(await load(originKeys, { env: { CONSUL_HTTP_SSL_VERIFY: value } })).origin.consul.tls
        .skipVerify;
    expect([await skip('false'), await skip('0'), await skip('True'), await skip('1')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    const { lines } = await load(originKeys, { env: { CONSUL_HTTP_SSL_VERIFY: 'constructor' } });
    expect(lines).toEqual([
      'error env CONSUL_HTTP_SSL_VERIFY origin.consul.tls.skip_verify: must be true or false (got "constructor")',
    ]);
  });

  it.each([
    {
      name: 'VAULT_AGENT_ADDR',
      says: 'warning env VAULT_AGENT_ADDR: is ignored: Go vsync used it for both Vaults - set origin.vault.address and destination.vault.address',
    },
    {
      name: 'VAULT_PROXY_ADDR',
      says: 'warning env VAULT_PROXY_ADDR: is not supported yet; it is ignored - requests go to Vault directly',
    },
    {
      name: 'CONSUL_HTTP_AUTH',
      says: 'warning env CONSUL_HTTP_AUTH: is not supported yet; it is ignored - use an ACL token: consul.token_file',
    },
  ])('$name is ignored with a warning', async ({ name, says }) => {
    expect((await load(originKeys, { env: { [name]: 'x:canary@y' } })).lines).toEqual([says]);
  });

  it('a wrong value names the variable', async () => {
    expect((await load(originKeys, { env: { VAULT_MAX_RETRIES: 'x' } })).lines).toEqual([
      'error env VAULT_MAX_RETRIES origin.vault.maxRetries: must be a whole number from 0 to 1000 (got "x")',
    ]);
  });
});

describe('~/.vault-token', () => {
  const { 'origin.vault.token': _, ...withoutToken } = originKeys;
  const home = join(folder.path, 'home');
  folder.write('home/.vault-token', 'home-token\n');

  it('is for interactive commands, of the side that the process lives on, when nothing else is set', async () => {
    const loaded = await load(withoutToken, { home, interactive: true });
    expect(configOf(loaded).origin.vault.token?.reveal()).toBe('home-token');
    expect(configOf(loaded).origin.vault.tokenFile).toBe(join(home, '.vault-token'));
    expect((await load(withoutToken, { home })).config).toBeUndefined();
    expect(
      configOf(await load(originKeys, { home, interactive: true })).origin.vault.tokenFile,
    ).toBeUndefined();
    expect(
      configOf(await load(withoutToken, { home, interactive: true, env: { VAULT_TOKEN: 'x' } })).origin.vault
        .tokenFile,
    ).toBeUndefined();
    const { 'destination.vault.token': __, 'origin.vault.token': ___, ...neither } = destinationKeys;
    const destination = await load(neither, { home, interactive: true, role: 'destination' });
    expect(destination.lines.filter((line) => line.startsWith('error'))).toEqual([
      expect.stringContaining('origin.vault.token: is missing'),
    ]);
  });

  it('that is no file is not there', async () => {
    mkdirSync(join(folder.path, 'other/.vault-token'), { recursive: true });
    const { lines } = await load(withoutToken, { home: join(folder.path, 'other'), interactive: true });
    expect(lines).toEqual([expect.stringContaining('origin.vault.token: is missing')]);
  });
});
