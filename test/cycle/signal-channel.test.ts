import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { SignalChannel } from '../../src/cycle/signal-channel.ts';

describe('the signal channel', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('drains on the first %s and aborts on the second', (signal) => {
    const target = new EventEmitter();
    const signals = new SignalChannel();
    signals.listen(target as NodeJS.Process);
    target.emit(signal, signal);
    expect([signals.received, signals.draining.aborted, signals.aborting.aborted]).toEqual([
      signal,
      true,
      false,
    ]);
    target.emit(signal, signal);
    expect(signals.aborting.aborted).toBe(true);
  });

  it('runs a cycle on SIGUSR2', () => {
    const target = new EventEmitter();
    const signals = new SignalChannel();
    signals.listen(target as NodeJS.Process);
    let runs = 0;
    const release = signals.onRunNow(() => {
      runs += 1;
    });
    target.emit('SIGUSR2');
    release();
    target.emit('SIGUSR2');
    expect(runs).toBe(1);
  });

  it('leaves SIGHUP to the process unless somebody listens', () => {
    const target = new EventEmitter();
    const signals = new SignalChannel();
    signals.listen(target as NodeJS.Process);
    expect(target.listenerCount('SIGHUP')).toBe(0);
    let heard = 0;
    const release = signals.onHangUp(() => {
      heard += 1;
    });
    target.emit('SIGHUP');
    release();
    expect([heard, target.listenerCount('SIGHUP'), signals.draining.aborted]).toEqual([1, 0, false]);
  });

  it('released, listens no more', () => {
    const target = new EventEmitter();
    const release = new SignalChannel().listen(target as NodeJS.Process);
    release();
    expect(target.eventNames()).toEqual([]);
  });
});
