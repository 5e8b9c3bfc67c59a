import { hash as hashOnce } from 'node:crypto';
import { VsyncError } from '../base/errors.ts';
import { type Insight, kvV2 } from './insight.ts';
import type { DataPath } from './mount-path.ts';

/**
 * One bucket of sync info in the format that is shared with the Go program byte for byte: ids, hashed text and JSON.
 * Pure. Vectors made by the Go program: `test/golden/sync-info.json`.
 */

export type Bucket = ReadonlyMap<DataPath, Insight>;

/** The largest number of buckets: the Go program cuts it to 16 bits. */
export const maxBuckets = 65_535;

/** The bucket of a path: the first two bytes of its SHA-256, modulo `numBuckets` (1 to 65535). */
export function bucketIdOf(path: DataPath, numBuckets: number): number {
  if (numBuckets === 1) return 0;
  const hash = hashOnce('sha256', path, 'binary');
  return ((hash.charCodeAt(0) << 8) | hash.charCodeAt(1)) % numBuckets;
}

/** SHA-256 of the empty bucket's text `map[]`. */
export const emptyBucketHash = sha256('map[]');

/** The lower-case hex SHA-256 that the index holds for this bucket: of the text that Go prints for its map. */
export function bucketHash(bucket: Bucket): string {
  if (bucket.size === 0) return emptyBucketHash;
  return sha256(bucketText(bucket));
}

/** `map[<path>:{<version> <updateTime> <type>} ...]`, sorted by the bytes of the path, nothing escaped. */
export function bucketText(bucket: Bucket): string {
  let text = 'map[';
  for (const path of sortedPaths(bucket)) {
    const { version, updateTime, type } = bucket.get(path) as Insight;
    text += `${text === 'map[' ? '' : ' '}${path}:{${version} ${updateTime} ${type}}`;
  }
  return `${text}]`;
}

/** The JSON that is stored in Consul, as Go's encoder writes it. */
export function bucketJson(bucket: Bucket): string {
  let text = '{';
  for (const path of sortedPaths(bucket)) {
    const { version, updateTime, type, dv } = bucket.get(path) as Insight;
    const extra = dv === undefined ? '' : `,"dv":${dv}`;
    text += `${text === '{' ? '' : ','}${quote(path)}:{"version":${version},"updateTime":${quote(updateTime)},"type":${quote(type)}${extra}}`;
  }
  return `${text}}`;
}

/** Reads a stored bucket. Throws `SYNC_INFO_CORRUPT` when it is not one; unknown fields are ignored. */
export function parseBucket(json: string): Map<DataPath, Insight> {
  const bucket = new Map<DataPath, Insight>();
  for (const [path, stored] of Object.entries(parseObject(json))) {
    const { version, updateTime, type: storedType, dv } = (stored ?? {}) as Record<string, unknown>;
    if (!isVersion(version) || typeof updateTime !== 'string' || typeof storedType !== 'string') {
      throw corrupt('an entry is not {version, updateTime, type}');
    }
    // One text for all, not one for each that was parsed.
    const type = storedType === kvV2 ? kvV2 : storedType;
    const insight = isVersion(dv) ? { version, updateTime, type, dv } : { version, updateTime, type };
    bucket.set(path as DataPath, insight);
  }
  return bucket;
}

/** The JSON of the index: one hash per bucket. */
export function indexJson(index: readonly string[]): string {
  return JSON.stringify(index);
}

/** Reads a stored index. Throws `SYNC_INFO_CORRUPT` when it is not an array of SHA-256 in hex. */
export function parseIndex(json: string): string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw corrupt('the index is not JSON');
  }
  const isHash = (entry: unknown) => typeof entry === 'string' && /^[0-9a-f]{64}$/.test(entry);
  if (!Array.isArray(parsed) || parsed.length > maxBuckets || !parsed.every(isHash)) {
    throw corrupt('the index is not a list of SHA-256 hashes');
  }
  return parsed as string[];
}

function parseObject(json: string): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw corrupt('a bucket is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw corrupt('a bucket is not an object');
  return parsed;
}

function isVersion(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function corrupt(why: string): VsyncError {
  return new VsyncError({ code: 'SYNC_INFO_CORRUPT', message: 'sync info cannot be read', why });
}

function sortedPaths(bucket: Bucket): DataPath[] {
  const paths = [...bucket.keys()].sort();
  // Strings compare by UTF-16 unit, which is the order of the UTF-8 bytes unless a unit from U+D800 up is among them.
  return paths.some((path) => /[\ud800-\uffff]/.test(path)) ? paths.sort(compareUtf8) : paths;
}

function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const goEscapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

function quote(text: string): string {
  if (plainText.test(text)) return `"${text}"`;
  const quoted = JSON.stringify(text);
  return /[<>&\u2028\u2029]/.test(quoted)
    ? quoted.replace(/[<>&\u2028\u2029]/g, (char) => goEscapes[char] as string)
    : quoted;
}

/** ASCII that neither JSON nor Go escapes: nearly every path. */
const plainText = /^[ !#-%'-;=?-[\]-~]*$/;

function sha256(text: string): string {
  return hashOnce('sha256', text, 'hex');
}
