import { onEveryVault } from './on-every-vault.ts';
import { tokenFacts } from './vault-token.ts';

/** Tokens and logins. */
onEveryVault(tokenFacts);
