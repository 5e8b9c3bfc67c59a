import { describe, expect, it } from 'vitest';
import { type Data, expectError, is, type Reply, tokenWith, type VaultTarget } from './vault-http-target.ts';

/** How tokens are renewed, and how they end. */
export function renewalAndEndFacts(vault: () => VaultTarget): void {
  const lookup = (token: string) => vault().send('GET auth/token/lookup-self', undefined, { token });
  const renew = (token: string, body: Data = {}) =>
    vault().send('POST auth/token/renew-self', body, { token });
  describe('a renewal', () => renewalFacts({ vault, lookup, renew }));
  describe('the end of a token', () => endFacts({ vault, lookup, renew }));
}

interface Use {
  readonly vault: () => VaultTarget;
  readonly lookup: (token: string) => Promise<Reply>;
  readonly renew: (token: string, body?: Data) => Promise<Reply>;
}

function renewalFacts({ vault, lookup, renew }: Use): void {
  it('gives what was asked for, then the same again', async () => {
    const token = await tokenWith(vault(), {});
    const seconds = async (body: Data) => (await renew(token, body)).json.auth?.lease_duration;
    expect(await seconds({ increment: 60 })).toBe(60);
    expect(await seconds({})).toBe(60);
    expect(await seconds({ increment: '1h' })).toBe(3600);
    expect((await lookup(token)).data).toMatchObject({
      creation_ttl: 2_764_800,
      last_renewal: expect.any(String),
      last_renewal_time: expect.any(Number),
    });
  });

  it('answers the token itself', async () => {
    const token = await tokenWith(vault(), {}, { ttl: '1h' });
    const auth = {
      client_token: token,
      policies: ['default', expect.any(String)],
      renewable: true,
      lease_duration: 3600,
    };
    expect((await renew(token)).json).toMatchObject({ data: null, auth });
  });

  it('is capped by explicit_max_ttl, with a warning', async () => {
    const token = await tokenWith(vault(), {}, { ttl: '10m', explicit_max_ttl: '20m' });
    const { json } = await renew(token, { increment: '1h' });
    expect(json.warnings).toHaveLength(1);
    expect(json.auth?.lease_duration).toBeGreaterThan(1190);
    expect(json.auth?.lease_duration).toBeLessThanOrEqual(1200);
  });

  it('of a periodic token starts the period over, whatever is asked', async () => {
    const token = await tokenWith(vault(), {}, { period: '1h' });
    expect((await lookup(token)).data.period).toBe(3600);
    expect((await renew(token, { increment: '5h' })).json.auth?.lease_duration).toBe(3600);
  });

  it.each([
    { name: 'batch', rest: { type: 'batch' } },
    { name: 'not renewable', rest: { renewable: false } },
  ])('of a token that is $name is 400', async ({ rest }) => {
    expectError(await renew(await tokenWith(vault(), {}, rest)), 400);
  });

  it('of root is 400', async () => {
    expectError(await renew(vault().rootToken), 400);
  });

  it('without the default policy is 403, unless another allows it', async () => {
    const rest = { no_default_policy: true };
    expectError(await renew(await tokenWith(vault(), {}, rest)), 403);
    const allowed = await tokenWith(vault(), { 'auth/token/renew-self': ['update'] }, rest);
    expect((await renew(allowed)).status).toBe(200);
  });
}

function endFacts({ vault, lookup }: Use): void {
  it('is revoke-self, or revoke by another', async () => {
    const [own, other] = [await tokenWith(vault(), {}), await tokenWith(vault(), {})];
    expect(await vault().send('POST auth/token/revoke-self', {}, { token: own })).toEqual(is.noContent);
    expect(await vault().send('POST auth/token/revoke', { token: other })).toEqual(is.noContent);
    for (const token of [own, other]) expectError(await lookup(token), 403);
    expect(await vault().send('POST auth/token/revoke', { token: 'bogus' })).toEqual(is.noContent);
    expectError(await vault().send('POST auth/token/revoke', {}), 400);
  });

  it('is not for batch tokens: 400', async () => {
    const token = await tokenWith(vault(), {}, { type: 'batch' });
    expectError(await vault().send('POST auth/token/revoke-self', {}, { token }), 400);
  });

  it('comes with its TTL, and looks like any bad token', async () => {
    const token = await tokenWith(vault(), { 'secret/*': ['read'] }, { ttl: '1s' });
    expect((await lookup(token)).status).toBe(200);
    await vault().passSeconds(1.1);
    // Vault revokes in the background, some milliseconds late.
    await expect.poll(async () => (await lookup(token)).status).toBe(403);
    expectError(await vault().send('GET secret/data/a', undefined, { token }), 403);
  });
}
