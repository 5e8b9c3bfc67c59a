import { checkCustomMetadata, patchCustomMetadata, readCustomMetadata } from './custom-metadata.ts';
import type { BackendPath, Fields, FieldTypes } from './framework.ts';
import { listMetadata, scanMetadata } from './kv-v2-listing.ts';
import { type KeyMetadata, KvV2Store } from './kv-v2-store.ts';
import { metadataView } from './kv-v2-view.ts';
import { type LogicalRequest, type LogicalResponse, plainError, wrappedError } from './logical.ts';

/** `metadata/<key>` of a KV v2 mount: settings of a key, its versions, and the listings. */

const settings: FieldTypes = {
  max_versions: 'int',
  cas_required: 'bool',
  delete_version_after: 'duration',
  custom_metadata: 'map',
};
const openbaoSettings: FieldTypes = { metadata_cas_required: 'bool' };
const openbaoFields: FieldTypes = { ...openbaoSettings, metadata_cas: 'int', after: 'string', limit: 'int' };

export function metadataPath(store: KvV2Store): BackendPath {
  const openbao = store.settings.flavour === 'openbao';
  const read = (fields: Fields): LogicalResponse | undefined => {
    const meta = store.get(fields.string('path'));
    return meta && { data: metadataView(store, meta) };
  };
  return {
    pattern: /^metadata\/(?<path>.*)$/s,
    fields: { path: 'string', ...settings, ...(openbao ? openbaoFields : {}) },
    exists: (fields) => store.get(fields.string('path')) !== undefined,
    operations: {
      read,
      update: (fields, request) => writeMetadata(store, fields, request),
      patch: (fields) => patchMetadata(store, fields),
      // The slash is cleaned away: DELETE metadata/foo/ deletes the key foo.
      delete: (fields) => {
        store.delete(fields.string('path'));
        return undefined;
      },
      list: (fields) => listMetadata(store, fields),
      ...(openbao && { scan: (fields) => scanMetadata(store, fields) }),
    },
  };
}

/** A body without a known field changes nothing and creates nothing. `custom_metadata` replaces the whole map. */
function writeMetadata(
  store: KvV2Store,
  fields: Fields,
  request: LogicalRequest,
): LogicalResponse | undefined {
  const key = fields.string('path');
  if (key === '') throw plainError(400, 'missing path');
  if (!hasSettings(store, fields)) return undefined;
  const custom = fields.has('custom_metadata')
    ? readCustomMetadata(fields.map('custom_metadata'))
    : undefined;
  if (custom !== undefined) checkCustomMetadata(custom);
  if (!request.validUtf8) throw wrappedError(500, 'string field contains invalid UTF-8');
  const now = store.settings.clock();
  const meta = store.get(key) ?? { ...KvV2Store.newKey(now), createdTime: now };
  checkMetadataCas(store, fields, meta);
  applySettings(store, fields, meta);
  if (custom !== undefined) meta.customMetadata = custom.size === 0 ? null : custom;
  store.set(key, meta);
  return casWarning(store, fields);
}

function patchMetadata(store: KvV2Store, fields: Fields): LogicalResponse | undefined {
  const key = fields.string('path');
  if (key === '') throw plainError(400, 'missing path');
  const patch = fields.has('custom_metadata') ? fields.map('custom_metadata') : undefined;
  const added = [...(patch ?? [])].filter(([, value]) => value !== null);
  checkCustomMetadata(readCustomMetadata(new Map(added)));
  const meta = store.get(key);
  if (meta === undefined) return { notFound: true };
  checkMetadataCas(store, fields, meta);
  checkUint32(fields, 'max_versions');
  const custom = patch === undefined ? meta.customMetadata : patchCustomMetadata(meta.customMetadata, patch);
  applySettings(store, fields, meta);
  meta.customMetadata = custom;
  return casWarning(store, fields);
}

/** A PATCH refuses what a write cuts to 32 bits. */
function checkUint32(fields: Fields, name: string): void {
  const value = fields.int(name);
  if (value === value >>> 0) return;
  throw wrappedError(
    500,
    `json: cannot unmarshal number ${value} into Go struct field KeyMetadata.${name} of type uint32`,
  );
}

function hasSettings(store: KvV2Store, fields: Fields): boolean {
  const known = store.settings.flavour === 'openbao' ? { ...settings, ...openbaoSettings } : settings;
  return Object.keys(known).some((name) => fields.has(name));
}

function applySettings(store: KvV2Store, fields: Fields, meta: KeyMetadata): void {
  // Vault keeps the number as a uint32.
  if (fields.has('max_versions')) meta.maxVersions = fields.int('max_versions') >>> 0;
  if (fields.has('cas_required')) meta.casRequired = fields.bool('cas_required');
  if (fields.has('delete_version_after')) {
    meta.deleteVersionAfterSeconds = fields.seconds('delete_version_after');
  }
  if (store.settings.flavour === 'vault') return;
  if (fields.has('metadata_cas_required')) meta.metadataCasRequired = fields.bool('metadata_cas_required');
  meta.updatedTime = store.settings.clock();
  meta.metadataVersion += 1;
}

/** OpenBao's check-and-set on metadata writes: `metadata_cas` must be `current_metadata_version`. */
function checkMetadataCas(store: KvV2Store, fields: Fields, meta: KeyMetadata): void {
  if (store.settings.flavour === 'vault') return;
  if (fields.has('metadata_cas')) {
    if (fields.int('metadata_cas') === meta.metadataVersion) return;
    throw plainError(400, 'metadata check-and-set parameter did not match the current version');
  }
  if (store.config.metadataCasRequired || meta.metadataCasRequired) {
    throw plainError(400, 'metadata check-and-set parameter required for this call');
  }
}

function casWarning(store: KvV2Store, fields: Fields): LogicalResponse | undefined {
  if (!store.config.casRequired || !fields.has('cas_required') || fields.bool('cas_required'))
    return undefined;
  return {
    warnings: ['"cas_required" set to false, but is mandated by backend config. This value will be ignored.'],
  };
}
