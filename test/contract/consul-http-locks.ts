import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSession, putSession, sessionInfo } from './consul-http-sessions.ts';
import {
  type ConsulServers,
  type ConsulTarget,
  freshKv,
  type KvTarget,
  type Reply,
  textOfValue,
} from './consul-http-target.ts';

/** Locks, and what the end of a session does to them. */
export function lockFacts(consul: () => ConsulTarget, servers: ConsulServers): void {
  describe('a lock', () => {
    holderFacts(consul);
    endFacts(consul);
  });
  describe.concurrent('time', () => timeFacts(consul, servers));
}

function holderFacts(consul: () => ConsulTarget): void {
  let kv: KvTarget;
  let holder: string;
  let other: string;
  beforeAll(async () => {
    kv = freshKv(consul());
    [holder, other] = [await createSession(consul()), await createSession(consul())];
  });

  it('is taken by one session, which may write again', async () => {
    expect((await kv.put(`taken?acquire=${holder}&flags=7`, '1')).text).toBe('true');
    const first = await kv.entry('taken');
    expect(first).toMatchObject({ LockIndex: 1, Session: holder, Flags: 7 });
    expect((await kv.put(`taken?acquire=${other}`, '2')).text).toBe('false');
    expect((await kv.put(`taken?acquire=${holder}&flags=7`, '1')).text).toBe('true');
    expect(await kv.entry('taken')).toEqual(first);
    expect((await kv.put(`taken?acquire=${holder}`, '3')).text).toBe('true');
    expect(await kv.entry('taken')).toMatchObject({ LockIndex: 1, Session: holder, Flags: 0 });
  });

  it('is given back by its holder only, with a write, and without delay', async () => {
    await kv.put(`back?acquire=${holder}`, '1');
    expect((await kv.put(`back?release=${other}`, '2')).text).toBe('false');
    expect((await kv.put(`back?release=${holder}`, '3')).text).toBe('true');
    const entry = await kv.entry('back');
    expect(entry).toMatchObject({ LockIndex: 1 });
    expect(entry).not.toHaveProperty('Session');
    expect(textOfValue(entry)).toBe('3');
    expect((await kv.put(`back?release=${holder}`, '4')).text).toBe('false');
    expect((await kv.put(`back?acquire=${other}`, '5')).text).toBe('true');
    expect(await kv.entry('back')).toMatchObject({ LockIndex: 2, Session: other });
  });

  it('stops nobody: a plain write goes through, keeps the holder and resets LockIndex', async () => {
    await kv.put(`advisory?acquire=${holder}`, '1');
    expect((await kv.put('advisory', '2')).text).toBe('true');
    expect(await kv.entry('advisory')).toMatchObject({ LockIndex: 0, Session: holder });
    expect((await kv.delete('advisory')).text).toBe('true');
    expect((await kv.get('advisory')).status).toBe(404);
  });

  it('lets a check-and-set through as well', async () => {
    await kv.put(`cas?acquire=${holder}`, '1');
    const { ModifyIndex } = await kv.entry('cas');
    expect((await kv.put(`cas?cas=${ModifyIndex}`, '2')).text).toBe('true');
    expect(await kv.entry('cas')).toMatchObject({ LockIndex: 0, Session: holder });
  });

  it('works in a transaction', async () => {
    const txn = (operation: object) =>
      consul().send('PUT', '/v1/txn', {
        body: JSON.stringify([{ KV: { Key: `${kv.prefix}txn`, Value: 'MQ==', ...operation } }]),
      });
    expect(await txn({ Verb: 'lock', Session: holder })).toMatchObject({
      json: { Results: [{ KV: { Session: holder, LockIndex: 1, Value: null } }] },
    });
    expect(await txn({ Verb: 'lock', Session: other })).toMatchObject({
      status: 409,
      json: { Errors: [{ What: `failed to lock key "${kv.prefix}txn", lock is already held` }] },
    });
    expect(await txn({ Verb: 'check-session', Session: holder })).toMatchObject({ status: 200 });
    expect(await txn({ Verb: 'unlock', Session: other })).toMatchObject({ status: 409 });
    expect(await txn({ Verb: 'unlock', Session: holder })).toMatchObject({ status: 200 });
    expect(await txn({ Verb: 'check-session', Session: holder })).toMatchObject({ status: 409 });
  });

  const dead = randomUUID();
  it.each([
    { query: `acquire=${dead}`, status: 500, text: `invalid session "${dead}"` },
    { query: `release=${dead}`, status: 200, text: 'false' },
    {
      query: 'acquire=abc',
      status: 500,
      text: 'failed session lookup: index error: UUID must be 36 characters',
    },
    { query: 'release=abc', status: 200, text: 'false' },
    { query: 'acquire=', status: 500, text: 'missing session' },
    { query: 'release=', status: 500, text: 'missing session' },
    {
      query: 'acquire=zzzzzzzz-0000-0000-0000-000000000000',
      status: 500,
      text: 'failed session lookup: index error: Invalid UUID',
    },
  ])('answers ?$query with $status', async ({ query, status, text }) => {
    const reply = await kv.put(`dead?${query}`, '1');
    expect(reply.status).toBe(status);
    expect(reply.text).toContain(text);
  });
}

function endFacts(consul: () => ConsulTarget): void {
  it('is released at the end of its session, and the value stays', async () => {
    const kv = freshKv(consul());
    const id = await createSession(consul(), { LockDelay: '0s' });
    await kv.put(`held?acquire=${id}&flags=5`, '1');
    const before = await kv.entry('held');
    await putSession(consul(), `destroy/${id}`);
    const after = await kv.entry('held');
    expect(after).toMatchObject({ LockIndex: 1, Flags: 5, Value: before.Value });
    expect(after).not.toHaveProperty('Session');
    expect(after.ModifyIndex).toBeGreaterThan(before.ModifyIndex);
    expect((await kv.put(`held?acquire=${await createSession(consul())}`, '2')).text).toBe('true');
  });

  it('goes with its key at the end of a session that deletes', async () => {
    const kv = freshKv(consul());
    const id = await createSession(consul(), { Behavior: 'delete', LockDelay: '0s' });
    for (const key of ['held/1', 'held/2']) await kv.put(`${key}?acquire=${id}`, '1');
    await kv.put('free', '1');
    await putSession(consul(), `destroy/${id}`);
    expect(await kv.names()).toEqual(['free']);
  });

  it('wakes whoever watches the key', async () => {
    const kv = freshKv(consul());
    const id = await createSession(consul(), { LockDelay: '0s' });
    await kv.put(`held?acquire=${id}`, '1');
    const { ModifyIndex } = await kv.entry('held');
    const blocked = kv.get(`held?index=${ModifyIndex}&wait=5s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
    await putSession(consul(), `destroy/${id}`);
    expect((await blocked).index).toBeGreaterThan(ModifyIndex);
  });
}

function timeFacts(consul: () => ConsulTarget, servers: ConsulServers): void {
  const withTime = async (test: (server: ConsulTarget, kv: KvTarget) => Promise<void>) => {
    const server = await servers.startForTime(consul());
    await test(server, freshKv(server)).finally(() => server.stop());
  };

  it('keeps a lock from others for the lock delay, also from the session that is gone', ({ expect }) =>
    withTime(async (server, kv) => {
      const [id, other] = [await createSession(server, { LockDelay: '1s' }), await createSession(server)];
      await kv.put(`held?acquire=${id}`, '1');
      await putSession(server, `destroy/${id}`);
      expect((await kv.put(`held?acquire=${other}`, '2')).text).toBe('false');
      expect(await kv.put(`held?acquire=${id}`, '2')).toMatchObject({ status: 200, text: 'false' });
      expect(await lockInTxn(server, kv, other)).toMatchObject({
        status: 409,
        json: { Errors: [{ What: `failed to lock key "${kv.prefix}held" due to lock delay` }] },
      });
      expect((await kv.put('held', '3')).text, 'a plain write does not care').toBe('true');
      await server.passTime(1_100);
      expect((await kv.put(`held?acquire=${other}`, '2')).text).toBe('true');
    }));

  it('ends a session after its TTL and within twice of it; renewing starts anew', ({ expect }) =>
    withTime(async (server, kv) => {
      const request = { TTL: '10s', LockDelay: '0s' };
      const [left, renewed] = [await createSession(server, request), await createSession(server, request)];
      await kv.put(`held?acquire=${left}`, '1');
      await server.passTime(9_900);
      expect(await sessionInfo(server, left), 'the TTL is a lower bound').toHaveLength(1);
      expect((await putSession(server, `renew/${renewed}`)).status).toBe(200);
      await server.passTime(11_400);
      expect(await sessionInfo(server, left), 'gone after twice the TTL').toEqual([]);
      expect(await kv.entry('held')).not.toHaveProperty('Session');
      expect((await putSession(server, `renew/${left}`)).status).toBe(404);
      expect(await sessionInfo(server, renewed)).toHaveLength(1);
    }));
}

function lockInTxn(server: ConsulTarget, kv: KvTarget, session: string): Promise<Reply> {
  const operation = { Verb: 'lock', Key: `${kv.prefix}held`, Session: session };
  return server.send('PUT', '/v1/txn', { body: JSON.stringify([{ KV: operation }]) });
}
