import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConnection } from '../../src/commands/doctor/check-connection.ts';
import { Report } from '../../src/commands/doctor/report.ts';
import { type Authority, authority, hasOpenssl, type KeyPair } from '../vault/certificates.ts';
import { startTlsServer, type TlsServer } from '../vault/tls-server.ts';
import { bad } from './doctor-checks.ts';

/** What `vsync doctor` says of a connection with TLS. */
describe.runIf(hasOpenssl)('vsync doctor on TLS', () => {
  let ca: Authority;
  let long: KeyPair;
  let server: TlsServer;
  beforeAll(async () => {
    ca = authority('test CA');
    long = ca.issue('localhost', 'DNS:localhost,IP:127.0.0.1', 90);
    server = await startTlsServer(long, '{}');
  });
  afterAll(async () => {
    await server?.close();
    ca?.close();
  });

  async function check(
    tls: Readonly<Record<string, string>> = {},
    address = server.address,
    skipVerify = false,
  ) {
    const report = new Report({ section: () => {}, check: () => {} }, new AbortController().signal);
    report.section('Connections');
    const ok = await checkConnection(report, {
      side: 'origin',
      server: 'vault',
      address,
      tls: { skipVerify, ...tls } as never,
    });
    return { ok, checks: report.sections[0]?.checks ?? [] };
  }

  it('a certificate that is good: for whom, and how long', async () => {
    const { ok, checks } = await check({ caCert: ca.cert });
    expect(ok).toBe(true);
    expect(checks).toMatchObject([
      {
        status: 'pass',
        message: expect.stringMatching(
          /TLSv1\.3, certificate for DNS:localhost, IP Address:127\.0\.0\.1, (89|90) days left/,
        ),
      },
    ]);
  });

  it('an authority that is not known, and a name that is another', async () => {
    const unknown = await check();
    expect(unknown.ok).toBe(false);
    expect(unknown.checks).toMatchObject([
      { status: 'fail', code: 'VAULT_UNREACHABLE', fix: expect.stringContaining('origin.vault.tls.ca_cert') },
    ]);
    const other = await check({ caCert: ca.cert, serverName: 'vault.other' });
    expect(other.ok).toBe(false);
    expect(other.checks[0]?.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('skip_verify goes on, with a warning', async () => {
    const { ok, checks } = await check({}, server.address, true);
    expect(ok).toBe(true);
    expect(checks).toMatchObject([{ status: 'warn', message: expect.stringContaining('not verified') }]);
  });

  it('certificates that end soon, the own one too', async () => {
    const soon = ca.issue('localhost', 'IP:127.0.0.1', 3);
    const ending = await startTlsServer(soon, '{}');
    try {
      const own = { clientCert: soon.cert, clientKey: soon.key };
      const { ok, checks } = await check({ caCert: ca.cert, ...own }, ending.address);
      expect(ok).toBe(true);
      expect(bad(checks)).toMatchObject([
        { status: 'warn', message: expect.stringMatching(/[23] days left$/) },
        { status: 'warn', message: expect.stringMatching(/^our own certificate .* has [23] days left$/) },
      ]);
    } finally {
      await ending.close();
    }
  });

  it('files that are not there, and text that is no certificate', async () => {
    const absent = await check({ caCert: '/nonexistent/ca.pem' });
    expect(absent.checks).toMatchObject([{ status: 'fail', code: 'CONFIG_UNREADABLE' }]);
    const nonsense = await check({ clientCert: '-----BEGIN nonsense', clientKey: '-----BEGIN nonsense' });
    expect(nonsense.checks).toMatchObject([{ status: 'fail', message: expect.stringContaining('TLS: ') }]);
  });
});
