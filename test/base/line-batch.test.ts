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
