/** Gives back what was acquired. */
export type Release = () => void | Promise<void>;

/**
 * Everything that is acquired pushes its release here, and the list is the only way down: last in, first out, each one also when an
 * earlier one fails.
 */
export class Releasers {
  readonly #releases: Release[] = [];

  push(release: Release): void {
    this.#releases.push(release);
  }

  /** Releases all. Throws the first failure, after all were tried. */
  async release(): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    for (let next = this.#releases.pop(); next !== undefined; next = this.#releases.pop()) {
      try {
        await next();
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }
}
