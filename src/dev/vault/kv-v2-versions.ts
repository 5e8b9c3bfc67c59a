import type { BackendPath, Fields } from './framework.ts';
import type { KeyMetadata, KvV2Store, Version } from './kv-v2-store.ts';
import { plainError } from './logical.ts';

/** `delete/`, `undelete/` and `destroy/<key>` of a KV v2 mount. They never change `updated_time`. */

export function versionPaths(store: KvV2Store): BackendPath[] {
  const { clock } = store.settings;
  return [
    versionPath('delete', 'No version number provided', (fields) =>
      forEachVersion(store, fields, (version) => {
        if (!store.isDeleted(version)) version.deletionTime = clock();
      }),
    ),
    versionPath('undelete', 'No version number provided', (fields) =>
      forEachVersion(store, fields, (version, meta) => {
        if (!version.destroyed) version.deletionTime = store.expiry(meta, clock());
      }),
    ),
    versionPath('destroy', 'no version number provided', (fields) => {
      forEachVersion(store, fields, (version) => {
        version.destroyed = true;
      });
      const key = fields.string('path');
      if (store.get(key) === undefined) return;
      for (const number of fields.intList('versions')) store.deleteValue(key, number);
    }),
  ];
}

function versionPath(name: string, noVersions: string, apply: (fields: Fields) => void): BackendPath {
  return {
    pattern: new RegExp(`^${name}/(?<path>.*)$`, 's'),
    fields: { path: 'string', versions: 'intList' },
    operations: {
      update: (fields) => {
        if (fields.intList('versions').length === 0) throw plainError(400, noVersions);
        apply(fields);
        return undefined;
      },
    },
  };
}

/** Unknown keys and versions are passed over, and answered 204 like the others. */
function forEachVersion(
  store: KvV2Store,
  fields: Fields,
  apply: (version: Version, meta: KeyMetadata) => void,
): void {
  const meta = store.get(fields.string('path'));
  for (const number of fields.intList('versions')) {
    const version = meta?.versions.get(number);
    if (meta !== undefined && version !== undefined) apply(version, meta);
  }
}
