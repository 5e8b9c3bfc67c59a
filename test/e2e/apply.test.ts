import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanDocument } from '../../src/commands/plan/document.ts';
import { waitFor } from '../servers/processes.ts';
import { runRealServers } from '../servers/real-servers.ts';
import { type Finished, runVsync, startVsync } from '../support/vsync-process.ts';
import { expectCode, type Scope, World } from '../support/world.ts';

/** `vsync apply`: the program as a process, against real servers. */
describe.runIf(runRealServers)('vsync apply', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  interface Planned {
    readonly scope: Scope;
    readonly apply: (args?: readonly string[], code?: number) => Promise<Finished>;
    readonly plan: (args?: readonly string[]) => Promise<Finished>;
    readonly command: readonly string[];
  }

  async function planned(count = 1): Promise<Planned> {
    const scope = await world.scope();
    for (const key of ['changed', 'gone', 'same']) await world.origin.put(scope.path(key), { n: 1 });
    await scope.sync();
    await world.origin.put(scope.path('changed'), { n: 'canary-value' });
    for (let i = 0; i < count; i += 1) await world.origin.put(scope.path(`new${i}`), { i });
    await world.origin.softDelete(scope.path('gone'));
    await scope.originOnce();
    const config = await scope.destinationConfig();
    const file = join(world.dir, `${scope.id}.plan`);
    const plan = async (args: readonly string[] = []) =>
      expectCode(await runVsync(['plan', '-c', config, '--out', file, ...args]), 0);
    await plan();
    const command = ['apply', file, '-c', config];
    const apply = async (args: readonly string[] = [], code = 0) =>
      expectCode(await runVsync([...command, ...args]), code);
    return { scope, apply, plan, command };
  }

  it('does exactly the plan; applied again it is stale (65)', async () => {
    const { scope, apply } = await planned();
    const report = JSON.parse((await apply(['--json'])).stdout) as PlanDocument;
    expect(report.changes.map(({ path, op, result }) => [path, op, result])).toEqual([
      [scope.path('changed'), 'update', 'done'],
      [scope.path('new0'), 'add', 'done'],
      [scope.path('gone'), 'delete', 'done'],
    ]);
    const values = async (vault: World['origin']) => vault.values(scope.mount);
    expect(await values(world.destination)).toEqual(await values(world.origin));
    const before = await scope.everything();
    const { stderr, stdout } = await apply([], 65);
    expect(stderr).toContain('id:    PLAN_STALE');
    expect(stdout).toBe('');
    expect(await scope.everything()).toEqual(before);
    expect(JSON.stringify(report)).not.toContain('canary');
  });

  it('a destination daemon that works meanwhile makes it stale; --allow-stale applies the rest', async () => {
    const { scope, apply } = await planned();
    await scope.destinationOnce();
    await apply([], 65);
    const { stdout } = await apply(['--allow-stale']);
    expect(stdout).toContain('Applied: 0 added, 0 updated, 0 deleted, 3 skipped.');
  });

  it('held deletes: 4, until exactly that set is approved', async () => {
    const { scope, apply, plan } = await planned(12);
    await apply();
    for (let i = 0; i < 9; i += 1) await world.origin.softDelete(scope.path(`new${i}`));
    await scope.originOnce();
    await plan();
    const { stderr, stdout } = await apply([], 4);
    expect(stdout).toContain('9 held');
    const set = /vsync approve ([0-9a-f]{8})/.exec(stderr)?.[1] as string;
    expect(Object.keys(await world.destination.values(scope.mount))).toHaveLength(14);
    await apply(['--approve-deletes', set]);
    expect(Object.keys(await world.destination.values(scope.mount))).toHaveLength(5);
  });

  it('SIGTERM: finishes what is under way, records and reports it, 143', async () => {
    const { scope, command, plan } = await planned(400);
    const running = startVsync([...command, '--json', '--workers', '1']);
    await waitFor(async () => (await world.destination.paths(scope.mount)).length > 5);
    running.kill('SIGTERM');
    const finished = expectCode(await running.finished, 143);
    const report = JSON.parse(finished.stdout) as PlanDocument;
    expect(report.complete).toBe(false);
    const done = report.changes.filter(({ result }) => result === 'done').length;
    expect(done).toBeGreaterThan(3);
    expect(done).toBeLessThan(400);
    // Everything that was done is recorded: the rest is what is left to do.
    const left = JSON.parse((await plan(['--json'])).stdout) as PlanDocument;
    expect(left.changes).toHaveLength(402 - done);
  });
});
