import { describe, expect, it } from 'vitest';
import type { ConsulTarget } from './consul-http-target.ts';

/** What Consul says about itself. */
export function agentFacts(consul: () => ConsulTarget): void {
  describe('status, agent and catalog', () => {
    it('names its leader', async () => {
      const reply = await consul().send('GET', '/v1/status/leader');
      expect(reply.status).toBe(200);
      expect(reply.json).toMatch(/^127\.0\.0\.1:\d+$/);
      expect(reply.headers['x-consul-index']).toBeUndefined();
    });

    it('names its peers', async () => {
      const { json: leader } = await consul().send('GET', '/v1/status/leader');
      expect((await consul().send('GET', '/v1/status/peers')).json).toEqual([leader]);
    });

    it('knows no leader of an unknown datacenter', async () => {
      const reply = await consul().send('GET', '/v1/status/leader?dc=nope');
      expect(reply).toMatchObject({ status: 500, text: 'No path to datacenter' });
    });

    it('lists its datacenters', async () => {
      expect((await consul().send('GET', '/v1/catalog/datacenters')).json).toEqual(['dc1']);
    });

    it('describes itself', async () => {
      const reply = await consul().send('GET', '/v1/agent/self');
      expect(reply.status).toBe(200);
      expect(reply.json).toMatchObject({
        Config: { Datacenter: 'dc1', NodeName: expect.any(String), Server: true, Version: '1.8.7' },
        Member: { Addr: '127.0.0.1', Status: 1, Tags: { dc: 'dc1', role: 'consul' } },
        Stats: { consul: { leader: 'true', server: 'true' }, raft: { state: 'Leader' } },
      });
    });
  });
}
