import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanDocument } from '../../src/commands/plan/document.ts';
import { planProblem } from '../../src/commands/plan/schema.ts';
import { runRealServers } from '../servers/real-servers.ts';
import { type Finished, runVsync } from '../support/vsync-process.ts';
import { expectCode, type Json, type Scope, World } from '../support/world.ts';

/** `vsync plan`, `show` and the same as a dry run: the program as a process, against real servers. */
describe.runIf(runRealServers)('vsync plan', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  /** An add, an update and a delete, published; with the configuration to run commands with. */
  async function changed(more: Json = {}): Promise<{ readonly scope: Scope; readonly config: string }> {
    const scope = await world.scope();
    for (const key of ['changed', 'gone', 'same']) await world.origin.put(scope.path(key), { n: 1 });
    await scope.sync();
    await world.origin.put(scope.path('changed'), { 'canary-key': 'canary-value' });
    await world.origin.put(scope.path('new'), { 'canary-key': 'canary-value' });
    await world.origin.softDelete(scope.path('gone'));
    await scope.originOnce();
    return { scope, config: await scope.destinationConfig(more) };
  }

  async function plan(config: string, args: readonly string[] = [], code = 0): Promise<Finished> {
    return expectCode(await runVsync(['plan', '-c', config, ...args]), code);
  }

  it('shows each change, changes nothing, and is what the dry run shows', async () => {
    const { scope, config } = await changed();
    const before = await scope.everything();
    const { stdout, stderr } = await plan(config);
    const sameTime = (text: string) => text.replace(/\d+[smh]( \d+[smh])? ago|now/g, 'T');
    const dryRun = await runVsync(['destination', '-c', config, '--dry-run']);
    expect(sameTime(dryRun.stdout)).toBe(sameTime(stdout));
    expect(await scope.everything()).toEqual(before);
    expect(stderr).toBe('');
    expect(stdout).toContain('Plan: 1 to add, 1 to update, 1 to delete.   1 unchanged.');
    expect(stdout).toContain(`vsync plan -c ${config} --out p.json && vsync apply -c ${config} p.json\n`);
    expect(stdout).not.toMatch(/canary/);
    // Not a terminal: no colour, nothing cut, nothing on standard error.
    expect(stdout).not.toContain('\u001b');
  });

  it('--detailed-exitcode: 2 for differences, 0 for none', async () => {
    const { scope, config } = await changed();
    await plan(config, ['--detailed-exitcode'], 2);
    await scope.destinationOnce();
    await plan(config, ['--detailed-exitcode'], 0);
  });

  it('--out saves what --json prints, for its owner only; show renders it without any server', async () => {
    const { config } = await changed();
    const file = join(world.dir, 'saved.plan');
    const { stdout } = await plan(config, ['--json', '--out', file]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const document = JSON.parse(stdout) as PlanDocument;
    expect(planProblem(document)).toBeUndefined();
    expect(document.summary).toMatchObject({ add: 1, update: 1, delete: 1, unchanged: 1 });
    const shown = expectCode(await runVsync(['show', file]), 0);
    expect(shown.stdout).toContain('Plan: 1 to add, 1 to update, 1 to delete.');
    expect(JSON.parse((await runVsync(['show', file, '--format', 'json'])).stdout)).toEqual(document);
    const markdown = await runVsync(['show', file, '--format', 'markdown']);
    expect(markdown.stdout).toMatch(/^### vsync plan\n/);
    expect(`${stdout}${markdown.stdout}`).not.toMatch(/canary/);
  });

  it('with the rights of a reader only', async () => {
    const { scope, config: _all } = await changed();
    const rules = (capabilities: string) =>
      `path "${scope.mount}data/*" { capabilities = [${capabilities}] }`;
    const origin = await world.origin.tokenFor(`${scope.id}-reader`, rules('"read"'));
    const destination = await world.destination.tokenFor(`${scope.id}-reader`, rules('"read"'));
    const config = await scope.config('reader', {
      origin: scope.originBlock({ vault: { address: world.origin.address, token: origin } }),
      destination: scope.destinationBlock({
        vault: { address: world.destination.address, token: destination },
      }),
    });
    expect((await plan(config)).stdout).toContain('Plan: 1 to add, 1 to update, 1 to delete.');
  });

  it('64, 69, 77, 78', async () => {
    const scope = await world.scope();
    const config = await scope.destinationConfig();
    await plan(config, ['--nonsense'], 64);
    const { stderr } = await plan(config, ['--json'], 69);
    expect(JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      id: 'ORIGIN_INFO_MISSING',
      code: 69,
    });
    const denied = await scope.destinationConfig({
      vault: { address: world.destination.address, token: 'wrong' },
    });
    await plan(denied, [], 77);
    await plan(await scope.destinationConfig({ onConflict: 'nonsense' }), [], 78);
  });
});
