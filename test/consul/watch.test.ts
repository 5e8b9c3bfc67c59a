import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConsulClient } from '../../src/consul/client.ts';
import { watchKey } from '../../src/consul/watch.ts';
import { ManualClock as ServerClock } from '../../src/dev/consul/clock.ts';
import { type DevConsul, startDevConsul } from '../../src/dev/consul/dev-consul.ts';
import { cannedAnswers } from '../../src/dev/consul/faults.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { consulClient } from '../contract/consul-client-target.ts';

/** A watch whose pauses, and a Consul whose waits, pass when the test says so. */
let serverClock: ServerClock;
let clock: ManualClock;
let server: DevConsul;
let consul: ConsulClient;
let stop: AbortController;
let events: string[];
let watching: Promise<void>;
beforeEach(async () => {
  serverClock = new ServerClock();
  clock = new ManualClock();
  server = await startDevConsul({ clock: serverClock });
  consul = consulClient(server.address);
  stop = new AbortController();
  events = [];
});
afterEach(async () => {
  stop.abort(new Error('over'));
  await watching;
  consul.close();
  await server.close();
});

const key = 'vsync/origin/index';
const put = (value: string) => consul.put(key, value);
function watch(): void {
  watching = watchKey({
    consul,
    key,
    signal: stop.signal,
    onChange: () => events.push('change'),
    onError: (error) => events.push(error.code),
    clock,
  });
}
/** The queries so far: `index` and `wait` of each. */
const queries = () =>
  server.requests.lines
    .filter((line) => line.startsWith('GET') && line.includes('index='))
    .map((line) => /index=(\d+)/.exec(line)?.[1]);
/** Lets the pause after an answer pass, and waits until the next query is blocked. */
async function untilBlocked(): Promise<void> {
  await clock.passSleep();
  await server.untilBlocked();
}
const indexNow = () => String(server.snapshot().get(key)?.modifyIndex);

describe('a watch', () => {
  it('tells of a key that is there, once', async () => {
    await put('a');
    watch();
    await untilBlocked();
    expect(events).toEqual(['change']);
    expect(queries()).toEqual(['0', indexNow()]);
  });

  it('tells of a missing key when it comes, of its changes, and when it goes', async () => {
    await consul.put('elsewhere', 'x');
    watch();
    await untilBlocked();
    expect(events).toEqual([]);
    await put('a');
    await untilBlocked();
    expect(events).toEqual(['change']);
    await put('b');
    await untilBlocked();
    expect(events).toEqual(['change', 'change']);
    await consul.delete(key);
    await untilBlocked();
    expect(events).toEqual(['change', 'change', 'change']);
  });

  it('costs one query a minute while nothing happens, and tells of nothing', async () => {
    await put('a');
    watch();
    await untilBlocked();
    for (let minute = 1; minute <= 5; minute += 1) {
      // Consul waits up to a sixteenth longer.
      serverClock.advance(64_000);
      await untilBlocked();
      expect(queries()).toHaveLength(2 + minute);
    }
    expect(events).toEqual(['change']);
  });

  it('does not take an answer for a change: other flags, or a value that was there before', async () => {
    await put('a');
    watch();
    await untilBlocked();
    await consul.put(key, 'a', {}, undefined, 4711);
    await untilBlocked();
    await put('a');
    await untilBlocked();
    expect(queries()).toHaveLength(4);
    expect(events).toEqual(['change']);
  });

  it('never begins two queries within 200 ms, however often the key is written', async () => {
    await put('0');
    watch();
    await clock.untilSleeping();
    for (let i = 1; i <= 20; i += 1) await put(`${i}`);
    expect(queries()).toHaveLength(1);
    clock.advance(199);
    await new Promise(setImmediate);
    expect(queries()).toHaveLength(1);
    clock.advance(1);
    await clock.untilSleeping();
    expect(queries()).toHaveLength(2);
    expect(events, 'twenty writes, one more change').toEqual(['change', 'change']);
    expect(clock.slept).toEqual([200, 200]);
  });
});

describe('what a Consul may do', () => {
  it('an index that goes back: it starts over, without a hot loop', async () => {
    await put('a');
    watch();
    await untilBlocked();
    server.faults.add({ match: { method: 'GET' }, times: 1, action: { kind: 'indexBackwards', index: 1 } });
    // The query that is blocked now is not hit; the next one is.
    await put('b');
    await untilBlocked();
    await put('c');
    // Its answer has the low index; what follows from 0 does not block.
    await clock.passSleep();
    await untilBlocked();
    expect(queries().slice(-2), 'from 0, then from the true index').toEqual(['0', indexNow()]);
    expect(events).toEqual(['change', 'change', 'change']);
    expect(new Set(clock.slept)).toEqual(new Set([200]));
  });

  it('an index of 0: it asks for 1, or the query would not block', async () => {
    server.faults.add({
      match: { method: 'GET' },
      times: 1,
      action: { kind: 'answer', answer: { status: 404, headers: { 'X-Consul-Index': '0' } } },
    });
    watch();
    await clock.passSleep();
    await expect.poll(queries).toEqual(['0', '1']);
  });

  it('an answer with the old index, as from a server that shuts down: no change, and a pause', async () => {
    await put('a');
    watch();
    await untilBlocked();
    for (let i = 0; i < 3; i += 1) {
      server.faults.endBlocked('oldIndex');
      await untilBlocked();
    }
    expect(events).toEqual(['change']);
    expect(clock.slept).toEqual([200, 200, 200, 200]);
  });

  it('failures: each is told, the pauses grow to 30 s, and it goes on by itself', async () => {
    await put('a');
    watch();
    await untilBlocked();
    const outage = server.faults.add({
      match: () => true,
      action: { kind: 'answer', answer: cannedAnswers.noLeader },
    });
    server.faults.endBlocked(cannedAnswers.leaderLost);
    for (let i = 0; i < 9; i += 1) await clock.passSleep();
    await clock.untilSleeping();
    expect(clock.slept.slice(1)).toEqual([
      500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000,
    ]);
    expect(events).toEqual(['change', ...new Array(10).fill('CONSUL_UNAVAILABLE')]);
    outage.remove();
    await clock.passSleep();
    await untilBlocked();
    expect(events.slice(11), 'nothing has changed meanwhile').toEqual([]);
    await put('b');
    await untilBlocked();
    expect(events.slice(11)).toEqual(['change']);
    server.faults.endBlocked(cannedAnswers.leaderLost);
    await clock.untilSleeping();
    expect(clock.slept.at(-1), 'the next outage begins with a short pause').toBe(500);
  });

  it('a change during an outage: it is told of afterwards', async () => {
    await put('a');
    watch();
    await untilBlocked();
    const outage = server.faults.add({ match: { method: 'GET' }, action: { kind: 'reset' } });
    server.faults.endBlocked(cannedAnswers.leaderLost);
    await put('b');
    await clock.passSleep();
    await clock.untilSleeping();
    outage.remove();
    await clock.passSleep();
    await untilBlocked();
    expect(events).toEqual(['change', 'CONSUL_UNAVAILABLE', 'CONSUL_UNREACHABLE', 'change']);
  });

  it('no rights: told, and tried again, since a token may be given them', async () => {
    server.faults.add({
      match: () => true,
      times: 1,
      action: { kind: 'answer', answer: cannedAnswers.permissionDenied },
    });
    watch();
    await clock.passSleep();
    await clock.untilSleeping();
    expect(events).toEqual(['CONSUL_FORBIDDEN']);
  });
});

describe('the end of a watch', () => {
  it('comes while a query is blocked', async () => {
    await put('a');
    watch();
    await untilBlocked();
    stop.abort(new Error('over'));
    await watching;
    expect(events).toEqual(['change']);
  });

  it('comes in the pause after an answer, and in that after a failure', async () => {
    await put('a');
    watch();
    await clock.untilSleeping();
    stop.abort(new Error('over'));
    await watching;
    stop = new AbortController();
    server.faults.add({ match: () => true, action: { kind: 'reset' } });
    watch();
    await clock.untilSleeping();
    stop.abort(new Error('over'));
    await watching;
    expect(events).toEqual(['change', 'CONSUL_UNREACHABLE']);
  });

  it('comes before it began', async () => {
    stop.abort(new Error('over'));
    watch();
    await watching;
    expect(server.requests.total).toBe(0);
  });
});
