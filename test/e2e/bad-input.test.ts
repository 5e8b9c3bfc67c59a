import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { cycleEnd, errorIds } from '../support/log-reading.ts';
import { runVsync } from '../support/vsync-process.ts';
import { expectCode, type Json, type Role, type Scope, World } from '../support/world.ts';

/** Wrong input: a clear message, the right exit code, and nothing changed anywhere. */
describe.runIf(runRealServers)('bad input', () => {
  let world: World;
  let scope: Scope;
  let before: Json;
  beforeAll(async () => {
    world = await World.start();
    scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 1 });
    await scope.sync();
    await world.origin.put(scope.path('b'), { n: 1 });
    for (const vault of [world.origin, world.destination]) await vault.mount('kv1/', '1');
    before = await scope.everything();
  });
  afterAll(() => world?.stop());

  async function nothingChanged(): Promise<void> {
    expect(await scope.everything()).toEqual(before);
  }

  const nobody = 'http://127.0.0.1:1';

  /** A block of the side that runs, and what its failure is called. */
  interface Wrong {
    readonly name: string;
    readonly role?: Role;
    readonly block: () => Json;
    readonly code: number;
    readonly id: string;
  }

  const atServers: readonly Wrong[] = [
    {
      name: 'a mount that is not there',
      block: () => ({ mounts: ['nowhere/'] }),
      code: 78,
      id: 'MOUNT_MISSING',
    },
    {
      name: 'one mount of two not there',
      block: () => ({ mounts: [scope.mount, 'nowhere/'] }),
      code: 78,
      id: 'MOUNT_MISSING',
    },
    { name: 'a KV v1 mount', block: () => ({ mounts: ['kv1/'] }), code: 78, id: 'MOUNT_NOT_KV2' },
    {
      name: 'a mount that is no KV',
      block: () => ({ mounts: ['cubbyhole/'] }),
      code: 78,
      id: 'MOUNT_NOT_KV2',
    },
    {
      name: 'a folder instead of a mount',
      block: () => ({ mounts: [`${scope.mount}folder/`] }),
      code: 78,
      id: 'MOUNT_MISSING',
    },
    {
      name: 'a destination mount that is not there',
      role: 'destination',
      block: () => ({ mounts: ['nowhere/'] }),
      code: 78,
      id: 'MOUNT_MISSING',
    },
    {
      name: 'a destination mount of KV v1',
      role: 'destination',
      block: () => ({ mounts: ['kv1/'] }),
      code: 78,
      id: 'MOUNT_NOT_KV2',
    },
    {
      name: 'a wrong token',
      block: () => ({ vault: { address: world.origin.address, token: 'wrong' } }),
      code: 77,
      id: 'TOKEN_EXPIRED',
    },
    {
      name: 'a Vault that is not there',
      block: () => ({ vault: { address: nobody, token: 'any' } }),
      code: 69,
      id: 'VAULT_UNREACHABLE',
    },
    {
      name: 'a Consul that is not there',
      block: () => ({ consul: { address: nobody } }),
      code: 69,
      id: 'CONSUL_UNREACHABLE',
    },
    {
      name: 'a destination Vault that is not there',
      role: 'destination',
      block: () => ({ vault: { address: nobody, token: 'any' } }),
      code: 69,
      id: 'VAULT_UNREACHABLE',
    },
    {
      name: 'a destination Consul that is not there',
      role: 'destination',
      block: () => ({ consul: { address: nobody } }),
      code: 69,
      id: 'CONSUL_UNREACHABLE',
    },
    {
      name: 'https to a server that speaks http',
      block: () => ({ vault: { address: world.origin.address.replace('http:', 'https:'), token: 'any' } }),
      code: 69,
      id: 'VAULT_UNREACHABLE',
    },
    {
      name: 'a Consul where a Vault should be',
      block: () => ({ vault: { address: world.consul.address, token: 'any' } }),
      code: 69,
      id: 'VAULT_BAD_ANSWER',
    },
    {
      name: 'a Vault where a Consul should be',
      block: () => ({ consul: { address: world.origin.address } }),
      code: 1,
      id: 'CONSUL_REFUSED',
    },
    {
      name: 'a namespace where there are none',
      block: () => ({
        vault: { address: world.origin.address, token: world.origin.token, namespace: 'team' },
      }),
      code: 78,
      id: 'NAMESPACE_IGNORED',
    },
  ];

  it.each(atServers)('$name: exit $code, $id', async ({ role = 'origin', block, code, id }) => {
    const run = await scope.once(role, { block: block(), top: { retry: { base: '1ms' } } }, code);
    expect(errorIds(run)).toEqual([id]);
    // Each failure says what to do.
    expect(run.log.find((entry) => entry['error.id'] === id)?.['error.hint']).toMatch(/\w/);
    await nothingChanged();
  });

  it.each<{ name: string; role?: Role; block?: Json; top?: Json; at: string }>([
    { name: 'no workers', block: { numWorkers: 0 }, at: 'origin.numWorkers' },
    { name: 'half a worker', block: { numWorkers: 1.5 }, at: 'origin.numWorkers' },
    { name: 'no buckets', top: { numBuckets: 0 }, at: 'numBuckets' },
    { name: 'too many buckets', top: { numBuckets: 65_536 }, at: 'numBuckets' },
    { name: 'a duration without a unit', block: { tick: '10' }, at: 'origin.tick' },
    { name: 'a duration of a bare number', block: { timeout: 60 }, at: 'origin.timeout' },
    { name: 'a duration of nothing', block: { tick: '0s' }, at: 'origin.tick' },
    { name: 'a cron expression that is none', block: { cron: '61 * * * *' }, at: 'origin.cron' },
    { name: 'no mounts', block: { mounts: [] }, at: 'origin.mounts' },
    { name: 'an empty sync path', block: { syncPath: '' }, at: 'origin.syncPath' },
    { name: 'no Vault address', block: { vault: { token: 'any' } }, at: 'origin.vault.address' },
    { name: 'no Consul address', block: { consul: {} }, at: 'origin.consul.address' },
    { name: 'no login', block: { vault: { address: nobody } }, at: 'origin.vault.token' },
    {
      name: 'a token file that is not there',
      block: { vault: { address: nobody, token_file: '/nonexistent/token' } },
      at: 'origin.vault.token_file',
    },
    {
      name: "no address of the destination's",
      role: 'destination',
      block: { vault: { token: 'any' } },
      at: 'destination.vault.address',
    },
    {
      name: 'a regular expression that is none',
      role: 'destination',
      block: { transforms: [{ name: 'bad', from: '(?P<app>\\w+', to: 'x/data/app' }] },
      at: 'destination.transforms',
    },
    {
      name: 'look-behind, which Go does not have',
      role: 'destination',
      block: { transforms: [{ name: 'bad', from: '(?<=a)(?P<k>b)', to: 'x/data/k' }] },
      at: 'destination.transforms',
    },
    {
      name: 'what to do about conflicts',
      role: 'destination',
      block: { onConflict: 'ask' },
      at: 'destination.onConflict',
    },
  ])(
    '$name: exit 78, and $at is named with its place in the file',
    async ({ role = 'origin', block, top, at }) => {
      const { stderr, log } = await scope.once(role, { ...(block && { block }), ...(top && { top }) }, 78);
      const line = stderr.split('\n').find((each) => each.startsWith('error: '));
      expect(line).toContain(at);
      expect(line).not.toContain('undefined');
      // Nothing was started.
      expect(log).toEqual([]);
      await nothingChanged();
    },
  );

  it('a value that is wrong is shown with line and column, and all that is wrong is shown at once', async () => {
    const file = join(world.dir, 'many.json');
    await writeFile(
      file,
      JSON.stringify({ numBuckets: 0, origin: scope.originBlock({ tick: '10', numWorkers: 0 }) }, null, 2),
    );
    const { stderr } = expectCode(await runVsync(['origin', '--config', file, '--once']), 78);
    const errors = stderr.split('\n').filter((line) => line.startsWith('error: '));
    expect(errors).toHaveLength(3);
    for (const line of errors) expect(line).toMatch(/many\.json:\d+:\d+ /);
    await nothingChanged();
  });

  it.each([
    {
      file: 'broken.json',
      text: '{\n  "origin": {\n    "tick": "1m",\n    "vault": oops\n  }\n}\n',
      line: 4,
    },
    { file: 'cut.json', text: '{\n  "origin": {\n    "tick": "1m"\n', line: 4 },
    { file: 'broken.yaml', text: 'origin:\n  tick: 1m\n  vault: { address: "x"\n  mounts: [\n', line: 4 },
    { file: 'indented.yml', text: 'origin:\n  tick: 1m\n   vault: x\n', line: 3 },
  ])('$file, which cannot be parsed: exit 78, line $line', async ({ file, text, line }) => {
    const path = join(world.dir, file);
    await writeFile(path, text);
    const { stderr } = expectCode(await runVsync(['origin', '--config', path, '--once']), 78);
    const at = new RegExp(`${file.replace('.', '\\.')}:(\\d+):(\\d+)`).exec(stderr);
    expect(Math.abs(Number(at?.[1]) - line)).toBeLessThanOrEqual(1);
    expect(Number(at?.[2])).toBeGreaterThan(0);
    await nothingChanged();
  });

  it.each([
    {
      name: 'a file that is not there',
      args: ['origin', '--config', '/nonexistent/origin.json'],
      code: 78,
      shows: '/nonexistent/origin.json',
    },
    { name: 'no configuration at all', args: ['origin', '--once'], code: 78, shows: 'origin.vault.address' },
    { name: 'an unknown command', args: ['orgin'], code: 64, shows: 'orgin' },
    {
      name: 'an unknown flag',
      args: ['origin', '--orgin.vault.address=x'],
      code: 64,
      shows: '--origin.vault.address',
    },
    { name: 'a flag without its value', args: ['origin', '--tick'], code: 64, shows: '--tick' },
    { name: 'a wrong value of a flag', args: ['origin', '--tick', '10'], code: 78, shows: '--tick' },
  ])('$name: exit $code', async ({ args, code, shows }) => {
    const { stderr, stdout } = expectCode(await runVsync(args, { cwd: world.dir }), code);
    expect(stderr).toContain(shows);
    expect(stdout).toBe('');
    await nothingChanged();
  });

  it('a mount without its trailing slash works, with a warning', async () => {
    const other = await world.scope();
    await world.origin.put(other.path('a'), { n: 1 });
    const mounts = [other.mount.slice(0, -1)];
    for (const run of [
      await other.originOnce({ block: { mounts } }),
      await other.destinationOnce({ block: { mounts } }),
    ]) {
      expect(run.stderr).toMatch(/^warning: .*mounts/m);
      expect(cycleEnd(run).result).toBe('success');
    }
    expect(await world.destination.values(other.mount)).toEqual({ [other.path('a')]: { n: 1 } });
  });

  it('an unknown key is a warning that names the nearest one; an error with --strict-config', async () => {
    const other = await world.scope();
    const as = { block: { timout: '4m', tikc: '1m' } };
    const { stderr } = await other.originOnce(as);
    expect(stderr).toMatch(/^warning: .*origin\.tikc.*origin\.tick/m);
    const { log } = await other.originOnce({ ...as, args: ['--strict-config'], code: 78 });
    expect(log).toEqual([]);
  });

  it('a token on the command line works, is warned of, and is not in the log', async () => {
    const other = await world.scope();
    await world.origin.put(other.path('a'), { n: 1 });
    const token = await world.origin.tokenFor(
      `${other.id}-flag`,
      `path "${other.mount}metadata/*" { capabilities = ["list","read"] }`,
    );
    const args = ['--origin.vault.token', token, '--log.level', 'trace'];
    const run = await other.originOnce({ block: { vault: { address: world.origin.address } }, args });
    expect(run.stderr).toMatch(/^warning: .*token_file/m);
    expect(run.stderr + run.stdout).not.toContain(token);
  });
});
