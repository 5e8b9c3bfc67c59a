import { type Clock, maxDelayMs, systemClock } from '../base/clock.ts';
import { asVsyncError, VsyncError } from '../base/errors.ts';
import type { TokenFacts } from './login.ts';
import type { VaultTokens } from './token.ts';

/**
 * Keeps the token of one side alive, on a timer of its own that no cycle holds up.
 * At two thirds of the granted lifetime the token is renewed; when that gives too little (the maximum lifetime is near) or is not
 * possible, a new one is had by logging in. A failure is retried until the token has expired.
 */

export type TokenEvent =
  | { readonly kind: 'renewed' | 'replaced'; readonly facts: TokenFacts }
  | { readonly kind: 'renewal_failed'; readonly error: VsyncError; readonly expiresInSeconds: number }
  /** The token ends and there is no way to get another one but by an operator. */
  | { readonly kind: 'ends'; readonly expiresInSeconds: number };

const renewAtFraction = 2 / 3;
const retryEveryMs = 15_000;

/** Runs until `signal` is aborted, or for as long as there is anything to renew. Never rejects. */
export async function renewTokens(options: {
  readonly tokens: VaultTokens;
  /** False: `renewToken: false`. A token that is had by logging in is still replaced in time. */
  readonly renew: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: (event: TokenEvent) => void;
  readonly clock?: Clock;
}): Promise<void> {
  const { tokens, signal, onEvent, clock = systemClock } = options;
  // A renewal asks for the lifetime the token was made with; what is granted may be less each time.
  let fullTtlSeconds = 0;
  while (!signal.aborted) {
    const { changed } = tokens;
    const interrupted = AbortSignal.any([signal, changed]);
    try {
      await keepAlive(interrupted);
      // Nothing more can be done for this one; an operator may put another one into its file.
      if (!tokens.mayChange) return;
      await clock.sleep(maxDelayMs, interrupted);
    } catch {
      // The only thing that throws is a sleep that was ended: by the signal, or because another token is in use now.
      if (!changed.aborted) return;
    }
  }

  /** Renews and replaces until there is another token, or nothing to be done. */
  async function keepAlive(interrupted: AbortSignal): Promise<void> {
    fullTtlSeconds = tokens.facts?.periodSeconds || tokens.facts?.ttlSeconds || 0;
    for (;;) {
      const facts = tokens.facts;
      if (facts === undefined || facts.ttlSeconds === 0) return;
      const mayRenew = options.renew && facts.renewable;
      if (!mayRenew && !tokens.canLogIn) return ends(facts);
      const expiresAt = clock.monotonic() + facts.ttlSeconds * 1000;
      await clock.sleep(facts.ttlSeconds * 1000 * renewAtFraction, interrupted);
      const next = await untilItWorks(expiresAt, interrupted);
      if (next === undefined) return;
      onEvent(next);
      // Its maximum lifetime is reached: what is granted from now on ends at that same moment.
      if (next.kind === 'renewed' && !isEnough(next.facts) && !tokens.canLogIn) return ends(next.facts);
    }
  }

  function ends({ ttlSeconds }: TokenFacts): void {
    onEvent({ kind: 'ends', expiresInSeconds: ttlSeconds });
  }

  function isEnough(granted: TokenFacts): boolean {
    return granted.ttlSeconds >= fullTtlSeconds * renewAtFraction;
  }

  async function untilItWorks(
    expiresAt: number,
    interrupted: AbortSignal,
  ): Promise<Extract<TokenEvent, { facts: TokenFacts }> | undefined> {
    while (!signal.aborted) {
      try {
        return await renewOrReplace();
      } catch (error) {
        if (signal.aborted) return undefined;
        const expiresInSeconds = Math.round((expiresAt - clock.monotonic()) / 1000);
        onEvent({ kind: 'renewal_failed', error: asVsyncError(error), expiresInSeconds });
        // Past its end only a login helps; a request that is refused will try that too.
        if (expiresInSeconds <= 0 && !tokens.canLogIn) return undefined;
      }
      await clock.sleep(retryEveryMs, interrupted);
    }
    return undefined;
  }

  async function renewOrReplace(): Promise<Extract<TokenEvent, { facts: TokenFacts }>> {
    const mayRenew = options.renew && tokens.facts?.renewable === true;
    const facts = mayRenew ? await renewed() : undefined;
    if (facts !== undefined) {
      if (isEnough(facts) || !tokens.canLogIn) return { kind: 'renewed', facts };
    }
    await tokens.replace(signal);
    return { kind: 'replaced', facts: tokens.facts as TokenFacts };
  }

  /** `undefined` when the renewal was refused and there is another way. */
  async function renewed(): Promise<TokenFacts | undefined> {
    try {
      return await tokens.renew(fullTtlSeconds, signal);
    } catch (error) {
      const refused = error instanceof VsyncError && (error.status === 403 || error.status === 400);
      if (refused && tokens.canLogIn) return undefined;
      throw error;
    }
  }
}
