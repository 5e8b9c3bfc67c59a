import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConsulClient } from '../../src/consul/client.ts';
import type { NodeStatus } from '../../src/consul/node-store.ts';
import type { CycleEvent } from '../../src/cycle/events.ts';
import { statusWriter } from '../../src/roles/node-status.ts';

/** What a node tells of itself, and when. */
describe('the status of a node', () => {
  let written: NodeStatus[];
  beforeEach(() => {
    written = [];
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-01-02T12:00:00Z') });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function writer() {
    const consul = {
      put: async (_key: string, value: string) => {
        written.push(JSON.parse(value));
        return true;
      },
    } as unknown as ConsulClient;
    return statusWriter({
      consul,
      syncPath: 'vsync/',
      role: 'destination',
      name: 'd',
      nextCycle: () => undefined,
      onError: (error) => {
        throw error;
      },
    });
  }

  const start: CycleEvent = { kind: 'cycle.start', cycle: '1', trigger: 'tick' };
  const progress: CycleEvent = { kind: 'progress', done: 1, total: 2 };
  const end: CycleEvent = {
    kind: 'cycle.end',
    cycle: '1',
    trigger: 'tick',
    durationMs: 5,
    outcome: { result: 'noop', counts: { paths: 2, failed: 0 }, failedPaths: new Map() },
  };
  const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);

  it('is written once for a cycle that is soon over', async () => {
    const status = writer();
    for (const event of [start, progress, end]) {
      status.observe(event);
      pass(4);
    }
    await status.idle();
    expect(written).toMatchObject([
      { health: 'Healthy', sync: 'InSync', result: 'noop', counts: { paths: 2 } },
    ]);
  });

  it('of a long cycle tells every 10 s that it is at work, and what the last one came to', async () => {
    const status = writer();
    status.observe(end);
    status.observe(start);
    for (let second = 0; second < 25; second += 1) {
      pass(1);
      status.observe(progress);
    }
    status.observe(end);
    await status.idle();
    expect(written.map(({ health, aliveAt }) => [health, aliveAt])).toEqual([
      ['Healthy', undefined],
      ['Progressing', '2026-01-02T12:00:10.000Z'],
      ['Progressing', '2026-01-02T12:00:20.000Z'],
      ['Healthy', undefined],
    ]);
    expect(written[1]).toMatchObject({ result: 'noop', counts: { paths: 2 } });
  });

  it('of a first cycle that is long tells that nothing is known yet', async () => {
    const status = writer();
    status.observe(start);
    pass(11);
    status.observe(progress);
    await status.idle();
    expect(written).toMatchObject([{ health: 'Progressing', sync: 'Unknown', result: 'running', name: 'd' }]);
  });
});
