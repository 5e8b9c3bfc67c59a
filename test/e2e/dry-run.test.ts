import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { errorIds } from '../support/log-reading.ts';
import { type Scope, World } from '../support/world.ts';

/** What would be done is printed, and not one byte changes: no probe key, no status, no version. */
describe.runIf(runRealServers)('dry run', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  /** The lines that name a path, by their mark: `+` add, `~` update, `-` delete, `!` left alone. */
  function marked(scope: Scope, stdout: string): Record<string, string> {
    const lines = [...stdout.matchAll(/^ {2}([+~!-]) (\S+)/gm)];
    return Object.fromEntries(lines.map(([, mark, path]) => [path?.replace(scope.path(''), ''), mark ?? '']));
  }

  /** Runs it and fails when anything was changed by that. */
  async function dryRun(scope: Scope, ...run: Parameters<Scope['dryRun']>): Promise<string> {
    const before = await scope.everything();
    const { stdout, log } = await scope.dryRun(...run);
    expect(await scope.everything()).toEqual(before);
    expect(log.filter(({ event }) => event === 'cycle.end')).toEqual([]);
    return stdout;
  }

  it('of an origin, on a fresh sync path and on a published one', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 'canary-value' });
    const fresh = await dryRun(scope, 'origin');
    expect(fresh).toMatch(/1 secret/);
    expect(await world.consul.dump(scope.syncPath)).toEqual(new Map());
    await scope.originOnce();
    await world.origin.put(scope.path('b'), {});
    expect(await dryRun(scope, 'origin')).toMatch(/2 secrets/);
    expect(fresh).not.toContain('canary-value');
  });

  it('of a first copy', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 'canary-value' });
    await world.origin.put(scope.path('app/b'), {});
    await scope.originOnce();
    const stdout = await dryRun(scope, 'destination');
    expect(marked(scope, stdout)).toEqual({ a: '+', 'app/b': '+' });
    expect(stdout).not.toContain('canary-value');
    expect(await world.destination.paths(scope.mount)).toEqual([]);
  });

  it('of a cycle with adds, updates and deletes: exactly what the cycle then does', async () => {
    const scope = await world.scope();
    for (const key of ['a', 'b', 'c']) await world.origin.put(scope.path(key), { n: 1 });
    await scope.sync();
    await world.origin.put(scope.path('a'), { n: 2 });
    await world.origin.softDelete(scope.path('b'));
    await world.origin.put(scope.path('d'), { n: 1 });
    await scope.originOnce();
    const plan = { a: '~', b: '-', d: '+' };
    expect(marked(scope, await dryRun(scope, 'destination'))).toEqual(plan);
    expect(marked(scope, await dryRun(scope, 'destination', { top: { ignoreDeletes: true } }))).toEqual({
      ...plan,
      b: '!',
    });
    const run = await scope.destinationOnce();
    const marks: Record<string, string> = { 'path.add': '+', 'path.update': '~', 'path.delete': '-' };
    const done = run.log.filter(({ event }) => event !== undefined && event in marks);
    expect(
      Object.fromEntries(
        done.map(({ event, path }) => [String(path).replace(scope.path(''), ''), marks[event ?? '']]),
      ),
    ).toEqual(plan);
    expect(marked(scope, await dryRun(scope, 'destination'))).toEqual({});
  });

  it('of deletes that the guard would hold: named with their set, and still exit 0', async () => {
    const scope = await world.scope();
    for (let i = 0; i < 12; i += 1) await world.origin.put(scope.path(`k${i}`), {});
    await scope.sync();
    for (let i = 0; i < 7; i += 1) await world.origin.softDelete(scope.path(`k${i}`));
    await scope.originOnce();
    const stdout = await dryRun(scope, 'destination');
    expect(Object.values(marked(scope, stdout))).toEqual(Array(7).fill('!'));
    const set = /vsync approve ([0-9a-f]{8})/.exec(stdout)?.[1] as string;
    const approved = await dryRun(scope, 'destination', { args: ['--approve-deletes', set] });
    expect(Object.values(marked(scope, approved))).toEqual(Array(7).fill('-'));
  });

  it('of paths that would be skipped, and of transforms', async () => {
    const scope = await world.scope();
    const block = {
      transforms: [
        {
          name: 'v1->v2',
          from: `^${scope.mount}data/(?P<key>moved|no/.*)$`,
          to: `${scope.mount}data/v2/key`,
        },
        { name: 'off', from: `^${scope.mount}data/(?P<key>off)$`, to: 'nowhere/data/key' },
      ],
    };
    for (const key of ['moved', 'off', 'v2/moved']) await world.origin.put(scope.path(key), {});
    await scope.originOnce();
    const stdout = await dryRun(scope, 'destination', { block });
    expect(marked(scope, stdout)).toEqual({ moved: '!', 'v2/moved': '!', off: '!' });
  });

  it('of a destination whose own info is lost or spoiled', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { n: 1 });
    await scope.sync();
    await world.consul.put(`${scope.syncPath}destination/index`, 'oops');
    expect(marked(scope, await dryRun(scope, 'destination'))).toEqual({ a: '+' });
    await world.consul.delete(`${scope.syncPath}destination/`);
    expect(marked(scope, await dryRun(scope, 'destination'))).toEqual({ a: '+' });
  });

  it('the failures of a cycle are those of a dry run, with the same codes', async () => {
    const scope = await world.scope();
    expect(errorIds(await scope.dryRun('destination', {}, 69))).toEqual(['ORIGIN_INFO_MISSING']);
    const vault = { address: world.origin.address, token: 'wrong' };
    expect(errorIds(await scope.dryRun('origin', { block: { vault } }, 77))).toEqual(['TOKEN_EXPIRED']);
    expect(await world.consul.dump(scope.syncPath)).toEqual(new Map());
  });
});
