import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DevVault, startDevVault } from '../../src/dev/vault/dev-vault.ts';
import { cannedAnswers } from '../../src/dev/vault/faults.ts';
import type { VaultClient } from '../../src/vault/client.ts';
import { clientWithToken, noRetries } from './clients.ts';

/** A standby that does not forward, and the active node it points to, played by two servers that know the same token. */
const path = '/secret/data/a';
const read = { method: 'GET', path, about: 'secret/data/a' } as const;
const write = { ...read, method: 'POST', body: '{"data":{"k":"v"}}', writes: true } as const;

let standby: DevVault;
let active: DevVault;
let elsewhere: DevVault;
let client: VaultClient;

beforeEach(async () => {
  [standby, active, elsewhere] = (await Promise.all(
    [1, 2, 3].map(() => startDevVault({ flavour: 'vault', rootToken: 'the-token' })),
  )) as [DevVault, DevVault, DevVault];
  client = clientWithToken(standby.address, 'the-token', { retry: noRetries });
});
afterEach(async () => {
  await client.close();
  await Promise.all([standby, active, elsewhere].map((vault) => vault.close()));
});

/** The standby redirects everything but the question who leads, which it answers with `leader`. */
function standbyFor(leader: string, location: string): void {
  const body = JSON.stringify({ ha_enabled: true, is_self: false, leader_address: leader });
  standby.faults.add({
    match: { pathPattern: /^sys\/leader$/ },
    action: { kind: 'answer', answer: { status: 200, body } },
  });
  standby.faults.add({
    match: () => true,
    action: { kind: 'answer', answer: cannedAnswers.standbyRedirect(location) },
  });
}

describe('a 307 of a standby', () => {
  it('is followed to the node that the cluster announces, with method and body kept', async () => {
    standbyFor(active.address, `${active.address}/v1${path}`);
    await client.request(write);
    expect(active.requests.lines).toEqual([`POST /v1${path}`]);
    expect(await client.request(read)).toMatchObject({ data: { data: { k: 'v' } } });
  });

  it('is remembered: later requests go to the active node at once', async () => {
    standbyFor(active.address, `${active.address}/v1${path}`);
    await client.request(write);
    standby.requests.reset();
    await client.request(read);
    expect(standby.requests.total).toBe(0);
  });

  it('is not followed to a host that the cluster does not announce: no token goes there', async () => {
    standbyFor(active.address, `${elsewhere.address}/v1${path}`);
    await expect(client.request(write)).rejects.toMatchObject({
      code: 'VAULT_REDIRECT',
      status: 307,
      ambiguous: false,
    });
    expect(elsewhere.requests.total).toBe(0);
    expect(active.requests.total).toBe(0);
  });

  it.each(['https', 'ftp'])('is not followed to another scheme: %s', async (scheme) => {
    const other = active.address.replace('http', scheme);
    standbyFor(other, `${other}/v1${path}`);
    await expect(client.request(read)).rejects.toMatchObject({ code: 'VAULT_REDIRECT' });
  });

  it.each(['', 'not a url', '/v1/secret/data/a'])(
    'is not followed when its location is %j',
    async (location) => {
      standbyFor(active.address, location);
      await expect(client.request(read)).rejects.toMatchObject({ code: 'VAULT_REDIRECT' });
    },
  );

  it('is followed once only', async () => {
    standbyFor(active.address, `${active.address}/v1${path}`);
    active.faults.add({
      match: () => true,
      action: { kind: 'answer', answer: cannedAnswers.standbyRedirect(`${elsewhere.address}/v1${path}`) },
    });
    await expect(client.request(read)).rejects.toMatchObject({ code: 'VAULT_REDIRECT' });
    expect([active.requests.total, elsewhere.requests.total]).toEqual([1, 0]);
  });

  it('is forgotten when the active node fails: the configured address is asked again', async () => {
    standbyFor(active.address, `${active.address}/v1${path}`);
    await client.request(write);
    await active.close();
    await expect(client.request(read)).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
    standby.faults.clear();
    standby.requests.reset();
    await client.request(write);
    expect(standby.requests.lines).toEqual([`POST /v1${path}`]);
  });
});
