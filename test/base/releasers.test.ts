import { describe, expect, it } from 'vitest';
import { Releasers } from '../../src/base/releasers.ts';

describe('releasers', () => {
  it('releases last in, first out, one after the other', async () => {
    const calls: string[] = [];
    const releasers = new Releasers();
    releasers.push(() => void calls.push('pool'));
    releasers.push(async () => {
      calls.push('server begins');
      await Promise.resolve();
      calls.push('server ends');
    });
    releasers.push(() => void calls.push('timer'));
    await releasers.release();
    expect(calls).toEqual(['timer', 'server begins', 'server ends', 'pool']);
  });

  it('tries all, then throws the first failure', async () => {
    const calls: string[] = [];
    const releasers = new Releasers();
    releasers.push(() => void calls.push('first'));
    releasers.push(() => {
      throw new Error('the second to fail');
    });
    releasers.push(() => Promise.reject(new Error('the first to fail')));
    await expect(releasers.release()).rejects.toThrow('the first to fail');
    expect(calls).toEqual(['first']);
  });

  it('throws also what is no error', async () => {
    const releasers = new Releasers();
    releasers.push(() => Promise.reject(undefined));
    await expect(releasers.release()).rejects.toBeUndefined();
  });

  it('releases each thing once, also one that is pushed on the way down', async () => {
    const calls: string[] = [];
    const releasers = new Releasers();
    releasers.push(() => {
      calls.push('outer');
      releasers.push(() => void calls.push('late'));
    });
    await releasers.release();
    await releasers.release();
    expect(calls).toEqual(['outer', 'late']);
  });
});
