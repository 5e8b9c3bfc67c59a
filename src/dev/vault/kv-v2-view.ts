import { formatDuration, formatTime } from './go-time.ts';
import type { Encodable, EncodableMap } from './json.ts';
import type { KeyMetadata, KvV2Store, Version } from './kv-v2-store.ts';

/** How a KV v2 mount shows its metadata. */

/** One version, as data reads and writes, and a PATCH of a deleted key, show it. */
export function versionView(meta: KeyMetadata, number: number, version: Version): EncodableMap {
  return new Map<string, Encodable>([
    ...stateOf(version),
    ['custom_metadata', meta.customMetadata],
    ['version', number],
  ]);
}

function stateOf(version: Version): [string, Encodable][] {
  return [
    ['created_time', formatTime(version.createdTime)],
    ['deletion_time', version.deletionTime === undefined ? '' : formatTime(version.deletionTime)],
    ['destroyed', version.destroyed],
  ];
}

/** A key, as GET `metadata/<key>` shows it. */
export function metadataView(store: KvV2Store, meta: KeyMetadata): EncodableMap {
  const versions = [...meta.versions].map(
    ([number, version]) => [`${number}`, new Map(stateOf(version))] as const,
  );
  const data = new Map<string, Encodable>([
    ['cas_required', meta.casRequired],
    ['created_time', meta.createdTime === undefined ? '' : formatTime(meta.createdTime)],
    ['current_version', meta.currentVersion],
    ['custom_metadata', meta.customMetadata],
    ['delete_version_after', formatDuration(meta.deleteVersionAfterSeconds)],
    ['max_versions', meta.maxVersions],
    ['oldest_version', meta.oldestVersion],
    ['updated_time', formatTime(meta.updatedTime)],
    ['versions', new Map(versions)],
  ]);
  if (store.settings.flavour === 'openbao') {
    data.set('current_metadata_version', meta.metadataVersion);
    data.set('metadata_cas_required', meta.metadataCasRequired);
  }
  return data;
}
