import { describe, expect, it } from 'vitest';
import type { Log, LogFields, LogLevel } from '../../src/base/log.ts';
import type { CycleEvent } from '../../src/cycle/events.ts';
import { logEvents } from '../../src/cycle/log-events.ts';
import type { CycleOutcome } from '../../src/cycle/outcome.ts';
import { at, failure } from './fakes.ts';

function recorder() {
  const lines: { level: LogLevel; message: string; fields: LogFields }[] = [];
  const write = (level: LogLevel, message: string, fields: LogFields = {}) =>
    void lines.push({ level, message, fields });
  const log: Log = {
    log: write,
    error: (message, fields) => write('error', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    info: (message, fields) => write('info', message, fields),
    debug: (message, fields) => write('debug', message, fields),
    isOn: () => true,
    with: () => log,
    protect: () => {},
    close: async () => {},
  };
  const emit = logEvents(log);
  const cycle = (outcome: Partial<CycleOutcome> = {}, events: readonly CycleEvent[] = []) => {
    emit({ kind: 'cycle.start', cycle: 'c', trigger: 'tick' });
    for (const event of events) emit(event);
    emit({
      kind: 'cycle.end',
      cycle: 'c',
      trigger: 'tick',
      durationMs: 1234,
      outcome: {
        result: 'noop',
        counts: { paths: undefined, failed: 0 },
        failedPaths: new Map(),
        ...outcome,
      },
    });
  };
  const taken = () => lines.splice(0).filter(({ level }) => level !== 'debug');
  return { emit, cycle, taken };
}

describe('the log of cycles', () => {
  it('has one line a cycle and one a changed path', () => {
    const { cycle, taken } = recorder();
    const added: CycleEvent = {
      kind: 'path.add',
      path: at('a'),
      target: at('a'),
      version: 1,
      fromVersion: undefined,
      recorded: false,
    };
    cycle({ result: 'success' }, [added]);
    expect(taken().map(({ message }) => message)).toEqual(['secret added', 'completed sync cycle']);
  });

  it('R13: logs the first failure of many, then a count, then the recovery', () => {
    const { cycle, taken } = recorder();
    for (let i = 0; i < 20; i += 1) cycle({ result: 'failed', error: failure.unreachable() });
    expect(taken().map(({ fields }) => fields.times)).toEqual([undefined, 10, 20]);
    cycle();
    expect(taken().map(({ message, fields }) => [message, fields.failures])).toEqual([
      ['cycles work again', 20],
      ['completed sync cycle', undefined],
    ]);
  });

  it('R13: another failure is logged at once', () => {
    const { cycle, taken } = recorder();
    cycle({ result: 'failed', error: failure.unreachable() });
    cycle({ result: 'failed', error: failure.broken() });
    expect(taken().map(({ fields }) => fields['error.id'])).toEqual([
      'VAULT_UNREACHABLE',
      'VAULT_UNAVAILABLE',
    ]);
  });

  it('R13: the same for a path that fails in each cycle', () => {
    const { cycle, taken } = recorder();
    const event: CycleEvent = { kind: 'path.error', path: at('a'), error: failure.forbidden() };
    for (let i = 0; i < 10; i += 1) cycle({ result: 'partial' }, [event]);
    expect(
      taken()
        .filter(({ message }) => message === 'secret failed')
        .map(({ fields }) => fields.times),
    ).toEqual([undefined, 10]);
    cycle();
    expect(taken().map(({ message }) => message)).toContain('secret works again');
  });

  it('a cycle that was stopped on purpose is no error', () => {
    const { cycle, taken } = recorder();
    cycle({ result: 'aborted', error: failure.unreachable().as('abort') });
    expect(taken().map(({ level }) => level)).toEqual(['info']);
  });
});
