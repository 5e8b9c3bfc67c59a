/** The two examples of go-vsync.md, section 2.5, to the byte. */

export const goOriginJson = `{
  "name": "fra-origin",
  "log": { "level": "info", "type": "json" },
  "numBuckets": 16,
  "origin": {
    "vault": { "address": "https://vault.fra.example.net:8200", "token": "hvs.EXAMPLE-ONLY" },
    "consul": { "address": "https://consul.fra.example.net:8501", "dc": "fra" },
    "mounts": ["kv/", "teams/payments/"],
    "syncPath": "sync/vault/",
    "numWorkers": 16, "tick": "1m", "timeout": "5m", "renewToken": true
  }
}
`;

export const goDestinationYaml = `name: iad-destination
numBuckets: 16
ignoreDeletes: false
origin:
  vault: { address: "https://vault.fra.example.net:8200", token: hvs.EXAMPLE-ONLY }
  consul: { address: "https://consul.fra.example.net:8501", dc: fra }
  mounts: ["kv/", "teams/payments/"]
  syncPath: sync/vault/
destination:
  vault:
    address: https://vault.iad.example.net:8200
    approle: { path: approle, role_id: EXAMPLE-ROLE-ID, secret_id: EXAMPLE-SECRET-ID }
  consul: { address: "https://consul.iad.example.net:8501", dc: iad }
  mounts: ["kv/", "kv-us/"]
  syncPath: sync/vault/
  numWorkers: 16
  tick: 1m
  timeout: 10m
  renewToken: true
  transforms:
    - name: billing stages first
      from: '^kv/(?P<kind>data)/billing/(?P<stage>prod|stage)/(?P<rest>.+)$'
      to: kv-us/kind/stage/billing/rest
    - name: payments team
      from: '^teams/payments/(?P<kind>data)/(?P<key>.+)$'
      to: kv-us/kind/payments-team/key
`;

/** Leaves of a sample as dotted key -> text. */
export function leaves(value: unknown, prefix = ''): [string, string][] {
  if (Array.isArray(value))
    return [[prefix, typeof value[0] === 'string' ? value.join(' ') : JSON.stringify(value)]];
  if (typeof value !== 'object' || value === null) return [[prefix, String(value)]];
  return Object.entries(value).flatMap(([key, inner]) =>
    leaves(inner, prefix === '' ? key : `${prefix}.${key}`),
  );
}

/** Keys that the Go program has a flag for. */
export function isGoFlag(key: string): boolean {
  return /^log\.|\.consul\.(address|dc)$|\.vault\.(address|token)$|\.(role_id|secret_id)$/.test(key);
}
