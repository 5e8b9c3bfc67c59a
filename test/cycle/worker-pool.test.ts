import { describe, expect, it } from 'vitest';
import { WorkerPool } from '../../src/cycle/worker-pool.ts';

const never = new AbortController().signal;
const turn = async (turns = 1) => {
  for (let i = 0; i < turns; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('the worker pool', () => {
  it('has no more tasks under way than workers', async () => {
    const pool = new WorkerPool(3, never);
    let now = 0;
    let most = 0;
    for (let i = 0; i < 20; i += 1) {
      await pool.add(async () => {
        now += 1;
        most = Math.max(most, now);
        await turn();
        now -= 1;
      });
    }
    await pool.idle();
    expect(most).toBe(3);
  });

  it('makes the producer wait while enough is queued', async () => {
    const pool = new WorkerPool(1, never);
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let added = 0;
    const producer = (async () => {
      for (let i = 0; i < 100; i += 1) {
        await pool.add(() => gate);
        added += 1;
      }
    })();
    await turn(5);
    expect(added).toBeLessThan(12);
    release();
    await producer;
    await pool.idle();
    expect(added).toBe(100);
  });

  it('once aborted passes queued tasks over, and still ends', async () => {
    const stop = new AbortController();
    const pool = new WorkerPool(1, stop.signal);
    let ran = 0;
    for (let i = 0; i < 5; i += 1) {
      await pool.add(async () => {
        ran += 1;
        stop.abort();
        await turn();
      });
    }
    await pool.idle();
    expect(ran).toBe(1);
  });
});
