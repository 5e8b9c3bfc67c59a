import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startDevConsul } from '../../src/dev/consul/dev-consul.ts';
import { SyncInfo } from '../../src/sync/sync-info.ts';
import { bad, Doctor } from './doctor-checks.ts';
import { type Json, PlanWorld } from './plan-world.ts';

/** What `vsync doctor` finds about Consul, about the sync info in it, and about where published paths go. */

let world: PlanWorld;
const doctor = new Doctor(() => world);
beforeAll(async () => {
  world = await PlanWorld.start();
});
afterAll(() => world.stop());
afterEach(() => world.clear());

describe('vsync doctor on Consul and sync info', () => {
  it('a token that may not read: nothing there is looked at further', async () => {
    const consul = await startDevConsul({ acl: { tokens: [{ token: 'blind', rules: [] }] } });
    try {
      const as = { block: { consul: { address: consul.address, token: 'blind' } } };
      expect(await doctor.checks('Destination Consul', as)).toMatchObject([
        { status: 'fail', topic: 'read', code: 'CONSUL_FORBIDDEN' },
        { status: 'skip' },
      ]);
    } finally {
      await consul.close();
    }
  });

  it('the own keys only: what else would be useful is a warning', async () => {
    const rules = [{ prefix: 'vsync/destination/', policy: 'write' }] as const;
    const consul = await startDevConsul({ acl: { tokens: [{ token: 'narrow', rules }] } });
    try {
      const as = { block: { consul: { address: consul.address, token: 'narrow', dc: 'dc1' } } };
      const found = await doctor.checks('Destination Consul', as, ['--write-probe']);
      expect(bad(found)).toMatchObject([
        { status: 'warn', fix: 'rule: key "vsync/nodes/destination-destination" { policy = "write" }' },
        { status: 'warn', fix: 'rule: key "vsync/approvals/destination" { policy = "read" }' },
      ]);
      expect(found).toContainEqual(expect.objectContaining({ status: 'pass', topic: 'write' }));
      expect(found).toContainEqual(expect.objectContaining({ status: 'skip', topic: 'datacenter' }));
    } finally {
      await consul.close();
    }
  });

  it('a token that may read and not write fails --write-probe', async () => {
    const rules = [{ prefix: 'vsync/', policy: 'read' }] as const;
    const consul = await startDevConsul({ acl: { tokens: [{ token: 'reader', rules }] } });
    try {
      const as = { block: { consul: { address: consul.address, token: 'reader' } } };
      expect(bad(await doctor.checks('Destination Consul', as))).toEqual([]);
      expect(bad(await doctor.checks('Destination Consul', as, ['--write-probe']))).toMatchObject([
        { status: 'fail', topic: 'write', code: 'CONSUL_FORBIDDEN' },
      ]);
    } finally {
      await consul.close();
    }
  });

  it('an origin that has published nothing fails a destination, and not itself', async () => {
    expect(bad(await doctor.checks('Sync info'))).toMatchObject([
      { status: 'fail', code: 'ORIGIN_INFO_MISSING' },
    ]);
    expect(bad(await doctor.checks('Sync info', undefined, ['--role', 'origin']))).toEqual([]);
  });

  it('corrupt sync info', async () => {
    await doctor.copied('a');
    await world.consul.put('vsync/origin/0', '{}');
    expect(bad(await doctor.checks('Sync info'))).toMatchObject([
      {
        status: 'fail',
        topic: 'origin',
        code: 'SYNC_INFO_CORRUPT',
        fix: expect.stringContaining('vsync origin --once'),
      },
    ]);
  });

  it('a bucket that is nearly full, and the command that makes room', async () => {
    const paths = Array.from({ length: 3700 }, (_, i) => `${'x'.repeat(40)}/${String(i).padStart(4, '0')}`);
    const info = SyncInfo.empty(1);
    for (const path of paths)
      info.put(world.path(path) as never, { version: 1, updateTime: '2026-01-02T03:04:05Z', type: 'kvV2' });
    const { index, buckets } = info.reindex([]);
    await world.consul.put('vsync/origin/0', buckets[0]?.json() ?? '');
    await world.consul.put('vsync/origin/index', JSON.stringify(index));
    expect(bad(await doctor.checks('Sync info'))).toMatchObject([
      {
        status: 'warn',
        code: 'CONSUL_VALUE_TOO_LARGE',
        message: expect.stringMatching(/has 4\d\d of 512 KiB \([89]\d %\)/),
        commands: ['vsync sync-info rebucket --role origin --to 4'],
      },
    ]);
  });
});

describe('vsync doctor on targets', () => {
  const move = (to: string) => [{ name: 'move', from: '^secret/data/(?P<env>\\w+)/(?P<app>\\w+)$', to }];
  const targets = (transforms: readonly Json[], more: Json = {}) =>
    doctor.checks('Targets', { block: { transforms, ...more } });

  it('paths that meet, each named, the rest counted', async () => {
    await doctor.copied('dev/a', 'prod/a', 'test/a', 'qa/a', 'int/a');
    const found = bad(await targets(move('secret/data/all/app')));
    expect(found).toHaveLength(4);
    expect(found[0]).toMatchObject({ status: 'fail', code: 'TRANSFORM_COLLISION' });
    expect(found[3]?.message).toBe('... and 2 more paths: TRANSFORM_COLLISION');
  });

  it('a rule that matches nothing, and targets on no mount', async () => {
    await doctor.copied('dev/a');
    expect(bad(await targets([{ name: 'never', from: '^(?P<x>nothing)$', to: 'x' }]))).toMatchObject([
      { status: 'warn', topic: 'transform', message: '"never" decides 0 published paths' },
    ]);
    expect(bad(await targets(move('nowhere/data/env/app')))).toMatchObject([
      { status: 'fail', code: 'TRANSFORM_BAD_TARGET' },
    ]);
  });

  it('one Vault for both: paths that would be written onto themselves', async () => {
    await world.put('dev/a');
    await world.sync({ originOnly: true });
    const { address, rootToken } = world.vaults.origin;
    const vault = { vault: { address, token: rootToken } };
    expect(bad(await targets([], vault))).toMatchObject([{ status: 'fail', code: 'TRANSFORM_LOOP' }]);
    const unknown = { block: vault, origin: { mounts: undefined } };
    expect(bad(await doctor.checks('Targets', unknown))[0]).toMatchObject({
      status: 'fail',
      code: 'CONFIG_MISSING_VALUE',
    });
  });
});
