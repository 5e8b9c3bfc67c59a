import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/dev/consul/clock.ts';

describe('a manual clock', () => {
  it('calls back what falls due, earliest first, at its own time', () => {
    const clock = new ManualClock();
    const calls: string[] = [];
    for (const delay of [30, 10, 20]) clock.after(delay, () => calls.push(`${delay}@${clock.now()}`));
    clock.advance(25);
    expect(calls).toEqual(['10@10', '20@20']);
    expect(clock.now()).toBe(25);
    expect(clock.pending).toBe(1);
  });

  it('calls back what a callback asked for within the same move', () => {
    const clock = new ManualClock();
    const calls: number[] = [];
    const tick = () => {
      calls.push(clock.now());
      clock.after(10, tick);
    };
    clock.after(10, tick);
    clock.advance(35);
    expect(calls).toEqual([10, 20, 30]);
  });

  it('does not call back what was cancelled', () => {
    const clock = new ManualClock();
    const calls: string[] = [];
    const cancel = clock.after(10, () => calls.push('never'));
    cancel();
    clock.advance(20);
    expect(calls).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
