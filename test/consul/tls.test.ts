import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConsulTls } from '../../src/consul/transport.ts';
import { consulClient } from '../contract/consul-client-target.ts';
import { type Authority, authority, hasOpenssl, type KeyPair } from '../vault/certificates.ts';
import { expectNoLeak } from '../vault/leaks.ts';
import { startTlsServer, type TlsServer } from '../vault/tls-server.ts';

describe.runIf(hasOpenssl)('TLS to a Consul', () => {
  const entry = '[{"Key":"a","Value":"e30=","ModifyIndex":7}]';
  let own: Authority;
  let foreign: Authority;
  let client: KeyPair;
  let server: TlsServer;
  let named: TlsServer;
  let mutual: TlsServer;
  beforeAll(async () => {
    own = authority('vsync test authority');
    foreign = authority('another authority');
    const byAddress = own.issue('consul', 'IP:127.0.0.1');
    client = own.issue('vsync node', 'DNS:node.test');
    server = await startTlsServer(byAddress, entry);
    named = await startTlsServer(own.issue('consul.test', 'DNS:server.dc1.consul'), entry);
    mutual = await startTlsServer(
      { ...byAddress, ca: own.cert, requestCert: true, rejectUnauthorized: true },
      entry,
    );
  });
  afterAll(async () => {
    await Promise.all([server?.close(), named?.close(), mutual?.close()]);
    own?.close();
    foreign?.close();
  });

  async function get(target: TlsServer, tls: ConsulTls): Promise<unknown> {
    const consul = consulClient(target.address, {
      tls,
      token: 'canary',
      retry: { retries: 3, baseMs: 0, maxMs: 0 },
    });
    try {
      return (await consul.get('a'))?.value;
    } catch (error) {
      expectNoLeak(error, /canary|PRIVATE KEY/);
      const { why, retryable } = error as { why: string; retryable: boolean };
      return { why, retryable, sent: consul.requestsSent };
    } finally {
      consul.close();
    }
  }
  /** A certificate does not get better by trying again. */
  const refused = (code: string) => ({ why: `TLS: ${code}`, retryable: false, sent: 1 });

  it('is verified', async () => {
    expect(await get(server, { ca: own.cert })).toBe('{}');
    expect(await get(server, {})).toEqual(refused('UNABLE_TO_VERIFY_LEAF_SIGNATURE'));
    expect(await get(server, { ca: foreign.cert })).toEqual(refused('UNABLE_TO_VERIFY_LEAF_SIGNATURE'));
    expect(await get(named, { ca: own.cert })).toEqual(refused('ERR_TLS_CERT_ALTNAME_INVALID'));
    expect(await get(named, { ca: own.cert, serverName: 'server.dc1.consul' })).toBe('{}');
  });

  it('is not verified with skipVerify', async () => {
    expect(await get(server, { skipVerify: true })).toBe('{}');
    expect(await get(named, { skipVerify: true })).toBe('{}');
  });

  it('shows a client certificate where one is wanted', async () => {
    expect(await get(mutual, { ca: own.cert, ...client })).toBe('{}');
    expect(mutual.clients).toEqual(['vsync node']);
    expect(await get(mutual, { ca: own.cert })).toMatchObject({
      why: expect.stringMatching(/TLS|ECONNRESET/),
    });
    expect(mutual.clients, 'nothing was sent').toHaveLength(1);
  });
});
