import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConsulClient } from '../../src/consul/client.ts';
import {
  approvalKey,
  listStatuses,
  type NodeStatus,
  readApproval,
  readStatus,
  statusKey,
  writeStatus,
} from '../../src/consul/node-store.ts';
import { type DevConsul, startDevConsul } from '../../src/dev/consul/dev-consul.ts';
import { consulClient } from '../contract/consul-client-target.ts';

let server: DevConsul;
let consul: ConsulClient;
beforeEach(async () => {
  server = await startDevConsul();
  consul = consulClient(server.address);
});
afterEach(async () => {
  consul.close();
  await server.close();
});

function status(more: Partial<NodeStatus> = {}): NodeStatus {
  return {
    role: 'origin',
    name: 'node-1',
    vsyncVersion: '0.1.0',
    health: 'Healthy',
    sync: 'InSync',
    cycleEndedAt: '2026-01-02T03:04:05.678Z',
    result: 'success',
    trigger: 'tick',
    durationMs: 12,
    counts: { paths: 3, failed: 0 },
    ...more,
  };
}

describe('the keys', () => {
  it.each([
    { name: 'node-1', part: 'node-1' },
    { name: 'eu.west_2', part: 'eu.west_2' },
    { name: 'a/b', part: 'a_2f_b' },
    { name: '../index', part: '.._2f_index' },
    { name: 'ü 1', part: '_fc__20_1' },
    { name: '🎉', part: '_d83c__df89_' },
    { name: '%2F?#', part: '_25_2F_3f__23_' },
  ])('of $name stay below their folder, in letters that every Consul takes', ({ name, part }) => {
    expect(statusKey('vsync/', 'destination', name)).toBe(`vsync/nodes/destination-${part}`);
    expect(approvalKey('vsync/', name)).toBe(`vsync/approvals/${part}`);
    expect(statusKey('vsync/', 'origin', name)).toMatch(/^[A-Za-z0-9,_./-]+$/);
  });

  it('are outside of the trees that the Go program knows', () => {
    for (const key of [statusKey('vsync/', 'origin', 'index'), approvalKey('vsync/', 'origin/index')]) {
      expect(key).not.toMatch(/^vsync\/(origin|destination)\//);
    }
  });
});

describe('a status', () => {
  const key = statusKey('vsync/', 'origin', 'node-1');

  it('is read as it was written, the last one', async () => {
    expect(await readStatus(consul, key)).toBeUndefined();
    await writeStatus(consul, key, status({ result: 'failed', errorCode: 'VAULT_SEALED' }));
    await writeStatus(consul, key, status({ held: { set: 'ab', deletes: 60, limit: 50, paths: 100 } }));
    expect(await readStatus(consul, key)).toEqual(
      status({ held: { set: 'ab', deletes: 60, limit: 50, paths: 100 } }),
    );
    expect(server.requests.count('PUT kv')).toBe(2);
  });

  it.each(['', 'garbage', 'null', '[]', '{}', '42', '{"role":"other"}'])(
    'that is %j is none',
    async (text) => {
      await consul.put(key, text);
      expect(await readStatus(consul, key)).toBeUndefined();
    },
  );

  it('of all nodes come origins first, then by name; what is none is left out', async () => {
    expect(await listStatuses(consul, 'vsync/')).toEqual([]);
    const names = ['node-10', 'node-9', 'b'];
    for (const name of names) {
      await writeStatus(
        consul,
        statusKey('vsync/', 'destination', name),
        status({ role: 'destination', name }),
      );
    }
    await writeStatus(consul, key, status());
    await consul.put('vsync/nodes/garbage', 'garbage');
    await consul.put('vsync/origin/index', '[]');
    const found = await listStatuses(consul, 'vsync/');
    expect(found.map(({ role, name }) => `${role} ${name}`)).toEqual([
      'origin node-1',
      'destination b',
      'destination node-9',
      'destination node-10',
    ]);
  });
});

describe('an approval', () => {
  const now = Date.parse('2026-01-02T03:04:05Z');
  const key = approvalKey('vsync/', 'node-1');
  const approval = { set: 'ab12cd34', by: 'alice@host', until: '2026-01-02T04:04:05Z' };
  const stored = async (value: unknown) => {
    await consul.put(key, typeof value === 'string' ? value : JSON.stringify(value));
    return readApproval(consul, key, now);
  };

  it('counts until it expires, and not a moment longer', async () => {
    expect(await readApproval(consul, key, now)).toBeUndefined();
    expect(await stored(approval)).toEqual(approval);
    const end = Date.parse(approval.until);
    expect(await readApproval(consul, key, end - 1)).toEqual(approval);
    expect(await readApproval(consul, key, end)).toBeUndefined();
  });

  it.each([
    { name: 'empty text', value: '' },
    { name: 'no JSON', value: 'garbage' },
    { name: 'null', value: 'null' },
    { name: 'a list', value: '[]' },
    { name: 'without a set', value: { by: 'a', until: approval.until } },
    { name: 'with a set that is no text', value: { ...approval, set: 42 } },
    { name: 'without an end', value: { set: 'ab12cd34', by: 'a' } },
    { name: 'with an end that is no time', value: { ...approval, until: 'tomorrow' } },
    { name: 'with null as its end', value: { ...approval, until: null } },
  ])('that is $name releases nothing', async ({ value }) => {
    expect(await stored(value)).toBeUndefined();
  });
});
