import { type Backend, backendOf, type Fields } from './framework.ts';
import { parseDurationSeconds } from './go-time.ts';
import { encodeJson, isJsonObject, RawJson } from './json.ts';
import { parseJson } from './json-parse.ts';
import {
  type Flavour,
  type LogicalRequest,
  type LogicalResponse,
  listResponse,
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
  const relative = (path: string) => flavour === 'vault' && path.includes('..');
  const at = (request: LogicalRequest, failed = '') => {
    if (relative(request.path)) throw wrappedError(400, `${failed}relative paths not supported`);
    return request.path.split('/');
  };
  const folder = (request: LogicalRequest) => at(request).slice(0, -1);
  return backendOf([
    {
      pattern: /^(?<path>.*)$/s,
      fields: { path: 'string' },
      takesAnything: true,
      exists: (fields) => {
        const path = fields.string('path');
        if (relative(path)) throw wrappedError(500, 'internal error');
        return store.get(path.split('/')) !== undefined;
      },
      operations: {
        read: (_fields, request) => readSecret(store.get(at(request, 'read failed: '))),
        update: (_fields, request) => writeSecret(store, request),
        delete: (_fields, request) => {
          if (!request.validUtf8) throw wrappedError(500, 'key contains invalid UTF-8 characters');
          store.delete(at(request));
          return undefined;
        },
        list: (_fields, request) => listResponse(store.list(folder(request))),
        ...(flavour === 'openbao' && {
          scan: (_fields: Fields, request: LogicalRequest) => listResponse([...store.walk(folder(request))]),
        }),
      },
    },
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

/** A new, empty KV v1 store. */
export function newKvV1Store(): KvV1Store {
  return new PathTree();
}
