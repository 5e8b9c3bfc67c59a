import type { Acl } from './acl.ts';
import { type Backend, backendOf } from './framework.ts';
import type { Json } from './json.ts';
import type { KvSettings } from './kv-v2-store.ts';
import {
  type Flavour,
  LogicalError,
  type LogicalRequest,
  type LogicalResponse,
  plainError,
  wrappedError,
} from './logical.ts';
import { cloneEngine, type Engine, type Mount, MountTable, newEngine } from './mounts.ts';
import { PolicyStore } from './policies.ts';
import { sysBackend } from './sys-backend.ts';
import { tokenBackend } from './token-backend.ts';
import { type Token, TokenStore } from './tokens.ts';

/** The state of the server behind HTTP: seal, mounts, tokens, policies. It judges each request and hands it to its mount. */

export interface CoreOptions {
  readonly flavour: Flavour;
  readonly rootToken: string;
  readonly clock: () => bigint;
  readonly maxEntryBytes: number;
}

export interface CoreAnswer {
  readonly response: LogicalResponse | undefined;
  /** Type of the mount that answered; `''` for logins and `sys/internal/ui/mounts`. */
  readonly mountType: string;
}

/** The data of all KV mounts at one moment. */
export type Snapshot = ReadonlyMap<Mount, Engine>;

const writes = new Set(['create', 'update', 'patch']);
/** What only root, or a token with `sudo`, may do. */
const sudoPaths = ['sys/auth/'];

export class Core {
  readonly flavour: Flavour;
  readonly clock: () => bigint;
  readonly tokens: TokenStore;
  readonly policies: PolicyStore;
  readonly mounts = new MountTable();
  sealed = false;
  readonly #settings: KvSettings;

  constructor(options: CoreOptions) {
    const { flavour, clock, rootToken } = options;
    this.flavour = flavour;
    this.clock = clock;
    this.#settings = options;
    this.tokens = new TokenStore(flavour, clock);
    this.policies = new PolicyStore(flavour);
    this.tokens.create(rootTokenFields(rootToken, flavour));
    this.#mountBuiltins();
  }

  #mountBuiltins(): void {
    const { flavour, clock, tokens, policies, mounts } = this;
    const aclOf = (request: LogicalRequest) => this.#aclOf(this.authenticate(request));
    const sys = sysBackend({ settings: this.#settings, mounts, tokens, policies, aclOf });
    const token = tokenBackend({ flavour, tokens, policies, clock });
    this.#mountBuiltin('sys/', 'system', 'system endpoints used for control, policy and debugging', sys);
    this.#mountBuiltin('identity/', 'identity', 'identity store', backendOf([]));
    this.#mountBuiltin('cubbyhole/', 'cubbyhole', 'per-token private secret storage', backendOf([]));
    this.#mountBuiltin('auth/token/', 'token', 'token based credentials', token);
    const secret = newEngine('kv', new Map([['version', '2']]), this.#settings);
    mounts.add({ path: 'secret/', description: 'key/value secret storage', ...secret });
  }

  #mountBuiltin(path: string, type: string, description: string, backend: Backend): void {
    this.mounts.add({ path, type, description, options: null, engine: { kind: 'other', backend } });
  }

  /** Runs a request; with a snapshot, reads of KV mounts see the data of that moment. Throws `LogicalError` for a refusal. */
  handle(request: LogicalRequest, snapshot?: Snapshot): CoreAnswer {
    if (this.sealed) throw plainError(503, 'Vault is sealed');
    if (writes.has(request.operation) && request.path.endsWith('/')) {
      throw plainError(400, "cannot write to a path ending in '/'");
    }
    const mount = this.mounts.match(request.path);
    if (mount !== undefined && isUnauthenticated(mount, request.path)) {
      return { response: this.#route(mount, request, snapshot), mountType: '' };
    }
    const token = this.authenticate(request);
    this.tokens.use(token);
    try {
      const judged = this.#judged(mount, request, this.#aclOf(token));
      return { response: this.#route(mount, judged, snapshot), mountType: mount?.type ?? '' };
    } finally {
      if (token.numUses < 0) this.tokens.revoke(token.id);
    }
  }

  /** The request's token. Throws 403: missing, unknown, expired and revoked tokens differ from a denial only in the text. */
  authenticate(request: Pick<LogicalRequest, 'token'>): Token {
    if (request.token === undefined) throw plainError(403, 'permission denied');
    const token = this.tokens.lookup(request.token);
    if (token !== undefined) return token;
    if (this.flavour === 'openbao') throw plainError(403, 'permission denied');
    throw wrappedError(403, 'permission denied', 'invalid token');
  }

  /** Throws 403 unless the token has root's powers on a path. */
  requireSudo(request: LogicalRequest): void {
    const acl = this.#aclOf(this.authenticate(request));
    if (!acl.isSudo('update', request.path)) throw wrappedError(403, 'permission denied');
  }

  /** The data of all KV mounts now; what is written later does not reach it. */
  snapshot(): Snapshot {
    return new Map(this.mounts.all().map((mount) => [mount, cloneEngine(mount.engine, this.#settings)]));
  }

  #aclOf(token: Token): Acl {
    return this.policies.aclOf(token.policies);
  }

  /** The request as `create` or `update`, and within the token's `pagination_limit`. Throws 403 where the token may not do it. */
  #judged(mount: Mount | undefined, request: LogicalRequest, acl: Acl): LogicalRequest {
    const { path } = request;
    let { operation } = request;
    if (operation === 'update' && mount?.engine.backend.exists(relativeTo(mount, request)) === false) {
      operation = 'create';
    }
    const sudo = sudoPaths.some((prefix) => path.startsWith(prefix));
    if (!acl.allows(operation, path) || (sudo && !acl.isSudo(operation, path))) {
      throw wrappedError(403, 'permission denied');
    }
    const limit = operation === 'list' ? acl.paginationLimit(path) : undefined;
    return { ...request, operation, data: limit === undefined ? request.data : paged(request.data, limit) };
  }

  #route(
    mount: Mount | undefined,
    request: LogicalRequest,
    snapshot?: Snapshot,
  ): LogicalResponse | undefined {
    if (mount === undefined) {
      throw plainError(404, `no handler for route ${JSON.stringify(request.path)}. route entry not found.`);
    }
    const isRead = ['read', 'list', 'scan'].includes(request.operation);
    const engine = (isRead ? snapshot?.get(mount) : undefined) ?? mount.engine;
    return engine.backend.handle(relativeTo(mount, request));
  }
}

function rootTokenFields(id: string, flavour: Flavour) {
  return {
    id,
    policies: ['root'],
    type: 'service' as const,
    displayName: 'token',
    path: flavour === 'openbao' ? 'auth/token/root' : 'auth/token/create',
    meta: null,
    entityId: '',
    parent: undefined,
    renewable: false,
    creationTtl: 0,
    period: 0,
    explicitMaxTtl: 0,
    maxTtl: 0,
    numUses: 0,
  };
}

function isUnauthenticated(mount: Mount, path: string): boolean {
  if (mount.type === 'approle') return path === `${mount.path}login`;
  return path === 'sys/internal/ui/mounts' || path.startsWith('sys/internal/ui/mounts/');
}

function relativeTo(mount: Mount, request: LogicalRequest): LogicalRequest {
  const path = request.path.slice(mount.path.length);
  return { ...request, path: path === '/' ? '' : path };
}

/** OpenBao: a LIST without `limit` is cut silently, `max` means what the policy allows, more than that is 403. */
function paged(data: ReadonlyMap<string, Json>, limit: number): ReadonlyMap<string, Json> {
  const asked = data.get('limit');
  if (asked === undefined || asked === 'max') return new Map([...data, ['limit', `${limit}`] as const]);
  if (Number(asked) > limit || Number(asked) <= 0) throw wrappedError(403, 'permission denied');
  return data;
}

/** `error` as the refusal it is, or as the 500 of a defect in this server. */
export function asLogicalError(error: unknown): LogicalError {
  return error instanceof LogicalError ? error : wrappedError(500, `development server: ${String(error)}`);
}
