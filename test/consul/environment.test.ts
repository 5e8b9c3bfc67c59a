import { afterEach, describe, expect, it, vi } from 'vitest';
import { consulClient } from '../contract/consul-client-target.ts';
import { answer, HostileServer } from '../vault/hostile-server.ts';

describe('the environment has no effect on a Consul client', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('on address, token, namespace, datacenter or proxy', async () => {
    const configured = await HostileServer.start(answer(404, '', { 'X-Consul-Index': '1' }));
    const other = await HostileServer.start();
    const variables = {
      CONSUL_HTTP_ADDR: other.address,
      CONSUL_HTTP_TOKEN: 'environment',
      CONSUL_HTTP_AUTH: 'user:environment',
      CONSUL_HTTP_SSL: 'true',
      CONSUL_NAMESPACE: 'environment',
      CONSUL_PARTITION: 'environment',
      HTTP_PROXY: other.address,
      http_proxy: other.address,
      HTTPS_PROXY: other.address,
      ALL_PROXY: other.address,
      NODE_USE_ENV_PROXY: '1',
    };
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    const consul = consulClient(configured.address);
    await consul.get('a');
    consul.close();
    expect(other.connections).toBe(0);
    expect(configured.requests).toHaveLength(1);
    expect(configured.requests[0]?.target).toBe('/v1/kv/a');
    const { headers } = configured.requests[0] ?? { headers: {} };
    expect(Object.keys(headers).filter((name) => /token|auth|namespace/.test(name))).toEqual([]);
    await configured.close();
    await other.close();
  });
});
