import { type Clock, systemClock } from '../base/clock.ts';
import { asVsyncError, type VsyncError } from '../base/errors.ts';
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
  let fullTtlSeconds = tokens.facts?.periodSeconds || tokens.facts?.ttlSeconds || 0;
  try {
    while (!signal.aborted) {
      const facts = tokens.facts;
      if (facts === undefined || facts.ttlSeconds === 0) return;
      const mayRenew = options.renew && facts.renewable;
      if (!mayRenew && !tokens.canLogIn) {
        onEvent({ kind: 'ends', expiresInSeconds: facts.ttlSeconds });
        return;
      }
      const expiresAt = clock.monotonic() + facts.ttlSeconds * 1000;
      await clock.sleep(facts.ttlSeconds * 1000 * renewAtFraction, signal);
      const next = await untilItWorks(expiresAt);
      if (next === undefined) return;
      if (next.kind === 'replaced') fullTtlSeconds = next.facts.ttlSeconds;
      onEvent(next);
    }
  } catch {
    // The only thing that throws is a sleep that was aborted.
  }

  async function untilItWorks(
    expiresAt: number,
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
      await clock.sleep(retryEveryMs, signal);
    }
    return undefined;
  }

  async function renewOrReplace(): Promise<Extract<TokenEvent, { facts: TokenFacts }>> {
    const mayRenew = options.renew && tokens.facts?.renewable === true;
    if (mayRenew) {
      const facts = await tokens.renew(fullTtlSeconds, signal);
      const enough = facts.ttlSeconds >= fullTtlSeconds * renewAtFraction;
      if (enough || !tokens.canLogIn) return { kind: 'renewed', facts };
    }
    await tokens.replace(signal);
    return { kind: 'replaced', facts: tokens.facts as TokenFacts };
  }
}
