import { describe, expect, it } from 'vitest';
import { type Data, expectError, is, type Reply, type VaultTarget } from './vault-http-target.ts';

/** AppRole: the one login that vsync's tests need. */
export function appRoleFacts(vault: () => VaultTarget): void {
  let mounts = 0;
  const fresh = async (): Promise<AppRole> => {
    mounts += 1;
    const mount = `fact-approle-${mounts}`;
    expect(await vault().send(`POST sys/auth/${mount}`, { type: 'approle' })).toEqual(is.noContent);
    return {
      mount,
      send: (request, body, token) => vault().send(request.replace(' ', ` auth/${mount}/`), body, { token }),
    };
  };

  describe('an AppRole method', () => methodFacts(vault, fresh));
  describe('a login', () => loginFacts(vault, fresh));
}

interface AppRole {
  readonly mount: string;
  send(request: string, body?: Data, token?: string | null): Promise<Reply>;
}
type Fresh = () => Promise<AppRole>;

/** A role, and how to log in with a new secret id of it, or another. */
async function roleOf(approle: AppRole, settings: Data = {}) {
  expect(await approle.send('POST role/r', settings)).toEqual(is.noContent);
  const { role_id } = (await approle.send('GET role/r/role-id')).data;
  const secretId = async (body: Data = {}) => (await approle.send('POST role/r/secret-id', body)).data;
  const login = async (secret_id?: unknown) =>
    approle.send('POST login', { role_id, secret_id: secret_id ?? (await secretId()).secret_id }, null);
  return { role_id, secretId, login };
}

function methodFacts(vault: () => VaultTarget, fresh: Fresh): void {
  it('is enabled once', async () => {
    const { mount } = await fresh();
    expectError(await vault().send(`POST sys/auth/${mount}`, { type: 'approle' }), 400);
    expectError(await vault().send('POST sys/auth/other', { type: 'nope' }), 400);
    expect((await vault().send('GET sys/auth')).data).toMatchObject({
      [`${mount}/`]: { type: 'approle' },
      'token/': {},
    });
  });

  it('keeps roles', async () => {
    const approle = await fresh();
    expect(await approle.send('LIST role')).toEqual(is.nothing);
    expect(await approle.send('GET role/r')).toEqual(is.nothing);
    expectError(await approle.send('POST role/r/secret-id', {}), 404);
    const settings = { token_policies: ['p'], token_ttl: '20m', token_max_ttl: '30m', secret_id_num_uses: 2 };
    await roleOf(approle, settings);
    expect((await approle.send('GET role/r')).data).toMatchObject({
      bind_secret_id: true,
      secret_id_num_uses: 2,
      token_policies: ['p'],
      token_ttl: 1200,
      token_max_ttl: 1800,
      token_no_default_policy: false,
      token_type: 'default',
    });
    expect((await approle.send('LIST role')).data.keys).toEqual(['r']);
    expect(await approle.send('DELETE role/r')).toEqual(is.noContent);
    expect(await approle.send('GET role/r')).toEqual(is.nothing);
  });

  it.each([
    { name: 'a TTL above its maximum', body: { token_ttl: '2h', token_max_ttl: '1h' }, status: 400 },
    { name: 'batch with a period', body: { token_type: 'batch', token_period: '1h' }, status: 400 },
    { name: 'no constraint', body: { bind_secret_id: false }, status: 500 },
  ])('refuses $name: $status', async ({ body, status }) => {
    expectError(await (await fresh()).send('POST role/r', body), status);
  });

  it('ends its tokens when it is disabled', async () => {
    const approle = await fresh();
    const { login } = await roleOf(approle);
    const token = String((await login()).json.auth?.client_token);
    expect((await vault().send('GET auth/token/lookup-self', undefined, { token })).status).toBe(200);
    expect(await vault().send(`DELETE sys/auth/${approle.mount}`)).toEqual(is.noContent);
    expectError(await vault().send('GET auth/token/lookup-self', undefined, { token }), 403);
  });
}

function loginFacts(vault: () => VaultTarget, fresh: Fresh): void {
  it('answers a token, and no data', async () => {
    const { login, secretId } = await roleOf(await fresh(), {
      token_policies: ['p'],
      token_ttl: '20m',
      token_max_ttl: '30m',
    });
    const { secret_id } = await secretId({ metadata: '{"a":"b"}' });
    const { json } = await login(secret_id);
    expect(json).toMatchObject({
      data: null,
      auth: {
        policies: ['default', 'p'],
        metadata: { a: 'b', role_name: 'r' },
        lease_duration: 1200,
        renewable: true,
        token_type: 'service',
        orphan: true,
        num_uses: 0,
      },
    });
    const token = String(json.auth?.client_token);
    expect(
      (await vault().send('POST auth/token/renew-self', { increment: '2h' }, { token })).json,
    ).toMatchObject({
      warnings: [expect.any(String)],
      auth: { lease_duration: expect.closeTo(1800, -1) },
    });
  });

  it('does not mind a bad token', async () => {
    const approle = await fresh();
    const { role_id, secretId } = await roleOf(approle);
    const { secret_id } = await secretId();
    expect((await approle.send('POST login', { role_id, secret_id }, 'bogus')).status).toBe(200);
  });

  it.each([
    {
      name: 'without the default policy',
      role: { token_no_default_policy: true },
      auth: { policies: ['p'] },
    },
    {
      name: 'as a batch token',
      role: { token_type: 'batch' },
      auth: { token_type: 'batch', accessor: '', renewable: false },
    },
    { name: 'with a period', role: { token_period: '1h' }, auth: { lease_duration: 3600 } },
    { name: 'with few uses', role: { token_num_uses: 3 }, auth: { num_uses: 3 } },
  ])('may give a token $name', async ({ role, auth }) => {
    const { login } = await roleOf(await fresh(), { token_policies: ['p'], ...role });
    expect((await login()).json.auth).toMatchObject(auth);
  });

  it('works without a secret id where the role does not bind one', async () => {
    const approle = await fresh();
    const { role_id } = await roleOf(approle, {
      bind_secret_id: false,
      secret_id_bound_cidrs: ['127.0.0.1/32'],
    });
    expect((await approle.send('POST login', { role_id }, null)).status).toBe(200);
    expectError(await approle.send('POST role/r/secret-id', {}), 400);
  });

  it('uses a secret id up', async () => {
    const { login, secretId } = await roleOf(await fresh(), { secret_id_num_uses: 2 });
    const { secret_id, secret_id_num_uses } = await secretId();
    expect(secret_id_num_uses).toBe(2);
    const statuses = [await login(secret_id), await login(secret_id), await login(secret_id)].map(
      ({ status }) => status,
    );
    expect(statuses).toEqual([200, 200, 400]);
  });

  it('fails with 400 for what is wrong, 500 for no role_id', async () => {
    const approle = await fresh();
    const { role_id, login } = await roleOf(approle);
    expectError(await login('wrong'), 400);
    expectError(await approle.send('POST login', { role_id }, null), 400);
    expectError(await approle.send('POST login', { role_id: 'wrong', secret_id: 'x' }, null), 400);
    expectError(await approle.send('POST login', {}, null), 500);
  });

  it('locks a role out after five wrong secret ids in a row: 403, for a good one too', async () => {
    const { login } = await roleOf(await fresh());
    for (let i = 0; i < 4; i++) expectError(await login('wrong'), 400);
    expect((await login()).status).toBe(200);
    for (let i = 0; i < 5; i++) expectError(await login('wrong'), 400);
    expectError(await login('wrong'), 403);
    expectError(await login(), 403);
  });
}
