import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DevServers, startDevServers } from '../../src/commands/dev-servers.ts';
import { ConsulApi } from '../support/consul-api.ts';
import { VaultApi } from '../support/vault-api.ts';
import { type Ran, runMain } from './run-main.ts';

/**
 * The steps of `docs/migrating-from-go-vsync.md`, in its order, on embedded servers. What Go vsync left behind is what this vsync writes
 * (byte for byte: `test/golden`), without what it adds: node status, and the `dv` of destination entries.
 */
describe('moving from Go vsync, one node at a time', () => {
  let servers: DevServers;
  let origin: VaultApi;
  let destination: VaultApi;
  let consul: ConsulApi;
  const folder = mkdtempSync(join(tmpdir(), 'vsync-migrating-'));
  const file = join(folder, 'go.json');

  beforeAll(async () => {
    servers = await startDevServers('vault');
    origin = new VaultApi(servers.origin.address, servers.origin.rootToken);
    destination = new VaultApi(servers.destination.address, servers.destination.rootToken);
    consul = new ConsulApi(servers.consul.address);
    writeFileSync(file, JSON.stringify(goConfig(servers)));
    for (const key of ['app/db', 'app/web', 'infra/ntp']) await origin.put(`secret/data/${key}`, { key });
    await once('origin');
    await once('destination');
    await leaveWhatGoWrites(consul);
  });
  afterAll(async () => {
    await servers.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const vsync = (...args: string[]) => runMain([...args, '-c', file, '--log.type', 'json']);
  const once = async (role: string): Promise<Ran> => {
    const ran = await vsync(role, '--once');
    if (ran.code !== 0) throw new Error(`vsync ${role} --once ended with ${ran.code}:\n${ran.err}`);
    return ran;
  };
  const versions = async () =>
    [...(await destination.all('secret/'))].map(([path, { version }]) => [path, version]);

  it('1. the configuration is valid as it is, and can be brought to the form of today', async () => {
    const validated = await vsync('config', 'validate', '--role', 'destination');
    expect(validated.code, validated.out).toBe(0);
    expect(validated.out).toContain('origin.timout: is an old key');
    const { out, err } = await runMain(['config', 'migrate', file]);
    expect(err).toContain('origin.timout -> origin.timeout');
    expect(JSON.parse(out).origin.timeout).toBe('5m');
  });

  it('2. a dry run beside Go vsync writes nothing, and shows that nothing would change', async () => {
    const before = await consul.dump();
    for (const role of ['destination', 'origin']) {
      const { code, out } = await vsync(role, '--once', '--dry-run');
      expect(code).toBe(0);
      expect(out).not.toMatch(/[1-9]\d* to (add|update|delete)/);
    }
    expect(await consul.dump()).toEqual(before);
  });

  it('3. a moved destination takes over what is recorded: no secret is written again', async () => {
    const before = await versions();
    expect((await once('destination')).err).toContain('"result":"noop"');
    expect(await versions()).toEqual(before);
  });

  it('4. a moved origin publishes nothing while nothing has changed, and keeps the number of buckets', async () => {
    const before = await consul.dump('vsync/origin/');
    await once('origin');
    expect(await consul.dump('vsync/origin/')).toEqual(before);
    expect(JSON.parse((await consul.get('vsync/origin/index')) ?? '')).toHaveLength(4);
  });

  it('5. changes go through, and what is stored stays readable for Go vsync', async () => {
    await origin.put('secret/data/app/db', { key: 'changed' });
    await origin.softDelete('secret/data/app/web');
    await once('origin');
    await once('destination');
    expect((await destination.get('secret/data/app/db'))?.data).toEqual({ key: 'changed' });
    expect(await destination.get('secret/data/app/web')).toBeUndefined();
    for (const side of ['origin', 'destination']) {
      const keys = [...(await consul.dump(`vsync/${side}/`)).keys()].map((key) => key.split('/').at(-1));
      expect(keys.sort()).toEqual(['0', '1', '2', '3', 'index']);
    }
  });
});

/** As its documentation has it: all keys of Go vsync, the misspelt one included. */
function goConfig({ origin, destination, consul }: DevServers): unknown {
  const side = ({ address, rootToken }: DevServers['origin']) => ({
    vault: { address, token: rootToken },
    consul: { address: consul.address, dc: 'dc1' },
    mounts: ['secret/'],
    syncPath: 'vsync/',
    numWorkers: 4,
    tick: '1m',
    timout: '5m',
    renewToken: true,
  });
  return {
    name: 'node',
    numBuckets: 4,
    ignoreDeletes: false,
    origin: side(origin),
    destination: side(destination),
  };
}

async function leaveWhatGoWrites(consul: ConsulApi): Promise<void> {
  await consul.delete('vsync/nodes/');
  for (const [key, { value }] of await consul.dump('vsync/destination/')) {
    await consul.put(key, value.replace(/,"dv":\d+/g, ''));
  }
}
