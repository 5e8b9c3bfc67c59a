import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type RealConsul,
  type RealVault,
  runRealServers,
  startConsul,
  startVault,
} from '../servers/real-servers.ts';
import { ConsulApi } from '../support/consul-api.ts';
import { VaultApi } from '../support/vault-api.ts';
import { runVsync } from '../support/vsync-process.ts';
import { expectCode } from '../support/world.ts';

/** Every example as it stands in its folder, with only addresses and tokens from the environment. */
const example = (file: string) => fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));
const read = (file: string) => readFile(example(file), 'utf8');

describe.runIf(runRealServers)('examples', () => {
  let servers: (RealVault | RealConsul)[];
  let vaults: VaultApi[];
  let consul: RealConsul;

  beforeAll(async () => {
    const started = await Promise.all([startVault(), startVault(), startVault()]);
    consul = await startConsul();
    servers = [...started, consul];
    vaults = started.map(({ address, rootToken }) => new VaultApi(address, rootToken));
    for (const vault of vaults)
      for (const mount of ['team/kv/', 'payments/', 'copy/']) await vault.mount(mount);
    const [origin] = vaults as [VaultApi];
    for (const path of ['infra/ntp', 'team/x', 'billing/prod/db/main'])
      await origin.put(`secret/data/${path}`, { path });
    await origin.put('team/kv/data/a', { of: 'the team' });
  });
  afterAll(() => Promise.all((servers ?? []).map((server) => server.stop())));

  /** Runs one file of an example for one cycle, with Vault `to` as the destination. */
  const once = async (
    role: 'origin' | 'destination',
    file: string,
    to = 1,
    tokens: Record<string, string> = {},
  ) => {
    const [origin, destination] = [vaults[0] as VaultApi, vaults[to] as VaultApi];
    const env = {
      VSYNC_ORIGIN_VAULT_ADDRESS: origin.address,
      VSYNC_ORIGIN_VAULT_TOKEN: origin.token,
      VSYNC_ORIGIN_CONSUL_ADDRESS: consul.address,
      ...(role === 'destination' && {
        VSYNC_DESTINATION_VAULT_ADDRESS: destination.address,
        VSYNC_DESTINATION_VAULT_TOKEN: destination.token,
        VSYNC_DESTINATION_CONSUL_ADDRESS: consul.address,
      }),
      ...tokens,
    };
    expectCode(await runVsync([role, '--config', example(file), '--once', '--strict-config'], { env }), 0);
  };

  /** Forgets what an earlier example left. */
  const fresh = () => new ConsulApi(consul.address).delete('vsync');

  it('one-to-one', async () => {
    await fresh();
    await once('origin', 'one-to-one/origin.yaml');
    await once('destination', 'one-to-one/destination.yaml');
    for (const mount of ['secret/', 'team/kv/']) {
      expect(await vaults[1]?.all(mount)).toEqual(await vaults[0]?.all(mount));
    }
  });

  it('fan-out', async () => {
    await fresh();
    await once('origin', 'fan-out/origin.yaml');
    await once('destination', 'fan-out/iad.yaml', 1);
    await once('destination', 'fan-out/sin.yaml', 2);
    const values = async (vault: VaultApi | undefined) =>
      [...((await vault?.all('secret/')) ?? [])].map(([path, { data }]) => [path, data]);
    expect(await values(vaults[1])).toEqual(await values(vaults[0]));
    expect(await values(vaults[2])).toEqual(await values(vaults[0]));
  });

  it('one-process: two destinations, with tokens from files', async () => {
    await fresh();
    await once('origin', 'one-process/origin.yaml');
    const dir = await mkdtemp(join(tmpdir(), 'vsync-examples-'));
    try {
      let text = await read('one-process/destinations.yaml');
      // Each of the list has an address and a token of its own, so these do not come from the environment.
      for (const [name, port, vault] of [
        ['iad', 8210, vaults[1]],
        ['sin', 8220, vaults[2]],
      ] as const) {
        const { address, token } = vault as VaultApi;
        await writeFile(join(dir, `${name}-token`), token);
        text = text.replace(`http://127.0.0.1:${port}`, address);
      }
      text = text.replaceAll('/run/secrets', dir).replaceAll('http://127.0.0.1:8500', consul.address);
      await writeFile(join(dir, 'destinations.yaml'), text);
      const [origin] = vaults as [VaultApi];
      const env = { VSYNC_ORIGIN_VAULT_ADDRESS: origin.address, VSYNC_ORIGIN_VAULT_TOKEN: origin.token };
      const run = (...args: string[]) =>
        runVsync([...args, '--config', join(dir, 'destinations.yaml'), '--strict-config'], { env });
      expectCode(await run('destination', '--once'), 0);
      for (const vault of [vaults[1], vaults[2]])
        expect([...((await vault?.all('secret/')) ?? []).keys()]).toEqual([
          ...(await origin.all('secret/')).keys(),
        ]);
      expectCode(await run('status', '--check'), 0);
      expectCode(await run('plan', '--node', 'sin'), 0);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('transform: the table of its README', async () => {
    await fresh();
    await once('origin', 'transform/origin.yaml');
    await once('destination', 'transform/destination.yaml');
    const rows = [...(await read('transform/README.md')).matchAll(/^\| `(.+?)` \| `(.+?)` \|/gm)];
    expect(rows).toHaveLength(3);
    for (const [, from, to] of rows as unknown as [string, string, string][]) {
      expect((await vaults[1]?.get(to))?.data, to).toEqual((await vaults[0]?.get(from))?.data);
    }
  });

  it('loopback', async () => {
    await fresh();
    await once('origin', 'loopback/vsync.yaml', 0);
    await once('destination', 'loopback/vsync.yaml', 0);
    const copied = [...((await vaults[0]?.all('copy/'))?.keys() ?? [])].map((path) =>
      path.replace('copy/', 'secret/'),
    );
    expect(copied).toEqual([...((await vaults[0]?.all('secret/'))?.keys() ?? [])]);
  });

  it('policies: tokens with them, and without `default`, are enough', async () => {
    await fresh();
    const [origin, destination] = vaults as [VaultApi, VaultApi];
    const token = async (vault: VaultApi, file: string) =>
      vault.tokenFor(file, await read(`policies/${file}.hcl`), { no_default_policy: true, period: '24h' });
    await origin.put('secret/data/infra/ntp', { changed: true });
    await once('origin', 'one-to-one/origin.yaml', 1, {
      VSYNC_ORIGIN_VAULT_TOKEN: await token(origin, 'origin'),
    });
    await once('destination', 'one-to-one/destination.yaml', 1, {
      VSYNC_ORIGIN_VAULT_TOKEN: await token(origin, 'destination-reads-origin'),
      VSYNC_DESTINATION_VAULT_TOKEN: await token(destination, 'destination'),
    });
    expect((await destination.get('secret/data/infra/ntp'))?.data).toEqual({ changed: true });
  });
});
