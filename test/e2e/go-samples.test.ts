import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { goDestinationYaml, goOriginJson, isGoFlag, leaves } from '../config/go-samples.ts';
import {
  type RealConsul,
  type RealVault,
  runRealServers,
  startConsul,
  startVault,
} from '../servers/real-servers.ts';
import { VaultApi } from '../support/vault-api.ts';
import { runVsync } from '../support/vsync-process.ts';
import { expectCode } from '../support/world.ts';

/** The two set-ups of a Go vsync user, run as they are but for addresses and logins: by file, by environment, and by Go's flags. */
describe.runIf(runRealServers)("the Go program's samples", () => {
  let servers: [RealVault, RealVault, RealConsul, RealConsul];
  let fra: VaultApi;
  let iad: VaultApi;
  let samples: Record<'origin' | 'destination', { readonly file: string; readonly text: string }>;
  let dir: string;

  beforeAll(async () => {
    servers = await Promise.all([
      startVault(),
      startVault(),
      startConsul({ datacenter: 'fra' }),
      startConsul({ datacenter: 'iad' }),
    ]);
    dir = await mkdtemp(join(tmpdir(), 'vsync-go-samples-'));
    const api = ({ address, rootToken }: RealVault) => new VaultApi(address, rootToken);
    [fra, iad] = [api(servers[0]), api(servers[1])];
    for (const mount of ['kv/', 'teams/payments/']) await fra.mount(mount);
    for (const mount of ['kv/', 'kv-us/']) await iad.mount(mount);
    const writes = ['kv/', 'kv-us/']
      .map((mount) => `path "${mount}data/*" { capabilities = ["create", "update", "read", "delete"] }`)
      .join('\n');
    const { role_id, secret_id } = await iad.appRoleFor('vsync', writes);
    const real = (text: string) =>
      [
        ['https://vault.fra.example.net:8200', fra.address],
        ['https://vault.iad.example.net:8200', iad.address],
        ['https://consul.fra.example.net:8501', servers[2].address],
        ['https://consul.iad.example.net:8501', servers[3].address],
        ['hvs.EXAMPLE-ONLY', fra.token],
        ['EXAMPLE-ROLE-ID', role_id],
        ['EXAMPLE-SECRET-ID', secret_id],
      ].reduce((changed, [from, to]) => changed.replaceAll(String(from), String(to)), text);
    samples = {
      origin: { file: join(dir, 'origin.json'), text: real(goOriginJson) },
      destination: { file: join(dir, 'destination.yaml'), text: real(goDestinationYaml) },
    };
    for (const { file, text } of Object.values(samples)) await writeFile(file, text);
  });
  afterAll(async () => {
    await Promise.all((servers ?? []).map((server) => server.stop()));
    if (dir !== undefined) await rm(dir, { recursive: true });
  });

  type Role = 'origin' | 'destination';
  const variable = ([key, text]: readonly [string, string]) =>
    [`VSYNC_${key.toUpperCase().replaceAll('.', '_')}`, text] as const;
  const leavesOf = (role: Role) => leaves(parse(samples[role].text));

  it.each<{ way: string; runAs: (role: Role) => { args: string[]; env?: Record<string, string> } }>([
    { way: 'file', runAs: (role) => ({ args: ['--config', samples[role].file] }) },
    {
      way: 'environment alone',
      runAs: (role) => ({ args: [], env: Object.fromEntries(leavesOf(role).map(variable)) }),
    },
    {
      way: 'flags, with the environment for keys that have none in Go',
      runAs: (role) => ({
        args: leavesOf(role)
          .filter(([key]) => isGoFlag(key))
          .flatMap(([key, text]) => [`--${key.replace('.approle', '')}`, text]),
        env: Object.fromEntries(
          leavesOf(role)
            .filter(([key]) => !isGoFlag(key))
            .map(variable),
        ),
      }),
    },
  ])('by $way', async ({ way, runAs }) => {
    const value = { way };
    for (const path of ['kv/data/app', 'kv/data/billing/prod/db/main', 'teams/payments/data/a/b'])
      await fra.put(path, value);
    for (const role of ['origin', 'destination'] as const) {
      const { args, env = {} } = runAs(role);
      expectCode(await runVsync([role, ...args, '--once'], { env, cwd: dir }), 0);
    }
    expect(await iad.values('kv/')).toEqual({ 'kv/data/app': value });
    expect(await iad.values('kv-us/')).toEqual({
      'kv-us/data/prod/billing/db/main': value,
      'kv-us/data/payments-team/a/b': value,
    });
  });
});
