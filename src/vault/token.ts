import { readFile, stat } from 'node:fs/promises';
import { type Clock, systemClock } from '../base/clock.ts';
import { asVsyncError, VsyncError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import type { TokenProvider, VaultClient } from './client.ts';
import { encodePath } from './encode-path.ts';
import { badAnswer, NotFound } from './errors.ts';

/**
 * The token of one side: where it comes from, whether it is still good, and how to get another one.
 * Renewal on time is the affair of `token-renewal.ts`.
 */

/** How a side authenticates. Files are read anew whenever a token is needed and they have changed. */
export type VaultAuth =
  | { readonly kind: 'token'; readonly token: Secret }
  | { readonly kind: 'token_file'; readonly file: string }
  | {
      readonly kind: 'approle';
      /** Where the method is mounted, without `auth/`: `approle`. */
      readonly path: string;
      readonly roleId: Secret | { readonly file: string };
      /** May be left out when the role allows it. */
      readonly secretId?: Secret | { readonly file: string } | undefined;
    };

/** What is known of the token in use. */
export interface TokenFacts {
  /** Granted or remaining lifetime when it was asked; 0 = never expires. */
  readonly ttlSeconds: number;
  readonly renewable: boolean;
  readonly accessor: string;
  readonly policies: readonly string[];
  /** The period of a periodic token, 0 for others: only those can be renewed without end. */
  readonly periodSeconds: number;
}

/** How long a token that lookup-self has confirmed is trusted, when a burst of requests is refused by its policies. */
const confirmedForMs = 5_000;
/** How often a token file is looked at, at most. */
const fileCheckEveryMs = 5_000;

export class VaultTokens implements TokenProvider {
  readonly #client: VaultClient;
  readonly #auth: VaultAuth;
  readonly #clock: Clock;
  #current: Secret | undefined;
  #facts: TokenFacts | undefined;
  #obtaining: Promise<void> | undefined;
  #judging: Promise<boolean> | undefined;
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #mayLookUp = false;
  #fileCheckedAt = Number.NEGATIVE_INFINITY;
  #fileChangedAt: number | undefined;

  constructor(client: VaultClient, auth: VaultAuth, clock: Clock = systemClock) {
    this.#client = client;
    this.#auth = auth;
    this.#clock = clock;
    client.useTokens(this);
  }

  /** Facts of the token in use; `undefined` when it may not look itself up. */
  get facts(): TokenFacts | undefined {
    return this.#facts;
  }

  /** Whether another token can be had by logging in. */
  get canLogIn(): boolean {
    return this.#auth.kind === 'approle';
  }

  async token(signal?: AbortSignal): Promise<Secret> {
    if (this.#current !== undefined && this.#auth.kind === 'token_file')
      await this.#rereadFile(this.#auth.file, signal);
    if (this.#current === undefined) await this.#obtainOnce(signal);
    if (this.#current === undefined) throw new Error('no token was obtained');
    return this.#current;
  }

  /**
   * Gets a token and looks it up. To be called once at start-up: a token that is no longer accepted, or may be used a limited
   * number of times only, is refused here (`TOKEN_EXPIRED`, `TOKEN_UNUSABLE`). A token without the right to look itself up passes;
   * whether it is good shows with the first request. Returns whether it could be looked up.
   */
  async check(signal?: AbortSignal): Promise<boolean> {
    const token = await this.token(signal);
    if (this.#auth.kind === 'approle' && this.#facts !== undefined) return true;
    this.#mayLookUp = await this.#lookUp(token, signal);
    return this.#mayLookUp;
  }

  async refused(token: Secret, signal?: AbortSignal): Promise<boolean> {
    if (token !== this.#current) return true;
    if (this.#clock.monotonic() - this.#confirmedAt < confirmedForMs) return false;
    this.#judging ??= this.#judge(token, signal).finally(() => {
      this.#judging = undefined;
    });
    return this.#judging;
  }

  /** Logs in anew, or reads the token file anew. Throws when that does not give another token. */
  async replace(signal?: AbortSignal): Promise<void> {
    this.#fileChangedAt = undefined;
    await this.#obtainOnce(signal);
  }

  /** Renews the token in use for `incrementSeconds`; returns what was granted. */
  async renew(incrementSeconds: number, signal?: AbortSignal): Promise<TokenFacts> {
    const body = await this.#client.request({
      method: 'POST',
      path: '/auth/token/renew-self',
      about: 'auth/token/renew-self',
      body: { increment: `${incrementSeconds}s` },
      signal,
    });
    const auth = (body as { auth?: Record<string, unknown> }).auth ?? {};
    const period = this.#facts?.periodSeconds ?? 0;
    this.#facts = {
      ttlSeconds: Number(auth.lease_duration ?? 0),
      renewable: auth.renewable === true,
      accessor: String(auth.accessor ?? ''),
      policies: Array.isArray(auth.policies) ? auth.policies.map(String) : [],
      periodSeconds: period,
    };
    return this.#facts;
  }

  /** A 403 came for the token in use: is it the token, or its policies? */
  async #judge(token: Secret, signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#mayLookUp && (await this.#lookUp(token, signal))) return false;
    // A token that never could look itself up proves nothing by failing to; then only a fresh login tells.
    if (!this.#mayLookUp && this.#auth.kind !== 'approle') return false;
    if (this.#auth.kind === 'token') throw this.#expired();
    await this.replace(signal);
    if (this.#current === token) throw this.#expired();
    this.#confirmedAt = this.#clock.monotonic();
    return true;
  }

  async #lookUp(token: Secret, signal: AbortSignal | undefined): Promise<boolean> {
    const path = 'auth/token/lookup-self';
    try {
      const body = await this.#client.requestWith(token, {
        method: 'GET',
        path: `/${path}`,
        about: path,
        signal,
      });
      const data = (body as { data?: Record<string, unknown> }).data;
      if (data === undefined) throw this.#badAnswer(path);
      this.#requireUnlimitedUses(Number(data.num_uses ?? 0));
      this.#facts = {
        ttlSeconds: Number(data.ttl ?? 0),
        renewable: data.renewable === true,
        accessor: String(data.accessor ?? ''),
        policies: Array.isArray(data.policies) ? data.policies.map(String) : [],
        periodSeconds: Number(data.period ?? 0),
      };
      this.#confirmedAt = this.#clock.monotonic();
      return true;
    } catch (error) {
      if (error instanceof VsyncError && error.status === 403) return false;
      throw error;
    }
  }

  #obtainOnce(signal: AbortSignal | undefined): Promise<void> {
    this.#obtaining ??= this.#obtain(signal).finally(() => {
      this.#obtaining = undefined;
    });
    return this.#obtaining;
  }

  async #obtain(signal: AbortSignal | undefined): Promise<void> {
    const auth = this.#auth;
    if (auth.kind === 'token') this.#current = auth.token;
    else if (auth.kind === 'token_file') this.#current = await this.#readToken(auth.file);
    else await this.#logIn(auth, signal);
  }

  async #logIn(
    auth: Extract<VaultAuth, { kind: 'approle' }>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const path = `auth/${auth.path}/login`;
    const secretId = auth.secretId === undefined ? undefined : await readSecret(auth.secretId);
    const roleId = await readSecret(auth.roleId);
    try {
      const body = await this.#client.request({
        method: 'POST',
        path: `/${encodePath(path)}`,
        about: path,
        body: { role_id: roleId.reveal(), ...(secretId && { secret_id: secretId.reveal() }) },
        authenticated: false,
        signal,
      });
      const granted = (body as { auth?: Record<string, unknown> }).auth;
      if (typeof granted?.client_token !== 'string') throw this.#badAnswer(path);
      this.#requireUnlimitedUses(Number(granted.num_uses ?? 0));
      this.#current = new Secret(granted.client_token);
      this.#facts = {
        ttlSeconds: Number(granted.lease_duration ?? 0),
        renewable: granted.renewable === true,
        accessor: String(granted.accessor ?? ''),
        policies: Array.isArray(granted.policies) ? granted.policies.map(String) : [],
        periodSeconds: 0,
      };
    } catch (error) {
      throw this.#loginError(path, error);
    }
  }

  #loginError(path: string, error: unknown): unknown {
    const status = error instanceof NotFound ? 404 : error instanceof VsyncError ? error.status : undefined;
    const transient = status === undefined || status === 429 || status === 503 || status > 500;
    if (transient) return error;
    return new VsyncError({
      ...this.#where(path),
      code: 'LOGIN_FAILED',
      status,
      message: `the ${this.#client.side} Vault refused the AppRole login (${status} on ${path})`,
      why: 'role_id or secret_id is wrong, expired or used up, or the method is mounted elsewhere',
      hint: `check ${this.#client.side}.vault.approle.role_id, .secret_id and .path; vault write -f auth/<path>/role/<role>/secret-id`,
    });
  }

  /** Looks at the file now and then, and takes up what is new in it. */
  async #rereadFile(file: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.#clock.monotonic() - this.#fileCheckedAt < fileCheckEveryMs) return;
    this.#fileCheckedAt = this.#clock.monotonic();
    const changedAt = (await stat(file).catch(() => undefined))?.mtimeMs;
    // A file that is gone for a moment is being replaced: the token in use stays.
    if (changedAt === undefined || changedAt === this.#fileChangedAt) return;
    this.#fileChangedAt = changedAt;
    await this.#obtainOnce(signal);
  }

  async #readToken(file: string): Promise<Secret> {
    const token = await readSecret({ file });
    this.#fileChangedAt = (await stat(file).catch(() => undefined))?.mtimeMs;
    this.#fileCheckedAt = this.#clock.monotonic();
    // The same text is the same token: requests under way with it are then not sent again.
    return this.#current !== undefined && this.#current.reveal() === token.reveal() ? this.#current : token;
  }

  #requireUnlimitedUses(numUses: number): void {
    if (numUses === 0) return;
    throw new VsyncError({
      ...this.#where(),
      code: 'TOKEN_UNUSABLE',
      message: `the ${this.#client.side} Vault token may be used ${numUses} more times only`,
      why: 'it would end in the middle of a scan',
      hint: 'use a token or an AppRole with num_uses 0 (token_num_uses=0)',
    });
  }

  #expired(): VsyncError {
    return new VsyncError({
      ...this.#where(),
      code: 'TOKEN_EXPIRED',
      status: 403,
      message: `the ${this.#client.side} Vault token is not accepted (403 on auth/token/lookup-self)`,
      why: 'it has expired, was revoked, or was never a token of this Vault',
      hint: `put a new periodic token into ${this.#client.side}.vault.token_file (picked up within 5 s), or use AppRole to log in again`,
    });
  }

  /** The same failure for the caller who found that the token can neither look itself up nor do anything else. */
  notAccepted(): VsyncError {
    return this.#expired();
  }

  #badAnswer(path: string): VsyncError {
    const { side, address } = this.#client;
    return badAnswer({ side, address, method: 'POST', path, writes: false }, 'it holds no token');
  }

  #where(path?: string) {
    const { side, address } = this.#client;
    return { side, server: 'vault', address, ...(path !== undefined && { path }) } as const;
  }
}

async function readSecret(source: Secret | { readonly file: string }): Promise<Secret> {
  if (source instanceof Secret) return source;
  try {
    return new Secret((await readFile(source.file, 'utf8')).trim());
  } catch (error) {
    const { code } = asNodeError(error);
    throw new VsyncError({
      code: 'CONFIG_UNREADABLE',
      path: source.file,
      message: `cannot read ${source.file}: ${code}`,
      hint: 'it must exist and be readable for the user that vsync runs as',
    });
  }
}

function asNodeError(error: unknown): { code: string } {
  return { code: String((error as { code?: unknown }).code ?? asVsyncError(error).message) };
}
