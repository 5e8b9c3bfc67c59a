import { afterAll, describe, expect, it } from 'vitest';
import { expectError, is, type VaultServers, type VaultTarget } from './vault-http-target.ts';

/** Health, seal, namespaces. */
export function healthFacts(servers: VaultServers, vault: () => VaultTarget): void {
  describe('health', () => activeFacts(servers, vault));
  describe('a sealed server', () => sealFacts(vault));
  describe('a namespace', () => namespaceFacts(servers, vault));
}

function activeFacts(servers: VaultServers, vault: () => VaultTarget): void {
  const ask = (request: string) => vault().send(request, undefined, { token: null });

  it('of an active server is 200, without a token', async () => {
    const reply = await ask('GET sys/health');
    expect(reply.status).toBe(200);
    expect(reply.json).toMatchObject({
      initialized: true,
      sealed: false,
      standby: false,
      performance_standby: false,
      replication_performance_mode: 'disabled',
      replication_dr_mode: 'disabled',
      version: expect.any(String),
      cluster_name: expect.any(String),
      cluster_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      ...(servers.flavour === 'vault' && { enterprise: false }),
    });
  });

  it('tells the time by which versions expire', async () => {
    const before = (await ask('GET sys/health')).json.server_time_utc;
    const { data } = await vault().send('POST secret/data/clock', { data: {} });
    const written = Math.floor(Date.parse(String(data.created_time)) / 1000);
    expect(written - Number(before)).toBeGreaterThanOrEqual(0);
    expect(written - Number(before)).toBeLessThan(30);
  });

  it.each([
    { request: 'HEAD sys/health', status: 200 },
    { request: 'GET sys/health?activecode=299', status: 299 },
    { request: 'GET sys/health?sealedcode=299', status: 200 },
    { request: 'GET sys/health?activecode=abc', status: 400 },
    { request: 'POST sys/health', status: 405 },
    { request: 'GET sys/seal-status', status: 200 },
    { request: 'GET sys/leader', status: 200 },
    { request: 'GET sys/seal', status: 405 },
    { request: 'GET sys/unseal', status: 405 },
  ])('$request is $status', async ({ request, status }) => {
    expect((await ask(request)).status).toBe(status);
  });

  it('has a seal-status and a leader', async () => {
    expect((await ask('GET sys/seal-status')).json).toMatchObject({
      sealed: false,
      initialized: true,
      t: 1,
      n: 1,
      progress: 0,
    });
    expect((await ask('GET sys/leader')).json).toMatchObject({ ha_enabled: false, leader_address: '' });
  });
}

function sealFacts(vault: () => VaultTarget): void {
  const unseal = () => vault().send('PUT sys/unseal', { key: vault().unsealKey() }, { token: null });
  const seal = (token?: string | null) => vault().send('PUT sys/seal', {}, { token });
  afterAll(unseal);

  it('is sealed by root only', async () => {
    expectError(await seal(null), 403);
    expectError(await seal('bogus'), 403);
    expect((await vault().send('GET sys/health')).status).toBe(200);
  });

  it('answers 503 to all but health, seal-status, and what Vault refuses even before', async () => {
    await vault().send('POST secret/data/sealed', { data: { k: 1 } });
    expect(await seal()).toEqual(is.noContent);
    const sealed = { status: 503, text: '{"errors":["Vault is sealed"]}\n' };
    for (const request of [
      'GET secret/data/a',
      'LIST secret/metadata/',
      'GET sys/mounts',
      'GET none',
      'GET sys/internal/ui/mounts',
    ]) {
      for (const token of [undefined, null, 'bogus']) {
        expect(await vault().send(request, undefined, { token }), request).toMatchObject(sealed);
      }
    }
    expect(await vault().send('POST secret/data/a', { data: {} })).toMatchObject(sealed);
    expectError(await vault().send('POST secret/data/a', '{bad'), 400);
    expect([301, 307]).toContain((await vault().send('GET secret//a')).status);
    expect((await vault().send('FOO secret/data/a')).status).toBe(405);
    const health = await vault().send('GET sys/health', undefined, { token: null });
    expect(health).toMatchObject({ status: 503, json: { sealed: true, initialized: true } });
    expect(health.json).not.toHaveProperty('cluster_id');
    expect((await vault().send('GET sys/health?sealedcode=299')).status).toBe(299);
    expect((await vault().send('GET sys/seal-status')).json).toMatchObject({ sealed: true });
  });

  it('is unsealed by its key, and has kept its data and tokens', async () => {
    await seal();
    for (const body of [{}, { key: 'zz' }, { key: Buffer.alloc(32).toString('base64') }]) {
      expectError(await vault().send('PUT sys/unseal', body, { token: null }), 400);
    }
    expect((await unseal()).json).toMatchObject({ sealed: false });
    await expect.poll(async () => (await vault().send('GET secret/data/sealed')).status).toBe(200);
  });
}

function namespaceFacts(servers: VaultServers, vault: () => VaultTarget): void {
  it('that is not there is ignored by the community edition of Vault, 404 with a message on OpenBao', async () => {
    const reply = await vault().send('GET secret/config', undefined, {
      headers: { 'X-Vault-Namespace': 'none' },
    });
    if (servers.flavour === 'openbao') expectError(reply, 404);
    else expect(reply).toMatchObject({ status: 200, headers: { 'x-vault-namespace': 'none' } });
  });

  it('called root is the root', async () => {
    const reply = await vault().send('GET secret/config', undefined, {
      headers: { 'X-Vault-Namespace': 'root' },
    });
    expect(reply.status).toBe(200);
  });
}
