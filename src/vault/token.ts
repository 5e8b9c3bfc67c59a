import { type Clock, systemClock } from '../base/clock.ts';
import { VsyncError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import { changedAt } from '../base/secret-file.ts';
import type { TokenProvider, VaultClient } from './client.ts';
import { badAnswer } from './errors.ts';
import { logIn, readSecret, type TokenFacts, tokenFacts, type VaultAuth } from './login.ts';

/** How long a token that lookup-self has confirmed is trusted, when a burst of requests is refused by its policies. */
const confirmedForMs = 5_000;
/** How often a token file is looked at, at most. */
const fileCheckEveryMs = 5_000;

/**
 * The token of one side: which one is in use, whether it is still good, and how to get another one.
 * Renewal on time is the affair of `token-renewal.ts`.
 */
export class VaultTokens implements TokenProvider {
  readonly #client: VaultClient;
  readonly #auth: VaultAuth;
  readonly #clock: Clock;
  #current: Secret | undefined;
  #change = new AbortController();
  #facts: TokenFacts | undefined;
  #mayLookUp = false;
  #confirmedUntil = Number.NEGATIVE_INFINITY;
  #obtaining: Promise<void> | undefined;
  #judging: Promise<boolean> | undefined;
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

  /** Whether there may ever be another token than the one in use. */
  get mayChange(): boolean {
    return this.#auth.kind !== 'token';
  }

  /** Aborted as soon as another token is in use than now. */
  get changed(): AbortSignal {
    return this.#change.signal;
  }

  token(signal?: AbortSignal): Secret | Promise<Secret> {
    if (this.#current === undefined) return this.#afterwards(this.replace(signal));
    if (this.#auth.kind !== 'token_file' || this.#clock.monotonic() - this.#fileCheckedAt < fileCheckEveryMs)
      return this.#current;
    return this.#afterwards(this.#lookAtFile(this.#auth.file, signal));
  }

  async #afterwards(obtained: Promise<void>): Promise<Secret> {
    await obtained;
    return this.#current as Secret;
  }

  /**
   * Gets a token and looks it up. To be called once at start-up: a token that may be used a limited number of times only is refused
   * here (`TOKEN_UNUSABLE`). Returns false when the token may not look itself up (no `default` policy), or is no token: the first
   * request with it shows which.
   */
  async check(signal?: AbortSignal): Promise<boolean> {
    const token = await this.token(signal);
    this.#mayLookUp = await this.#lookUp(token, signal);
    return this.#mayLookUp || this.canLogIn;
  }

  async refused(token: Secret, signal?: AbortSignal): Promise<boolean> {
    if (token !== this.#current) return true;
    if (this.#clock.monotonic() < this.#confirmedUntil) return false;
    this.#judging ??= this.#judge(token, signal).finally(() => {
      this.#judging = undefined;
    });
    return this.#judging;
  }

  /** Logs in anew, or reads the token file anew. Many may ask for it at once; it is done once. */
  replace(signal?: AbortSignal): Promise<void> {
    this.#obtaining ??= this.#obtain(signal).finally(() => {
      this.#obtaining = undefined;
    });
    return this.#obtaining;
  }

  /** Renews the token in use for `incrementSeconds`; returns what was granted. */
  async renew(incrementSeconds: number, signal?: AbortSignal): Promise<TokenFacts> {
    const body = await this.#client.ask({
      method: 'POST',
      path: '/auth/token/renew-self',
      about: 'auth/token/renew-self',
      body: { increment: `${incrementSeconds}s` },
      signal,
    });
    const granted = tokenFacts((body as { auth?: Record<string, unknown> }).auth ?? {});
    this.#facts = { ...granted, periodSeconds: this.#facts?.periodSeconds ?? 0 };
    return this.#facts;
  }

  /** The failure for a caller who found that the token can neither look itself up nor do anything else. */
  notAccepted(): VsyncError {
    const { side, address } = this.#client;
    return new VsyncError({
      side,
      server: 'vault',
      address,
      code: 'TOKEN_EXPIRED',
      status: 403,
      message: `the ${side} Vault token is not accepted (403)`,
      why: 'it has expired, was revoked, or was never a token of this Vault',
      hint: `put a new periodic token into ${side}.vault.token_file (picked up within 5 s), or use AppRole to log in again`,
    });
  }

  /** A 403 came for the token in use: is it the token, or its policies? */
  async #judge(token: Secret, signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#mayLookUp && (await this.#lookUp(token, signal))) return false;
    if (this.#auth.kind === 'token') {
      // A token that never could look itself up proves nothing by failing to.
      if (this.#mayLookUp) throw this.notAccepted();
      return false;
    }
    await this.replace(signal);
    this.#confirm();
    if (this.#current !== token) return true;
    // Another one may be in the file a moment later: a daemon that was at work waits for it.
    if (this.#mayLookUp) throw this.notAccepted().as('transient');
    return false;
  }

  /** The token in use is good for now: never longer than it lives. */
  #confirm(): void {
    const ttlMs = (this.#facts?.ttlSeconds || Number.POSITIVE_INFINITY) * 1000;
    this.#confirmedUntil = this.#clock.monotonic() + Math.min(confirmedForMs, ttlMs);
  }

  /** Looks a token up; false when that is refused. */
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
      if (data === undefined) {
        const { side, address } = this.#client;
        throw badAnswer({ side, address, method: 'GET', path, writes: false }, 'it describes no token');
      }
      this.#facts = this.#usable(tokenFacts(data));
      this.#confirm();
      return true;
    } catch (error) {
      if (error instanceof VsyncError && error.status === 403) return false;
      throw error;
    }
  }

  async #obtain(signal: AbortSignal | undefined): Promise<void> {
    const auth = this.#auth;
    if (auth.kind === 'token') {
      this.#take(auth.token);
    } else if (auth.kind === 'token_file') {
      await this.#obtainFromFile(auth.file, signal);
    } else {
      const { token, facts } = await logIn(this.#client, auth, signal);
      this.#facts = this.#usable(facts);
      this.#take(token);
    }
  }

  async #obtainFromFile(file: string, signal: AbortSignal | undefined): Promise<void> {
    // Before the read: a file that is replaced in between is then read again.
    const at = await changedAt(file);
    const token = await readSecret({ file });
    this.#fileChangedAt = at;
    this.#fileCheckedAt = this.#clock.monotonic();
    // The same text is the same token: a request that was refused with it is then not sent again.
    if (this.#current?.reveal() === token.reveal()) return;
    // Without an answer the facts stay those of the one before, until a renewal tells better ones.
    if (this.#mayLookUp)
      await this.#lookUp(token, signal).catch((error: VsyncError) => {
        if (error.code === 'TOKEN_UNUSABLE') throw error;
      });
    this.#take(token);
  }

  #take(token: Secret): void {
    this.#current = token;
    this.#change.abort();
    this.#change = new AbortController();
  }

  /**
   * Looks at the file now and then, and takes up what is new in it. One that is gone or empty for a moment is being replaced: the
   * token in use is good until a request is refused.
   */
  async #lookAtFile(file: string, signal: AbortSignal | undefined): Promise<void> {
    this.#fileCheckedAt = this.#clock.monotonic();
    const at = await changedAt(file);
    if (at === undefined || at === this.#fileChangedAt) return;
    await this.replace(signal).catch((error: unknown) => {
      if (!(error instanceof VsyncError && error.code === 'CONFIG_UNREADABLE')) throw error;
    });
  }

  #usable(facts: TokenFacts): TokenFacts {
    if (facts.numUses === 0) return facts;
    const { side, address } = this.#client;
    throw new VsyncError({
      side,
      server: 'vault',
      address,
      code: 'TOKEN_UNUSABLE',
      // Of the last use, Vault says -1.
      message: `the ${side} Vault token may be used ${Math.max(0, facts.numUses)} more times only`,
      why: 'it would end in the middle of a scan',
      hint: 'use a token or an AppRole with num_uses 0 (token_num_uses=0)',
    });
  }
}
