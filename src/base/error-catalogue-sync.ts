import type { ErrorExplanation } from './errors.ts';

/** Failures of Consul, of what is stored there, and of cycles as a whole. */
export const syncErrors = {
  CONSUL_UNREACHABLE: {
    means:
      'No connection to the Consul agent of that side could be made. Without sync info there is nothing to compare.',
    causes: ['the agent is down, or the address is wrong', 'TLS, as for a Vault'],
    fix: ['`curl ADDRESS/v1/status/leader`', 'correct `<side>.consul.address` or `<side>.consul.tls.*`'],
  },
  CONSUL_UNAVAILABLE: {
    means: 'Consul answered with a 5xx status, or limits the rate of requests.',
    causes: ['no leader', 'a rate limit of the agent'],
    fix: ['nothing if it passes: requests are repeated', '`consul operator raft list-peers`'],
  },
  CONSUL_REFUSED: {
    means: 'Consul refused the request, or the answer is not one of Consul.',
    causes: ['a proxy or another service behind the address'],
    fix: ['open the address with `curl`; correct `<side>.consul.address`'],
  },
  CONSUL_FORBIDDEN: {
    means: "Consul's ACLs do not allow this.",
    causes: ['no token, or one without the rule that the message names'],
    fix: ['set `<side>.consul.token_file`; the rules are in `examples/policies`'],
  },
  CONSUL_VALUE_TOO_LARGE: {
    means:
      'A bucket of the sync info is larger than the 512 KiB that Consul stores under one key. Nothing was written.',
    causes: ['too few buckets for the number of secrets'],
    fix: ['a larger `numBuckets` at the origin; destinations follow (those of Go vsync have to be set)'],
  },
  SYNC_INFO_CONFLICT: {
    means: 'Another process wrote the same sync info during the cycle. Nothing was overwritten.',
    causes: ['two processes of one role with the same sync path', 'a Go vsync that still runs'],
    fix: ['stop one of them, or give each its own `syncPath`'],
  },
  SYNC_INFO_CORRUPT: {
    means:
      'What is stored does not have the hash that its index says, also when read again. Nothing was compared or deleted.',
    causes: ['something else writes below the sync path', 'a key that was edited or restored by itself'],
    fix: [
      'leave it to the owner of the info, which rebuilds it in its next cycle',
      'find out who else writes there',
    ],
  },
  ORIGIN_INFO_MISSING: {
    means: 'The origin has published nothing under this path.',
    causes: [
      'it has not finished its first cycle',
      '`origin.syncPath` differs between origin and destination',
    ],
    fix: [
      'start `vsync origin`; a waiting destination begins by itself',
      'compare the two `origin.syncPath`',
    ],
  },
  TOO_MANY_FAILED_PATHS: {
    means: 'More secrets than `origin.maxFailedPaths` could not be read. The scan is not published.',
    causes: ['a policy that covers a part of the mount only', 'a Vault in trouble'],
    fix: ['look at the first failure, which the message names'],
  },
  DELETES_HELD: {
    means: 'A cycle would delete more than the guard allows. Adds and updates were made, no delete was.',
    causes: ['a large clean-up at the origin', 'a mount, a policy or an address that changed by mistake'],
    fix: [
      'see what would go: `vsync destination --once --dry-run`',
      'if it is meant: `vsync approve SET`, which releases exactly this set',
    ],
  },
  ORIGIN_EMPTY: {
    means: 'The origin has no secret at all, though it had some. Nothing is published or deleted.',
    causes: ['a wrong mount, a lost policy, or a fresh Vault behind the same address'],
    fix: ['check the origin', 'only if it is meant to be empty: `guards.allowEmptyOrigin`'],
  },
  CYCLE_TIMEOUT: {
    means:
      'The cycle took longer than `<side>.timeout`. What was copied is saved; the rest follows in the next cycle.',
    causes: ['a first copy of many secrets', 'a slow Vault', 'too few workers'],
    fix: ['a larger `<side>.timeout` or more `numWorkers`'],
  },
  INTERRUPTED: {
    means: 'SIGINT or SIGTERM came before a one-shot was finished. What was copied is saved.',
    causes: ['Ctrl-C, or a supervisor'],
    fix: ['run it again'],
  },
  SHUTDOWN_TIMEOUT: {
    means:
      'A signal asked the process to end, and it was not done within `shutdownTimeout`. It was ended; what was saved by then is valid.',
    causes: [
      'a server that takes a request and does not answer',
      'writes under way that need longer; the next run repeats none that was recorded',
    ],
    fix: [
      'a larger `shutdownTimeout`, below the time after which the supervisor kills',
      'see what the message says is open',
    ],
  },
  STARTUP_TIMEOUT: {
    means: 'The servers could not be reached within `startupTimeout`.',
    causes: ['the failure that the message names'],
    fix: ['see that one; `startupTimeout: 0` waits for ever'],
  },
} as const satisfies Readonly<Record<string, ErrorExplanation>>;
