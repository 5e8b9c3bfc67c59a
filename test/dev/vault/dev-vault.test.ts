import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { type DevVault, type DevVaultOptions, startDevVault } from '../../../src/dev/vault/dev-vault.ts';

const vaults: DevVault[] = [];
afterEach(async () => {
  await Promise.all(vaults.splice(0).map((vault) => vault.close()));
});

async function started(options: Partial<DevVaultOptions> = {}): Promise<DevVault> {
  const vault = await startDevVault({ flavour: 'vault', ...options });
  vaults.push(vault);
  return vault;
}

interface Seen {
  readonly status: number;
  readonly date: string;
  readonly data: Readonly<Record<string, unknown>>;
}

async function send(vault: DevVault, line: string, body?: unknown, token = vault.rootToken): Promise<Seen> {
  const [method, path] = line.split(' ');
  const reply = await request(`${vault.address}/v1/${path}`, {
    method: method as 'GET',
    headers: { 'X-Vault-Token': token },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await reply.body.text();
  const json = (text === '' ? {} : JSON.parse(text)) as Record<string, Seen['data'] | undefined>;
  return { status: reply.statusCode, date: String(reply.headers.date), data: json.data ?? json.auth ?? json };
}

/** Noon of a day long ago, to the nanosecond. */
const noon = 1_000_000_000_123_456_789n;
const second = 1_000_000_000n;

describe('the clock', () => {
  it('gives all times: of versions, of health, of the Date header', async () => {
    const vault = await started({ clock: () => noon });
    expect((await send(vault, 'POST secret/data/a', { data: {} })).data).toMatchObject({
      created_time: '2001-09-09T01:46:40.123456789Z',
    });
    const health = await send(vault, 'GET sys/health');
    expect(health).toMatchObject({
      date: 'Sun, 09 Sep 2001 01:46:40 GMT',
      data: { server_time_utc: 1_000_000_000 },
    });
  });

  it('deletes a version the moment its deletion_time has passed', async () => {
    let now = noon;
    const vault = await started({ clock: () => now });
    await send(vault, 'POST secret/metadata/a', { delete_version_after: '10s' });
    await send(vault, 'POST secret/data/a', { data: {} });
    now = noon + 10n * second;
    expect((await send(vault, 'GET secret/data/a')).status).toBe(200);
    now += 1n;
    expect((await send(vault, 'GET secret/data/a')).status).toBe(404);
    now = noon;
    expect((await send(vault, 'GET secret/data/a')).status).toBe(200);
  });

  it('ends a token, and what it made', async () => {
    let now = noon;
    const vault = await started({ clock: () => now });
    await send(vault, 'PUT sys/policies/acl/p', {
      policy: 'path "auth/token/create" { capabilities = ["update"] }',
    });
    const parent = (await send(vault, 'POST auth/token/create', { policies: ['p'], ttl: '60s' })).data;
    const child = (await send(vault, 'POST auth/token/create', {}, String(parent.client_token))).data;
    const alive = async ({ client_token }: Seen['data']) =>
      (await send(vault, 'GET auth/token/lookup-self', undefined, String(client_token))).status;
    now += 59n * second;
    expect([await alive(parent), await alive(child)]).toEqual([200, 200]);
    now += second;
    expect([await alive(child), await alive(parent)]).toEqual([403, 403]);
  });

  it('lets renewals without a period give ever less', async () => {
    let now = noon;
    const vault = await started({ clock: () => now });
    const lease = async (body: unknown) => {
      const { client_token } = (await send(vault, 'POST auth/token/create', body)).data;
      now += 50n * second;
      return (await send(vault, 'POST auth/token/renew-self', {}, String(client_token))).data.lease_duration;
    };
    expect(await lease({ policies: ['x'], ttl: '60s', explicit_max_ttl: '90s' })).toBe(40);
    expect(await lease({ policies: ['x'], period: '60s' })).toBe(60);
  });

  it('ends an AppRole lockout after 15 minutes, and a secret id after its TTL', async () => {
    let now = noon;
    const vault = await started({ clock: () => now });
    await send(vault, 'POST sys/auth/approle', { type: 'approle' });
    await send(vault, 'POST auth/approle/role/r', { secret_id_ttl: '1h' });
    const { role_id } = (await send(vault, 'GET auth/approle/role/r/role-id')).data;
    const { secret_id } = (await send(vault, 'POST auth/approle/role/r/secret-id', {})).data;
    const login = async (id: unknown) =>
      (await send(vault, 'POST auth/approle/login', { role_id, secret_id: id })).status;
    for (let i = 0; i < 5; i++) expect(await login('wrong')).toBe(400);
    expect(await login(secret_id)).toBe(403);
    now += 901n * second;
    expect(await login(secret_id)).toBe(200);
    now += 3600n * second;
    expect(await login(secret_id)).toBe(400);
  });
});

describe('the request log', () => {
  it('has each request as it was sent, in order', async () => {
    const vault = await started();
    await send(vault, 'GET secret/data/a%20b?version=2');
    await send(vault, 'LIST secret/metadata/');
    await send(vault, 'FOO none');
    expect(vault.requests.lines).toEqual([
      'GET /v1/secret/data/a%20b?version=2',
      'LIST /v1/secret/metadata/',
      'FOO /v1/none',
    ]);
    expect(vault.requests.total).toBe(3);
  });

  it.each([
    { line: 'GET secret/data/a/b', kind: 'GET data' },
    { line: 'POST secret/data/a', kind: 'PUT data' },
    { line: 'PUT secret/data/a', kind: 'PUT data' },
    { line: 'LIST secret/metadata/a', kind: 'LIST metadata' },
    { line: 'GET secret/metadata/a?list=true', kind: 'LIST metadata' },
    { line: 'GET secret/metadata/a?list=false', kind: 'GET metadata' },
    { line: 'GET secret/metadata?scan=true', kind: 'SCAN metadata' },
    { line: 'SCAN secret/detailed-metadata', kind: 'SCAN detailed-metadata' },
    { line: 'GET secret/config', kind: 'GET config' },
    { line: 'GET sys/health?activecode=200', kind: 'GET sys/health' },
    { line: 'GET sys/internal/ui/mounts/secret', kind: 'GET sys/internal' },
    { line: 'PUT sys/policies/acl/x', kind: 'PUT sys/policies/acl' },
    { line: 'GET auth/token/lookup-self', kind: 'GET auth/lookup-self' },
    { line: 'GET one/a/b', kind: 'GET v1' },
    { line: 'GET none/a', kind: 'GET none' },
  ])('counts $line as "$kind"', async ({ line, kind }) => {
    const vault = await started({ flavour: 'openbao' });
    await send(vault, 'POST sys/mounts/one', { type: 'kv' });
    vault.requests.reset();
    expect(vault.requests.lines).toEqual([]);
    await send(vault, line, /^P/.test(line) ? {} : undefined);
    expect([...vault.requests.counts]).toEqual([[kind, 1]]);
    expect(vault.requests.count(kind)).toBe(1);
  });
});

describe('options', () => {
  it('set the root token', async () => {
    const vault = await started({ rootToken: 'hvs.mine' });
    expect((await send(vault, 'GET secret/config')).status).toBe(200);
    expect((await send(vault, 'GET secret/config', undefined, 'root')).status).toBe(403);
  });

  it('set the status of redirects to cleaned paths', async () => {
    const vault = await started({ redirectStatus: 301 });
    expect((await request(`${vault.address}/v1//secret/data/a`)).statusCode).toBe(301);
  });

  it('set the largest value', async () => {
    const vault = await started({ maxEntryBytes: 20 });
    expect((await send(vault, 'POST secret/data/a', { data: { k: 'short' } })).status).toBe(200);
    expect((await send(vault, 'POST secret/data/a', { data: { k: 'not so very short' } })).status).toBe(500);
  });

  it('set the port; a port that is taken is an error', async () => {
    const vault = await started();
    const { port } = new URL(vault.address);
    await expect(startDevVault({ flavour: 'vault', port: Number(port) })).rejects.toThrow('EADDRINUSE');
  });
});

describe('the server', () => {
  it('listens on loopback only', async () => {
    const vault = await started();
    expect(vault.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((entry) => entry !== undefined && entry.family === 'IPv4' && !entry.internal);
    if (outside === undefined) return;
    const socket = connect(Number(new URL(vault.address).port), outside.address);
    const outcome = await new Promise((resolve) => {
      socket.on('connect', () => resolve('connected'));
      socket.on('error', () => resolve('refused'));
    });
    socket.destroy();
    expect(outcome).toBe('refused');
  });

  it('closes at once with requests under way, frees its port and leaves no handle', async () => {
    const vault = await startDevVault({ flavour: 'vault' });
    vault.faults.add({ match: { pathPattern: /^hang/ }, action: { kind: 'hang' } });
    vault.faults.add({ match: { pathPattern: /^late/ }, action: { kind: 'delay', ms: 3_600_000 } });
    const pending = ['GET hang', 'GET late'].map((line) => send(vault, line).then(String, () => 'cut'));
    await expect.poll(() => vault.requests.total).toBe(2);
    await vault.close();
    await vault.close();
    expect(await Promise.all(pending)).toEqual(['cut', 'cut']);
    const again = await startDevVault({ flavour: 'vault', port: Number(new URL(vault.address).port) });
    await again.close();
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'));
    await expect.poll(sockets).toEqual([]);
  });
});
