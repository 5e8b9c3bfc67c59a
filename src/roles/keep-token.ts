import { errorFields, type Log } from '../base/log.ts';
import { renewTokens, type TokenEvent } from '../vault/token-renewal.ts';
import type { VaultConnection } from './connections.ts';
import type { RoleContext } from './role.ts';

/** Keeps a token alive beside the cycles, until the process ends, and says so in the log. */
export function keepToken(
  { client, tokens }: VaultConnection,
  renew: boolean,
  context: Pick<RoleContext<unknown>, 'log' | 'releasers'>,
): void {
  const stop = new AbortController();
  const renewing = renewTokens({
    tokens,
    renew,
    signal: stop.signal,
    onEvent: (event) => logTokenEvent(context.log.with({ side: client.side }), event),
  });
  context.releasers.push(async () => {
    stop.abort();
    await renewing;
  });
}

function logTokenEvent(log: Log, event: TokenEvent): void {
  switch (event.kind) {
    case 'renewed':
    case 'replaced':
      log.info(`Vault token ${event.kind}`, {
        event: `token.${event.kind}`,
        ttlSeconds: event.facts.ttlSeconds,
      });
      return;
    case 'renewal_failed':
      log.warn('Vault token could not be renewed', {
        ...errorFields(event.error),
        expiresInSeconds: event.expiresInSeconds,
      });
      return;
    case 'ends':
      log.warn('the Vault token ends and will not be renewed', {
        'error.id': 'TOKEN_TTL_SHORT',
        expiresInSeconds: event.expiresInSeconds,
        hint: 'use a periodic token, a token_file that is replaced in time, or AppRole',
      });
  }
}
