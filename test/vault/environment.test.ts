import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { clientWithToken, vaultClient } from './clients.ts';
import { answer, HostileServer } from './hostile-server.ts';

/** node-vault, axios and others under them read the environment; of vsync only `cli.ts` does, and hands values on. */
describe('the environment has no effect', () => {
  let configured: HostileServer;
  let other: HostileServer;
  beforeEach(async () => {
    configured = await HostileServer.start();
    other = await HostileServer.start();
    const proxy = other.address;
    const variables = {
      VAULT_ADDR: other.address,
      VAULT_TOKEN: 's.environment',
      VAULT_NAMESPACE: 'environment',
      VAULT_PREFIX: '/environment',
      VAULT_SKIP_VERIFY: 'true',
      VAULT_CACERT: '/nonexistent',
      VAULT_CLIENT_CERT: '/nonexistent',
      VAULT_MAX_RETRIES: '9',
      HTTP_PROXY: proxy,
      http_proxy: proxy,
      HTTPS_PROXY: proxy,
      https_proxy: proxy,
      ALL_PROXY: proxy,
      all_proxy: proxy,
      NODE_USE_ENV_PROXY: '1',
      NO_PROXY: '',
      no_proxy: '',
    };
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await configured.close();
    await other.close();
  });

  it('on address, token, namespace and prefix', async () => {
    const client = clientWithToken(configured.address, 's.configured');
    await client.request({ method: 'GET', path: '/secret/data/a', about: 'secret/data/a' });
    await client.close();
    expect(other.connections, 'connections to the server of the environment, or through its proxy').toBe(0);
    expect(configured.requests).toHaveLength(1);
    expect(configured.requests[0]).toMatchObject({
      target: '/v1/secret/data/a',
      headers: { 'x-vault-token': 's.configured', 'x-vault-request': 'true' },
    });
    expect(configured.requests[0]?.headers).not.toHaveProperty('x-vault-namespace');
  });

  it('on requests without a token or a namespace', async () => {
    const client = vaultClient(configured.address, { namespace: '' });
    await client.request({
      method: 'POST',
      path: '/auth/approle/login',
      about: 'auth/approle/login',
      body: {},
      authenticated: false,
    });
    await client.close();
    expect(configured.requests[0]?.headers).not.toHaveProperty('x-vault-token');
    expect(configured.requests[0]?.headers).not.toHaveProperty('x-vault-namespace');
  });

  it('on retries', async () => {
    configured.behave = answer(502);
    const client = clientWithToken(configured.address, 's.configured');
    await expect(client.request({ method: 'GET', path: '/a', about: 'a' })).rejects.toThrow('502');
    await client.close();
    expect(configured.requests).toHaveLength(1);
  });
});
