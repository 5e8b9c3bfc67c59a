import { randomBytes, randomUUID } from 'node:crypto';
import type { Core } from './core.ts';
import { errorAnswer, type HttpAnswer, jsonAnswer } from './envelope.ts';
import { nsPerSecond } from './go-time.ts';
import type { Json, JsonObject } from './json.ts';
import type { LogicalRequest } from './logical.ts';
import { weakString } from './weak-decode.ts';

/** `sys/health`, `seal-status`, `leader`, `init`, `seal` and `unseal`: outside of mounts, and (but `seal`) without a token. */

const versions = { vault: '1.18.0', openbao: '2.5.5' } as const;
const noContent: HttpAnswer = {
  status: 204,
  headers: { 'Cache-Control': 'no-store', 'Content-Type': 'application/json' },
  body: '',
};

export class SysStatus {
  /** Takes the seal off: base64, as `vault operator init` prints it. */
  readonly unsealKey = randomBytes(32).toString('base64');
  readonly #core: Core;
  readonly #clusterId = randomUUID();
  readonly #clusterName: string;

  constructor(core: Core) {
    this.#core = core;
    this.#clusterName = `vault-cluster-${this.#clusterId.slice(0, 8)}`;
  }

  /** The answer to a request for one of these paths, `undefined` for any other. Throws `LogicalError` for a refused token. */
  answer(verb: string, request: LogicalRequest, query: JsonObject): HttpAnswer | undefined {
    const [reads, writes] = [verb === 'GET' || verb === 'HEAD', verb === 'PUT' || verb === 'POST'];
    switch (request.path) {
      case 'sys/health':
        return reads ? this.#health(query) : errorAnswer(405);
      case 'sys/seal-status':
        return verb === 'GET' ? this.#sealStatus() : errorAnswer(405);
      case 'sys/leader':
        return verb === 'GET' ? leader : errorAnswer(405);
      case 'sys/init':
        return verb === 'GET'
          ? jsonAnswer(200, '{"initialized":true}')
          : errorAnswer(400, 'Vault is already initialized');
      case 'sys/seal':
        return writes ? this.#seal(request) : errorAnswer(405);
      case 'sys/unseal':
        return writes ? this.#unseal(request.data) : errorAnswer(405);
      default:
        return undefined;
    }
  }

  /** 200 active, 503 sealed; `activecode` and `sealedcode` change that. `server_time_utc` is the clock that deletion times go by. */
  #health(query: JsonObject): HttpAnswer {
    const { sealed, flavour } = this.#core;
    const status = statusCode(query.get(sealed ? 'sealedcode' : 'activecode'), sealed ? 503 : 200);
    if (status === undefined) return errorAnswer(400);
    const replication = sealed ? 'unknown' : 'disabled';
    const body = {
      initialized: true,
      sealed,
      standby: sealed,
      performance_standby: false,
      replication_performance_mode: replication,
      replication_dr_mode: replication,
      server_time_utc: Number(this.#core.clock() / nsPerSecond),
      version: versions[flavour],
      ...(flavour === 'vault' && { enterprise: false }),
      ...this.#cluster(),
      ...(flavour === 'vault' && {
        echo_duration_ms: 0,
        clock_skew_ms: 0,
        replication_primary_canary_age_ms: 0,
      }),
    };
    return jsonAnswer(status, JSON.stringify(body));
  }

  /** A sealed server does not know its cluster. */
  #cluster() {
    return this.#core.sealed ? {} : { cluster_name: this.#clusterName, cluster_id: this.#clusterId };
  }

  #sealStatus(): HttpAnswer {
    const { sealed, flavour } = this.#core;
    const body = {
      type: 'shamir',
      initialized: true,
      sealed,
      t: 1,
      n: 1,
      progress: 0,
      nonce: '',
      version: versions[flavour],
      build_date: '',
      migration: false,
      ...this.#cluster(),
      recovery_seal: false,
      storage_type: 'inmem',
    };
    return jsonAnswer(200, JSON.stringify(body));
  }

  #seal(request: LogicalRequest): HttpAnswer {
    if (!this.#core.sealed) this.#core.requireSudo(request);
    this.#core.sealed = true;
    return noContent;
  }

  #unseal(data: JsonObject): HttpAnswer {
    const key = weakString(data.get('key') ?? null);
    if (data.get('reset') === true) return this.#sealStatus();
    if (key === '') {
      return errorAnswer(400, "'key' must be specified in request body as JSON, or 'reset' set to true");
    }
    if (key !== this.unsealKey) return errorAnswer(400, 'invalid key: cipher: message authentication failed');
    this.#core.sealed = false;
    return this.#sealStatus();
  }
}

const leader = jsonAnswer(
  200,
  JSON.stringify({
    ha_enabled: false,
    is_self: false,
    active_time: '0001-01-01T00:00:00Z',
    leader_address: '',
    leader_cluster_address: '',
    performance_standby: false,
    performance_standby_last_remote_wal: 0,
  }),
);

function statusCode(given: Json | undefined, usual: number): number | undefined {
  if (given === undefined) return usual;
  return typeof given === 'string' && /^\d{3}$/.test(given) ? Number(given) : undefined;
}
