import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd } from '../support/log-reading.ts';
import { runVsync } from '../support/vsync-process.ts';
import { expectCode, type Scope, World } from '../support/world.ts';

/** `vsync sync-info` and `vsync transform` as a process, on real servers. */
describe.runIf(runRealServers)('vsync sync-info', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  async function copied(count: number): Promise<Scope> {
    const scope = await world.scope();
    for (let i = 0; i < count; i += 1) await world.origin.put(scope.path(`k${i}`), { i });
    await scope.sync();
    return scope;
  }

  const syncInfo = async (file: string, ...args: string[]) =>
    expectCode(await runVsync(['sync-info', ...args, '-c', file]), 0).stdout;

  it('rebucket: both sides go on with the new number, and no secret is read or written', async () => {
    const scope = await copied(40);
    const before = await world.destination.history(scope.mount);
    const file = await scope.originConfig();
    await syncInfo(file, 'rebucket', '--to', '200', '--yes');
    expect(await syncInfo(file, 'verify')).toContain('200 of 200 buckets verified, 40 paths');
    expect(cycleEnd(await scope.originOnce()).result).toBe('noop');
    expect(countsOf(await scope.destinationOnce())).toEqual({});
    expect(await syncInfo(await scope.destinationConfig(), 'verify')).toMatch(
      /destination: 200 of 200 buckets verified, 40 paths/,
    );
    expect(await world.destination.history(scope.mount)).toEqual(before);
  });

  it('a mass delete that comes together with another number of buckets is held as a whole (R4)', async () => {
    const scope = await copied(20);
    await syncInfo(await scope.originConfig(), 'rebucket', '--to', '4', '--yes');
    for (let i = 1; i < 20; i += 1) await world.origin.softDelete(scope.path(`k${i}`));
    await scope.originOnce();
    const run = await scope.destinationOnce({ code: 4 });
    expect(run.log.find(({ event }) => event === 'guard.held')).toMatchObject({ deletes: 19 });
    expect(Object.keys(await world.destination.values(scope.mount))).toHaveLength(20);
  });

  it('export and show say what is stored', async () => {
    const scope = await copied(3);
    const file = await scope.destinationConfig();
    const document = JSON.parse(await syncInfo(file, 'export', '--side', 'origin'));
    expect(Object.keys(document.insights).sort()).toEqual(['k0', 'k1', 'k2'].map((key) => scope.path(key)));
    expect(await syncInfo(file, 'show', scope.path('k1'))).toMatch(/v1, updated .*Z, written here as v1/);
  });

  it('transform test reads paths from standard input', async () => {
    const scope = await world.scope();
    const transforms = [{ name: 'move', from: '^(?P<mount>.+)/data/(?P<key>.+)$', to: 'runner/data/key' }];
    const file = await scope.destinationConfig({ transforms, mounts: ['runner/'] });
    const stdin = `${scope.path('a')}\r\n\n${scope.path('b')}\n`;
    const { code, stdout } = await runVsync(['transform', 'test', '-c', file, '-'], { stdin });
    expect(code).toBe(0);
    expect(stdout).toContain(`${scope.path('a')}\n  -> runner/data/a  by "move"\n`);
    expect(stdout).toContain('-> runner/data/b');
  });
});
