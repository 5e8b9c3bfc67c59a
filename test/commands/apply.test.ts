import { mkdir, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PlanDocument } from '../../src/commands/plan/document.ts';
import { planProblem } from '../../src/commands/plan/schema.ts';
import { SignalChannel } from '../../src/cycle/signal-channel.ts';
import { PlanWorld, type RunAs } from './plan-world.ts';

/** `vsync apply` on embedded servers: exactly what the plan says, or nothing. */

let world: PlanWorld;
beforeAll(async () => {
  world = await PlanWorld.start();
});
afterAll(() => world?.stop());
beforeEach(async () => {
  await world.clear();
  await rm(world.file('p.json'), { force: true });
});

/** `a` is to be updated, `gone` to be deleted, `new` to be added; `same` is not. Saved as `p.json`. */
async function planned(as: RunAs = {}): Promise<PlanDocument> {
  for (const key of ['a', 'gone', 'same']) await world.put(key, { n: 1 });
  await world.sync(as);
  await world.put('a', { 'canary-key': 'canary-value' });
  await world.put('new', { n: 1 });
  await world.origin.softDelete(world.path('gone'));
  await world.sync({ ...as, originOnly: true });
  await world.ok('plan', ['--out', 'p.json'], as);
  return JSON.parse(await world.saved('p.json'));
}

/** Saves a plan that somebody made of `plan`. */
async function save(plan: unknown): Promise<void> {
  await writeFile(world.file('p.json'), JSON.stringify(plan));
}

async function report(
  args: readonly string[] = [],
  as: RunAs = {},
): Promise<PlanDocument & { code: number }> {
  const { code, out, err } = await world.run('apply', ['p.json', '--json', ...args], as);
  if (out === '') throw new Error(`no report: ${code}\n${err}`);
  return { ...JSON.parse(out), code };
}

const results = ({ changes }: PlanDocument) =>
  Object.fromEntries(changes.map(({ path, result }) => [path.replace('secret/data/', ''), result]));

/** Runs apply and fails when anything changes by it. */
async function refused(args: readonly string[], as: RunAs = {}) {
  const before = await world.everything();
  const result = await world.run('apply', args, as);
  expect(await world.everything()).toEqual(before);
  return result;
}

describe('vsync apply', () => {
  it('does what the plan says, and reports each task', async () => {
    await planned();
    const { code, out } = await world.run('apply', ['p.json']);
    expect(code).toBe(0);
    expect(out).toMatch(/^vsync apply {2}origin /);
    expect(out).toMatch(
      /\n {2}~ secret\/data\/a +v1 -> v2 +update +done\n {2}\+ secret\/data\/new +v1 +add +done\n {2}- secret\/data\/gone +v1 +delete +done\n/,
    );
    expect(out).toMatch(
      /\nApplied: 1 added, 1 updated, 1 deleted. {3}1 unchanged.\nGuard: deletes 1 of 3 \(33.3 %\), limit 5 - ok.\n$/,
    );
    expect(await world.destination.values('secret/')).toEqual(await world.origin.values('secret/'));
    expect(await world.plan()).toMatchObject({ changes: [], summary: { unchanged: 3 } });
    const status = JSON.parse((await world.consul.get('vsync/nodes/destination-destination')) ?? '');
    expect(status).toMatchObject({
      health: 'Healthy',
      sync: 'InSync',
      counts: { added: 1, updated: 1, deleted: 1 },
    });
  });

  it('--json: the shape of the plan, with a result for each change', async () => {
    const plan = await planned();
    const applied = await report();
    expect(planProblem(applied)).toBeUndefined();
    const {
      type: _type,
      created_at: _at,
      complete: _complete,
      summary: _summary,
      changes,
      code: _code,
      ...rest
    } = applied;
    expect(plan).toMatchObject(rest);
    expect(changes.map(({ result: _result, ...change }) => change)).toEqual(plan.changes);
    expect(applied).toMatchObject({
      type: 'apply',
      complete: true,
      summary: { operation: 'apply', add: 1, update: 1, delete: 1, failed: 0, skipped: 0 },
    });
    expect(results(applied)).toEqual({ a: 'done', new: 'done', gone: 'done' });
  });

  it('reads values anew: what the origin has by now is copied', async () => {
    await planned();
    await world.put('a', { n: 'later' });
    expect(results(await report())).toMatchObject({ a: 'done' });
    expect((await world.destination.get(world.path('a')))?.data).toEqual({ n: 'later' });
  });

  it('a change that is not needed after all is skipped or recorded, with the reason', async () => {
    await planned();
    await world.origin.softDelete(world.path('new'));
    await world.origin.undelete(world.path('gone'), [1]);
    const { changes, code } = await report();
    expect(code).toBe(0);
    expect(changes.map(({ path, result, message }) => [path, result, message])).toEqual([
      [world.path('a'), 'done', undefined],
      [world.path('new'), 'skipped', expect.stringContaining('gone at the origin')],
      [world.path('gone'), 'skipped', expect.stringContaining('the origin has it')],
    ]);
    expect((await world.run('apply', ['p.json', '--allow-stale'])).out).toContain(
      'skipped: no task any more',
    );
  });

  it('an equal value makes no new version', async () => {
    await world.put('a');
    await world.sync({ originOnly: true });
    await world.ok('plan', ['--out', 'p.json']);
    await world.destination.put(world.path('a'), { value: 'canary-value' });
    const { changes } = await report();
    expect(changes).toMatchObject([{ result: 'done', message: 'equal already, no new version' }]);
    expect(await world.destination.versionOf(world.path('a'))).toBe(1);
  });
});

describe('a stale plan', () => {
  it('is refused when the origin has published since', async () => {
    await planned();
    await world.put('same', { n: 2 });
    await world.sync({ originOnly: true });
    const { code, err } = await refused(['p.json']);
    expect(code).toBe(65);
    expect(err).toMatch(
      /^error: the plan is stale.*\n {2}why: {3}the origin's is at index \d+, was \d+\n[\s\S]*id: {4}PLAN_STALE\n {2}Nothing was changed./m,
    );
  });

  it('is refused when the destination has copied since, so applied twice too', async () => {
    await planned();
    await world.ok('apply', ['p.json']);
    const { code, err } = await refused(['p.json']);
    expect(code).toBe(65);
    expect(err).toMatch(/why: {3}the destination's is at index/);
  });

  it('is refused when the index has another content under the same ModifyIndex, as after a restore', async () => {
    const plan = await planned();
    await save({ ...plan, basis: { ...plan.basis, origin_index_hash: `sha256:${'0'.repeat(64)}` } });
    expect((await refused(['p.json'])).code).toBe(65);
  });

  it.each([
    ['a transform', { block: { transforms: [{ name: 't', from: '^x/(?P<a>.*)$', to: 'y/a' }] } }],
    ['a filter', { block: { exclude: ['secret/x/**'] } }],
    ['a guard', { top: { guards: { maxDeletes: 1 } } }],
    ['ignoreDeletes', { top: { ignoreDeletes: true } }],
    ['onConflict', { block: { onConflict: 'skip' } }],
    ['the origin mounts', { origin: { mounts: ['secret/', 'other/'] } }],
  ])('is refused when the configuration has another %s', async (_name, as) => {
    await planned();
    expect(await refused(['p.json'], as)).toMatchObject({
      code: 65,
      err: expect.stringContaining('PLAN_STALE'),
    });
  });

  it('is not refused for how fast or how loud it is done', async () => {
    await planned();
    const as = { block: { numWorkers: 9, batchSize: 1, timeout: '9s' }, top: { log: { level: 'debug' } } };
    expect((await world.run('apply', ['p.json'], as)).code).toBe(0);
  });

  it('with --allow-stale: those of its tasks that are still to be done, and nothing else', async () => {
    await planned();
    await world.put('later', { n: 1 });
    await world.put('a', { n: 3 });
    await world.destination.put(world.path('new'), { n: 1 });
    await world.sync({ originOnly: true });
    await world.origin.put(world.path('gone'), { n: 'back' });
    await world.sync({ originOnly: true });
    const applied = await report(['--allow-stale']);
    expect(applied.code).toBe(0);
    expect(results(applied)).toEqual({ a: 'done', new: 'done', gone: 'skipped' });
    expect(await world.destination.get(world.path('later'))).toBeUndefined();
    expect((await world.destination.get(world.path('gone')))?.data).toEqual({ n: 1 });
    // It did not do all there is, so the node does not say that it is in sync.
    const status = JSON.parse((await world.consul.get('vsync/nodes/destination-destination')) ?? '');
    expect(status.counts).toMatchObject({ added: 3 });
    expect(await world.plan()).toMatchObject({
      changes: [{ path: world.path('gone') }, { path: world.path('later') }],
    });
  });

  it('of other servers is refused whatever is allowed', async () => {
    const plan = await planned();
    for (const part of [
      { origin: { ...plan.origin, vault: 'http://other:8200' } },
      { destination: { ...plan.destination, sync_path: 'elsewhere/destination/' } },
    ]) {
      await save({ ...plan, ...part });
      expect(await refused(['p.json', '--allow-stale'])).toMatchObject({
        code: 65,
        err: expect.stringContaining('other servers'),
      });
    }
  });
});

describe('a plan that somebody edited', () => {
  it('cannot make anything be done that is not to be done', async () => {
    const plan = await planned();
    await world.destination.put('secret/data/victim', { n: 1 });
    const [first] = plan.changes;
    const forged = [
      { ...first, op: 'delete', path: world.path('victim'), destination_path: world.path('victim') },
      { ...first, op: 'delete', path: world.path('same'), destination_path: world.path('same') },
      { ...first, op: 'update', path: world.path('a'), destination_path: world.path('victim') },
      { ...first, op: 'add', path: '../../sys/x', destination_path: '__proto__' },
    ];
    await save({ ...plan, changes: forged });
    const { changes } = await report(['--yes']);
    expect(changes.map(({ result, message }) => [result, message])).toEqual(
      forged.map(() => ['skipped', 'no task any more']),
    );
    expect(Object.keys(await world.destination.values('secret/'))).toHaveLength(4);
    expect(await world.destination.versionOf(world.path('a'))).toBe(1);
  });

  it('may leave tasks out', async () => {
    const plan = await planned();
    await save({ ...plan, changes: plan.changes.filter(({ op }) => op === 'add') });
    expect(results(await report())).toEqual({ new: 'done' });
    expect(await world.plan()).toMatchObject({ summary: { add: 0, update: 1, delete: 1 } });
  });

  it.each([
    ['empty', ''],
    ['no JSON', 'plan'],
    ['cut', '{"format_version":"1.0","type":"plan"'],
    ['null', 'null'],
    ['another document', '{"format_version":"1.0","type":"scan"}'],
    ['NUL bytes', '\u0000\u0000'],
    ['nested deeply', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['a later format', '{"format_version":"2.0","type":"plan"}'],
    ['a prototype', '{"__proto__":{"format_version":"1.0","type":"plan"}}'],
  ])('or is %s is refused with 65, and nothing is asked of a server', async (_name, content) => {
    await writeFile(world.file('p.json'), content);
    world.vaults.destination.requests.reset();
    const { code, err, out } = await world.run('apply', ['p.json']);
    expect({ code, out, asked: world.vaults.destination.requests.total }).toEqual({
      code: 65,
      out: '',
      asked: 0,
    });
    expect(err).toMatch(
      /^error: p.json is not a plan that this vsync can read\n {2}why: [\s\S]*id: {4}PLAN_INVALID\n/m,
    );
  });

  it('or is the report of an apply is refused', async () => {
    await planned();
    await save(await report());
    expect(await refused(['p.json'])).toMatchObject({ code: 65, err: expect.stringContaining('not a plan') });
  });
});

describe('deletes', () => {
  async function held(): Promise<string> {
    for (let i = 0; i < 12; i += 1) await world.put(`k${i}`);
    await world.sync();
    for (let i = 0; i < 7; i += 1) await world.origin.softDelete(world.path(`k${i}`));
    await world.put('new');
    await world.sync({ originOnly: true });
    await world.ok('plan', ['--out', 'p.json']);
    return (JSON.parse(await world.saved('p.json')) as PlanDocument).guards[0].set ?? '';
  }

  it('that the plan held are held: 4, adds are made, and approve can release them', async () => {
    const set = await held();
    const { code, out, err } = await world.run('apply', ['p.json']);
    expect(code).toBe(4);
    expect(out).toMatch(/Applied: 1 added, 0 updated, 0 deleted, 7 held./);
    expect(err).toContain('id:    DELETES_HELD');
    expect(Object.keys(await world.destination.values('secret/'))).toHaveLength(13);
    await world.ok('approve', [set.slice(0, 8)]);
    await world.ok('plan', ['--out', 'p.json']);
    expect(await report()).toMatchObject({ code: 0, summary: { delete: 7 } });
  });

  it('that the plan held are made with --approve-deletes of that set only', async () => {
    const set = await held();
    expect(await world.run('apply', ['p.json', '--approve-deletes', '0123abcd'])).toMatchObject({ code: 4 });
    await world.ok('plan', ['--out', 'p.json']);
    const applied = await report(['--approve-deletes', set.slice(0, 8)]);
    expect(applied).toMatchObject({ code: 0, held: [], summary: { delete: 7, held: 0 } });
    expect(Object.keys(await world.destination.values('secret/'))).toHaveLength(6);
  });

  it('that the plan held are not made just because fewer are left', async () => {
    await held();
    await world.origin.undelete(world.path('k0'), [1]);
    await world.sync({ originOnly: true });
    const applied = await report(['--allow-stale']);
    expect(applied).toMatchObject({ code: 0, summary: { add: 1, delete: 0 } });
    expect(Object.keys(await world.destination.values('secret/'))).toHaveLength(13);
  });

  it('of others do not hold a plan without any', async () => {
    for (let i = 0; i < 12; i += 1) await world.put(`k${i}`);
    await world.sync();
    await world.put('new');
    await world.sync({ originOnly: true });
    await world.ok('plan', ['--out', 'p.json']);
    for (let i = 0; i < 7; i += 1) await world.origin.softDelete(world.path(`k${i}`));
    await world.sync({ originOnly: true });
    expect(await report(['--allow-stale'])).toMatchObject({
      code: 0,
      held: [],
      summary: { add: 1, held: 0 },
    });
  });

  it('with --no-input need --yes: 64, and nothing is done', async () => {
    await planned();
    const { code, err } = await refused(['p.json', '--no-input']);
    expect(code).toBe(64);
    expect(err).toContain('Delete 1 secret at the destination http://');
    expect((await world.run('apply', ['p.json', '--no-input', '--yes'])).code).toBe(0);
  });

  it('wait when a path fails for a passing reason (R4): 3', async () => {
    await planned();
    world.vaults.origin.faults.add({
      match: { method: 'GET', pathPattern: /data\/new$/ },
      action: { kind: 'answer', answer: { status: 500, body: '{"errors":["internal"]}' } },
    });
    const applied = await report();
    expect(applied).toMatchObject({ code: 3, complete: true, summary: { update: 1, failed: 1, skipped: 1 } });
    expect(results(applied)).toEqual({ a: 'done', new: 'failed', gone: 'skipped' });
    expect(applied.changes[1]).toMatchObject({ code: 'VAULT_UNAVAILABLE' });
    expect(applied.changes[2]?.message).toContain('deletes wait');
  });
});

describe('exit codes of apply', () => {
  it('1: a failure of no known kind', async () => {
    await planned();
    world.devConsul.faults.add({
      match: { method: 'GET', pathPattern: /origin\/index$/ },
      action: { kind: 'answer', answer: { status: 418 } },
    });
    expect(await world.run('apply', ['p.json'])).toMatchObject({ code: 1, out: '' });
  });

  it('3: a failed path stands last, with what to do', async () => {
    await planned();
    world.vaults.destination.faults.add({
      match: { pathPattern: /^secret\/data\/a$/ },
      action: { kind: 'answer', answer: { status: 403, body: '{"errors":["denied"]}' } },
    });
    const { code, out } = await world.run('apply', ['p.json']);
    expect(code).toBe(3);
    expect(out).toMatch(
      /\n {2}! secret\/data\/a +v1 -> v2 +update +failed: destination Vault refused POST secret\/data\/a \(403\) \(VAULT_FORBIDDEN\)\n {6}fix: check it with: vault token capabilities/,
    );
    expect(out).toMatch(/Applied: 1 added, 0 updated, 1 deleted, 1 failed\./);
  });

  it('64: no such file, no file, or none named', async () => {
    await mkdir(world.file('folder'), { recursive: true });
    for (const args of [['nowhere.json'], ['folder'], [], ['p.json', '--nonsense']])
      expect((await world.run('apply', args)).code, args.join(' ')).toBe(64);
  });

  it('69: a server is down', async () => {
    await planned();
    world.vaults.origin.faults.add({
      match: { pathPattern: /^sys\/health/ },
      action: { kind: 'answer', answer: { status: 503, body: '{"errors":["sealed"]}' } },
    });
    expect((await world.run('apply', ['p.json'])).code).toBe(69);
  });

  it('75: the time limit passed; what was done is reported and recorded', async () => {
    await planned();
    world.vaults.origin.faults.add({
      match: { method: 'GET', pathPattern: /data\/new$/ },
      action: { kind: 'hang' },
    });
    const applied = await report(['--timeout', '700ms']);
    expect(applied).toMatchObject({
      code: 75,
      complete: false,
      summary: { update: 1, add: 0, delete: 0, skipped: 2 },
    });
    expect(applied.changes[1]?.message).toContain('longer than 0.7 s');
    world.vaults.origin.faults.clear();
    expect(await world.plan()).toMatchObject({ summary: { add: 1, update: 0, delete: 1 } });
  });

  it('77: a token that is not accepted', async () => {
    await planned();
    const vault = { address: world.vaults.destination.address, token: 'wrong' };
    expect((await world.run('apply', ['p.json'], { block: { vault } })).code).toBe(77);
  });

  it('78: a configuration that is wrong', async () => {
    await planned();
    expect((await world.run('apply', ['p.json'], { block: { numWorkers: 'many' } })).code).toBe(78);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s: %i; what is under way is finished and reported', async (signal, code) => {
    await planned();
    const signals = new SignalChannel();
    world.vaults.origin.faults.add({
      match: ({ path }) => {
        if (path.endsWith('data/a')) signals.stop(signal);
        return false;
      },
      action: { kind: 'reset' },
    });
    const {
      out,
      err,
      code: ended,
    } = await world.run('apply', ['p.json'], { signals, block: { numWorkers: 1 } });
    expect(ended).toBe(code);
    expect(out).toMatch(/Applied: 0 added, 1 updated, 0 deleted, 2 skipped\./);
    expect(out).toContain('The run was stopped; what was done is recorded.');
    expect(err).toContain('interrupted; what was done is recorded\n');
    expect(await world.plan()).toMatchObject({ summary: { update: 0, add: 1, delete: 1 } });
  });
});

describe('no value, no key inside a secret', () => {
  it('is in any output of apply, failures included', async () => {
    await planned();
    world.vaults.destination.faults.add({
      match: { pathPattern: /^secret\/data\/a$/ },
      action: { kind: 'answer', answer: { status: 500, body: '{"errors":["canary-key canary-value"]}' } },
    });
    const ran = [await world.run('apply', ['p.json', '-v'])];
    world.vaults.destination.faults.clear();
    for (const args of [['--json'], ['--log.type', 'json'], ['-v', '--log.level', 'trace']]) {
      await world.put('a', { 'canary-key': 'canary-value', n: Math.random() });
      await world.sync({ originOnly: true });
      await world.ok('plan', ['--out', 'p.json']);
      ran.push(await world.ok('apply', ['p.json', ...args]));
    }
    expect(JSON.stringify(ran)).not.toMatch(/canary/);
  });
});
