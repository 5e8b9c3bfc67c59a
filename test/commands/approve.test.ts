import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PlanWorld, type RunAs } from './plan-world.ts';

/** `vsync approve` on embedded servers: only the set that is held, by whom, and until when. */

let world: PlanWorld;
beforeAll(async () => {
  world = await PlanWorld.start();
});
afterAll(() => world.stop());
afterEach(() => world.clear());

const approve = (args: readonly string[] = [], as?: RunAs) => world.run('approve', args, as);

/** A destination that holds the deletes of 8 of its 10 secrets; returns the set. */
async function held(): Promise<string> {
  const keys = Array.from({ length: 10 }, (_, i) => `k${i}`);
  await Promise.all(keys.map((key) => world.put(key)));
  await world.sync();
  await Promise.all(keys.slice(0, 8).map((key) => world.origin.softDelete(world.path(key))));
  await world.sync({ originOnly: true });
  expect((await world.run('destination', ['--once'])).code).toBe(4);
  return JSON.parse((await approve(['--json'])).out).held.set;
}

describe('vsync approve', () => {
  it('without a set says what is held, and how to see and release it', async () => {
    const set = await held();
    const { code, out } = await approve();
    expect(code).toBe(0);
    expect(out).toContain('destination holds 8 deletes of 10 paths (limit 5)\n');
    expect(out).toContain('vsync destination --once --dry-run');
    expect(out).toContain(`vsync approve ${set.slice(0, 8)} `);
  });

  it('releases the set: who and until when is stored and shown, the next cycle deletes', async () => {
    const set = await held();
    const { code, out } = await approve([set.slice(0, 8).toUpperCase(), '--for', '90m'], {
      env: { SUDO_USER: 'alice' },
    });
    expect(code).toBe(0);
    expect(out).toMatch(
      new RegExp(`^approved: 8 deletes of set ${set.slice(0, 8)}, by alice@\\S+, until 20`),
    );
    const stored = JSON.parse((await world.consul.get('vsync/approvals/destination')) ?? '');
    expect(stored).toEqual({ set, by: expect.stringMatching(/^alice@/), until: expect.any(String) });
    const inMs = Date.parse(stored.until) - Date.now();
    expect(inMs).toBeGreaterThan(89 * 60_000);
    expect(inMs).toBeLessThanOrEqual(90 * 60_000);
    expect((await approve()).out).toMatch(
      /approved by alice@\S+ until .* \(in 1h \d+m\): the next cycle makes them/,
    );

    await world.ok('destination', ['--once']);
    expect(Object.keys(await world.destination.values('secret/'))).toHaveLength(2);
    expect((await approve()).out).toMatch(/^Nothing is held by destination; its last cycle ended /);
  });

  it('--json says the same', async () => {
    const set = await held();
    const document = JSON.parse((await approve([set, '--json'])).out);
    expect(document).toMatchObject({
      type: 'approval',
      role: 'destination',
      held: { set, deletes: 8, limit: 5, paths: 10 },
      approval: { set, by: expect.stringContaining('@'), until: expect.any(String) },
    });
  });

  it.each([
    { name: 'another set', set: 'abcdef01', why: 'what is held now is ' },
    { name: 'too short a name', set: 'short', why: 'at least 8 characters' },
  ])('$name is refused, and nothing is stored: 64', async ({ set, why }) => {
    const real = await held();
    const { code, err } = await approve([set === 'short' ? real.slice(0, 7) : set]);
    expect(code).toBe(64);
    expect(err).toContain(why);
    expect(err).toContain('Nothing was approved.');
    expect(await world.consul.get('vsync/approvals/destination')).toBeUndefined();
  });

  it('nothing held, or nothing known: 64 with a set, said without', async () => {
    const unknown = await approve(['abcdef01']);
    expect(unknown.code).toBe(64);
    expect(unknown.err).toContain('it has told nothing of itself');
    expect((await approve()).out).toContain('Nothing is known of destination');
    await world.put('a');
    await world.sync();
    const nothing = await approve(['abcdef01']);
    expect(nothing.code).toBe(64);
    expect(nothing.err).toContain('nothing is held');
  });

  it("an origin's own hold is approved with --role origin", async () => {
    await world.put('a');
    await world.sync();
    await world.origin.softDelete(world.path('a'));
    expect((await world.run('origin', ['--once'])).code).toBe(4);
    const { out } = await approve(['--role', 'origin']);
    expect(out).toMatch(/vsync approve [0-9a-f]{8} --role origin/);
  });

  it('a bad duration: 64; no Consul: 69; a wrong configuration: 78', async () => {
    for (const duration of ['never', '0s', '-1h', '24'])
      expect((await approve(['abcdef01', `--for=${duration}`])).code).toBe(64);
    expect((await approve([], { block: { consul: { address: 'http://127.0.0.1:1' } } })).code).toBe(69);
    expect((await approve([], { top: { numBuckets: 'x' } })).code).toBe(78);
  });

  it('prints no value and no token', async () => {
    await held();
    const { out, err } = await approve(['-v']);
    expect(out + err).not.toMatch(/canary-value|root-token/);
  });
});
