import type { Change, PlanDocument } from '../../src/commands/plan/document.ts';

/** The plan of the operations reference, as a document: one change of each kind, one path left alone. */

const hash = `sha256:${'0'.repeat(64)}`;

export function change(over: Partial<Change> & Pick<Change, 'op' | 'path'>): Change {
  const reasons = { add: 'missing', update: 'version_ahead', delete: 'deleted_in_origin' } as const;
  return { destination_path: over.path, reason: reasons[over.op], transform: null, ...over };
}

export const somePlan: PlanDocument = {
  format_version: '1.0',
  type: 'plan',
  vsync_version: '1.0.0',
  created_at: '2026-11-21T01:00:00.000Z',
  complete: true,
  origin: {
    name: 'dc1',
    vault: 'https://vault.dc1:8200',
    sync_path: 'vsync/origin/',
    published_at: '2026-11-21T00:59:46.000Z',
    paths: 4210,
    buckets: 16,
  },
  destination: {
    name: 'dest_v2',
    vault: 'https://vault.dc2:8200',
    sync_path: 'vsync/destination/',
    paths: 4209,
  },
  basis: {
    origin_index_modify: 881231,
    destination_index_modify: 77121,
    origin_index_hash: hash,
    config_hash: hash,
    differing_buckets: 3,
  },
  changes: [
    change({
      op: 'add',
      path: 'secret/data/app/web/db',
      to: { version: 1, updated_at: '2026-11-21T00:58:00Z' },
    }),
    change({
      op: 'update',
      path: 'secret/data/app/web/api',
      from: { version: 7, updated_at: '2026-11-20T00:00:00Z' },
      to: { version: 9, updated_at: '2026-11-21T00:59:19.123456789Z' },
    }),
    change({
      op: 'update',
      path: 'secret/data/app/old/rot',
      destination_path: 'runner/data/app/old/rot/secrets',
      transform: 'v1->v2',
      reason: 'recreated',
      from: { version: 3, updated_at: '2026-11-20T00:00:00Z' },
      to: { version: 3, updated_at: '2026-11-21T00:00:00Z' },
    }),
    change({
      op: 'delete',
      path: 'secret/data/app/web/legacy',
      from: { version: 4, updated_at: '2026-11-20T00:00:00Z' },
    }),
  ],
  held: [],
  kept: [],
  forgotten: [],
  errors: [
    {
      path: 'secret/data/team/x',
      destination_path: 'nowhere/data/x',
      code: 'TRANSFORM_BAD_TARGET',
      message: 'nowhere/data/x is not <mount>data/<key> of a KV v2 mount at the destination Vault',
    },
  ],
  guards: [
    {
      name: 'max_deletes',
      held: false,
      value: 1,
      limit: 420,
      paths: 4209,
      max_deletes: 50,
      max_delete_ratio: 0.1,
      set: '7f3a9c2e'.padEnd(64, '0'),
      approved: false,
    },
    { name: 'empty_origin', held: false },
  ],
  summary: { operation: 'plan', add: 1, update: 2, delete: 1, error: 1, held: 0, unchanged: 4206 },
};
