import { inputErrors } from './error-catalogue-input.ts';
import { syncErrors } from './error-catalogue-sync.ts';
import { vaultErrors } from './error-catalogue-vault.ts';
import type { ErrorCode, ErrorExplanation, WarningCode } from './errors.ts';

/** Every code of `errors.ts`, explained: `docs/errors.md` is made from this. */
export const errorCatalogue = {
  ...vaultErrors,
  ...syncErrors,
  ...inputErrors,
} as const satisfies Readonly<Record<ErrorCode, ErrorExplanation>>;

/** The same for what is only warned of. */
export const warningCatalogue = {
  TOKEN_TTL_SHORT: {
    means: 'The token ends, and vsync cannot have it renewed.',
    causes: [
      'it is not renewable, or a batch token',
      'it comes to its maximum lifetime, beyond which no renewal goes',
      '`renewToken` is off',
    ],
    fix: [
      'AppRole, which logs in again',
      'a `token_file` whose token is replaced in time: it is read again when it changes',
      'a periodic token: `vault token create -period=24h -orphan -no-default-policy -policy=<policy>`',
    ],
  },
  CLOCK_SKEW: {
    means: 'The clock of a Vault and that of this machine differ.',
    causes: ['NTP does not run on one of them'],
    fix: [
      'let NTP set both; secrets with `delete_version_after` end by the clock of their Vault, so the copy may end at another time than the original',
    ],
  },
} as const satisfies Readonly<Record<WarningCode, ErrorExplanation>>;
