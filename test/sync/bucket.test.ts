import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  bucketHash,
  bucketIdOf,
  bucketJson,
  bucketText,
  indexJson,
  parseBucket,
  parseIndex,
} from '../../src/sync/bucket.ts';
import type { Insight } from '../../src/sync/insight.ts';
import type { DataPath } from '../../src/sync/mount-path.ts';
import { SyncInfo } from '../../src/sync/sync-info.ts';

interface Vector {
  readonly name: string;
  readonly numBuckets: number;
  readonly operations:
    | readonly { readonly op: 'put' | 'delete'; readonly path: DataPath; readonly insight: Insight }[]
    | null;
  readonly bucketIds: Readonly<Record<string, number>>;
  readonly indexJson: readonly string[];
  readonly bucketJson: Readonly<Record<string, string>> | null;
  readonly bucketHashedText: Readonly<Record<string, string>> | null;
}
const { cases }: { cases: readonly Vector[] } = JSON.parse(
  readFileSync(new URL('../golden/sync-info.json', import.meta.url), 'utf8'),
);

describe.each(cases)('byte for byte as the Go program: $name', (vector) => {
  const info = SyncInfo.empty(vector.numBuckets);
  for (const { op, path, insight } of vector.operations ?? []) {
    if (op === 'put') info.put(path, insight);
    else info.remove(path);
  }

  it('puts each path into the same bucket', () => {
    const ids = Object.keys(vector.bucketIds).map((path) => [
      path,
      bucketIdOf(path as DataPath, vector.numBuckets),
    ]);
    expect(Object.fromEntries(ids)).toEqual(vector.bucketIds);
  });

  it('hashes the same text', () => {
    for (const [id, text] of Object.entries(vector.bucketHashedText ?? {}))
      expect(bucketText(info.bucket(Number(id)))).toBe(text);
  });

  it('stores the same JSON and the same index', () => {
    const { index, buckets } = info.reindex([]);
    expect(index).toEqual(vector.indexJson);
    expect(JSON.parse(indexJson(index))).toEqual(vector.indexJson);
    const stored = Object.fromEntries(buckets.map(({ id, json }) => [id, json()]));
    // The largest vector has the index only.
    if (vector.bucketJson !== null) expect(stored).toEqual(vector.bucketJson);
  });

  it('reads its own JSON back to the same hash', () => {
    for (const [id, json] of Object.entries(vector.bucketJson ?? {})) {
      expect(bucketHash(parseBucket(json))).toBe(vector.indexJson[Number(id)]);
    }
  });
});

describe('a stored bucket', () => {
  const path = 'secret/data/a' as DataPath;

  it('may carry the version at the destination, which is not hashed', () => {
    const plain = new Map([[path, { version: 1, updateTime: 'T', type: 'kvV2' }]]);
    const withDv = new Map([[path, { version: 1, updateTime: 'T', type: 'kvV2', dv: 7 }]]);
    expect(bucketHash(withDv)).toBe(bucketHash(plain));
    expect(parseBucket(bucketJson(withDv)).get(path)?.dv).toBe(7);
  });

  it('keeps a path named like a property of every object', () => {
    const bucket = new Map([['__proto__' as DataPath, { version: 1, updateTime: 'T', type: 'kvV2' }]]);
    expect([...parseBucket(bucketJson(bucket)).keys()]).toEqual(['__proto__']);
  });

  it('ignores fields it does not know', () => {
    expect(
      parseBucket('{"a":{"version":1,"updateTime":"T","type":"kvV2","x":1}}').get('a' as DataPath),
    ).toEqual({
      version: 1,
      updateTime: 'T',
      type: 'kvV2',
    });
  });

  it.each([
    'garbage',
    '',
    'null',
    '[]',
    '1',
    '{"a":1}',
    '{"a":null}',
    '{"a":{"version":-1,"updateTime":"T","type":"x"}}',
    '{"a":{"version":1.5,"updateTime":"T","type":"x"}}',
    '{"a":{"version":"1","updateTime":"T","type":"x"}}',
    '{"a":{"version":1,"updateTime":2,"type":"x"}}',
  ])('is corrupt, never empty: %s', (json) => {
    expect(() => parseBucket(json)).toThrow(expect.objectContaining({ code: 'SYNC_INFO_CORRUPT' }));
  });

  it.each(['garbage', '', '{}', 'null', '["x"]', '[1]', `["${'A'.repeat(64)}"]`])(
    'has a corrupt index: %s',
    (json) => {
      expect(() => parseIndex(json)).toThrow(expect.objectContaining({ code: 'SYNC_INFO_CORRUPT' }));
    },
  );
});
