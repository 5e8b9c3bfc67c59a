/**
 * Sessions: their TTLs, and what their end does to the locks they hold.
 * May import: `kv-operations`, `answer`, types of `clock` and `kv-store`.
 */

import { randomUUID } from 'node:crypto';
import { Refusal } from './answer.ts';
import type { Clock } from './clock.ts';
import { release } from './kv-operations.ts';
import type { KvStore } from './kv-store.ts';

/** What a client asks for when it creates a session. */
export interface SessionRequest {
  readonly name: string;
  /** The agent that it belongs to: this server. */
  readonly node: string;
  /** Nanoseconds, as Consul shows it. Above a minute counts as a minute. */
  readonly lockDelayNs: number;
  /** What happens at its end to the keys it holds. */
  readonly behavior: 'release' | 'delete';
  /** As the client wrote it; `''` for none. */
  readonly ttl: string;
  /** 0 where the session lives until it is destroyed. */
  readonly ttlMs: number;
  readonly nodeChecks: readonly string[];
}

export interface Session extends SessionRequest {
  readonly id: string;
  readonly createIndex: number;
}

/** A TTL is a lower bound: Consul ends a session after twice its TTL (10 s: 20.1 s). */
const ttlMultiplier = 2;
const longestLockDelayMs = 60_000;

interface SessionsNeeds {
  readonly clock: Clock;
  readonly kv: KvStore;
  /** The next index of the log: every create and destroy takes one. */
  readonly nextIndex: () => number;
  readonly changed: (ids: ReadonlySet<string>) => void;
}

export class Sessions {
  readonly #needs: SessionsNeeds;
  /** By the id without hyphens, in lower case: Consul finds a session by either spelling. */
  readonly #sessions = new Map<string, Session>();
  readonly #expiries = new Map<string, () => void>();
  /** Until when a key cannot be locked, because its holder ended without giving it back. */
  readonly #lockDelays = new Map<string, number>();
  #index = 0;

  constructor(needs: SessionsNeeds) {
    this.#needs = needs;
  }

  /** The index of the last creation or end of a session. */
  get index(): number {
    return this.#index;
  }

  /** Throws the 500 Refusal for what cannot be an id. */
  get(id: string): Session | undefined {
    return this.#sessions.get(sessionKey(id));
  }

  /** All sessions, by id. */
  list(): readonly Session[] {
    return [...this.#sessions.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  create(request: SessionRequest): Session {
    const session = { ...request, id: randomUUID(), createIndex: this.#needs.nextIndex() };
    this.#sessions.set(sessionKey(session.id), session);
    this.renew(session);
    this.#touch(session, session.createIndex);
    return session;
  }

  /** Starts the TTL anew. */
  renew(session: Session): void {
    this.#expiries.get(session.id)?.();
    if (session.ttlMs === 0) return;
    const cancel = this.#needs.clock.after(session.ttlMs * ttlMultiplier, () => this.#end(session));
    this.#expiries.set(session.id, cancel);
  }

  /** Ends a session. One that does not exist is already ended. */
  destroy(id: string): void {
    const session = this.get(id);
    if (session !== undefined) this.#end(session);
  }

  /** Whether a key cannot be locked yet. */
  isDelayed(key: string): boolean {
    const until = this.#lockDelays.get(key);
    if (until === undefined) return false;
    if (until > this.#needs.clock.now()) return true;
    this.#lockDelays.delete(key);
    return false;
  }

  /** Cancels all expiries: the server is closing. */
  stop(): void {
    for (const cancel of this.#expiries.values()) cancel();
    this.#expiries.clear();
  }

  #end(session: Session): void {
    const { clock, kv, nextIndex } = this.#needs;
    this.#expiries.get(session.id)?.();
    this.#expiries.delete(session.id);
    this.#sessions.delete(sessionKey(session.id));
    const index = nextIndex();
    const delayMs = Math.min(session.lockDelayNs / 1e6, longestLockDelayMs);
    kv.write(
      index,
      (write) => {
        for (const entry of write.list('')) {
          if (entry.session !== session.id) continue;
          if (session.behavior === 'delete') write.remove(entry.key);
          else release(write, entry);
          if (delayMs > 0) this.#lockDelays.set(entry.key, clock.now() + delayMs);
        }
      },
      () => true,
    );
    this.#touch(session, index);
  }

  #touch(session: Session, index: number): void {
    this.#index = index;
    this.#needs.changed(new Set([session.id]));
  }
}

/** The bytes of an id as Consul compares them. Throws the 500 Refusal that Consul gives for anything but 36 characters of a UUID. */
function sessionKey(id: string): string {
  const digits = id.replaceAll('-', '').toLowerCase();
  if (id.length !== 36) throw badId('UUID must be 36 characters');
  if (digits.length < 32) {
    throw badId(`UUID should have maximum of 4 "-"; got ${id.length - digits.length}`);
  }
  if (digits.length % 2 !== 0) throw badId('Input (without hyphens) must be even length');
  const [wrong] = /[^0-9a-f]/.exec(digits) ?? [];
  if (wrong !== undefined) throw badId(`Invalid UUID: encoding/hex: invalid byte: '${wrong}'`);
  return digits;
}

function badId(problem: string): Refusal {
  return new Refusal(500, `failed session lookup: index error: ${problem}`);
}
