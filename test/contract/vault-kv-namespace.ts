import { afterEach, describe, expect, it } from 'vitest';
import type { Mount } from '../../src/sync/mount-path.ts';
import type { VaultClient } from '../../src/vault/client.ts';
import { proveNamespace, readHealth } from '../../src/vault/health.ts';
import { originMetadata } from '../../src/vault/origin-vault.ts';
import { clientWithToken } from '../vault/clients.ts';
import { callScope, type VaultTarget } from './vault-kv-target.ts';

/** Health, and namespaces: a header that has no effect must not go unnoticed. */
export function namespaceFacts(target: () => VaultTarget): void {
  const clients: VaultClient[] = [];
  afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));
  const open = (namespace?: string) => {
    const client = clientWithToken(target().address, target().rootToken, { namespace });
    clients.push(client);
    return client;
  };

  describe('health', () => {
    it('tells version, cluster and clock, without a token and in any namespace', async () => {
      const before = Date.now();
      const health = await readHealth(open('team'));
      expect(health).toMatchObject({
        version: expect.stringMatching(/^\d+\.\d+/),
        clusterId: expect.stringMatching(/./),
        enterprise: false,
      });
      // An upper bound: the second that was cut off, and how long the request took.
      expect(health.clockOffsetMs).toBeGreaterThanOrEqual(-1000);
      expect(health.clockOffsetMs).toBeLessThanOrEqual(1000 + Date.now() - before);
      expect((await readHealth(open())).clusterId, 'the same at each request').toBe(health.clusterId);
    });

    it('of a sealed server is a failure that passes, as is every other request to it', async () => {
      const { dev, api } = target();
      if (dev === undefined) return;
      await api.call('PUT', 'sys/seal');
      const client = open();
      const sealed = {
        code: 'VAULT_SEALED',
        class: 'transient',
        retryable: true,
        hint: expect.stringContaining('unseal'),
      };
      await expect(readHealth(client)).rejects.toMatchObject(sealed);
      const origin = originMetadata(client);
      await expect(origin.describeMount('secret/' as Mount, callScope())).rejects.toMatchObject(sealed);
      await expect(origin.listFolder('secret/' as Mount, '', callScope())).rejects.toMatchObject(sealed);
      await expect(origin.readInsight('secret/' as Mount, 'a', callScope())).rejects.toMatchObject(sealed);
      await api.call('PUT', 'sys/unseal', { key: dev.unsealKey });
      expect(await readHealth(client)).toMatchObject({ enterprise: false });
    });
  });

  describe('a namespace', () => {
    it('that is not configured needs no proof', async () => {
      for (const namespace of [undefined, '']) {
        const client = open(namespace);
        const health = await readHealth(client);
        const before = client.requestsSent;
        await proveNamespace(client, health);
        expect(client.requestsSent).toBe(before);
      }
    });

    it('is taken on trust from an Enterprise server', async () => {
      const client = open('team');
      const health = await readHealth(client);
      const before = client.requestsSent;
      await proveNamespace(client, { ...health, enterprise: true });
      expect(client.requestsSent).toBe(before);
    });

    it('has an effect at OpenBao, and none at Vault’s community edition, which is then refused', async () => {
      const client = open('team');
      const proving = proveNamespace(client, await readHealth(client));
      if (target().flavour === 'openbao') return expect(proving).resolves.toBeUndefined();
      return expect(proving).rejects.toMatchObject({
        code: 'NAMESPACE_IGNORED',
        class: 'fatal',
        hint: expect.stringContaining('remove origin.vault.namespace'),
      });
    });

    it('that is unknown is never an empty one', async () => {
      if (target().flavour !== 'openbao') return;
      const origin = originMetadata(open('no-such-namespace'));
      await expect(origin.listFolder('secret/' as Mount, '', callScope())).rejects.toMatchObject({
        code: 'VAULT_LIST_UNKNOWN',
      });
      await expect(origin.readInsight('secret/' as Mount, 'a', callScope())).rejects.toMatchObject({
        class: 'transient',
      });
      await expect(origin.describeMount('secret/' as Mount, callScope())).rejects.toMatchObject({
        class: 'fatal',
      });
    });

    it('is not proven by a proxy’s 404', async () => {
      const { dev } = target();
      if (dev === undefined) return;
      const client = open('team');
      const health = await readHealth(client);
      const fault = dev.faults.add({
        match: { method: 'GET' },
        action: { kind: 'answer', answer: { status: 404, body: 'not found' } },
      });
      await expect(proveNamespace(client, health)).rejects.toMatchObject({
        name: 'VsyncError',
        class: 'transient',
      });
      fault.remove();
    });
  });
}
