import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CheckDocument, Drift } from '../../src/commands/check/document.ts';
import { SignalChannel } from '../../src/cycle/signal-channel.ts';
import { PlanWorld, type RunAs } from './plan-world.ts';

/** `vsync check` on embedded servers: what is really at the destination, against what the origin published. */

let world: PlanWorld;
beforeAll(async () => {
  world = await PlanWorld.start();
});
afterAll(() => world?.stop());
beforeEach(() => world.clear());

/** Ten secrets that were copied. */
async function copied(as: RunAs = {}): Promise<void> {
  for (let i = 0; i < 10; i += 1) await world.put(`k${i}`, { 'canary-key': `canary-value ${i}` });
  await world.sync(as);
}

/** Somebody wrote k0 and an own secret, deleted k1, destroyed k2; k3 was changed and k4 deleted at the origin since. */
async function drifted(as: RunAs = {}): Promise<void> {
  await copied(as);
  await world.destination.put(world.path('k0'), { 'canary-key': 'canary-edited' });
  await world.destination.softDelete(world.path('k1'));
  await world.destination.destroyMetadata(world.path('k2'));
  await world.destination.put(world.path('own'), { 'canary-key': 'canary-own' });
  await world.put('k3', { 'canary-key': 'canary-later' });
  await world.origin.softDelete(world.path('k4'));
  await world.sync({ ...as, originOnly: true });
}

async function check(
  args: readonly string[] = [],
  as: RunAs = {},
): Promise<CheckDocument & { code: number }> {
  const { code, out, err } = await world.run('check', ['--json', ...args], as);
  if (out === '') throw new Error(`no result: ${code}\n${err}`);
  return { ...JSON.parse(out), code };
}

const kinds = ({ drift }: CheckDocument) =>
  Object.fromEntries(drift.map((each) => [each.destination_path.replace('secret/data/', ''), each.kind]));

const policy = (...rules: string[]) => rules.join('\n');
const rule = (path: string, ...capabilities: string[]) =>
  `path "${path}" { capabilities = ${JSON.stringify(capabilities)} }`;
const always = policy(rule('auth/token/lookup-self', 'read'), rule('sys/capabilities-self', 'update'));

/** A destination whose token has these rules only. */
async function withRules(...rules: string[]): Promise<RunAs> {
  const token = await world.destination.tokenFor('limited', policy(always, ...rules));
  return { block: { vault: { address: world.vaults.destination.address, token } } };
}

describe('vsync check', () => {
  it('finds no drift where there is none, reads metadata only, and writes nothing', async () => {
    await copied();
    const before = await world.everything();
    world.vaults.origin.requests.reset();
    world.vaults.destination.requests.reset();
    const { code, out } = await world.run('check');
    expect(code).toBe(0);
    expect(out).toMatch(
      /\nCompared metadata of 10 paths with what the origin published.\n\nCheck: no drift. {3}10 in sync.\nNothing was changed.\n$/,
    );
    const { counts } = world.vaults.destination.requests;
    expect([counts.get('GET metadata'), counts.get('GET data'), counts.get('PUT data')]).toEqual([
      10,
      undefined,
      undefined,
    ]);
    expect(world.vaults.origin.requests.counts.get('GET data')).toBeUndefined();
    expect(await world.everything()).toEqual(before);
  });

  it.each([
    ['by metadata', []],
    ['by values', ['--deep']],
  ])('finds what changed, is missing, is pending, is extra: %s', async (_name, args) => {
    await drifted();
    const found = await check(args);
    expect(kinds(found)).toEqual({
      k0: 'changed',
      k1: 'missing',
      k2: 'missing',
      k3: 'pending',
      k4: 'extra',
      own: 'extra',
    });
    expect(found).toMatchObject({
      code: 2,
      type: 'check',
      mode: args.length === 0 ? 'metadata' : 'values',
      extras: { looked_for: 'yes' },
      errors: [],
      summary: { in_sync: 5, changed: 1, missing: 2, pending: 1, extra: 2, unverified: 0, error: 0 },
    });
    const byTarget = new Map(found.drift.map((each) => [each.destination_path, each]));
    expect(byTarget.get(world.path('k0'))).toMatchObject({
      destination_version: 2,
      copied_version: 1,
      origin_version: 1,
    });
    expect(byTarget.get(world.path('own'))?.why).toBe('no path of the origin leads here');
    expect(byTarget.get(world.path('k4'))?.why).toMatch(/its delete is pending, held or ignored/);
  });

  it('is read by people, also at 60 columns', async () => {
    await drifted();
    const { out } = await world.run('check', ['--no-color'], { columns: 60 });
    expect(out.replace(/http:\S+/g, 'URL')).toBe(`\
vsync check  (name: destination)
  destination URL
  against origin URL
Compared metadata of 9 paths with what the origin published.

  ~ secret/data/k0
      changed v2, not v1: written by someone else
  + secret/data/k1
      missing: deleted or removed at the destination
  + secret/data/k2
      missing: deleted or removed at the destination
  ? secret/data/k3
      pending v1: v2 of the origin is to be copied, v1 was
  - secret/data/k4
      extra v1: deleted at the origin; its delete is
        pending, held or ignored
  - secret/data/own
      extra v1: no path of the origin leads here

Check: 1 changed, 2 missing, 2 extra, 1 pending.
  5 in sync.
Nothing was changed.
To write what changed or is missing again, from the origin:
  vsync check --repair
Extras are never deleted; --no-extras does not look for
  them.
`);
  });

  it('before the first copy all is missing', async () => {
    await world.put('a');
    await world.sync({ originOnly: true });
    expect(await check()).toMatchObject({ code: 2, drift: [{ kind: 'missing', why: 'not copied yet' }] });
    await world.destination.put(world.path('a'), {});
    expect(await check()).toMatchObject({ code: 2, drift: [{ kind: 'pending' }] });
  });

  it('a value that differs in spelling only, and an equal one written by someone else, are equal by value', async () => {
    await world.put('a', { n: 1000, o: { b: 1, a: 2 } });
    await world.sync();
    await world.destination.call('POST', world.path('a'), '{"data":{"o":{"a":2,"b":1},"n":1e3}}');
    expect(await check(['--deep'])).toMatchObject({ code: 0, drift: [] });
    expect(await check()).toMatchObject({ code: 2, drift: [{ kind: 'changed' }] });
  });

  it('what is not recorded as our own version (a Go node wrote it) is told by --deep only', async () => {
    await copied();
    const bucket = (await world.consul.get('vsync/destination/0')) ?? '';
    await world.consul.put('vsync/destination/0', bucket.replaceAll(/,"dv":\d+/g, ''));
    expect(await check()).toMatchObject({ code: 0, drift: [], summary: { in_sync: 0, unverified: 10 } });
    const { out } = await world.run('check');
    expect(out).toMatch(/Check: 10 not to be told by metadata. {3}0 in sync.\n[\s\S]*vsync check --deep/);
    expect(await check(['--deep'])).toMatchObject({ code: 0, summary: { in_sync: 10, unverified: 0 } });
  });

  it('what changed at the origin since it published is pending by value', async () => {
    await copied();
    await world.put('k0', { n: 'later' });
    await world.origin.softDelete(world.path('k1'));
    expect(kinds(await check(['--deep']))).toEqual({ k0: 'pending', k1: 'pending' });
    expect(await check()).toMatchObject({ code: 0 });
  });

  it('follows transforms, and tells of paths that lead nowhere', async () => {
    const transforms = [
      { name: 'move', from: '^secret/data/k(?P<n>.*)$', to: 'secret/data/moved/n' },
      { name: 'off', from: '^secret/data/(?P<n>off)$', to: 'nowhere/data/n' },
    ];
    await world.put('off');
    const as = { block: { transforms } };
    for (let i = 0; i < 3; i += 1) await world.put(`k${i}`);
    await world.ok('origin', ['--once'], as);
    await world.run('destination', ['--once'], as);
    await world.destination.put(world.path('moved/1'), {});
    await world.destination.put(world.path('k2'), {});
    const found = await check([], as);
    expect(found).toMatchObject({
      code: 3,
      drift: [
        {
          kind: 'changed',
          path: world.path('k1'),
          destination_path: world.path('moved/1'),
          transform: 'move',
        },
        { kind: 'extra', destination_path: world.path('k2') },
      ],
      errors: [{ path: world.path('off'), code: 'TRANSFORM_BAD_TARGET' }],
    });
    expect((await world.run('check', [], as)).out).toContain(
      '      -> secret/data/moved/1   transform "move"\n',
    );
  });

  it('a filter is about what takes part, extras included', async () => {
    await world.put('in/a');
    await world.put('out/a');
    await world.sync();
    await world.destination.put(world.path('in/own'), {});
    await world.destination.put(world.path('out/own'), {});
    const as = { block: { include: ['secret/in/**'] } };
    expect(await check([], as)).toMatchObject({
      drift: [{ kind: 'extra', destination_path: world.path('in/own') }],
      summary: { in_sync: 1 },
    });
  });

  it('a deleted secret of others is no extra', async () => {
    await copied();
    await world.destination.put(world.path('own'), {});
    await world.destination.softDelete(world.path('own'));
    expect(await check()).toMatchObject({ code: 0, drift: [] });
  });

  it('--no-extras lists nothing', async () => {
    await copied();
    await world.destination.put(world.path('own'), {});
    world.vaults.destination.requests.reset();
    expect(await check(['--no-extras'])).toMatchObject({ code: 0, extras: { looked_for: 'no' } });
    expect(world.vaults.destination.requests.counts.get('LIST metadata')).toBeUndefined();
  });
});

describe('rights', () => {
  it('read on metadata is enough; without list it says that extras were not looked for', async () => {
    await copied();
    await world.destination.put(world.path('own'), {});
    const as = await withRules(rule('secret/metadata/*', 'read'));
    expect(await check([], as)).toMatchObject({
      code: 0,
      extras: { looked_for: 'partly', denied: 'secret/metadata/' },
      summary: { in_sync: 10 },
    });
    const { out } = await world.run('check', ['--no-color'], as);
    expect(out).toContain('To grant: path "secret/metadata/*" { capabilities = ["list"] }');
  });

  it('without metadata at all: 77, and what to grant', async () => {
    await copied();
    const as = await withRules(rule('secret/data/*', 'read', 'create', 'update'));
    const { code, err, out } = await world.run('check', [], as);
    expect({ code, out }).toEqual({ code: 77, out: '' });
    expect(err).toContain(
      'fix:   path "secret/metadata/*" { capabilities = ["read", "list"] }; or check by value: vsync check --deep',
    );
    expect(await check(['--deep'], as)).toMatchObject({ code: 0, extras: { looked_for: 'partly' } });
  });

  it('does not ask for more once it is plain that metadata is denied', async () => {
    for (let i = 0; i < 300; i += 1) await world.put(`many/k${i}`);
    await world.sync({ originOnly: true });
    const as = await withRules(rule('secret/data/*', 'read'));
    world.vaults.destination.requests.reset();
    expect((await world.run('check', [], as)).code).toBe(77);
    expect(world.vaults.destination.requests.count('GET metadata')).toBeLessThan(60);
  });

  it('a part that may not be read: 3, with the path and what to grant; the rest is compared', async () => {
    await copied();
    const as = await withRules(rule('secret/metadata/*', 'read', 'list'), rule('secret/metadata/k3', 'deny'));
    const found = await check([], as);
    expect(found).toMatchObject({
      code: 3,
      errors: [{ path: world.path('k3'), code: 'VAULT_FORBIDDEN' }],
      summary: { in_sync: 9, error: 1 },
    });
    const { out } = await world.run('check', [], as);
    expect(out).toMatch(/! secret\/data\/k3 +- +not compared +.*\(VAULT_FORBIDDEN\)/);
    expect(out).toContain(
      'To read metadata grant: path "secret/metadata/*" { capabilities = ["read", "list"] }',
    );
  });
});

describe('--repair', () => {
  it('writes what changed or is missing from the origin, records it, and deletes nothing', async () => {
    await drifted();
    const repaired = await check(['--repair']);
    const results = (list: readonly Drift[]) =>
      Object.fromEntries(
        list.map((each) => [each.destination_path.replace('secret/data/', ''), each.repair?.result]),
      );
    expect(results(repaired.drift)).toEqual({
      k0: 'done',
      k1: 'done',
      k2: 'done',
      k3: undefined,
      k4: undefined,
      own: undefined,
    });
    expect(repaired).toMatchObject({ code: 2, summary: { repaired: 3 } });
    for (const key of ['k0', 'k1', 'k2'])
      expect(await world.destination.get(world.path(key)), key).toMatchObject({
        data: { 'canary-key': `canary-value ${key.slice(1)}` },
      });
    expect(await world.destination.get(world.path('own'))).toBeDefined();
    expect(await world.destination.get(world.path('k4'))).toBeDefined();
    expect(await world.destination.versionOf(world.path('k3'))).toBe(1);
    expect(kinds(await check())).toEqual({ k3: 'pending', k4: 'extra', own: 'extra' });
    // The next cycle goes on as if nothing had been.
    await world.ok('destination', ['--once']);
    expect(await check(['--no-extras', '--deep'])).toMatchObject({ code: 0 });
  });

  it('0 when nothing is left', async () => {
    await copied();
    await world.destination.put(world.path('k0'), {});
    const { code, out } = await world.run('check', ['--repair', '--no-color']);
    expect(code).toBe(0);
    expect(out).toMatch(/~ secret\/data\/k0 +v2, not v1 +changed +written by someone else; repaired\n/);
    expect(out).toMatch(
      /Check: 1 changed, 1 repaired. {3}9 in sync.\nOnly what is marked as repaired was changed.\n$/,
    );
    expect(await check()).toMatchObject({ code: 0 });
  });

  it('an equal value is recorded, not written', async () => {
    await copied();
    await world.destination.put(world.path('k0'), { 'canary-key': 'canary-value 0' });
    const { drift, code } = await check(['--repair']);
    expect(code).toBe(0);
    expect(drift).toMatchObject([{ repair: { result: 'done', message: 'equal already, no new version' } }]);
    expect(await world.destination.versionOf(world.path('k0'))).toBe(2);
  });

  it('keeps to onConflict', async () => {
    await copied();
    await world.destination.put(world.path('k0'), { n: 'edited' });
    await world.destination.softDelete(world.path('k1'));
    const { drift, code } = await check(['--repair'], { block: { onConflict: 'skip' } });
    expect(code).toBe(2);
    expect(drift.map(({ repair }) => repair?.result)).toEqual(['skipped', 'done']);
    expect(await world.destination.get(world.path('k0'))).toMatchObject({ data: { n: 'edited' } });
  });

  it('after sync info was lost: all is compared by value, nothing is written that is there', async () => {
    await copied();
    await world.destination.destroyMetadata(world.path('k9'));
    await world.consul.delete('vsync/destination/');
    await check(['--repair']);
    expect(await world.destination.get(world.path('k9'))).toBeDefined();
    expect(await world.destination.versionOf(world.path('k1'))).toBe(1);
  });

  it('3 for what cannot be repaired, with the reason last', async () => {
    await drifted();
    world.vaults.origin.faults.add({
      match: { method: 'GET', pathPattern: /^secret\/data\/k0$/ },
      action: { kind: 'answer', answer: { status: 403, body: '{"errors":["denied"]}' } },
    });
    const { code, out } = await world.run('check', ['--repair']);
    expect(code).toBe(3);
    expect(out).toMatch(
      /\n {2}! secret\/data\/k0 +v2, not v1 +changed +written by someone else; repair failed: origin Vault refused GET secret\/data\/k0 \(403\) \(VAULT_FORBIDDEN\)\n\n/,
    );
  });
});

describe('exit codes of check', () => {
  it('1: a failure of no known kind', async () => {
    world.devConsul.faults.add({
      match: { method: 'GET', pathPattern: /origin\/index$/ },
      action: { kind: 'answer', answer: { status: 418 } },
    });
    expect(await world.run('check')).toMatchObject({ code: 1, out: '' });
  });

  it('64 usage, 65 corrupt, 69 nothing published or a server down, 77 not accepted, 78 configuration', async () => {
    expect((await world.run('check', ['--nonsense'])).code).toBe(64);
    expect((await world.run('check')).code).toBe(69);
    await copied();
    const down = { address: 'http://127.0.0.1:1', token: 'x' };
    expect((await world.run('check', [], { block: { vault: down } })).code).toBe(69);
    const wrong = { address: world.vaults.destination.address, token: 'wrong' };
    expect((await world.run('check', [], { block: { vault: wrong } })).code).toBe(77);
    expect((await world.run('check', [], { block: { numWorkers: 'many' } })).code).toBe(78);
    await world.consul.put('vsync/origin/index', 'oops');
    expect((await world.run('check')).code).toBe(65);
  });

  it('69 when the Vault goes down in between', async () => {
    await copied();
    world.vaults.destination.faults.add({
      match: { pathPattern: /metadata\/k/ },
      action: { kind: 'answer', answer: { status: 503, body: '{"errors":["sealed"]}' } },
    });
    expect(await world.run('check')).toMatchObject({ code: 69, out: '' });
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s: %i', async (signal, code) => {
    await copied();
    const signals = new SignalChannel();
    world.vaults.destination.faults.add({
      match: ({ path }) => {
        if (path.includes('metadata/k')) signals.stop(signal);
        return path.includes('metadata/k');
      },
      action: { kind: 'hang' },
    });
    expect(await world.run('check', [], { signals })).toEqual({
      code,
      out: '',
      err: 'interrupted; nothing was changed\n',
    });
  });
});

describe('no value, no key inside a secret', () => {
  it('is in any output of check', async () => {
    await drifted();
    const ran = [];
    for (const args of [
      [],
      ['--json'],
      ['--deep', '-v'],
      ['--deep', '--json', '--log.level', 'trace'],
      ['--deep', '--repair', '--log.type', 'json'],
    ])
      ran.push(await world.run('check', args));
    expect(ran.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2]);
    expect(JSON.stringify(ran)).not.toMatch(/canary/);
  });
});
