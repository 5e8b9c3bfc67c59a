import { type JsonSchema, schemaProblem } from './validate.ts';

/**
 * The published form of plans: `schema/plan.schema.json` is this, for other programs, and `apply` and `show` hold a file to it. Unknown
 * fields are allowed everywhere, since a minor version of the format may add some.
 */

const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const flag = { type: 'boolean' } as const;
const time = { type: 'string', description: 'RFC 3339' } as const;
const hash = { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' } as const;
const listOf = (name: string, description: string) => ({
  type: 'array',
  description,
  items: { $ref: `#/$defs/${name}` },
});

const $defs = {
  version: {
    type: 'object',
    required: ['version', 'updated_at'],
    properties: { version: count, updated_at: text },
  },
  change: {
    type: 'object',
    required: ['op', 'path', 'destination_path', 'reason', 'transform'],
    properties: {
      op: { enum: ['add', 'update', 'delete'] },
      path: { ...text, description: 'the data path at the origin: <mount>data/<key>' },
      destination_path: { ...text, description: 'the data path at the destination, after transforms' },
      from: { $ref: '#/$defs/version', description: 'what the destination has, as a version of the origin' },
      to: { $ref: '#/$defs/version', description: 'what the origin has' },
      reason: {
        enum: ['missing', 'version_ahead', 'recreated', 'type_changed', 'deleted_in_origin', 'drifted'],
      },
      transform: {
        type: ['string', 'null'],
        description: 'the name of the transform that gave destination_path',
      },
      result: { enum: ['done', 'failed', 'skipped'], description: 'of apply: what came of it' },
      message: { ...text, description: 'of apply: why it failed or was skipped, or how it was done' },
      code: { ...text, description: 'of apply: the id of the failure' },
      hint: { ...text, description: 'of apply: what to do about the failure' },
    },
  },
  path_error: {
    type: 'object',
    required: ['path', 'code', 'message'],
    properties: { path: text, destination_path: text, code: text, message: text },
  },
  origin: {
    type: 'object',
    required: ['vault', 'sync_path', 'paths', 'buckets'],
    properties: {
      name: text,
      vault: text,
      sync_path: text,
      published_at: time,
      unreadable: { ...count, description: 'paths that the origin could not read in its last cycle' },
      paths: count,
      buckets: count,
    },
  },
  destination: {
    type: 'object',
    required: ['name', 'vault', 'sync_path', 'paths'],
    properties: { name: text, vault: text, sync_path: text, paths: count },
  },
  basis: {
    type: 'object',
    description: 'what the plan was made from: apply refuses when it has moved',
    required: [
      'origin_index_modify',
      'destination_index_modify',
      'origin_index_hash',
      'config_hash',
      'differing_buckets',
    ],
    properties: {
      origin_index_modify: count,
      destination_index_modify: { ...count, description: '0: the destination has no sync info yet' },
      origin_index_hash: hash,
      config_hash: { ...hash, description: 'of what decides what a plan does; of no credential' },
      differing_buckets: count,
    },
  },
  max_deletes: {
    type: 'object',
    required: ['name', 'held', 'value', 'limit', 'paths', 'max_deletes', 'max_delete_ratio', 'approved'],
    properties: {
      name: { const: 'max_deletes' },
      held: flag,
      value: count,
      limit: count,
      paths: count,
      max_deletes: count,
      max_delete_ratio: { type: 'number', minimum: 0 },
      set: { type: 'string', pattern: '^[0-9a-f]{64}$', description: 'what vsync approve takes' },
      approved: flag,
    },
  },
  empty_origin: {
    type: 'object',
    required: ['name', 'held'],
    properties: { name: { const: 'empty_origin' }, held: flag },
  },
  summary: {
    type: 'object',
    description: 'of a plan: what would be done; of apply: what was done',
    required: ['operation', 'add', 'update', 'delete', 'error', 'held', 'unchanged'],
    properties: {
      operation: { enum: ['plan', 'apply'] },
      add: count,
      update: count,
      delete: count,
      error: count,
      held: count,
      unchanged: count,
      failed: count,
      skipped: count,
    },
  },
} as const satisfies Record<string, JsonSchema>;

export const planSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'vsync plan',
  description:
    'What `vsync plan --json`, `vsync plan --out` and `vsync apply --json` write. It holds no value of a secret, nothing made from one, and no key inside one. Readers ignore fields they do not know.',
  type: 'object',
  required: [
    'format_version',
    'type',
    'vsync_version',
    'created_at',
    'complete',
    'origin',
    'destination',
    'basis',
    'changes',
    'held',
    'kept',
    'forgotten',
    'errors',
    'guards',
    'summary',
  ],
  properties: {
    format_version: { type: 'string', pattern: '^1\\.\\d+$' },
    type: { enum: ['plan', 'apply'] },
    vsync_version: text,
    created_at: time,
    complete: { ...flag, description: 'false: the run ended before all of it was done' },
    origin: { $ref: '#/$defs/origin' },
    destination: { $ref: '#/$defs/destination' },
    basis: { $ref: '#/$defs/basis' },
    changes: listOf('change', 'what is done, adds and updates first, deletes last'),
    held: listOf('change', 'deletes that the guard holds'),
    kept: listOf('change', 'deletes that ignoreDeletes leaves out'),
    forgotten: listOf('change', 'entries forgotten without a delete: another path owns their target'),
    errors: listOf('path_error', 'paths that are left alone because something is wrong with them'),
    guards: {
      type: 'array',
      minItems: 2,
      maxItems: 2,
      prefixItems: [{ $ref: '#/$defs/max_deletes' }, { $ref: '#/$defs/empty_origin' }],
    },
    summary: { $ref: '#/$defs/summary' },
  },
  $defs,
} as const satisfies JsonSchema;

/** What makes a parsed file no plan, or `undefined`: `changes[3].op is not one of add, update, delete`. Never quotes the file. */
export function planProblem(content: unknown): string | undefined {
  return schemaProblem(content, planSchema, planSchema);
}
