import { describe, expect, it } from 'vitest';
import { insightOf } from '../../src/sync/insight.ts';

const now = Date.parse('2026-01-02T03:04:05Z');
const live = { deletion_time: '', destroyed: false };
const metadata = (
  current: number,
  versions: Record<string, { deletion_time: string; destroyed: boolean }>,
) => ({
  current_version: current,
  updated_time: '2026-01-01T00:00:00.1Z',
  versions,
});
const insight = (version: number) => ({ version, updateTime: '2026-01-01T00:00:00.1Z', type: 'kvV2' });

describe('an insight from metadata', () => {
  it.each([
    { name: 'live', given: metadata(3, { '2': live, '3': live }), expected: insight(3) },
    { name: 'metadata only', given: metadata(0, {}), expected: undefined },
    {
      name: 'soft-deleted',
      given: metadata(1, { '1': { ...live, deletion_time: '2026-01-02T03:04:04.999999999Z' } }),
      expected: undefined,
    },
    {
      name: 'deleted this very moment',
      given: metadata(1, { '1': { ...live, deletion_time: '2026-01-02T03:04:05Z' } }),
      expected: undefined,
    },
    {
      name: 'deletion_time in the future is live',
      given: metadata(1, { '1': { ...live, deletion_time: '2026-01-02T03:04:06Z' } }),
      expected: insight(1),
    },
    {
      name: 'destroyed with an empty deletion_time',
      given: metadata(1, { '1': { deletion_time: '', destroyed: true } }),
      expected: undefined,
    },
    {
      name: 'current destroyed, an older one live',
      given: metadata(2, { '1': live, '2': { ...live, destroyed: true } }),
      expected: undefined,
    },
    {
      name: 'current live, an older one deleted',
      given: metadata(2, { '1': { ...live, deletion_time: '2020-01-01T00:00:00Z' }, '2': live }),
      expected: insight(2),
    },
    {
      name: 'a deletion_time that cannot be read is not evidence of deletion',
      given: metadata(1, { '1': { ...live, deletion_time: 'soon' } }),
      expected: insight(1),
    },
    {
      name: 'current version not listed is not evidence of deletion',
      given: metadata(2, { '1': live }),
      expected: insight(2),
    },
  ])('$name', ({ given, expected }) => {
    expect(insightOf(given, now)).toEqual(expected);
  });
});
