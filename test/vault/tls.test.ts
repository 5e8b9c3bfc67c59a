import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { VsyncError } from '../../src/base/errors.ts';
import type { TlsOptions } from '../../src/vault/transport.ts';
import { type Authority, authority, hasOpenssl, type KeyPair } from './certificates.ts';
import { clientWithToken, quickRetries } from './clients.ts';
import { expectNoLeak } from './leaks.ts';
import { startTlsServer, type TlsServer } from './tls-server.ts';

describe.runIf(hasOpenssl)('TLS to a Vault', () => {
  let own: Authority;
  let foreign: Authority;
  let client: KeyPair;
  let foreignClient: KeyPair;
  /** Proves to be 127.0.0.1. */
  let server: TlsServer;
  /** Proves to be vault.test only, and is asked for by its IP. */
  let named: TlsServer;
  /** Wants a client certificate of its own authority. */
  let mutual: TlsServer;

  beforeAll(async () => {
    own = authority('vsync test authority');
    foreign = authority('another authority');
    const byAddress = own.issue('vault', 'IP:127.0.0.1');
    client = own.issue('vsync node', 'DNS:node.test');
    foreignClient = foreign.issue('an intruder', 'DNS:node.test');
    server = await startTlsServer(byAddress, '{"a":1}');
    named = await startTlsServer(own.issue('vault.test', 'DNS:vault.test'), '{"a":1}');
    mutual = await startTlsServer(
      { ...byAddress, ca: own.cert, requestCert: true, rejectUnauthorized: true },
      '{"a":1}',
    );
  });
  afterAll(async () => {
    await Promise.all([server?.close(), named?.close(), mutual?.close()]);
    own?.close();
    foreign?.close();
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  async function request(target: TlsServer, tls: TlsOptions): Promise<unknown> {
    const vault = clientWithToken(target.address, 's.canary', { tls, retry: quickRetries });
    try {
      return await vault.request({ method: 'GET', path: '/secret/data/a', about: 'secret/data/a' });
    } finally {
      sent = vault.requestsSent;
      await vault.close();
    }
  }
  let sent = 0;

  async function expectTlsFailure(target: TlsServer, tls: TlsOptions, why: string): Promise<void> {
    const error: unknown = await request(target, tls).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(VsyncError);
    expect(error).toMatchObject({
      code: 'VAULT_UNREACHABLE',
      class: 'transient',
      retryable: false,
      ambiguous: false,
      why: `TLS: ${why}`,
      hint: expect.stringContaining('origin.vault.tls.ca_cert'),
    });
    expectNoLeak(error, /canary|PRIVATE KEY/);
    expect(sent, 'a certificate does not get better by trying again').toBe(1);
  }

  it('works with the authority of the configuration', async () => {
    expect(await request(server, { ca: own.cert })).toEqual({ a: 1 });
  });

  it('is refused without it, although VAULT_SKIP_VERIFY is set', async () => {
    vi.stubEnv('VAULT_SKIP_VERIFY', 'true');
    await expectTlsFailure(server, {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  it('is refused with another authority', async () => {
    await expectTlsFailure(server, { ca: foreign.cert }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  it('is refused for another name than the address, unless the configuration gives that name', async () => {
    await expectTlsFailure(named, { ca: own.cert }, 'ERR_TLS_CERT_ALTNAME_INVALID');
    await expectTlsFailure(named, { ca: own.cert, serverName: 'other.test' }, 'ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await request(named, { ca: own.cert, serverName: 'vault.test' })).toEqual({ a: 1 });
  });

  it('shows a client certificate', async () => {
    expect(await request(mutual, { ca: own.cert, ...client })).toEqual({ a: 1 });
    expect(mutual.clients.at(-1)).toBe('vsync node');
  });

  it.each([
    { name: 'none', tls: () => ({ ca: own.cert }) },
    { name: 'one of another authority', tls: () => ({ ca: own.cert, ...foreignClient }) },
  ])(
    'with no good client certificate ($name) is a failure that says TLS, and no secret is sent',
    async ({ tls }) => {
      const before = mutual.clients.length;
      const error: unknown = await request(mutual, tls()).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'VAULT_UNREACHABLE' });
      expectNoLeak(error, /canary|PRIVATE KEY/);
      expect(mutual.clients).toHaveLength(before);
    },
  );

  it('is not verified with skipVerify', async () => {
    expect(await request(server, { skipVerify: true })).toEqual({ a: 1 });
    expect(await request(named, { skipVerify: true })).toEqual({ a: 1 });
    await expectTlsFailure(server, { skipVerify: false }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });
});
