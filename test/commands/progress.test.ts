import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Log } from '../../src/base/log.ts';
import type { TextStream } from '../../src/commands/command-io.ts';
import { barText, openProgress } from '../../src/commands/terminal/progress.ts';

const facts = { done: 1200, total: 4210, perSecond: 120.4, secondsLeft: 25 };

describe('the bar', () => {
  it('has rate and remaining time', () => {
    expect(barText('applying', facts, 200)).toBe(
      'applying  [===========                             ]  1 200 of 4 210  120/s  25s left',
    );
  });

  it.each([30, 40, 60, 80, 120])('fits %i columns', (width) => {
    for (const total of [4210, undefined])
      expect(barText('applying', { ...facts, total }, width).length).toBeLessThan(width);
  });

  it('does without a total, and says at once what is going on', () => {
    expect(barText('scanning', { ...facts, total: undefined, secondsLeft: undefined }, 80)).toBe(
      'scanning  1 200  120/s',
    );
    expect(barText('comparing', { ...facts, done: 0 }, 80)).toBe('comparing ...');
  });

  it('counts long times in minutes and hours', () => {
    expect(barText('x', { ...facts, secondsLeft: 3000 }, 80)).toContain('50m left');
    expect(barText('x', { ...facts, secondsLeft: 36_000 }, 80)).toContain('10h left');
  });
});

class Screen extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 80;

  constructor(isTTY: boolean) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }

  /** The lines that a person sees: what is cleared is gone. */
  get lines(): string[] {
    return this.text
      .split('\n')
      .map((line) => line.slice(line.lastIndexOf('\r') + 1).replace('\u001b[K', ''));
  }
}

describe('progress', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const step = (done: number) => ({ kind: 'progress', done, total: 100 }) as const;

  it('is drawn on a terminal at once, goes on, and leaves nothing behind', () => {
    const err = new Screen(true);
    const progress = openProgress({ err: err as TextStream }, { label: 'applying', quiet: false });
    expect(err.lines).toEqual(['applying ...']);
    progress.observe(step(50));
    vi.advanceTimersByTime(200);
    expect(err.lines.at(-1)).toMatch(/^applying {2}\[=+ +\] {2}50 of 100/);
    progress.stop();
    expect(err.lines).toEqual(['']);
    vi.advanceTimersByTime(60_000);
    expect(err.lines).toEqual(['']);
  });

  it('moves below what the log writes', () => {
    const err = new Screen(true);
    const progress = openProgress({ err: err as TextStream }, { label: 'applying', quiet: false });
    progress.stream.write('a warning\n');
    expect(err.lines).toEqual(['a warning', 'applying ...']);
    progress.stop();
    progress.stream.write('the end\n');
    expect(err.lines).toEqual(['a warning', 'the end', '']);
  });

  it('elsewhere is a line in the log every ten seconds, while there is progress', () => {
    const err = new Screen(false);
    const progress = openProgress({ err: err as TextStream }, { label: 'applying', quiet: false });
    const info = vi.fn();
    progress.useLog({ info } as unknown as Log);
    vi.advanceTimersByTime(10_000);
    expect(info).not.toHaveBeenCalled();
    progress.observe(step(20));
    vi.advanceTimersByTime(9_000);
    progress.observe(step(50));
    vi.advanceTimersByTime(1_000);
    expect(info).toHaveBeenCalledExactlyOnceWith('applying', {
      event: 'progress',
      done: 50,
      total: 100,
      rate: '3/s',
      left: '17s',
    });
    vi.advanceTimersByTime(30_000);
    expect(info).toHaveBeenCalledTimes(1);
    progress.stop();
    progress.observe(step(60));
    vi.advanceTimersByTime(30_000);
    expect(info).toHaveBeenCalledTimes(1);
    expect(err.text).toBe('');
  });

  it('is silent with --quiet', () => {
    const err = new Screen(true);
    const progress = openProgress({ err: err as TextStream }, { label: 'applying', quiet: true });
    progress.observe(step(50));
    vi.advanceTimersByTime(20_000);
    expect(err.text).toBe('');
    progress.stream.write('an error\n');
    expect(err.text).toBe('an error\n');
  });
});
