import { inspect } from 'node:util';

const redacted = '[redacted]';

/**
 * A token, a secret_id or the value of a secret: text that cannot be printed by accident (rule R12).
 * Every way of turning it into text says `[redacted]`; only `reveal()` gives it out, and only `vault/` and `consul/` call that.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself. For the body or the header of one request, nothing else. */
  reveal(): string {
    return this.#text;
  }

  /**
   * `hvs.****(sha256:ab12)`: enough to tell two tokens apart. The prefix is the kind of a token, and two bytes of a hash do not help to
   * guess one. Not for the values of secrets, which may be guessable (`SecretValue` says `[redacted]`).
   */
  fingerprint(): string {
    // Not imported: every start would pay for loading it.
    const { createHash } = process.getBuiltinModule('node:crypto');
    const prefix = /^(hvs|hvb|hvr|s|b|r)\./.exec(this.#text)?.[0] ?? '';
    return `${prefix}****(sha256:${createHash('sha256').update(this.#text).digest('hex').slice(0, 4)})`;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}

/** Text that a person wrote without what looks like a token of Vault: it may be in a place where it does not belong, such as a file's name. */
export function withoutTokens(text: string): string {
  return text.replace(/(hv[sbr]|(?<!\w)[sbr])\.[\w-]{20,}/g, '$1.***');
}
