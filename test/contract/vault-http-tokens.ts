import { describe, expect, it } from 'vitest';
import { type Data, expectError, type Reply, tokenWith, type VaultTarget } from './vault-http-target.ts';

/** Tokens: why a request is 403, what a token is, how it is made. */
export function tokenFacts(vault: () => VaultTarget): void {
  const lookup = (token: string) => vault().send('GET auth/token/lookup-self', undefined, { token });
  const create = (body: Data, token?: string) => vault().send('POST auth/token/create', body, { token });
  const use: Use = { vault, lookup, create };

  describe('a 403', () => deniedFacts(use));
  describe('a token', () => lookupFacts(use));
  describe('a token of root', () => creationFacts(use));
  describe('a token of another token', () => childFacts(use));
}

interface Use {
  readonly vault: () => VaultTarget;
  readonly lookup: (token: string) => Promise<Reply>;
  readonly create: (body: Data, token?: string) => Promise<Reply>;
}

function tokenOf(reply: Reply): string {
  expect(reply.status, reply.text).toBe(200);
  return String(reply.json.auth?.client_token);
}

function deniedFacts({ vault }: Use): void {
  it.each([
    { name: 'no token', token: null },
    { name: 'an unknown token', token: 'bogus' },
    { name: 'an unknown token that looks real', token: 'hvs.CAESIJ' },
    { name: 'an empty token', token: '' },
  ])('is the answer to $name, on a mount that is there or not', async ({ token }) => {
    for (const request of [
      'GET secret/data/a',
      'LIST secret/metadata/',
      'GET none/x',
      'GET auth/token/lookup-self',
    ]) {
      expectError(await vault().send(request, undefined, { token }), 403);
    }
  });

  it('is the answer to a policy that denies', async () => {
    const token = await tokenWith(vault(), {});
    expectError(await vault().send('GET secret/data/a', undefined, { token }), 403);
  });

  it('is the answer to a login at an auth method that is not there; with a token it is 404', async () => {
    expectError(await vault().send('POST auth/none/login', {}, { token: null }), 403);
    expectError(await vault().send('POST auth/none/login', {}), 404);
  });

  it('is not the answer to Authorization: Bearer, but to Basic', async () => {
    const ask = (scheme: string) =>
      vault().send('GET secret/config', undefined, {
        token: null,
        headers: { Authorization: `${scheme} ${vault().rootToken}` },
      });
    expect((await ask('Bearer')).status).toBe(200);
    expectError(await ask('Basic'), 403);
  });
}

function lookupFacts({ vault, lookup }: Use): void {
  it('of root never expires', async () => {
    expect((await lookup(vault().rootToken)).data).toMatchObject({
      id: vault().rootToken,
      policies: ['root'],
      ttl: 0,
      creation_ttl: 0,
      expire_time: null,
      explicit_max_ttl: 0,
      num_uses: 0,
      orphan: true,
      type: 'service',
      meta: null,
      entity_id: '',
    });
  });

  it('with a TTL knows its times', async () => {
    const token = await tokenWith(vault(), {}, { ttl: '1h', display_name: 'my tok!', meta: { a: 'b' } });
    const { data } = await lookup(token);
    expect(data).toMatchObject({
      id: token,
      accessor: expect.stringMatching(/^\w{24}/),
      policies: ['default', expect.stringMatching(/^fact-/)],
      path: 'auth/token/create',
      display_name: 'token-my-tok',
      creation_ttl: 3600,
      meta: { a: 'b' },
      orphan: false,
      renewable: true,
      type: 'service',
    });
    expect([3599, 3600]).toContain(data.ttl);
    expect(Date.parse(String(data.expire_time)) - Date.parse(String(data.issue_time))).toBeCloseTo(
      3_600_000,
      -3,
    );
    expect(data).not.toHaveProperty('period');
    expect(data).not.toHaveProperty('last_renewal');
  });

  it('without the default policy may not look itself up', async () => {
    const token = await tokenWith(vault(), {}, { no_default_policy: true });
    expectError(await lookup(token), 403);
    expect((await vault().send('POST auth/token/lookup', { token })).data).toMatchObject({ id: token });
  });

  it('of type batch has no accessor and cannot be renewed', async () => {
    const token = await tokenWith(vault(), {}, { type: 'batch', ttl: '1h' });
    expect((await lookup(token)).data).toMatchObject({ accessor: '', renewable: false, type: 'batch' });
  });

  it('with num_uses dies of its uses, refused ones too', async () => {
    const token = await tokenWith(vault(), {}, { num_uses: 3 });
    expect((await lookup(token)).data.num_uses).toBe(2);
    expectError(await vault().send('GET secret/data/a', undefined, { token }), 403);
    expect((await lookup(token)).status).toBe(200);
    expectError(await lookup(token), 403);
  });

  it('that is looked up and unknown is 403', async () => {
    expectError(await vault().send('POST auth/token/lookup', { token: 'bogus' }), 403);
  });
}

function creationFacts({ vault, create }: Use): void {
  it.each([
    {
      name: 'policies with default',
      body: { policies: ['b', 'A', 'b'] },
      auth: { policies: ['a', 'b', 'default'] },
    },
    { name: 'no default', body: { policies: ['a'], no_default_policy: true }, auth: { policies: ['a'] } },
    {
      name: 'root where nothing is asked',
      body: {},
      auth: { policies: ['root'], lease_duration: 0, renewable: false },
    },
    {
      name: 'a TTL as text',
      body: { policies: ['a'], ttl: '90m' },
      auth: { lease_duration: 5400, renewable: true },
    },
    { name: 'a TTL as a number', body: { policies: ['a'], ttl: 60 }, auth: { lease_duration: 60 } },
    { name: 'the TTL of the server', body: { policies: ['a'] }, auth: { lease_duration: 2_764_800 } },
    { name: 'a period', body: { policies: ['a'], period: '1h' }, auth: { lease_duration: 3600 } },
    { name: 'not renewable', body: { policies: ['a'], renewable: false }, auth: { renewable: false } },
    {
      name: 'batch',
      body: { policies: ['a'], type: 'batch' },
      auth: { token_type: 'batch', renewable: false, accessor: '' },
    },
    { name: 'an orphan', body: { policies: ['a'], no_parent: true }, auth: { orphan: true } },
    { name: 'uses', body: { policies: ['a'], num_uses: 3 }, auth: { num_uses: 3 } },
    { name: 'a chosen id', body: { policies: ['a'], id: 'chosen' }, auth: { client_token: 'chosen' } },
  ])('has $name', async ({ body, auth }) => {
    const reply = await create(body);
    expect(reply).toMatchObject({ status: 200, json: { data: null, auth } });
    expect(Object.keys(reply.json.auth ?? {})).toEqual([
      'client_token',
      'accessor',
      'policies',
      'token_policies',
      'metadata',
      'lease_duration',
      'renewable',
      'entity_id',
      'token_type',
      'orphan',
      'mfa_requirement',
      'num_uses',
    ]);
  });

  it.each([
    {
      name: 'a TTL that is capped',
      body: { policies: ['default'], ttl: '30m', explicit_max_ttl: '10m' },
      lease: 600,
    },
    {
      name: 'a TTL above that of the server',
      body: { policies: ['default'], ttl: '9000h' },
      lease: 2_764_800,
    },
    { name: 'a policy that is not there', body: { policies: ['none'] }, lease: 2_764_800 },
  ])('has a warning about $name', async ({ body, lease }) => {
    const { json } = await create(body);
    expect(json).toMatchObject({ warnings: [expect.any(String)], auth: { lease_duration: lease } });
  });

  it.each([
    { name: 'a bad TTL', body: { ttl: 'abc' } },
    { name: 'a negative TTL', body: { ttl: -5 } },
    { name: 'negative uses', body: { num_uses: -2 } },
    { name: 'an unknown type', body: { type: 'nope' } },
    { name: 'batch and root', body: { type: 'batch' } },
    { name: 'batch with uses', body: { type: 'batch', policies: ['a'], num_uses: 3 } },
    { name: 'batch with a period', body: { type: 'batch', policies: ['a'], period: '5m' } },
  ])('is refused with 400: $name', async ({ body }) => {
    expectError(await create(body), 400);
  });

  it('is an orphan if it is made at create-orphan', async () => {
    const { json } = await vault().send('POST auth/token/create-orphan', { policies: ['a'] });
    expect(json.auth).toMatchObject({ orphan: true });
  });
}

function childFacts({ vault, create, lookup }: Use): void {
  const parent = () => tokenWith(vault(), { 'auth/token/create': ['update'] });

  it('has the policies of its parent, or some of them', async () => {
    const token = await parent();
    const { policies } = (await lookup(token)).data;
    expect((await create({}, token)).json.auth).toMatchObject({ policies });
    expect((await create({ policies: ['default'] }, token)).json.auth).toMatchObject({
      policies: ['default'],
    });
    expectError(await create({ policies: ['other'] }, token), 400);
    expectError(await create({ policies: ['root'] }, token), 400);
  });

  it.each([{ period: '1h' }, { no_parent: true }, { id: 'x' }])(
    'may not have %j without sudo: 400',
    async (body) => {
      expectError(await create(body, await parent()), 400);
    },
  );

  it('needs the capability "update"', async () => {
    expectError(await create({}, await tokenWith(vault(), {})), 403);
  });

  it('cannot be made by a batch token, or one of few uses', async () => {
    const rules = { 'auth/token/create': ['update'] };
    expectError(await create({}, await tokenWith(vault(), rules, { type: 'batch' })), 400);
    expectError(await create({}, await tokenWith(vault(), rules, { num_uses: 5 })), 400);
  });

  it('dies with its parent', async () => {
    const token = await parent();
    const child = tokenOf(await create({}, token));
    await vault().send('POST auth/token/revoke', { token });
    expectError(await lookup(child), 403);
  });
}
