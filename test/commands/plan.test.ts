import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { planProblem, planSchema } from '../../src/commands/plan/schema.ts';
import type { JsonSchema } from '../../src/commands/plan/validate.ts';
import { SignalChannel } from '../../src/cycle/signal-channel.ts';
import { PlanWorld } from './plan-world.ts';

/** `vsync plan`, and the dry runs that print the same, on embedded servers. */

let world: PlanWorld;
beforeAll(async () => {
  world = await PlanWorld.start();
});
afterAll(() => world?.stop());
beforeEach(() => world.clear());

/** One add, one update, one delete, one collision, and ten that are the same. */
const transforms = [
  { name: 'cut', from: '^secret/(?P<kind>data)/two/(?P<w>[a-z]+).*$', to: 'secret/kind/w' },
];
const as = { block: { transforms } };

async function someChanges(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await world.put(`same${i}`);
  await world.put('changed');
  await world.put('gone');
  await world.sync(as);
  await world.put('changed', { 'canary-key': 'canary-value' });
  await world.put('new', { 'canary-key': 'canary-value' });
  await world.put('two/x1', { 'canary-key': 'canary-value' });
  await world.put('two/x2', { 'canary-key': 'canary-value' });
  await world.origin.softDelete(world.path('gone'));
  await world.sync({ ...as, originOnly: true });
}

/** Names of fields that the schema does not know, with their place. */
function undocumented(value: unknown, schema: JsonSchema, at = ''): string[] {
  const known = schema.$ref === undefined ? schema : planSchema.$defs[schema.$ref.slice(8) as never];
  const { items, prefixItems = [], properties } = known as JsonSchema;
  if (Array.isArray(value))
    return value.flatMap((item, i) => undocumented(item, prefixItems[i] ?? items ?? {}, `${at}[${i}]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => {
    const property = properties?.[name];
    return property === undefined ? [`${at}.${name}`] : undocumented(each, property, `${at}.${name}`);
  });
}

describe('vsync plan', () => {
  it('prints what a cycle would do, and writes nothing anywhere', async () => {
    await someChanges();
    const before = await world.everything();
    const { out } = await world.ok('plan', [], as);
    expect(await world.everything()).toEqual(before);
    expect(out).toMatch(
      /^vsync plan {2}origin http.* {2}-> {2}destination http.* {3}\(name: destination\)\n/,
    );
    expect(out).toMatch(
      /\nOrigin info published \S+( ago)? \(14 paths, 1 bucket\); destination info 12 paths;/,
    );
    expect(out).toMatch(/\n {2}~ secret\/data\/changed +v1 -> v2 +update +origin is 1 version ahead, /);
    expect(out).toMatch(/\n {2}\+ secret\/data\/new +v1 +add +new in origin, /);
    expect(out).toMatch(/\n {2}- secret\/data\/gone +v1 +delete +deleted in origin; latest version/);
    expect(out).toMatch(
      /\n {2}! secret\/data\/two\/x1 +- +skip +secret\/data\/two\/x2 maps to .*\(TRANSFORM_COLLISION\)/,
    );
    expect(out).toMatch(/\nPlan: 1 to add, 1 to update, 1 to delete, 2 skipped. {3}10 unchanged.\n/);
    expect(out).toMatch(/\nGuard: deletes 1 of 12 \(8.3 %\), limit 6 - ok.\n/);
    expect(out).toMatch(
      /Nothing was changed. To run exactly this: vsync plan -c (c\d+.json) --out p.json && vsync apply -c \1 p.json\n$/,
    );
  });

  it('--json: a document that the schema describes whole', async () => {
    await someChanges();
    const plan = await world.plan([], as);
    expect(planProblem(plan)).toBeUndefined();
    expect(undocumented(plan, planSchema)).toEqual([]);
    expect(plan).toMatchObject({
      type: 'plan',
      complete: true,
      origin: { name: 'origin', paths: 14, buckets: 1 },
      destination: { name: 'destination', paths: 12 },
      changes: [
        {
          op: 'update',
          path: world.path('changed'),
          from: { version: 1 },
          to: { version: 2 },
          reason: 'version_ahead',
        },
        { op: 'add', path: world.path('new'), to: { version: 1 }, reason: 'missing', transform: null },
        { op: 'delete', path: world.path('gone'), from: { version: 1 }, reason: 'deleted_in_origin' },
      ],
      errors: [
        { path: world.path('two/x1'), destination_path: world.path('x'), code: 'TRANSFORM_COLLISION' },
        { path: world.path('two/x2'), destination_path: world.path('x'), code: 'TRANSFORM_COLLISION' },
      ],
      summary: { operation: 'plan', add: 1, update: 1, delete: 1, error: 2, held: 0, unchanged: 10 },
    });
  });

  it('is the same as destination --dry-run', async () => {
    await someChanges();
    // At 60 columns "now" and "1s ago" are broken at other places.
    const sameTime = (text: string) =>
      text
        .replace(/\d+s ago|now/g, 'T')
        .replace(/c\d+\.json/g, 'c.json')
        .replace(/\s+/g, ' ');
    for (const columns of [undefined, 60]) {
      const tty = columns === undefined ? as : { ...as, columns };
      const [plan, dryRun] = [
        await world.ok('plan', [], tty),
        await world.ok('destination', ['--dry-run'], tty),
      ];
      expect(sameTime(dryRun.out)).toBe(sameTime(plan.out));
    }
    const strip = ({ created_at: _at, ...rest }: Record<string, unknown>) => rest;
    const { out } = await world.ok('destination', ['--once', '--dry-run', '--json'], as);
    expect(strip(JSON.parse(out))).toEqual(strip(await world.plan([], as)));
  });

  it('--plain and --paths', async () => {
    await someChanges();
    const { out } = await world.ok('plan', ['--plain'], as);
    expect(out.split('\n').map((line) => line.split('\t').slice(0, 2).join(' '))).toEqual([
      'update secret/data/changed',
      'add secret/data/new',
      'delete secret/data/gone',
      'skip secret/data/two/x1',
      'skip secret/data/two/x2',
      '',
    ]);
    expect((await world.ok('plan', ['--paths'], as)).out).toBe(
      'secret/data/changed\nsecret/data/new\nsecret/data/gone\n',
    );
  });

  it('the command to run next has the flags that decide what is in the plan, and no secret', async () => {
    await someChanges();
    const { out } = await world.ok(
      'plan',
      [
        '--include',
        'secret/**',
        '--ignore-deletes',
        '--workers',
        '3',
        '--origin.vault.token',
        'origin-root-token',
      ],
      as,
    );
    const flags = "--include='secret/**' --ignore-deletes=true";
    expect(out.replace(/c\d+.json/g, 'c.json')).toContain(
      `vsync plan -c c.json ${flags} --out p.json && vsync apply -c c.json ${flags} p.json\n`,
    );
    expect(out).not.toContain('root-token');
  });

  it('without anything to do says so', async () => {
    await world.put('a');
    await world.sync();
    const { out } = await world.ok('plan');
    expect(out).toMatch(
      /\n\nPlan: 0 to add, 0 to update, 0 to delete. {3}1 unchanged.\nNothing was changed, and there is nothing to do.\n$/,
    );
  });

  it('counts paths right where only some buckets differ, and when the number of buckets changes', async () => {
    for (let i = 0; i < 40; i += 1) await world.put(`k${i}`);
    await world.sync({ top: { numBuckets: 8 } });
    await world.put('k7', {});
    await world.origin.softDelete(world.path('k8'));
    await world.sync({ top: { numBuckets: 8 }, originOnly: true });
    const numbers = {
      origin: { paths: 39, buckets: 8 },
      destination: { paths: 40 },
      guards: [{ value: 1, limit: 20, paths: 40 }, {}],
      summary: { update: 1, delete: 1, unchanged: 38 },
    };
    expect(await world.plan()).toMatchObject({ ...numbers, basis: { differing_buckets: 1 } });
    await world.sync({ top: { numBuckets: 4 }, originOnly: true });
    expect(await world.plan()).toMatchObject({
      origin: { paths: 39, buckets: 4 },
      destination: { paths: 40 },
      basis: { differing_buckets: 1 },
      summary: { update: 1, delete: 1, unchanged: 38 },
    });
  });

  it('a filter leaves paths out; they are not told to be unchanged', async () => {
    await world.put('in/a');
    await world.put('out/b');
    await world.sync({ originOnly: true });
    expect(await world.plan(['--include', 'secret/in/**'])).toMatchObject({
      summary: { add: 1, unchanged: 0 },
      origin: { paths: 2 },
    });
  });

  it('names neither the origin nor its time where its status cannot be read', async () => {
    await world.put('a');
    await world.sync({ originOnly: true });
    await world.consul.delete('vsync/nodes/');
    const { origin } = await world.plan();
    expect(origin).not.toHaveProperty('name');
    expect((await world.ok('plan')).out).toContain('\nOrigin info (1 path, 1 bucket); ');
  });

  it('a name of the origin is shown where it says more than the role', async () => {
    await world.put('a');
    await world.ok('origin', ['--once'], { top: { name: 'dc1' } });
    expect((await world.ok('plan')).out).toContain('vsync plan  origin dc1 http://');
  });

  it('tells how many paths the origin could not read', async () => {
    for (let i = 0; i < 20; i += 1) await world.put(`k${i}`);
    const fault = world.vaults.origin.faults.add({
      match: { method: 'GET', pathPattern: /metadata\/k3$/ },
      action: { kind: 'answer', answer: { status: 403, body: '{"errors":["denied"]}' } },
    });
    expect((await world.run('origin', ['--once'])).code).toBe(3);
    fault.remove();
    expect(await world.plan()).toMatchObject({ origin: { paths: 19, unreadable: 1 } });
    expect((await world.ok('plan')).out).toContain('(19 paths, 1 bucket; 1 unreadable in its last cycle)');
  });
});

describe('held deletes', () => {
  beforeEach(async () => {
    for (let i = 0; i < 12; i += 1) await world.put(`k${i}`);
    await world.sync();
    for (let i = 0; i < 7; i += 1) await world.origin.softDelete(world.path(`k${i}`));
    await world.sync({ originOnly: true });
  });

  it('are no changes; the guard is named with its set', async () => {
    const plan = await world.plan();
    expect(plan).toMatchObject({ changes: [], summary: { delete: 0, held: 7 } });
    expect(plan.held).toHaveLength(7);
    expect(plan.guards?.[0]).toMatchObject({ held: true, value: 7, limit: 6, paths: 12, approved: false });
    const { out } = await world.ok('plan');
    expect(out).toMatch(
      /Guard: deletes 7 of 12 \(58.3 %\), limit 6 - held. If intended: vsync approve [0-9a-f]{8},/,
    );
  });

  it('--approve-deletes releases that set', async () => {
    const [guard] = (await world.plan()).guards as unknown as [{ set: string }];
    const plan = await world.plan(['--approve-deletes', guard.set.slice(0, 8)]);
    expect(plan).toMatchObject({
      held: [],
      summary: { delete: 7 },
      guards: [{ held: false, approved: true }, {}],
    });
  });

  it('an empty origin holds whatever the limit', async () => {
    for (let i = 7; i < 12; i += 1) await world.origin.softDelete(world.path(`k${i}`));
    await world.sync({ originOnly: true, top: { guards: { allowEmptyOrigin: true } } });
    expect(await world.plan([], { top: { guards: { enabled: false } } })).toMatchObject({
      changes: [],
      guards: [{ held: false }, { name: 'empty_origin', held: true }],
    });
  });

  it('ignoreDeletes keeps them', async () => {
    const plan = await world.plan(['--ignore-deletes']);
    expect(plan).toMatchObject({ changes: [], held: [], summary: { delete: 0, held: 0 } });
    expect(plan.kept).toHaveLength(7);
  });
});

describe('--out', () => {
  beforeEach(async () => {
    await world.put('a');
    await world.sync({ originOnly: true });
  });

  it('saves the document for its owner only, and says how to apply it', async () => {
    const { out } = await world.ok('plan', ['--out', 'new.plan']);
    expect((await stat(world.file('new.plan'))).mode & 0o777).toBe(0o600);
    expect(planProblem(JSON.parse(await world.saved('new.plan')))).toBeUndefined();
    expect(out).toMatch(/Saved as new.plan; to run exactly this: vsync apply -c c\d+.json new.plan\n$/);
  });

  it('with --json prints the same document', async () => {
    const { out } = await world.ok('plan', ['--json', '--out', 'same.plan']);
    expect(await world.saved('same.plan')).toBe(out);
  });

  it('replaces an earlier plan, whatever its mode was', async () => {
    await world.ok('plan', ['--out', 'again.plan']);
    await chmod(world.file('again.plan'), 0o644);
    await world.put('b');
    await world.sync({ originOnly: true });
    await world.ok('plan', ['--out', 'again.plan']);
    expect(JSON.parse(await world.saved('again.plan')).summary.add).toBe(2);
    expect((await stat(world.file('again.plan'))).mode & 0o777).toBe(0o600);
  });

  it('refuses any other file, before anything is asked of a server', async () => {
    await writeFile(world.file('precious.json'), '{"format_version":"1.0"}');
    await mkdir(world.file('folder'), { recursive: true });
    await symlink(world.file('precious.json'), world.file('link')).catch(() => {});
    world.vaults.origin.requests.reset();
    for (const name of ['precious.json', 'folder', 'link', 'nowhere/p.json']) {
      const result = await world.run('plan', ['--out', name]);
      expect(result, name).toMatchObject({ code: 64, out: '' });
      expect(result.err).toContain('id:    USAGE');
    }
    expect(await readFile(world.file('precious.json'), 'utf8')).toBe('{"format_version":"1.0"}');
  });
});

describe('exit codes of plan', () => {
  const isDown = { vault: { address: 'http://127.0.0.1:1', token: 'x' } };

  it('0, 2, 4 with --detailed-exitcode', async () => {
    await world.put('a');
    await world.sync();
    const code = async () => (await world.run('plan', ['--detailed-exitcode'])).code;
    expect(await code()).toBe(0);
    await world.put('b');
    await world.sync({ originOnly: true });
    expect(await code()).toBe(2);
    expect((await world.run('plan')).code).toBe(0);
    await world.origin.softDelete(world.path('a'));
    await world.origin.softDelete(world.path('b'));
    await world.sync({ originOnly: true, top: { guards: { allowEmptyOrigin: true } } });
    expect(await code()).toBe(4);
    expect((await world.run('plan')).code).toBe(0);
  });

  it('2 also for a path that something is wrong with', async () => {
    await world.put('two/x1');
    await world.put('two/x2');
    await world.sync({ originOnly: true });
    expect((await world.run('plan', ['--detailed-exitcode'], as)).code).toBe(2);
  });

  it('1: a failure of no known kind', async () => {
    world.devConsul.faults.add({
      match: { method: 'GET', pathPattern: /origin\/index$/ },
      action: { kind: 'answer', answer: { status: 418 } },
    });
    expect(await world.run('plan')).toMatchObject({ code: 1, out: '' });
  });

  it('64: a command line that cannot be understood', async () => {
    for (const args of [['--plain', '--json'], ['--nonsense'], ['--out'], ['--tick', '1s']])
      expect((await world.run('plan', args)).code, args.join(' ')).toBe(64);
  });

  it('65: sync info of the origin is corrupt', async () => {
    await world.consul.put('vsync/origin/index', 'oops');
    expect(await world.run('plan')).toMatchObject({
      code: 65,
      err: expect.stringContaining('SYNC_INFO_CORRUPT'),
    });
  });

  it('69: nothing published, or a server is down', async () => {
    expect(await world.run('plan')).toMatchObject({
      code: 69,
      err: expect.stringContaining('ORIGIN_INFO_MISSING'),
    });
    expect(await world.run('plan', [], { block: isDown })).toMatchObject({
      code: 69,
      err: expect.stringContaining('VAULT_UNREACHABLE'),
    });
  });

  it('77: a token that is not accepted', async () => {
    const vault = { address: world.vaults.destination.address, token: 'wrong' };
    const result = await world.run('plan', ['--json'], { block: { vault } });
    expect(result).toMatchObject({ code: 77, out: '' });
    expect(JSON.parse(result.err.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'exit_error',
      code: 77,
      id: 'TOKEN_EXPIRED',
    });
  });

  it('78: a configuration that is wrong', async () => {
    expect((await world.run('plan', [], { block: { numWorkers: 'many' } })).code).toBe(78);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s: %i, and one line', async (signal, code) => {
    const signals = new SignalChannel();
    world.devConsul.faults.add({
      match: ({ path }) => {
        if (path.endsWith('origin/index')) signals.stop(signal);
        return path.endsWith('origin/index');
      },
      action: { kind: 'hang' },
    });
    expect(await world.run('plan', [], { signals })).toEqual({
      code,
      out: '',
      err: 'interrupted; nothing was changed\n',
    });
  });
});

describe('dry runs', () => {
  it('of an origin: what would be published, and what that changes', async () => {
    await world.put('a');
    await world.put('b');
    await world.sync({ originOnly: true });
    await world.put('a', {});
    await world.put('c');
    await world.origin.softDelete(world.path('b'));
    const before = await world.everything();
    const { out } = await world.ok('origin', ['--dry-run']);
    expect(out).toMatch(/\nFound 3 keys: 2 secrets, 1 deleted or without a version.\n/);
    expect(out).toMatch(/\n {2}~ secret\/data\/a +v1 -> v2 +update +written since the last publication/);
    expect(out).toMatch(/\n {2}\+ secret\/data\/c +v1 +add +new since the last publication/);
    expect(out).toMatch(/\n {2}- secret\/data\/b +v1 +delete +gone since the last publication\n/);
    expect(out).toMatch(
      /Would publish 2 paths in 1 bucket; 1 bucket would be written: 1 added, 1 updated, 1 gone, 0 unchanged.\n/,
    );
    expect(out).toMatch(/\n +0 +2 +\d+ +0.\d\d % {2}changed\nNothing was changed.\n$/);
    const scan = JSON.parse((await world.ok('origin', ['--dry-run', '--json'])).out);
    expect(scan).toMatchObject({
      type: 'scan',
      origin: { paths: 2 },
      buckets: [{ id: 0, paths: 2, changed: true }],
      summary: { operation: 'scan', add: 1, update: 1, delete: 1, unchanged: 0 },
    });
    expect(await world.everything()).toEqual(before);
  });

  it('of an origin in another number of buckets: the same changes, all buckets written', async () => {
    for (let i = 0; i < 30; i += 1) await world.put(`k${i}`);
    await world.sync({ originOnly: true });
    await world.put('k3', {});
    const scan = JSON.parse(
      (await world.ok('origin', ['--dry-run', '--json'], { top: { numBuckets: 32 } })).out,
    );
    expect(scan).toMatchObject({ summary: { add: 0, update: 1, delete: 0, unchanged: 29 } });
    const { out } = await world.ok('origin', ['--dry-run'], { top: { numBuckets: 32 } });
    expect(out).toContain('  ... 22 smaller ones, use --json\n');
  });

  it('of an origin that is suddenly empty: held', async () => {
    await world.put('a');
    await world.sync({ originOnly: true });
    await world.origin.softDelete(world.path('a'));
    const { out } = await world.ok('origin', ['--dry-run']);
    expect(out).toMatch(
      /Guard: the origin lists no path at all - held, nothing would be published. If intended: --approve-deletes [0-9a-f]{8}/,
    );
  });

  it('of an origin with a path that cannot be read: whether its last state is kept', async () => {
    for (let i = 0; i < 20; i += 1) await world.put(`k${i}`);
    await world.sync({ originOnly: true });
    world.vaults.origin.faults.add({
      match: { method: 'GET', pathPattern: /metadata\/k3$/ },
      action: { kind: 'answer', answer: { status: 403, body: '{"errors":["denied"]}' } },
    });
    const { out } = await world.ok('origin', ['--dry-run']);
    expect(out).toMatch(
      /! secret\/data\/k3 +- +unread +origin Vault refused GET .*\(VAULT_FORBIDDEN\); its last known state is kept/,
    );
  });

  it('with an explicit --tick: one plan for each cycle, until a signal', async () => {
    await world.put('a');
    await world.sync({ originOnly: true });
    const signals = new SignalChannel();
    let reads = 0;
    world.devConsul.faults.add({
      match: ({ path }) => {
        if (path.endsWith('destination/index')) reads += 1;
        if (reads >= 6) signals.stop('SIGTERM');
        return false;
      },
      action: { kind: 'reset' },
    });
    const { code, out } = await world.run('destination', ['--dry-run', '--tick', '20ms', '--json'], {
      signals,
    });
    expect(code).toBe(0);
    expect(out.match(/"type": "plan"/g)?.length).toBeGreaterThan(1);
    const once = await world.ok('destination', ['--dry-run', '--tick', '20ms', '--once']);
    expect(once.out.match(/Nothing was changed/g)).toHaveLength(1);
  });
});

describe('no value, no key inside a secret', () => {
  it('is in any output', async () => {
    await someChanges();
    const forms = [
      [],
      ['--json'],
      ['--plain'],
      ['--paths'],
      ['--out', 'canary.plan'],
      ['-v'],
      ['--log.type', 'json'],
    ];
    const results = [];
    for (const args of forms) results.push(await world.ok('plan', args, as));
    results.push(await world.ok('show', ['canary.plan', '--format', 'markdown']));
    results.push(await world.ok('origin', ['--dry-run', '--json', '-v']));
    const all = `${JSON.stringify(results)}${await world.saved('canary.plan')}`;
    expect(all).not.toContain('canary-value');
    expect(all).not.toContain('canary-key');
  });
});
