import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/dev/consul/clock.ts';
import { type DevConsul, startDevConsul } from '../../../src/dev/consul/dev-consul.ts';
import { cannedAnswers } from '../../../src/dev/consul/faults.ts';
import { send } from './client.ts';

const any = () => true;
const clock = new ManualClock();
let consul: DevConsul;
beforeEach(async () => {
  consul = await startDevConsul({ clock });
});
afterEach(() => consul.close());

/** The value of key `a`, asked for past all faults. */
const stored = () => consul.snapshot().get('a')?.value.toString();

describe('a fault that changes the answer', () => {
  it.each([
    { name: 'no leader', answer: cannedAnswers.noLeader, status: 500, text: 'No cluster leader' },
    {
      name: 'leader lost',
      answer: cannedAnswers.leaderLost,
      status: 500,
      text: 'rpc error making call: EOF',
    },
    { name: 'rate limited', answer: cannedAnswers.rateLimited, status: 429, text: '' },
    { name: 'forbidden', answer: cannedAnswers.permissionDenied, status: 403, text: 'Permission denied' },
    { name: 'missing', answer: cannedAnswers.emptyNotFound, status: 404, text: '' },
  ])('answers $name without any effect', async ({ answer, status, text }) => {
    consul.faults.add({ match: any, action: { kind: 'answer', answer } });
    expect(await send(consul, 'PUT kv/a', '1')).toMatchObject({ status, text });
    expect(stored()).toBeUndefined();
  });

  it('can come after the effect, which makes a 500 ambiguous', async () => {
    const answer = { status: 500, body: 'EOF' };
    consul.faults.add({ match: any, times: 1, action: { kind: 'answerAfterEffect', answer } });
    expect(await send(consul, 'PUT kv/a', '1')).toMatchObject({ status: 500, text: 'EOF' });
    expect(stored()).toBe('1');
  });

  it('can carry headers', async () => {
    const answer = { ...cannedAnswers.rateLimited, headers: { 'Retry-After': '3' } };
    consul.faults.add({ match: any, action: { kind: 'answer', answer } });
    expect((await fetch(`${consul.address}/v1/kv/a`)).headers.get('retry-after')).toBe('3');
  });
});

describe('a fault of the connection', () => {
  it('resets it before any effect', async () => {
    consul.faults.add({ match: any, times: 1, action: { kind: 'reset' } });
    await expect(send(consul, 'PUT kv/a', '1')).rejects.toThrow('fetch failed');
    expect(stored()).toBeUndefined();
  });

  it('drops the reply after the effect', async () => {
    consul.faults.add({ match: any, times: 1, action: { kind: 'dropReply' } });
    await expect(send(consul, 'PUT kv/a', '1')).rejects.toThrow('fetch failed');
    expect(stored()).toBe('1');
  });

  it.each([0, 5])('cuts the answer after %i bytes of its body', async (bytes) => {
    await send(consul, 'PUT kv/a', '0123456789');
    consul.faults.add({ match: any, action: { kind: 'cutAfterBytes', bytes } });
    const response = await fetch(`${consul.address}/v1/kv/a?raw`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('10');
    await expect(response.text()).rejects.toThrow('terminated');
  });

  it('hangs without effect until the client gives up', async () => {
    consul.faults.add({ match: { method: 'PUT' }, action: { kind: 'hang' } });
    const client = new AbortController();
    const hanging = fetch(`${consul.address}/v1/kv/a`, { method: 'PUT', body: '1', signal: client.signal });
    expect((await send(consul, 'GET kv/a')).status).toBe(404);
    client.abort();
    await expect(hanging).rejects.toThrow('aborted');
    expect(stored()).toBeUndefined();
  });

  it('delays effect and answer', async () => {
    consul.faults.add({ match: { method: 'PUT' }, action: { kind: 'delay', ms: 7_000 } });
    const delayed = send(consul, 'PUT kv/a', '1');
    while (clock.pending === 0) await send(consul, 'GET kv/a');
    clock.advance(6_999);
    expect(stored()).toBeUndefined();
    clock.advance(1);
    expect((await delayed).text).toBe('true');
    expect(stored()).toBe('1');
  });

  it('delays the effect also of a client that has given up: a late write', async () => {
    consul.faults.add({ match: { method: 'PUT' }, action: { kind: 'delay', ms: 7_000 } });
    const client = new AbortController();
    const delayed = fetch(`${consul.address}/v1/kv/a`, { method: 'PUT', body: '1', signal: client.signal });
    while (clock.pending === 0) await send(consul, 'GET kv/a');
    client.abort();
    await expect(delayed).rejects.toThrow('aborted');
    clock.advance(7_000);
    while ((await send(consul, 'GET kv/a')).status === 404);
    expect(stored()).toBe('1');
  });

  it('delays no longer than the server lives', async () => {
    consul.faults.add({ match: any, action: { kind: 'delay', ms: 7_000 } });
    const delayed = expect(send(consul, 'PUT kv/a', '1')).rejects.toThrow('fetch failed');
    while (consul.requests.total === 0 || clock.pending === 0) await new Promise(setImmediate);
    await consul.close();
    await delayed;
    expect(clock.pending).toBe(0);
    expect(stored()).toBeUndefined();
  });
});

describe('a fault of the index', () => {
  it('lets it go backwards, and leaves the answer as it is', async () => {
    await send(consul, 'PUT kv/a', '1');
    const before = await send(consul, 'GET kv/a');
    consul.faults.add({ match: any, times: 1, action: { kind: 'indexBackwards' } });
    expect(await send(consul, 'GET kv/a')).toEqual({ ...before, index: '1' });
    consul.faults.add({ match: any, times: 1, action: { kind: 'indexBackwards', index: 7 } });
    expect((await send(consul, 'GET kv/missing')).index).toBe('7');
    expect((await send(consul, 'GET kv/a')).index).toBe(before.index);
  });

  it('ends a query that would block with the index it was asked for, and no other', async () => {
    await send(consul, 'PUT kv/a', '1');
    const current = await send(consul, 'GET kv/a');
    consul.faults.add({ match: any, action: { kind: 'oldIndex' } });
    expect(await send(consul, `GET kv/a?index=${current.index}`)).toEqual(current);
    expect(await send(consul, `GET kv/a?index=${Number(current.index) + 5}`)).toMatchObject({
      status: 200,
      index: String(Number(current.index) + 5),
    });
    expect(await send(consul, 'GET kv/a?index=1')).toEqual(current);
  });

  it.each([
    { name: 'the old index', ending: 'oldIndex' as const, status: 200 },
    { name: 'an error', ending: cannedAnswers.leaderLost, status: 500 },
  ])('ends all queries that are blocked with $name', async ({ ending, status }) => {
    await send(consul, 'PUT kv/a', '1');
    const { index } = await send(consul, 'GET kv/a');
    const blocked = [1, 2].map(() => send(consul, `GET kv/a?index=${index}`));
    await consul.untilBlocked(2);
    consul.faults.endBlocked(ending);
    for (const answer of await Promise.all(blocked)) {
      expect(answer).toMatchObject({ status, index: status === 200 ? index : null });
    }
  });
});

describe('a fault hits', () => {
  const action = { kind: 'answer', answer: cannedAnswers.noLeader } as const;

  it.each([
    { name: 'everything', match: any, hits: [true, true, true] },
    { name: 'a method', match: { method: 'PUT' }, hits: [false, true, true] },
    { name: 'a path', match: { pathPattern: /^kv\/a b$/ }, hits: [true, false, false] },
    { name: 'method and path', match: { method: 'PUT', pathPattern: /txn/ }, hits: [false, false, true] },
    {
      name: 'what a function picks, by the body too',
      match: (request: { body: string }) => request.body === '[]',
      hits: [false, false, true],
    },
  ])('$name', async ({ match, hits }) => {
    consul.faults.add({ match, action });
    const answers = [
      await send(consul, 'GET kv/a%20b?raw'),
      await send(consul, 'PUT kv/a', '1'),
      await send(consul, 'PUT txn', '[]'),
    ];
    expect(answers.map(({ status }) => status === 500)).toEqual(hits);
  });

  it('as often as it is told, and counts', async () => {
    const fault = consul.faults.add({ match: any, times: 2, action });
    const statuses = [];
    for (const _ of [1, 2, 3]) statuses.push((await send(consul, 'GET kv/a')).status);
    expect(statuses).toEqual([500, 500, 404]);
    expect(fault.hits).toBe(2);
  });

  it('before those that were added later, until it is removed', async () => {
    const first = consul.faults.add({ match: any, action });
    consul.faults.add({ match: any, action: { kind: 'answer', answer: cannedAnswers.permissionDenied } });
    expect((await send(consul, 'GET kv/a')).status).toBe(500);
    first.remove();
    expect((await send(consul, 'GET kv/a')).status).toBe(403);
    consul.faults.clear();
    expect((await send(consul, 'GET kv/a')).status).toBe(404);
  });
});
