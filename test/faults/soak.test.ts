import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd, errorIds } from '../support/log-reading.ts';
import type { LogEntry, RunningVsync } from '../support/vsync-process.ts';
import type { Role } from '../support/world.ts';
import { answers, type FaultAction, type FaultProxy } from './fault-proxy.ts';
import { expectNoneTwice, writtenValues } from './histories.ts';
import { it, type Pair } from './pair.ts';
import { Random } from './random.ts';
import { dataOf, metadataOf } from './requests.ts';

/**
 * Daemons of both roles for some minutes, while the origin is edited, every connection is faulty, and now and then a process is killed.
 * After one cycle without faults nothing differs, no version was written needlessly, and no memory or handle was lost (R1 to R10).
 * `VSYNC_SOAK_SECONDS` says how long, `VSYNC_SEED` repeats its random numbers.
 */
const seconds = Number(process.env.VSYNC_SOAK_SECONDS ?? (process.env.CI ? 180 : 60));

/** Of all requests: one in so many meets a fault, of each kind. */
const oneIn = 150;

const passing: readonly FaultAction[] = [
  { kind: 'reset' },
  { kind: 'blackHole' },
  { kind: 'delay', ms: 50 },
  { kind: 'cutAfter', bytes: 15 },
  { kind: 'dropReply' },
  { kind: 'dropReply', silently: true },
  answers.internalError,
  { ...answers.internalError, kind: 'answerAfterEffect' },
  answers.html,
];
const ofVault: readonly FaultAction[] = [
  ...passing,
  answers.sealed,
  answers.rateLimited,
  answers.rateLimitedFor(1),
];
/** What a server says of one secret only: of a mount or a token it would be final. */
const ofSecrets: readonly FaultAction[] = [answers.forbidden, answers.notFoundWithoutBody, answers.wrongPath];

describe.runIf(runRealServers && existsSync('/proc/self/fd'))('a soak', () => {
  it('R9: random edits, faults and kills: then one cycle without faults, and nothing differs, was written needlessly or leaks', {
    timeout: (seconds + 180) * 1000,
  }, async ({ pair }) => {
    const random = new Random('soak');
    await pair.world.destination.call('POST', `${pair.scope.mount}config`, { max_versions: 10_000 });
    const origin = new EditedOrigin(pair, random);
    for (let i = 0; i < 20; i += 1) await origin.edit();
    const daemons = new Daemons(pair);
    await daemons.start('origin');
    await daemons.start('destination');

    const faults = [pair.originVault, pair.destinationVault].flatMap((proxy) => [
      ...addFaults(proxy, random, /./, ofVault),
      ...addFaults(proxy, random, dataOf(), ofSecrets),
      ...addFaults(proxy, random, metadataOf(), ofSecrets),
    ]);
    for (const proxy of [pair.originConsul, pair.destinationConsul])
      faults.push(...addFaults(proxy, random, /./, [...passing, answers.noLeader]));

    const startedAt = performance.now();
    const passed = () => (performance.now() - startedAt) / 1000 / seconds;
    let [edits, kills] = [0, 0];
    let warm: Record<Role, Usage> | undefined;
    while (passed() < 1) {
      await origin.edit();
      edits += 1;
      await sleep(random.integer(10, 200));
      // In the first part processes die; in the rest those that are there must not grow.
      if (passed() < 0.4 && passed() > (kills + 1) * 0.06) {
        await daemons.restart(random.pick(['origin', 'destination']), random.pick(['SIGKILL', 'SIGTERM']));
        kills += 1;
      }
      if (passed() > 0.55) warm ??= daemons.usage();
    }
    const last = daemons.usage();
    const hits = faults.reduce((sum, { hits: of }) => sum + of(), 0);
    console.info(`soak: ${seconds} s, ${edits} edits, ${kills} kills, ${hits} faults`, warm, last);
    pair.clear();
    await daemons.stop();

    expect(errorIds(await pair.originOnce())).toEqual([]);
    const run = await pair.destinationOnce();
    expect(errorIds(run).filter((id) => id !== 'DEST_EDITED')).toEqual([]);
    expect(await pair.copied(), JSON.stringify(countsOf(run))).toEqual(origin.values());
    expect((await pair.info('destination')).index).toBe((await pair.info('origin')).index);
    expect(cycleEnd(await pair.destinationOnce()).result).toBe('noop');

    const written = await writtenValues(pair, origin.keys);
    expectNoneTwice(written);
    for (const key of origin.keys) {
      const had = origin.history(key);
      const values = written[key] ?? [];
      expect(values.length, key).toBeLessThanOrEqual(had.length);
      // Each is one that the origin had, and no older one follows a newer one.
      const order = values.filter((value) => value !== undefined).map((value) => had.indexOf(value));
      expect(order, key).toEqual(order.toSorted((a, b) => a - b));
      expect(order, key).not.toContain(-1);
    }

    expect(hits).toBeGreaterThan(seconds);
    for (const role of ['origin', 'destination'] as const) {
      const before = warm?.[role] as Usage;
      expect(last[role].megabytes, `memory of the ${role}`).toBeLessThan(before.megabytes * 1.5 + 40);
      expect(last[role].handles, `handles of the ${role}`).toBeLessThan(before.handles * 1.5 + 30);
    }
  });
});

function addFaults(proxy: FaultProxy, random: Random, path: RegExp, actions: readonly FaultAction[]) {
  const now = () => random.next() < 1 / oneIn;
  return actions.map((action) => proxy.add({ path, body: now, action }));
}

/** Secrets that are added, changed and deleted; no value comes twice. */
class EditedOrigin {
  readonly keys: readonly string[];
  readonly #pair: Pair;
  readonly #random: Random;
  readonly #live = new Map<string, unknown>();
  readonly #history = new Map<string, string[]>();
  #edits = 0;

  constructor(pair: Pair, random: Random) {
    this.#pair = pair;
    this.#random = random;
    this.keys = Array.from({ length: 40 }, (_, i) => (i % 3 === 0 ? `k${i}` : `folder${i % 5}/k${i}`));
  }

  async edit(): Promise<void> {
    const key = this.#random.pick(this.keys);
    const path = this.#pair.path(key);
    const { origin } = this.#pair.world;
    this.#edits += 1;
    // A few at a time may be missing: the guard lets them pass.
    if (this.#live.has(key) && this.#random.next() < 0.15) {
      this.#live.delete(key);
      if (this.#random.next() < 0.5) await origin.softDelete(path);
      else await origin.destroyMetadata(path);
      return;
    }
    const value = { edit: this.#edits };
    this.#live.set(key, value);
    this.#history.set(key, [...this.history(key), JSON.stringify(value)]);
    await origin.put(path, value);
  }

  values(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.#live);
  }

  /** All values that a key has had, as text. */
  history(key: string): readonly string[] {
    return this.#history.get(key) ?? [];
  }
}

interface Usage {
  readonly megabytes: number;
  readonly handles: number;
}

/** One daemon of each role, which lives until it is killed here. */
class Daemons {
  readonly #pair: Pair;
  readonly #running = new Map<Role, RunningVsync>();

  constructor(pair: Pair) {
    this.#pair = pair;
  }

  async start(role: Role): Promise<void> {
    const timeouts = { vault: { requestTimeout: '300ms' }, consul: { requestTimeout: '300ms' } };
    const running = await this.#pair.start(role, {
      block: { ...timeouts, tick: '400ms', ...(role === 'destination' && { batchSize: 5 }) },
      origin: timeouts,
      top: { numBuckets: 8, retry: { base: '5ms', max: '200ms' } },
    });
    this.#running.set(role, running);
  }

  async restart(role: Role, signal: NodeJS.Signals): Promise<void> {
    const running = this.#get(role);
    this.#expectAlive(role, running);
    running.kill(signal);
    const { code } = await running.finished;
    if (signal === 'SIGTERM') expect(code).toBe(0);
    await this.start(role);
  }

  async stop(): Promise<void> {
    for (const [role, running] of this.#running) {
      this.#expectAlive(role, running);
      const { code, log } = await running.stop();
      expect(code, role).toBe(0);
      expect(log.some(isGood), `${role}: no cycle succeeded`).toBe(true);
    }
  }

  usage(): Record<Role, Usage> {
    return { origin: usageOf(this.#get('origin')), destination: usageOf(this.#get('destination')) };
  }

  #get(role: Role): RunningVsync {
    return this.#running.get(role) as RunningVsync;
  }

  #expectAlive(role: Role, running: RunningVsync): void {
    expect(running.child.exitCode, `${role} ended by itself:\n${running.stderr.slice(-3000)}`).toBeNull();
  }
}

function isGood({ event, result }: LogEntry): boolean {
  return event === 'cycle.end' && ['success', 'noop', 'partial'].includes(String(result));
}

function usageOf({ child: { pid } }: RunningVsync): Usage {
  const kilobytes = /VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { megabytes: Number(kilobytes) / 1024, handles: readdirSync(`/proc/${pid}/fd`).length };
}
