import { type Clock, systemClock } from '../base/clock.ts';
import { type Insight, sameInsight } from '../sync/insight.ts';
import type { DataPath } from '../sync/mount-path.ts';
import type { CallScope, OriginSecrets, SecretState } from './ports.ts';

/**
 * One read at the origin for several destinations. A value that one of them reads is kept until all have taken it, for a short while
 * and within a number of bytes at the most; a destination that is slower than that reads for itself, so none ever waits for another.
 */

/** How long a value waits for the destinations that have not asked for it. */
const keepForMs = 30_000;
/** What waits at most, in characters of JSON. */
const maxCharacters = 32 * 1024 * 1024;

interface SharedRead {
  readonly path: DataPath;
  readonly expected: Insight;
  readonly startedBy: CallScope;
  readonly startedAt: number;
  readonly state: Promise<SecretState>;
  readonly takers: Set<number>;
  characters: number;
}

export class SharedReads {
  readonly #origin: OriginSecrets;
  readonly #clock: Clock;
  /** In the order in which they were begun. */
  readonly #reads = new Map<DataPath, SharedRead>();
  readonly #readers = new Set<number>();
  #lastReader = 0;
  #characters = 0;
  #expiry: NodeJS.Timeout | undefined;

  constructor(origin: OriginSecrets, clock: Clock = systemClock) {
    this.#origin = origin;
    this.#clock = clock;
  }

  /** The origin as one more destination sees it, until that is released. */
  reader(): { readonly origin: OriginSecrets; readonly release: () => void } {
    this.#lastReader += 1;
    const id = this.#lastReader;
    this.#readers.add(id);
    return {
      origin: {
        // Without a version that is expected, the question is what is there now (a delete is to be confirmed): that is always asked anew.
        readSecret: (path, scope, expected) =>
          expected === undefined
            ? this.#origin.readSecret(path, scope)
            : this.#read(id, path, scope, expected),
        readVersion: (path, version, scope) => this.#origin.readVersion(path, version, scope),
      },
      release: () => void this.#readers.delete(id),
    };
  }

  /** Values that wait for a destination. */
  get waiting(): number {
    return this.#reads.size;
  }

  async #read(id: number, path: DataPath, scope: CallScope, expected: Insight): Promise<SecretState> {
    const found = this.#take(id, path, expected);
    if (found === undefined) return this.#begin(id, path, scope, expected);
    try {
      return await found.state;
    } catch (error) {
      // It failed because the cycle that began it was stopped: that is not our failure.
      if (!found.startedBy.signal.aborted || scope.signal.aborted) throw error;
      return this.#origin.readSecret(path, scope, expected);
    }
  }

  #take(id: number, path: DataPath, expected: Insight): SharedRead | undefined {
    const found = this.#reads.get(path);
    if (found === undefined || found.takers.has(id) || !sameInsight(found.expected, expected))
      return undefined;
    if (this.#clock.monotonic() - found.startedAt > keepForMs) return undefined;
    found.takers.add(id);
    if (found.takers.size >= this.#readers.size) this.#drop(found);
    return found;
  }

  #begin(id: number, path: DataPath, scope: CallScope, expected: Insight): Promise<SecretState> {
    const state = this.#origin.readSecret(path, scope, expected);
    if (this.#readers.size < 2) return state;
    const before = this.#reads.get(path);
    if (before !== undefined) this.#drop(before);
    const read: SharedRead = {
      path,
      expected,
      startedBy: scope,
      startedAt: this.#clock.monotonic(),
      state,
      takers: new Set([id]),
      characters: 0,
    };
    this.#reads.set(path, read);
    this.#expireLater();
    state.then(
      (found) => {
        if (found.kind === 'live') this.#weigh(read, found.value.reveal().length);
      },
      // Whoever asks next reads for itself.
      () => this.#drop(read),
    );
    return state;
  }

  /** Counts a value that arrived, and lets go of the oldest ones when there are too many. */
  #weigh(read: SharedRead, characters: number): void {
    if (this.#reads.get(read.path) !== read) return;
    read.characters = characters;
    this.#characters += characters;
    for (const oldest of this.#reads.values()) {
      if (this.#characters <= maxCharacters) return;
      this.#drop(oldest);
    }
  }

  #drop(read: SharedRead): void {
    if (this.#reads.get(read.path) !== read) return;
    this.#reads.delete(read.path);
    this.#characters -= read.characters;
  }

  /** No value stays in memory when nobody comes for it (R12). */
  #expireLater(): void {
    this.#expiry ??= setTimeout(() => {
      this.#expiry = undefined;
      const limit = this.#clock.monotonic() - keepForMs;
      for (const read of this.#reads.values()) if (read.startedAt <= limit) this.#drop(read);
      if (this.#reads.size > 0) this.#expireLater();
    }, keepForMs).unref();
  }
}
