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
