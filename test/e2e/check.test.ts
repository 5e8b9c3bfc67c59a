import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckDocument } from '../../src/commands/check/document.ts';
import { runRealServers } from '../servers/real-servers.ts';
import { runVsync } from '../support/vsync-process.ts';
import { expectCode, type Json, type Scope, World } from '../support/world.ts';

/** `vsync check`: the program as a process, against real servers. */
describe.runIf(runRealServers)('vsync check', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  async function copied(): Promise<Scope> {
    const scope = await world.scope();
    for (const key of ['a', 'b', 'c', 'd'])
      await world.origin.put(scope.path(key), { value: `canary ${key}` });
    await scope.sync();
    return scope;
  }

  async function check(
    scope: Scope,
    args: readonly string[],
    code: number,
    more: Json = {},
  ): Promise<CheckDocument> {
    const config = await scope.destinationConfig(more);
    const { stdout, stderr } = expectCode(await runVsync(['check', '-c', config, '--json', ...args]), code);
    expect(`${stdout}${stderr}`).not.toContain('canary');
    return JSON.parse(stdout) as CheckDocument;
  }

  const kinds = (scope: Scope, { drift }: CheckDocument) =>
    Object.fromEntries(drift.map((each) => [each.destination_path.replace(scope.path(''), ''), each.kind]));

  it('0 in sync, 2 for drift by metadata and by values, nothing changed by looking', async () => {
    const scope = await copied();
    await check(scope, [], 0);
    await check(scope, ['--deep'], 0);
    await world.destination.put(scope.path('a'), { value: 'edited' });
    await world.destination.softDelete(scope.path('b'));
    await world.destination.destroyMetadata(scope.path('c'));
    await world.destination.put(scope.path('own'), { value: 1 });
    const before = await scope.everything();
    const drift = { a: 'changed', b: 'missing', c: 'missing', own: 'extra' };
    expect(kinds(scope, await check(scope, [], 2))).toEqual(drift);
    expect(kinds(scope, await check(scope, ['--deep'], 2))).toEqual(drift);
    expect(await scope.everything()).toEqual(before);
  });

  it('--repair makes the destination what the origin published, and leaves extras', async () => {
    const scope = await copied();
    await world.destination.put(scope.path('a'), { value: 'edited' });
    await world.destination.destroy(scope.path('b'), [1]);
    await world.destination.destroyMetadata(scope.path('c'));
    expect((await check(scope, ['--repair'], 0)).summary).toMatchObject({
      changed: 1,
      missing: 2,
      repaired: 3,
    });
    expect(await world.destination.values(scope.mount)).toEqual(await world.origin.values(scope.mount));
    await check(scope, ['--deep'], 0);
    expect((await scope.destinationOnce()).log.at(-1)).toMatchObject({ result: 'noop' });
  });

  it('3 for a part that may not be read, 77 without the right to read metadata', async () => {
    const scope = await copied();
    const withToken = async (policy: string, rules: string) => ({
      vault: {
        address: world.destination.address,
        token: await world.destination.tokenFor(`${scope.id}-${policy}`, rules),
      },
    });
    const part = await withToken(
      'part',
      `path "${scope.mount}metadata/*" { capabilities = ["read", "list"] }
       path "${scope.mount}metadata/a" { capabilities = ["deny"] }`,
    );
    expect((await check(scope, [], 3, part)).errors).toMatchObject([
      { path: scope.path('a'), code: 'VAULT_FORBIDDEN' },
    ]);
    const values = await withToken('values', `path "${scope.mount}data/*" { capabilities = ["read"] }`);
    const config = await scope.destinationConfig(values);
    const { stderr } = expectCode(await runVsync(['check', '-c', config]), 77);
    expect(stderr).toContain(`path "${scope.mount}metadata/*" { capabilities = ["read", "list"] }`);
    expect((await check(scope, ['--deep'], 0, values)).extras).toEqual({
      looked_for: 'partly',
      denied: `${scope.mount}metadata/`,
    });
  });
});
