import {
  type Backend,
  type BackendPath,
  backendOf,
  type Fields,
  type FieldTypes,
  type Handler,
} from './framework.ts';
import { formatDuration } from './go-time.ts';
import type { Encodable } from './json.ts';
import { dataPath, subkeysPath } from './kv-v2-data.ts';
import { detailedMetadataPath } from './kv-v2-listing.ts';
import { metadataPath } from './kv-v2-metadata.ts';
import type { KvV2Store } from './kv-v2-store.ts';
import { versionPaths } from './kv-v2-versions.ts';
import type { Operation } from './logical.ts';

/** A KV v2 mount with the paths of Vault 1.18.0 or OpenBao 2.5.5. */
export function kvV2Backend(store: KvV2Store): Backend {
  const openbao = store.settings.flavour === 'openbao';
  return backendOf([
    configPath(store),
    dataPath(store),
    metadataPath(store),
    ...(openbao ? [detailedMetadataPath(store)] : []),
    ...versionPaths(store),
    subkeysPath(store),
    invalidPath(openbao),
  ]);
}

/** `config`: the mount's defaults for its keys. */
function configPath(store: KvV2Store): BackendPath {
  const openbao = store.settings.flavour === 'openbao';
  const fields: FieldTypes = {
    max_versions: 'int',
    cas_required: 'bool',
    delete_version_after: 'signedDuration',
    ...(openbao ? { metadata_cas_required: 'bool' as const } : {}),
  };
  const read: Handler = () => {
    const { maxVersions, casRequired, deleteVersionAfterSeconds, metadataCasRequired } = store.config;
    const data = new Map<string, Encodable>([
      ['cas_required', casRequired],
      ['delete_version_after', formatDuration(deleteVersionAfterSeconds)],
      ['max_versions', maxVersions],
    ]);
    if (openbao) data.set('metadata_cas_required', metadataCasRequired);
    return { data };
  };
  const update = (given: Fields) => setConfig(store, given);
  return { pattern: /^config$/, fields, operations: { read, update } };
}

function setConfig({ config, settings }: KvV2Store, given: Fields): undefined {
  if (given.has('max_versions')) config.maxVersions = given.int('max_versions') >>> 0;
  if (given.has('cas_required')) config.casRequired = given.bool('cas_required');
  if (given.has('delete_version_after')) {
    config.deleteVersionAfterSeconds = Math.max(given.seconds('delete_version_after'), -1);
  }
  if (settings.flavour === 'openbao' && given.has('metadata_cas_required')) {
    config.metadataCasRequired = given.bool('metadata_cas_required');
  }
}

const roots = new Set(['metadata', 'data', 'delete', 'undelete', 'destroy']);

/** Any other path, whatever the operation: a 404 with a body and a warning, by which a client can tell it from a missing key. */
function invalidPath(openbao: boolean): BackendPath {
  const handler =
    (command: string): Handler =>
    (_fields, request) => {
      const cli = openbao ? 'OpenBao CLI' : 'Vault CLI';
      const warning = roots.has(request.path)
        ? 'Non-listing operations on the root of a K/V v2 mount are not supported.'
        : 'Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. ' +
          `If using the ${cli}, use '${openbao ? 'bao' : 'vault'} kv ${command}' for this operation.`;
      return { notFound: true, warnings: [warning] };
    };
  const operations: Partial<Record<Operation, Handler>> = {
    update: handler('put'),
    patch: handler('patch'),
    read: handler('get'),
    delete: handler('delete'),
    list: handler('list'),
    ...(openbao && { scan: handler('scan') }),
  };
  return { pattern: /^.*$/s, fields: {}, operations };
}
