import { type Backend, backendOf, type Fields, type Handler } from './framework.ts';
import { parseDurationSeconds } from './go-time.ts';
import { encodeJson, isJsonObject, RawJson } from './json.ts';
import { parseJson } from './json-parse.ts';
import {
  type Flavour,
  type LogicalRequest,
  type LogicalResponse,
  listResponse,
  type Operation,
  plainError,
  wrappedError,
} from './logical.ts';
import { PathTree } from './path-tree.ts';

/** Secrets of a KV v1 mount: JSON text by path. */
export type KvV1Store = PathTree<string>;

/** `lease_duration` of a read where the secret has neither `ttl` nor `lease`. */
const defaultLeaseSeconds = 2_764_800;

/** A KV v1 mount: one object for each path, digits kept; no versions, no metadata, no check-and-set. */
export function kvV1Backend(store: KvV1Store, flavour: Flavour): Backend {
  // Vault refuses `..` anywhere, even inside a segment; OpenBao does not.
  const isRelative = (path: string) => flavour === 'vault' && path.includes('..');
  const exists = (fields: Fields) => {
    const path = fields.string('path');
    if (isRelative(path)) throw wrappedError(500, 'internal error');
    return store.get(path.split('/')) !== undefined;
  };
  const segments = (request: LogicalRequest, failed = '') => {
    if (isRelative(request.path)) throw wrappedError(400, `${failed}relative paths not supported`);
    return request.path.split('/');
  };
  const folder = (request: LogicalRequest) => segments(request).slice(0, -1);
  const operations: Partial<Record<Operation, Handler>> = {
    read: (_fields, request) => readSecret(store.get(segments(request, 'read failed: '))),
    update: (_fields, request) => writeSecret(store, request),
    delete: (_fields, request) => deleteSecret(store, segments(request), request.validUtf8),
    list: (_fields, request) => listResponse(store.list(folder(request))),
  };
  if (flavour === 'openbao')
    operations.scan = (_fields, request) => listResponse([...store.walk(folder(request))]);
  return backendOf([
    { pattern: /^(?<path>.*)$/s, fields: { path: 'string' }, takesAnything: true, exists, operations },
  ]);
}

function readSecret(text: string | undefined): LogicalResponse | undefined {
  return text === undefined ? undefined : { data: new RawJson(text), leaseSeconds: leaseSeconds(text) };
}

/** The secret's own `ttl` or `lease`, if it can be read as a duration. */
function leaseSeconds(text: string): number {
  const secret = parseJson(text).value;
  const own = isJsonObject(secret) ? (secret.get('ttl') ?? secret.get('lease')) : undefined;
  if (own === undefined) return defaultLeaseSeconds;
  try {
    return parseDurationSeconds(own);
  } catch {
    return defaultLeaseSeconds;
  }
}

function writeSecret(store: KvV1Store, request: LogicalRequest): undefined {
  if (request.path === '') throw plainError(400, 'missing path');
  if (request.data.size === 0) throw plainError(400, 'missing data fields');
  if (!request.validUtf8) throw wrappedError(500, 'failed to write: key contains invalid UTF-8 characters');
  store.set(request.path.split('/'), encodeJson(request.data));
}

function deleteSecret(store: KvV1Store, path: readonly string[], validUtf8: boolean): undefined {
  if (!validUtf8) throw wrappedError(500, 'key contains invalid UTF-8 characters');
  store.delete(path);
}

/** A new, empty KV v1 store. */
export function newKvV1Store(): KvV1Store {
  return new PathTree();
}
