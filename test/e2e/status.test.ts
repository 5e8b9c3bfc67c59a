import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../servers/processes.ts';
import { runRealServers } from '../servers/real-servers.ts';
import { runVsync, startVsync } from '../support/vsync-process.ts';
import { expectCode, type Json, World } from '../support/world.ts';

/** `vsync status` and `vsync approve` beside running daemons, on real servers. */
describe.runIf(runRealServers)('vsync status', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  it('shows running daemons with their next cycle, and notices when one falls silent', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), { value: 'canary-value' });
    const file = await scope.destinationConfig({ tick: '1s' });
    const status = async (...args: string[]) => runVsync(['status', '-c', file, ...args]);
    const origin = await scope.start('origin', { args: ['--tick', '1s'] });
    const destination = await scope.start('destination', { args: ['--tick', '1s'] });
    await waitFor(async () => (await status('--check')).code === 0);

    const { stdout } = await status();
    expect(stdout).toMatch(/^vsync status: InSync\n/);
    expect(stdout).toMatch(/\norigin +InSync +\S.* +(in \ds|now) +1 +\d/);
    expect(stdout).not.toContain('canary');
    // A cycle that the watch started says nothing of the interval, so its node is given longer.
    await waitFor(async () => (await scope.status('destination'))?.trigger === 'tick');
    await destination.stop();
    await waitFor(async () => (await status('--check')).code === 2);
    const silent = (await status()).stdout;
    expect(silent).toMatch(/\ndestination +Unknown /);
    expect(silent).toContain('    silent since ');
    await origin.stop();
  });

  it('--watch shows what changes, until SIGINT: 0', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), {});
    await scope.originOnce();
    const watch = startVsync(['status', '--watch', '-c', await scope.destinationConfig()]);
    await waitFor(async () => watch.stdout.includes('vsync status: InSync'));
    await scope.destinationOnce();
    await waitFor(async () => watch.stdout.includes('The infos are in sync.'));
    watch.kill('SIGINT');
    const { code, stdout } = await watch.finished;
    expect(code).toBe(0);
    expect(stdout).not.toContain('\u001b');
    expect(stdout.match(/vsync status: /g)?.length).toBeGreaterThan(1);
  });

  it('names the command that releases what is held, and it does', async () => {
    const scope = await world.scope();
    for (let i = 0; i < 12; i += 1) await world.origin.put(scope.path(`k${i}`), { i });
    await scope.sync();
    for (let i = 0; i < 8; i += 1) await world.origin.softDelete(scope.path(`k${i}`));
    await scope.originOnce();
    await scope.destinationOnce({ code: 4 });
    const file = await scope.destinationConfig();
    const { stdout } = expectCode(await runVsync(['status', '--check', '-c', file], { cwd: world.dir }), 2);
    const command = /^ {6}vsync (approve .*)$/m.exec(stdout)?.[1] ?? '';
    expectCode(await runVsync(command.split(' '), { cwd: world.dir }), 0);
    const approved = JSON.parse((await runVsync(['status', '--json', '-c', file])).stdout);
    expect(approved.nodes[1].approval).toMatchObject({ by: expect.stringContaining('@') } as Json);
    await scope.destinationOnce();
    expect(Object.keys(await world.destination.values(scope.mount))).toHaveLength(4);
    expectCode(await runVsync(['status', '--check', '-c', file]), 0);
  });
});
