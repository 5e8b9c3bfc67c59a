/**
 * Finds how many requests should be under way to one server: more while that brings enough more answers a second, fewer when they bring
 * nearly as many. It tries a step, keeps it or takes it back, and now and then tries another, since servers and their other users
 * change. Pure: the gate that owns it tells it what it measures.
 */
export class ConcurrencyFinder {
  readonly #max: number;
  /** The best there was, and what it was worth. */
  #best: { limit: number; worth: number };
  /** `best.limit`, or a step away from it while that is tried. */
  #limit: number;
  #direction: 'up' | 'down' = 'up';
  /** Until the first step that is taken back, or the cap, steps are large. */
  #climbing = true;
  #roundsToHold = 0;

  /** `max` >= 1: never more than that. */
  constructor(max: number) {
    this.#max = max;
    this.#limit = Math.min(max, firstLimit);
    this.#best = { limit: this.#limit, worth: 0 };
  }

  /** How many requests may be under way. */
  get limit(): number {
    return this.#limit;
  }

  /** A round of answers at this limit, all places taken: `perSecond` of them came. Returns the limit from now on. */
  measured(perSecond: number): number {
    const worth = perSecond / this.#limit ** priceOfPlace;
    if (this.#limit === this.#best.limit) {
      this.#best.worth = worth;
      this.#roundsToHold -= 1;
      if (this.#roundsToHold < 0) this.#step();
    } else if (worth > this.#best.worth) {
      this.#best = { limit: this.#limit, worth };
      this.#step();
    } else {
      this.#settle(this.#best.limit);
      this.#direction = this.#direction === 'up' ? 'down' : 'up';
    }
    return this.#limit;
  }

  /** The server asked for less, or was given less for another reason: from here on it goes in small steps. */
  reset(limit: number): void {
    this.#settle(limit);
    this.#direction = 'up';
  }

  #settle(limit: number): void {
    this.#limit = limit;
    this.#best.limit = limit;
    this.#climbing = false;
    this.#roundsToHold = holdForRounds;
  }

  #step(): void {
    if (this.#limit === this.#max) {
      this.#direction = 'down';
      this.#climbing = false;
    }
    if (this.#limit === 1) this.#direction = 'up';
    const step = Math.max(1, Math.round(this.#limit / (this.#climbing ? 2 : 8)));
    const next = this.#limit + (this.#direction === 'up' ? step : -step);
    this.#limit = Math.max(1, Math.min(this.#max, next));
  }
}

const firstLimit = 8;
/** Twice as many requests must bring 2^0.25 = 19 % more answers: each is one more that the server has to hold. */
const priceOfPlace = 0.25;
/** Rounds of answers before the next step is tried after one that was taken back. */
const holdForRounds = 20;
