/** What vsync asks its servers, as patterns for the rules of a fault proxy: on paths as they are sent. */

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The list of one folder, "" for the top of a mount; `undefined`: of any. */
export function listOf(folder?: string): RegExp {
  return folder === undefined
    ? /\/metadata\/.*\?list=true$/
    : new RegExp(`/metadata/${escaped(folder)}\\?list=true$`);
}

/** The metadata of one key, or of any. */
export function metadataOf(...keys: readonly string[]): RegExp {
  return new RegExp(`^/v1/(?!sys/).*/metadata/${oneOf(keys)}$`);
}

/** The value of one key, or of any: read, written or deleted. */
export function dataOf(...keys: readonly string[]): RegExp {
  return new RegExp(`^/v1/(?!sys/).*/data/${oneOf(keys)}$`);
}

function oneOf(keys: readonly string[]): string {
  return keys.length === 0 ? '[^?]+' : `(${keys.map(escaped).join('|')})`;
}

/** What describes a mount. */
export const mountInfo = /\/sys\/internal\/ui\/mounts\//;

/** A key of Consul, below any sync path: `origin/index`. */
export function keyOf(key: string): RegExp {
  return new RegExp(`^/v1/kv/[^?]*${escaped(encodeURIComponent(`/${key}`))}(\\?|$)`);
}

/** Any bucket of one side. */
export function bucketsOf(side: string): RegExp {
  return new RegExp(`^/v1/kv/[^?]*%2F${side}%2F\\d+(\\?|$)`);
}

export const transaction = /^\/v1\/txn(\?|$)/;

/** What a node tells of itself. */
export const nodeStatus = /^\/v1\/kv\/[^?]*%2Fnodes%2F/;
