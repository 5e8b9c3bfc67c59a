import { inputErrors } from './error-catalogue-input.ts';
import { syncErrors } from './error-catalogue-sync.ts';
import { vaultErrors } from './error-catalogue-vault.ts';
import type { ErrorCode } from './errors.ts';

/** What a person wants to know of an error code, beyond what the message of one failure says. */
export interface ErrorExplanation {
  /** What has happened. */
  readonly means: string;
  /** What most often is behind it, the likeliest first. */
  readonly causes: readonly string[];
  /** What to do, in this order. */
  readonly fix: readonly string[];
}

/** Every code of `errors.ts`, explained: `docs/errors.md` is made from this. */
export const errorCatalogue = {
  ...vaultErrors,
  ...syncErrors,
  ...inputErrors,
} as const satisfies Readonly<Record<ErrorCode, ErrorExplanation>>;
