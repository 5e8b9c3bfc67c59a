import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LineBatch } from '../../src/base/line-batch.ts';

describe('lines that are written together', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A batch and what it wrote. */
  function open() {
    const written: string[] = [];
    return { batch: new LineBatch((lines) => written.push(lines)), written };
  }

  it('are all that came within a moment, in their order', () => {
    const { batch, written } = open();
    batch.add('a');
    batch.add('b');
    expect(written).toEqual([]);
    vi.advanceTimersByTime(100);
    batch.add('c');
    vi.advanceTimersByTime(100);
    expect(written).toEqual(['a\nb', 'c']);
    batch.close();
  });

  it('do not wait when they are asked for, and are not written again', () => {
    const { batch, written } = open();
    batch.add('a');
    batch.flush();
    batch.flush();
    vi.advanceTimersByTime(100);
    expect(written).toEqual(['a']);
    batch.close();
  });

  it('are no more than a pipe takes in one piece: two processes may share one', () => {
    const { batch, written } = open();
    const line = 'x'.repeat(1000);
    for (let i = 0; i < 9; i += 1) batch.add(line);
    batch.add('y'.repeat(10_000));
    batch.close();
    expect(written.map((lines) => lines.split('\n').length)).toEqual([3, 3, 3, 1]);
    for (const lines of written.slice(0, -1)) expect(lines.length).toBeLessThan(4096);
  });

  it('are not lost at the end of the process', () => {
    const before = process.listeners('exit');
    const { batch, written } = open();
    batch.add('a');
    for (const listener of process.listeners('exit')) if (!before.includes(listener)) listener(0);
    expect(written).toEqual(['a']);
    batch.close();
    expect(process.listeners('exit'), 'a closed one leaves no listener').toEqual(before);
  });
});
