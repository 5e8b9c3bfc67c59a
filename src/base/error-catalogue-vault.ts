import type { ErrorExplanation } from './errors.ts';

/** Failures of a Vault or OpenBao server, of its tokens, mounts and secrets. */
export const vaultErrors = {
  VAULT_UNREACHABLE: {
    means: 'No connection to the Vault of that side could be made, or it broke before there was an answer.',
    causes: [
      'the server is down, or the address is wrong',
      'a firewall, or a name that does not resolve',
      'TLS: the certificate is for another name, or its CA is not known here',
    ],
    fix: [
      'try the address from the same machine: `curl ADDRESS/v1/sys/health`',
      'correct `<side>.vault.address`; for TLS set `<side>.vault.tls.ca_cert` or `.server_name`',
    ],
  },
  VAULT_SEALED: {
    means: 'The Vault answers, but is sealed or not initialised, and serves nothing.',
    causes: ['it was restarted and needs its unseal keys'],
    fix: ['`vault operator unseal`; a daemon goes on by itself'],
  },
  VAULT_UNAVAILABLE: {
    means: 'The Vault answered with a 5xx status.',
    causes: [
      'a standby without a leader, an upgrade, or a storage backend in trouble',
      'of one secret only: its value is too large for the storage',
    ],
    fix: [
      'nothing if it passes: requests are repeated with growing pauses',
      "else look into the Vault's log",
    ],
  },
  VAULT_BAD_ANSWER: {
    means: 'There was an answer, but none that Vault gives. It counts as unknown, never as "not there".',
    causes: ['a login page, a proxy or another service behind the address'],
    fix: ['open the address with `curl`; correct `<side>.vault.address`'],
  },
  VAULT_REDIRECT: {
    means: 'The server sent vsync elsewhere. vsync does not follow, so that no token reaches another host.',
    causes: ['the address is that of a standby that cannot forward', 'a proxy that insists on https'],
    fix: ['set `<side>.vault.address` to the active node, or to a load balancer that follows it'],
  },
  VAULT_REFUSED: {
    means: 'The Vault refused the request with a 4xx status of no other code here.',
    causes: ['a mount that is just being upgraded to version 2', 'a namespace that does not exist'],
    fix: ['read the status in the message; check `<side>.vault.namespace`'],
  },
  VAULT_FORBIDDEN: {
    means:
      'The token is good, but its policies do not allow this (403). The secret keeps its entry; it is not deleted anywhere.',
    causes: ['the policy lacks the path or the capability'],
    fix: [
      'compare the policy with `examples/policies`; `vsync init --print --for plain` prints the least that is needed',
    ],
  },
  VAULT_LIST_DENIED: {
    means: 'A folder could not be listed (403), so the scan is not complete and nothing is published.',
    causes: ['the policy lacks `list` on `<mount>metadata/*`'],
    fix: ['`path "<mount>metadata/*" { capabilities = ["list", "read"] }` for the token of the origin'],
  },
  VAULT_LIST_UNKNOWN: {
    means:
      'The Vault gave no list of a folder, and did not say that the folder is empty. Nothing is published.',
    causes: ['the mount was moved, deleted or made anew', 'a proxy that answers 404'],
    fix: ['`vault secrets list`; then correct `origin.mounts`'],
  },
  RATE_LIMITED: {
    means: 'The Vault limits the rate of requests (429), and went on doing so after all repetitions.',
    causes: ['a quota of the Vault, met by vsync or by others'],
    fix: ['set `<side>.vault.rateLimit` below the quota, lower `numWorkers`, or raise the quota'],
  },
  TOKEN_EXPIRED: {
    means: 'The token is not accepted any more, and there is no way to get another one.',
    causes: ['it was revoked', 'it reached its maximum time', 'it could not be renewed in time'],
    fix: [
      'write a new periodic token to the file of `<side>.vault.token_file`; it is picked up within 5 seconds',
      'or use AppRole, with which vsync logs in again by itself',
    ],
  },
  TOKEN_UNUSABLE: {
    means: 'The token may be used a limited number of times only, and would end in the middle of a cycle.',
    causes: ['it was made with a limit, or the AppRole has `token_num_uses`'],
    fix: ['use a token or an AppRole without a limit (`token_num_uses=0`)'],
  },
  LOGIN_FAILED: {
    means: 'The AppRole login was refused.',
    causes: ['a wrong, expired or used up secret_id', 'a wrong role_id', 'the method is mounted elsewhere'],
    fix: [
      'make a new secret_id: `vault write -f auth/approle/role/ROLE/secret-id`',
      'check `<side>.vault.approle.path`, `.role_id` and `.secret_id`',
    ],
  },
  MOUNT_NOT_KV2: {
    means: 'The mount is there, but is not a KV secrets engine of version 2.',
    causes: ['KV version 1, or another engine'],
    fix: ['`vault kv enable-versioning MOUNT` (there is no way back), or take it out of the mounts'],
  },
  MOUNT_MISSING: {
    means: 'There is no such mount, or the token sees nothing of it.',
    causes: ['a typing error', 'another namespace', 'a token without any right below the mount'],
    fix: ['`vault secrets list`', '`vault secrets enable -path=NAME -version=2 kv`, or correct the mounts'],
  },
  NAMESPACE_IGNORED: {
    means: 'A namespace is configured, but this server has none and would take every request for the root.',
    causes: ['the community edition of Vault'],
    fix: ['remove `<side>.vault.namespace`, or use Vault Enterprise or OpenBao 2.3 or later'],
  },
  PATH_NOT_ADDRESSABLE: {
    means: 'The name of a secret cannot be sent in a request as it is, such as one that has `..` as a part.',
    causes: ['it was written with a client that encodes names in another way'],
    fix: ['rename the secret at the origin; until then it stays as it is everywhere'],
  },
  SECRET_TOO_LARGE: {
    means: 'The destination refused a value because of its size (413).',
    causes: ["a lower limit at the destination's server or at a proxy before it"],
    fix: ['raise the limit there, or exclude the secret: `destination.exclude`'],
  },
  SECRET_UNREADABLE: {
    means: 'A secret gave a 404 that does not say that it is gone. It keeps its entry.',
    causes: ['the mount vanished in between', 'a proxy that answers 404'],
    fix: ['`vault secrets list`; then check the mounts'],
  },
  DEST_EDITED: {
    means: 'Somebody else wrote the secret at the destination since vsync did.',
    causes: ['a person or a program that uses the destination as if it were the origin'],
    fix: ['write it at the origin instead', 'decide with `destination.onConflict`: overwrite, skip or fail'],
  },
  ORIGIN_STALE: {
    means: 'The origin answered an older version than it had published. It is not copied.',
    causes: ['a standby that lags behind', 'an origin that was restored from a snapshot'],
    fix: ['nothing if it passes: the next sync info tells', 'else check `origin.vault.address`'],
  },
} as const satisfies Readonly<Record<string, ErrorExplanation>>;
