import { readFile, stat } from 'node:fs/promises';
import { type Clock, systemClock } from './clock.ts';
import { VsyncError } from './errors.ts';
import { Secret, withoutTokens } from './secret.ts';

/** How often a file is looked at, at most. */
const lookEveryMs = 5_000;

/** The text of a file, without white space around it. Throws `CONFIG_UNREADABLE`. */
export async function readSecretFile(file: string): Promise<Secret> {
  const text = await readFile(file, 'utf8').then(
    (content) => content.trim(),
    (error: unknown) => error as { readonly code?: string },
  );
  if (typeof text === 'string' && text !== '') return new Secret(text);
  throw new VsyncError({
    code: 'CONFIG_UNREADABLE',
    path: withoutTokens(file),
    message: `cannot read ${withoutTokens(file)}: ${typeof text === 'string' ? 'it is empty' : text.code}`,
    hint: 'it must exist, hold one line, and be readable for the user that vsync runs as',
  });
}

/** When a file was changed last, or `undefined` while it is not there. */
export async function changedAt(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.mtimeMs;
}

/** A secret in a file that others replace: read when it is needed, again within 5 s of a change, with no timer of its own. */
export class SecretFile {
  readonly #file: string;
  readonly #clock: Clock;
  #current: Secret | undefined;
  #changedAt: number | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(file: string, clock: Clock = systemClock) {
    this.#file = file;
    this.#clock = clock;
  }

  /** What is in it. A file that is gone or empty for a moment is being replaced: what was in it counts until then. */
  async current(): Promise<Secret> {
    if (this.#current !== undefined && this.#clock.monotonic() - this.#lookedAt < lookEveryMs)
      return this.#current;
    this.#lookedAt = this.#clock.monotonic();
    const at = await changedAt(this.#file);
    if (this.#current !== undefined && (at === undefined || at === this.#changedAt)) return this.#current;
    try {
      this.#current = await readSecretFile(this.#file);
      this.#changedAt = at;
    } catch (error) {
      if (this.#current === undefined) throw error;
    }
    return this.#current;
  }
}
