import { describe, expect, it } from 'vitest';
import { refuseStale } from '../../src/cycle/copy-secret.ts';
import type { PlannedTask } from '../../src/sync/plan.ts';
import { SecretValue } from '../../src/sync/secret-value.ts';
import { at } from './fakes.ts';

const earlier = '2026-01-02T03:04:05.000000001Z';
const published = '2026-01-02T03:04:05.000000002Z';
const later = '2026-01-02T03:04:05.000000003Z';

describe('an answer of the origin beside what it published as version 3', () => {
  const task = {
    kind: 'update',
    path: at('a'),
    target: at('a'),
    to: { version: 3, updateTime: published, type: 'kvV2' },
  } as PlannedTask;
  const answer = (version: number, createdTime: string) =>
    ({ kind: 'live', version, createdTime, value: new SecretValue('{}') }) as const;

  it.each([
    { name: 'that version', version: 3, time: published },
    { name: 'a newer one', version: 4, time: later },
    { name: 'a lower one of a later time: the key was made anew', version: 1, time: later },
  ])('is copied if it is $name', ({ version, time }) => {
    expect(() => refuseStale(task, answer(version, time))).not.toThrow();
  });

  it('is not copied if it is an older one: it would go back in time', () => {
    expect(() => refuseStale(task, answer(2, earlier))).toThrow(
      expect.objectContaining({ code: 'ORIGIN_STALE', class: 'path', retryable: true }),
    );
  });
});
