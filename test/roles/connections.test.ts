import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTls } from '../../src/roles/connections.ts';
import { type Authority, authority, hasOpenssl } from '../vault/certificates.ts';
import { clientWithToken, noRetries } from '../vault/clients.ts';
import { startTlsServer, type TlsServer } from '../vault/tls-server.ts';

describe.runIf(hasOpenssl)('TLS of the configuration', () => {
  let dir: string;
  let own: Authority;
  let other: Authority;
  let server: TlsServer;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'vsync-cas-'));
    own = authority('own');
    other = authority('other');
    server = await startTlsServer(own.issue('vault', 'IP:127.0.0.1'), '{"a":1}');
    await writeFile(join(dir, 'a-other.pem'), other.cert);
    await writeFile(join(dir, 'b-own.pem'), own.cert);
    await writeFile(join(dir, 'README'), 'not a certificate');
  });
  afterAll(async () => {
    await server?.close();
    own?.close();
    other?.close();
    await rm(dir, { recursive: true, force: true });
  });

  const ask = async (tls: Parameters<typeof readTls>[0]) => {
    const client = clientWithToken(server.address, 's.token', { tls: await readTls(tls), retry: noRetries });
    try {
      return await client.request({ method: 'GET', path: '/a', about: 'a' });
    } finally {
      await client.close();
    }
  };

  it('takes every authority of ca_path, beside the one of ca_cert', async () => {
    expect(await ask({ caPath: dir, skipVerify: false })).toEqual({ a: 1 });
    expect(await ask({ caCert: other.cert, caPath: dir, skipVerify: false })).toEqual({ a: 1 });
    await expect(ask({ caCert: other.cert, skipVerify: false })).rejects.toMatchObject({
      code: 'VAULT_UNREACHABLE',
    });
  });

  it.each(['/nonexistent', tmpdir()])('says that ca_path %s holds none', async (folder) => {
    const empty = folder === '/nonexistent' ? folder : await mkdtemp(join(folder, 'vsync-none-'));
    await expect(readTls({ caPath: empty, skipVerify: false })).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
    });
  });
});
