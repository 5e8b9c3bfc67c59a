import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SyncInfo } from '../../src/sync/sync-info.ts';
import { type Json, PlanWorld, type RunAs } from './plan-world.ts';

/** `vsync sync-info` on embedded servers. */

let world: PlanWorld;
beforeAll(async () => {
  world = await PlanWorld.start();
});
afterAll(() => world.stop());
afterEach(() => world.clear());

const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);

/** 20 secrets, copied, in 4 buckets. */
async function copied(): Promise<void> {
  await Promise.all(keys.map((key) => world.put(key)));
  await world.sync({ top: { numBuckets: 4 } });
}

const syncInfo = async (args: readonly string[], as: RunAs = {}) =>
  world.bare(['sync-info', ...args, '-c', await world.config(as)], as);

/** What is stored below a prefix: key -> text. */
async function stored(prefix: string): Promise<Record<string, string>> {
  return Object.fromEntries([...(await world.consul.dump(prefix))].map(([key, { value }]) => [key, value]));
}

describe('vsync sync-info show', () => {
  it('prints buckets, paths and sizes of both sides', async () => {
    await copied();
    const { code, out, err } = await syncInfo(['show']);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toMatch(/^origin sync info at vsync\/origin\/ in Consul http.*\n {2}20 paths in 4 buckets\n/);
    expect(out).toMatch(/\ndestination sync info at vsync\/destination\/ .*\n {2}20 paths in 4 buckets\n/);
    expect(out.match(/^ +[0-3] +\d+ +\d+ +[0-9a-f]{12}$/gm)).toHaveLength(8);
  });

  it('with paths: version, time and bucket of each', async () => {
    await copied();
    const { code, out } = await syncInfo([
      'show',
      '--side',
      'destination',
      world.path('k1'),
      world.path('nope'),
    ]);
    expect(code).toBe(0);
    expect(out).toMatch(/secret\/data\/k1\n {4}v1, updated 20.*Z, written here as v1, bucket \d\n/);
    expect(out).toMatch(/secret\/data\/nope\n {4}not there\n/);
    const bucket = SyncInfo.empty(4).bucketId(world.path('k1') as never);
    const asked = JSON.parse((await syncInfo(['show', '--json', world.path('k1')])).out).sides[0].paths_asked;
    expect(asked).toMatchObject([{ path: world.path('k1'), bucket, insight: { version: 1, type: 'kvV2' } }]);
  });

  it('--json has every bucket', async () => {
    await copied();
    const { sides } = JSON.parse((await syncInfo(['show', '--json'])).out);
    expect(sides.map(({ side }: Json) => side)).toEqual(['origin', 'destination']);
    expect(sides[0]).toMatchObject({ num_buckets: 4, paths: 20 });
    expect(sides[0].buckets.reduce((sum: number, { paths }: { paths: number }) => sum + paths, 0)).toBe(20);
  });

  it('nothing stored yet: 69; on one side only, that is said', async () => {
    const { code, err } = await syncInfo(['show']);
    expect(code).toBe(69);
    expect(err).toContain('ORIGIN_INFO_MISSING');
    await world.put('a');
    await world.sync({ originOnly: true });
    expect((await syncInfo(['show'])).out).toContain('nothing is stored yet');
  });

  it('a side that the configuration does not name: 64', async () => {
    const { code, err } = await syncInfo(['show', '--role', 'origin', '--side', 'destination']);
    expect(code).toBe(64);
    expect(err).toContain('names no destination');
  });

  it('no Consul: 69', async () => {
    const { code, err } = await syncInfo(['show'], {
      origin: { consul: { address: 'http://127.0.0.1:1' } },
    });
    expect(code).toBe(69);
    expect(err).toContain('CONSUL_UNREACHABLE');
  });

  it('a wrong configuration: 78', async () => {
    expect((await syncInfo(['show'], { top: { numBuckets: 'many' } })).code).toBe(78);
  });
});

describe('vsync sync-info verify', () => {
  it('every bucket verified: 0', async () => {
    await copied();
    const { code, out } = await syncInfo(['verify']);
    expect(code).toBe(0);
    expect(out).toBe(
      'origin: 4 of 4 buckets verified, 20 paths at vsync/origin/\n' +
        'destination: 4 of 4 buckets verified, 20 paths at vsync/destination/\n',
    );
  });

  it('names each bucket that is wrong, and what is wrong with it: 65', async () => {
    await copied();
    const [zero, one] = [await world.consul.get('vsync/origin/0'), await world.consul.get('vsync/origin/1')];
    await world.consul.put('vsync/origin/0', String(one));
    await world.consul.delete('vsync/origin/1');
    await world.consul.put('vsync/origin/2', 'no bucket');
    await world.consul.put('vsync/origin/99', String(zero));
    const { code, out, err } = await syncInfo(['verify', '--side', 'origin']);
    expect(code).toBe(65);
    expect(out).toContain('origin: 1 of 4 buckets verified');
    expect(out).toContain('  bucket 0 does not match its hash in the index\n');
    expect(out).toContain('  bucket 1 is missing\n');
    expect(out).toContain('  bucket 2 cannot be read as a bucket\n');
    expect(out).toContain('  other keys below vsync/origin/: vsync/origin/99\n');
    expect(err).toContain('bucket 0 of 4 does not match its hash in the index, and 2 more are wrong');
    expect(err).toContain('id:    SYNC_INFO_CORRUPT');
  });

  it('a bucket that matches its hash and yet holds paths of another one is wrong too', async () => {
    const info = SyncInfo.empty(1);
    info.put(world.path('a') as never, { version: 1, updateTime: '2026-01-02T03:04:05Z', type: 'kvV2' });
    const { index, buckets } = info.reindex([]);
    const home = SyncInfo.empty(2).bucketId(world.path('a') as never);
    const empty = SyncInfo.empty(2).index[0];
    const hashes = home === 0 ? [empty, index[0]] : [index[0], empty];
    await world.consul.put('vsync/origin/index', JSON.stringify(hashes));
    await world.consul.put(`vsync/origin/${home}`, '{}');
    await world.consul.put(`vsync/origin/${1 - home}`, buckets[0]?.json() ?? '');
    const { code, out } = await syncInfo(['verify', '--json', '--side', 'origin']);
    expect(code).toBe(65);
    expect(JSON.parse(out).sides[0].faults).toEqual([{ bucket: 1 - home, fault: 'misplaced' }]);
  });

  it('an index that is none: 65', async () => {
    await copied();
    await world.consul.put('vsync/destination/index', '["x"]');
    const { code, out, err } = await syncInfo(['verify']);
    expect(code).toBe(65);
    expect(out).toContain('origin: 4 of 4 buckets verified');
    expect(out).toContain('destination: destination sync info is corrupt');
    expect(err).toContain('SYNC_INFO_CORRUPT');
  });

  it('a writer that was caught midway is no fault', async () => {
    await copied();
    const [index, bucket] = [
      await world.consul.get('vsync/origin/index'),
      await world.consul.get('vsync/origin/0'),
    ];
    await world.consul.put('vsync/origin/0', '{}');
    setTimeout(() => {
      void world.consul.put('vsync/origin/0', String(bucket));
      void world.consul.put('vsync/origin/index', `${index} `);
    }, 100);
    expect((await syncInfo(['verify', '--side', 'origin'])).code).toBe(0);
  });

  it('nothing stored: 69 for the origin', async () => {
    const { code, out } = await syncInfo(['verify']);
    expect(code).toBe(69);
    expect(out).toContain('origin: nothing is stored at vsync/origin/ yet');
  });
});

describe('vsync sync-info rebucket', () => {
  it("writes the origin's info in another number; destinations follow, no secret is touched", async () => {
    await copied();
    const before = await world.destination.history('secret/');
    const { code, out, err } = await syncInfo(['rebucket', '--to', '16', '--yes', '--role', 'origin']);
    expect(code).toBe(0);
    expect(out).toBe(
      'origin sync info at vsync/origin/: 20 paths, now in 16 buckets (before: 4). No secret was touched.\n',
    );
    expect(err).toContain('warning: a Go vsync node on this sync path stops unless');
    await world.ok('origin', ['--once']);
    expect(Object.keys(await stored('vsync/origin/'))).toHaveLength(17);
    await world.ok('destination', ['--once']);
    expect(Object.keys(await stored('vsync/destination/'))).toHaveLength(17);
    expect(await world.destination.history('secret/')).toEqual(before);
    expect((await syncInfo(['verify'])).code).toBe(0);
  });

  it('into fewer buckets: none is left over, and what was written here stays known', async () => {
    await copied();
    expect((await syncInfo(['rebucket', '--to', '1', '--yes'])).code).toBe(0);
    expect(Object.keys(await stored('vsync/destination/'))).toEqual([
      'vsync/destination/0',
      'vsync/destination/index',
    ]);
    expect((await stored('vsync/destination/'))['vsync/destination/0']).toContain('"dv":1');
  });

  it('says what would bring the old number back', async () => {
    await copied();
    const own = await syncInfo(['rebucket', '--to', '2', '--yes', '--role', 'origin'], {
      top: { numBuckets: 4 },
    });
    expect(own.err).toContain('numBuckets is 4 in the configuration');
    const other = await syncInfo(['rebucket', '--to', '8', '--yes']);
    expect(other.err).toContain('the origin publishes 2 buckets');
  });

  it('the number it has: nothing is written', async () => {
    await copied();
    const before = await world.everything();
    const { code, out } = await syncInfo(['rebucket', '--to', '4', '--json', '--role', 'origin']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ from: 4, to: 4, written: false, paths: 20 });
    expect(await world.everything()).toEqual(before);
  });

  it.each([['--no-input'], []])(
    'without --yes nobody can be asked here (%s): 64, nothing is changed',
    async (...flags) => {
      await copied();
      const before = await world.everything();
      const { code, err } = await syncInfo(['rebucket', '--to', '8', ...flags]);
      expect(code).toBe(64);
      expect(err).toContain('add --yes');
      expect(await world.everything()).toEqual(before);
    },
  );

  it.each(['0', '65536', '1.5', 'many', '-1'])('--to %s: 64', async (to) => {
    expect((await syncInfo(['rebucket', '--to', to, '--yes'])).code).toBe(64);
  });

  it('without --to: 64; nothing stored: 69; corrupt: 65; too few buckets to hold it: 78', async () => {
    expect((await syncInfo(['rebucket', '--yes'])).code).toBe(64);
    expect((await syncInfo(['rebucket', '--to', '2', '--yes'])).code).toBe(69);
    const many = SyncInfo.empty(64);
    for (let i = 0; i < 8000; i += 1)
      many.put(world.path(`key-${i}`) as never, {
        version: 1,
        updateTime: '2026-01-02T03:04:05Z',
        type: 'kvV2',
      });
    const { index, buckets } = many.reindex([]);
    for (const { id, json } of buckets) await world.consul.put(`vsync/destination/${id}`, json());
    await world.consul.put('vsync/destination/index', JSON.stringify(index));
    const before = await world.consul.mark('');
    const { code, err } = await syncInfo(['rebucket', '--to', '1', '--yes']);
    expect(code).toBe(78);
    expect(err).toContain('CONSUL_VALUE_TOO_LARGE');
    expect(await world.consul.mark('')).toBe(before);
    await world.consul.put('vsync/destination/3', '{}');
    expect((await syncInfo(['rebucket', '--to', '1', '--yes'])).code).toBe(65);
  });

  it('another writer in between: 75, its work stays', async () => {
    await copied();
    const index = String(await world.consul.get('vsync/origin/index'));
    const fault = world.devConsul.faults.add({
      match: { method: 'PUT', pathPattern: /^txn$/ },
      times: 1,
      action: { kind: 'delay', ms: 1500 },
    });
    const running = syncInfo(['rebucket', '--to', '8', '--yes', '--role', 'origin']);
    await expect.poll(() => fault.hits).toBe(1);
    await world.consul.put('vsync/origin/index', `${index} `);
    expect((await running).code).toBe(75);
    expect(await world.consul.get('vsync/origin/index')).toBe(`${index} `);
    expect((await syncInfo(['verify', '--side', 'origin'])).code).toBe(0);
  });
});

describe('vsync sync-info export', () => {
  it('writes one document with every path', async () => {
    await copied();
    const { code, out } = await syncInfo(['export', '--side', 'origin']);
    expect(code).toBe(0);
    const document = JSON.parse(out);
    expect(document).toMatchObject({ type: 'sync_info_export', side: 'origin', num_buckets: 4, paths: 20 });
    expect(Object.keys(document.insights).sort()).toEqual(keys.map((key) => world.path(key)).sort());
    expect(document.insights[world.path('k0')]).toMatchObject({ version: 1, type: 'kvV2' });
    expect(JSON.parse((await syncInfo(['export'])).out).side).toBe('destination');
  });

  it('--out writes a file that only its owner reads, and never over another one', async () => {
    await copied();
    const { code, out, err } = await syncInfo(['export', '--out', 'export.json']);
    expect(code).toBe(0);
    expect(out).toBe('');
    expect(err).toContain('20 paths of the destination in ');
    expect(statSync(world.file('export.json')).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(world.file('export.json'), 'utf8')).paths).toBe(20);
    const again = await syncInfo(['export', '--out', 'export.json']);
    expect(again.code).toBe(1);
    expect(again.err).toContain('it exists already');
  });

  it('nothing is written unless all of it was verified', async () => {
    await copied();
    await world.consul.put('vsync/destination/0', '{}');
    const { code, out } = await syncInfo(['export', '--out', 'corrupt.json']);
    expect(code).toBe(65);
    expect(out).toBe('');
    expect(existsSync(world.file('corrupt.json'))).toBe(false);
    await world.consul.delete('vsync/');
    expect((await syncInfo(['export'])).code).toBe(69);
  });

  it('a folder that is not there: 1', async () => {
    await copied();
    writeFileSync(world.file('plain'), '');
    expect((await syncInfo(['export', '--out', 'plain/x.json'])).code).toBe(1);
  });
});

it('no command of sync-info prints a value or a token', async () => {
  await copied();
  for (const args of [
    ['show'],
    ['verify'],
    ['export'],
    ['show', '--json'],
    ['rebucket', '--to', '8', '--yes'],
  ]) {
    const { out, err } = await syncInfo([...args, '-v']);
    expect(out + err).not.toMatch(/canary-value|root-token/);
  }
});
