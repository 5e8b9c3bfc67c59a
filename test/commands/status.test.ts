import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { repeatUntilStopped } from '../../src/commands/status/watch.ts';
import type { NodeStatus } from '../../src/consul/node-store.ts';
import { SignalChannel } from '../../src/cycle/signal-channel.ts';
import { startDevConsul } from '../../src/dev/consul/dev-consul.ts';
import { PlanWorld, type RunAs } from './plan-world.ts';

/** `vsync status` on embedded servers: what nodes told, what follows from it, and each exit code. */

let world: PlanWorld;
beforeAll(async () => {
  world = await PlanWorld.start();
});
afterAll(() => world.stop());
afterEach(() => world.clear());

const seconds = (offset: number) => new Date(Date.now() + offset * 1000).toISOString();

/** Puts the status of a node where it would write it itself. */
async function tell(status: Partial<NodeStatus> = {}, syncPath = 'vsync/'): Promise<void> {
  const { role = 'destination', name = role } = status;
  const usual = {
    role,
    name,
    vsyncVersion: '1.2.3',
    health: 'Healthy',
    sync: 'InSync',
    cycleEndedAt: seconds(-5),
    nextCycleAt: seconds(55),
    lastSuccessAt: seconds(-5),
    result: 'noop',
    trigger: 'tick',
    durationMs: 200,
    counts: { failed: 0 },
  };
  await world.consul.put(`${syncPath}nodes/${role}-${name}`, JSON.stringify({ ...usual, ...status }));
}

const status = (args: readonly string[] = [], as?: RunAs) => world.run('status', args, as);
const json = async (as?: RunAs) => JSON.parse((await status(['--json'], as)).out);

describe('vsync status', () => {
  it('says so when nobody has told anything; that is not good for --check', async () => {
    const { code, out } = await status();
    expect(code).toBe(0);
    expect(out).toContain('vsync status: Unknown\n\nNo node has told anything yet');
    expect((await status(['--check'])).code).toBe(2);
  });

  it('a pair in sync: rows for both, what is stored, 0 also with --check', async () => {
    await world.put('a');
    await world.put('b');
    await world.sync();
    const { code, out, err } = await status(['--check']);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toMatch(/^vsync status: InSync\n\nNODE .*\norigin +InSync +\S.*, success +- +2 +\d/);
    expect(out).toMatch(/\ndestination +InSync +\S.*, success \+2 /);
    expect(out).toContain('origin info at vsync/origin/: 2 paths in 1 bucket, published ');
    expect(out).toContain('The infos are in sync.\n');
  });

  const words = [
    { name: 'InSync', told: {}, word: 'InSync', check: 0 },
    { name: 'Progressing', told: { health: 'Progressing' }, word: 'Progressing', check: 0 },
    { name: 'Paused', told: { health: 'Paused' }, word: 'Paused', check: 0 },
    { name: 'Degraded', told: { health: 'Degraded', counts: { failed: 3 } }, word: 'Degraded', check: 2 },
    { name: 'Failed', told: { health: 'Failed', errorCode: 'VAULT_SEALED' }, word: 'Failed', check: 2 },
    { name: 'OutOfSync', told: { sync: 'OutOfSync' }, word: 'OutOfSync', check: 2 },
    { name: 'never complete', told: { sync: 'Unknown' }, word: 'Unknown', check: 2 },
    {
      name: 'silent',
      told: { cycleEndedAt: seconds(-600), nextCycleAt: seconds(-540) },
      word: 'Unknown',
      check: 2,
    },
  ] as const;
  it.each(words)('$name: the word is $word, --check returns $check', async ({ told, word, check }) => {
    await tell(told);
    const { code, out } = await status(['--check']);
    expect(out).toContain(`vsync status: ${word}\n`);
    expect(code).toBe(check);
    expect((await status()).code).toBe(0);
  });

  it('one bad node is enough, whatever the others say', async () => {
    await tell({ role: 'origin', health: 'Paused' });
    await tell({ name: 'east' });
    await tell({ name: 'west', health: 'Degraded' });
    const { code, out } = await status(['--check']);
    expect(code).toBe(2);
    expect(out.split('\n').filter((line) => /^(origin|destination)/.test(line))).toHaveLength(3);
  });

  it('says what is wrong: the last error, failed paths, since when a node is silent', async () => {
    await tell({
      name: 'east',
      health: 'Failed',
      errorCode: 'VAULT_SEALED',
      errorMessage: 'the destination Vault is sealed',
    });
    await tell({ name: 'west', health: 'Degraded', counts: { failed: 1200 } });
    await tell({
      name: 'gone',
      cycleEndedAt: '2026-01-02T03:04:05.000Z',
      nextCycleAt: '2026-01-02T03:05:05Z',
    });
    const { out } = await status();
    expect(out).toContain('    VAULT_SEALED: the destination Vault is sealed\n');
    expect(out).toContain('    1 200 paths failed in the last cycle\n');
    expect(out).toMatch(
      / {4}silent since 2026-01-02T03:04:05.000Z, though a cycle was due .* ago; it last said InSync/,
    );
  });

  it('held deletes: how many, and the command that releases exactly these', async () => {
    const set = 'abcdef0123456789'.repeat(4);
    await tell({ health: 'Held', held: { set, deletes: 812, paths: 4209, limit: 420 } });
    await tell({ role: 'origin', health: 'Held', held: { set, deletes: 3, paths: 3, limit: 5 } });
    const { out } = await status();
    expect(out).toContain('    812 deletes of 4 209 paths held, the limit is 420; if intended:\n');
    expect(out).toMatch(/\n {6}vsync approve abcdef01 -c c\d+\.json\n/);
    expect(out).toContain('vsync approve abcdef01 --role origin -c <its configuration>');

    const approval = { set, by: 'alice@host', until: seconds(3600) };
    await world.consul.put('vsync/approvals/destination', JSON.stringify(approval));
    expect((await status()).out).toContain('approved by alice@host until');
  });

  it('what the origin published since is behind: OutOfSync, what is pending, and the lag', async () => {
    await world.put('a');
    await world.put('gone');
    await world.sync();
    await world.put('a', { value: 'other' });
    await world.put('new');
    await world.origin.softDelete(world.path('gone'));
    await world.sync({ originOnly: true });
    const { code, out } = await status(['--check']);
    expect(code).toBe(2);
    expect(out).toMatch(/vsync status: OutOfSync/);
    expect(out).toMatch(/1 of 1 bucket differs: 1 to add, 1 to update, 1 to delete; lag \d+s\./);
    const document = await json();
    expect(document.comparisons[0]).toMatchObject({
      in_sync: false,
      pending: { add: 1, update: 1, delete: 1 },
      lag_seconds: expect.any(Number),
    });
  });

  it('differences that are meant to stay do not put a destination out of sync', async () => {
    await world.put('a');
    await world.put('gone');
    await world.sync();
    await world.origin.softDelete(world.path('gone'));
    await world.sync({ originOnly: true });
    const { code, out } = await status(['--check'], { top: { ignoreDeletes: true } });
    expect(out).toContain('The infos are in sync (1 difference stays as configured).');
    expect(code).toBe(0);
  });

  it('another number of buckets is no difference, and is adopted', async () => {
    await world.put('a');
    await world.sync();
    await world.ok('origin', ['--once'], { top: { numBuckets: 4 } });
    const { out } = await status();
    expect(out).toContain('The infos are in sync. The destination adopts 4 buckets in its next cycle.');
  });

  it('both sides may be apart: nodes of both are shown, each once', async () => {
    await tell({ role: 'origin' }, 'far/');
    await tell({ role: 'destination' }, 'near/');
    const document = await json({ origin: { syncPath: 'far/' }, block: { syncPath: 'near/' } });
    expect(document.nodes.map(({ role }: NodeStatus) => role)).toEqual(['origin', 'destination']);
  });

  it("an origin's configuration shows the destinations that share its sync path", async () => {
    await world.put('a');
    await world.sync();
    const { out } = await status(['--role', 'origin']);
    expect(out).toContain('destination info at vsync/destination/: 1 path in 1 bucket');
  });

  it('--json: one document with everything', async () => {
    await world.put('a');
    await world.sync();
    const document = await json();
    expect(document).toMatchObject({
      format_version: '1.0',
      type: 'status',
      status: 'InSync',
      ok: true,
      nodes: [
        { role: 'origin', status: 'InSync', silent_since: null, error: null, held: null, paths: 1 },
        { role: 'destination', status: 'InSync', result: 'success' },
      ],
      sync_info: [
        { side: 'origin', num_buckets: 1, paths: 1 },
        { side: 'destination', num_buckets: 1, paths: 1 },
      ],
      comparisons: [{ in_sync: true, lag_seconds: 0 }],
      errors: [],
    });
  });

  it('shows all destinations of a list, the origin once, and the command for the one that holds', async () => {
    const as: RunAs = {
      top: {
        destinations: [
          { name: 'iad', syncPath: 'vsync-iad/' },
          {
            name: 'sin',
            syncPath: 'vsync-sin/',
            transforms: [{ from: '^secret/(?P<d>data)/(?P<key>.*)$', to: 'secret/d/sin/key' }],
          },
        ],
      },
    };
    for (let i = 0; i < 4; i += 1) await world.put(`k${i}`);
    await world.sync({ originOnly: true });
    expect((await status([], as)).out).toContain('origin info at vsync/origin/: 4 paths');
    await world.ok('destination', ['--once'], as);
    const { code, out } = await status(['--check'], as);
    expect(code).toBe(0);
    expect(
      out.match(/^(origin|destination \w+) +InSync/gm)?.map((row) => row.replace(/ +InSync/, '')),
    ).toEqual(['origin', 'destination iad', 'destination sin']);
    expect(out).toContain('\niad: The infos are in sync.\nsin: The infos are in sync.\n');
    await tell(
      { name: 'sin', health: 'Held', held: { deletes: 3, paths: 4, limit: 2, set: 'ab12cd34ef' } },
      'vsync-sin/',
    );
    const held = await status([], as);
    expect(held.out).toMatch(/vsync approve ab12cd34 -c \S+ --node sin\n/);
    const document = JSON.parse((await status(['--json'], as)).out);
    expect(document.comparisons).toMatchObject([{ destination: 'iad' }, { destination: 'sin' }]);
    expect(document.nodes).toHaveLength(3);
    expect((await status(['--node', 'iad'], as)).out).not.toContain('sin');
  });

  it.each([60, 80])('fits %i columns, and is coloured only on a terminal', async (columns) => {
    await tell({ role: 'origin', name: 'vault-datacenter-1' });
    await tell({
      name: 'a-rather-long-name',
      health: 'Failed',
      errorCode: 'X',
      errorMessage: 'word '.repeat(40),
    });
    await world.put('a');
    const { out } = await status([], { columns });
    expect(out).toContain('\u001b[');
    const { out: plain } = await status(['--no-color'], { columns });
    expect(plain).not.toContain('\u001b');
    expect(plain.split('\n').filter((line) => line.length > columns)).toEqual([]);
    expect((await status()).out).not.toContain('\u001b');
  });

  it('what stands in Consul cannot play with the terminal, and what is no status is left out', async () => {
    const evil = {
      name: 'evil\u001b[2J',
      errorCode: 'X\u001b[2J',
      errorMessage: '\u0007',
      result: '\u001b[1m',
    };
    await tell();
    const key = 'vsync/nodes/destination-destination';
    await world.consul.put(
      key,
      JSON.stringify({ ...JSON.parse((await world.consul.get(key)) ?? ''), ...evil }),
    );
    await world.consul.put('vsync/nodes/broken', '{"role":"origin"}');
    await world.consul.put('vsync/nodes/null', 'null');
    await world.consul.put('vsync/nodes/text', 'text');
    const { code, out } = await status();
    expect(code).toBe(0);
    expect(out).not.toContain('\u001b');
    expect(out).not.toContain('\u0007');
    expect(out).toContain('evil\\u{1b}[2J');
    expect((await json()).nodes).toHaveLength(1);
  });

  it('no value and no token is ever printed', async () => {
    await world.put('a', { value: 'canary-value' });
    await world.sync();
    const runs = [await status(['-v']), await status(['--json'])];
    for (const { out, err } of runs) expect(out + err).not.toMatch(/canary-value|root-token/);
  });
});

describe('vsync status when something cannot be read', () => {
  const nowhere = { consul: { address: 'http://127.0.0.1:1' } };

  it('no Consul: 69, said once for each side', async () => {
    const { code, out, err } = await status([], { origin: nowhere, block: nowhere });
    expect(code).toBe(69);
    expect(out).toContain('No node could be read.');
    expect(err.match(/id: {4}CONSUL_UNREACHABLE/g)).toHaveLength(2);
  });

  it('one Consul of two: what the other tells is shown, and it is 69 all the same', async () => {
    await tell();
    const { code, out, err } = await status(['--json'], { origin: nowhere });
    expect(code).toBe(69);
    expect(JSON.parse(out)).toMatchObject({
      nodes: [{ role: 'destination' }],
      errors: [{ id: 'CONSUL_UNREACHABLE', side: 'origin' }],
      ok: false,
    });
    expect(JSON.parse(err)).toMatchObject({ type: 'exit_error', code: 69, id: 'CONSUL_UNREACHABLE' });
  });

  it('a token that may not read: 77, not "nobody has told anything"', async () => {
    const consul = await startDevConsul({
      acl: { tokens: [{ token: 'blind', rules: [{ prefix: 'other/', policy: 'read' }] }] },
    });
    const blind = { consul: { address: consul.address, token: 'blind' } };
    try {
      const { code, err } = await status([], { origin: blind, block: blind });
      expect(code).toBe(77);
      expect(err).toContain('CONSUL_FORBIDDEN');
    } finally {
      await consul.close();
    }
  });

  it('corrupt sync info is said; only --check fails for it', async () => {
    await world.put('a');
    await world.sync();
    await world.consul.put('vsync/origin/0', '{}');
    const { code, out, err } = await status();
    expect(code).toBe(0);
    expect(out).toContain('origin ');
    expect(err).toContain('bucket 0 of 1 does not match its hash in the index');
    expect((await status(['--check'])).code).toBe(2);
  });

  it('a wrong configuration: 78; --watch with --check: 64', async () => {
    expect((await status([], { block: { vault: { address: 'nonsense' } } })).code).toBe(78);
    const { code, err } = await status(['--watch', '--check']);
    expect(code).toBe(64);
    expect(err).toContain('exclude each other');
  });
});

describe('vsync status --watch', () => {
  let signals: SignalChannel;
  beforeEach(() => {
    signals = new SignalChannel();
  });

  it.each([
    { name: 'on a terminal each view takes the place of the one before', isTTY: true, clears: 3 },
    { name: 'elsewhere it is appended', isTTY: false, clears: 0 },
  ])('$name, until a signal', async ({ isTTY, clears }) => {
    const out = Object.assign(new PassThrough(), { isTTY });
    let drawn = 0;
    const draw = async () => {
      drawn += 1;
      if (drawn === 3) signals.stop('SIGINT');
      return `view ${drawn}\n`;
    };
    const clock = { sleep: async (_ms: number, signal?: AbortSignal) => signal?.throwIfAborted() };
    await repeatUntilStopped(draw, { inPlace: true, clock }, { out, signals });
    const text = out.read().toString();
    expect(text.split('\u001b[H\u001b[2J').length - 1).toBe(clears);
    expect(text).toContain('view 3\n');
  });

  it('goes on when something cannot be read, says so, and ends with 0', async () => {
    world.devConsul.requests.reset();
    const nowhere = { consul: { address: 'http://127.0.0.1:1' } };
    const watching = status(['--watch'], { signals, origin: nowhere });
    const views = () => world.devConsul.requests.count('GET keys');
    await expect.poll(views, { timeout: 15_000 }).toBe(2);
    signals.stop('SIGTERM');
    const { code, out } = await watching;
    expect(code).toBe(0);
    expect(out).toContain('! CONSUL_UNREACHABLE: ');
    expect(out).not.toContain('\u001b');
  });

  it.each([
    { signal: 'SIGINT', code: 130 },
    { signal: 'SIGTERM', code: 143 },
  ] as const)('$signal ends a single status with $code', async ({ signal, code }) => {
    signals.stop(signal);
    expect((await status([], { signals })).code).toBe(code);
  });
});
