/**
 * Finds how many requests should be under way to one server: more while that brings enough more answers a second, fewer when they bring
 * nearly as many. It tries a step, keeps it or takes it back, and now and then tries another, since servers and their other users
 * change. Pure: the gate that owns it tells it what it measures.
 */
export class ConcurrencyFinder {
  readonly #max: number;
  /** What is kept, and what it is worth. */
  #kept: { readonly limit: number; readonly worth: number };
  /** `kept.limit`, or a step away from it while that is tried. */
  #limit: number;
  #direction: 'up' | 'down' = 'up';
  /** Until the first step that is taken back, or the cap, few rounds are enough for each. */
  #climbing = true;
  #rounds = 0;
  #worthOfRounds = 0;

  /** `max` >= 1: never more than that. */
  constructor(max: number) {
    this.#max = max;
    this.#limit = Math.min(max, firstLimit);
    this.#kept = { limit: this.#limit, worth: 0 };
  }

  /** How many requests may be under way. */
  get limit(): number {
    return this.#limit;
  }

  /** A round of answers at this limit, all places taken: `perSecond` of them came. Returns the limit from now on. */
  measured(perSecond: number): number {
    const isTrial = this.#limit !== this.#kept.limit;
    this.#rounds += 1;
    this.#worthOfRounds += perSecond / this.#limit ** priceOfPlace;
    if (this.#rounds < this.#roundsOf(isTrial)) return this.#limit;
    const worth = this.#worthOfRounds / this.#rounds;
    if (isTrial && worth <= this.#kept.worth) {
      this.#direction = this.#direction === 'up' ? 'down' : 'up';
      this.#climbing = false;
      this.#go(this.#kept.limit);
    } else {
      this.#kept = { limit: this.#limit, worth };
      this.#go(this.#next());
    }
    return this.#limit;
  }

  /** The server asked for less, or was given less for another reason. */
  reset(limit: number): void {
    this.#kept = { limit, worth: 0 };
    this.#direction = 'up';
    this.#climbing = false;
    this.#go(limit);
  }

  /** One round tells little: chance is as large as what a step brings. */
  #roundsOf(isTrial: boolean): number {
    if (this.#climbing) return roundsToClimb;
    return isTrial ? roundsToTry : roundsToHold;
  }

  #go(limit: number): void {
    this.#limit = limit;
    this.#rounds = 0;
    this.#worthOfRounds = 0;
  }

  #next(): number {
    if (this.#limit === this.#max) {
      this.#direction = 'down';
      this.#climbing = false;
    }
    if (this.#limit === 1) this.#direction = 'up';
    const step = Math.max(1, Math.round(this.#limit / (this.#direction === 'up' ? 2 : 5)));
    const next = this.#limit + (this.#direction === 'up' ? step : -step);
    return Math.max(1, Math.min(this.#max, next));
  }
}

const firstLimit = 16;
/** Twice as many requests must bring 2^(1/32) = 2 % more answers: each is one more that the server has to hold. */
const priceOfPlace = 1 / 32;
const roundsToClimb = 2;
const roundsToTry = 4;
const roundsToHold = 16;
