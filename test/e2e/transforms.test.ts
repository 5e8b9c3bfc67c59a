import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd, errorIds, pathsOf } from '../support/log-reading.ts';
import { type Json, type Scope, World } from '../support/world.ts';

/** Paths that are different at the destination, by rules in Go's syntax. */
describe.runIf(runRealServers)('transforms', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  /** A scope whose origin publishes `src/` only; the others are targets. */
  async function scopeWith(...targets: string[]): Promise<Scope & { readonly as: (rules: Json[]) => Json }> {
    const scope = await world.scope(['src/', ...targets]);
    const origin = scope.originBlock({ mounts: [scope.mount] });
    return Object.assign(scope, {
      as: (transforms: Json[]) => ({
        block: { transforms, mounts: undefined },
        top: { origin },
      }),
    });
  }

  async function publish(scope: Scope): Promise<void> {
    await scope.originOnce({ block: { mounts: [scope.mount] } });
  }

  it('the first rule that matches decides, and without one the path stays', async () => {
    const scope = await scopeWith('us/');
    const { id } = scope;
    const as = scope.as([
      {
        name: 'stage first',
        from: `^${id}/src/(?P<kind>data)/billing/(?P<stage>prod|stage)/(?P<rest>.+)$`,
        to: `${id}/us/kind/stage/billing/rest`,
      },
      {
        name: 'the rest of billing',
        from: `^${id}/src/(?P<kind>data)/billing/(?P<key>.+)$`,
        to: `${id}/us/kind/other/key`,
      },
    ]);
    const targets: Record<string, string> = {
      [`${id}/src/data/billing/prod/db/main`]: `${id}/us/data/prod/billing/db/main`,
      [`${id}/src/data/billing/stage/a b`]: `${id}/us/data/stage/billing/a b`,
      [`${id}/src/data/billing/dev/x`]: `${id}/us/data/other/dev/x`,
      [`${id}/src/data/infra/ntp`]: `${id}/src/data/infra/ntp`,
      [`${id}/src/data/billing`]: `${id}/src/data/billing`,
    };
    for (const path of Object.keys(targets)) await world.origin.put(path, { path });
    await publish(scope);
    const run = await scope.destinationOnce(as);
    expect(countsOf(run)).toEqual({ add: 5 });
    expect({
      ...(await world.destination.values(`${id}/us/`)),
      ...(await world.destination.values(`${id}/src/`)),
    }).toEqual(Object.fromEntries(Object.entries(targets).map(([path, target]) => [target, { path }])));
    // The log and the sync info name the origin's path.
    expect(pathsOf(run, 'path.add')).toEqual(Object.keys(targets).sort());
    expect(cycleEnd(await scope.destinationOnce(as)).result).toBe('noop');

    await world.origin.put(`${id}/src/data/billing/dev/x`, { changed: true });
    await world.origin.softDelete(`${id}/src/data/billing/prod/db/main`);
    await publish(scope);
    expect(countsOf(await scope.destinationOnce(as))).toEqual({ update: 1, delete: 1 });
    expect(await world.destination.get(`${id}/us/data/other/dev/x`)).toEqual({
      data: { changed: true },
      version: 2,
    });
    expect(await world.destination.get(`${id}/us/data/prod/billing/db/main`)).toBeUndefined();
  });

  it('a rename under a many-to-one rule: the target that another live path owns stays (defect A6)', async () => {
    const scope = await scopeWith();
    const as = scope.as([
      { name: 'one', from: `^${scope.mount}data/(?:old|new)/(?P<key>.+)$`, to: `${scope.mount}data/app/key` },
    ]);
    await world.origin.put(scope.path('old/x'), { n: 1 });
    await world.origin.put(scope.path('old/y'), { n: 1 });
    await publish(scope);
    await scope.destinationOnce(as);
    await world.origin.put(scope.path('new/x'), { n: 'renamed' });
    await world.origin.softDelete(scope.path('old/x'));
    await world.origin.put(scope.path('new/y'), { n: 1 });
    await world.origin.destroyMetadata(scope.path('old/y'));
    await publish(scope);
    const run = await scope.destinationOnce(as);
    expect(pathsOf(run, 'path.add')).toEqual([scope.path('new/x'), scope.path('new/y')]);
    expect(pathsOf(run, 'path.delete')).toEqual([]);
    // What was there is our own copy of the old path, not somebody else's write.
    expect(errorIds(run)).toEqual([]);
    expect(await world.destination.all(scope.mount)).toEqual(
      new Map([
        [scope.path('app/x'), { data: { n: 'renamed' }, version: 2 }],
        [scope.path('app/y'), { data: { n: 1 }, version: 1 }],
      ]),
    );
    expect(cycleEnd(await scope.destinationOnce(as)).result).toBe('noop');
    await world.origin.softDelete(scope.path('new/x'));
    await publish(scope);
    expect(countsOf(await scope.destinationOnce(as))).toEqual({ delete: 1 });
    expect(await world.destination.paths(scope.mount)).toHaveLength(2);
    expect(await world.destination.get(scope.path('app/x'))).toBeUndefined();
  });

  it('two paths onto one target: both skipped and named, the others copied; resolved when one goes', async () => {
    const scope = await scopeWith();
    // Unanchored and cut short: `my-app` and `my-svc` both become `my`.
    const as = scope.as([
      { name: 'cut', from: `${scope.mount}(?P<kind>data)/(?P<word>\\w+)`, to: `${scope.mount}kind/word` },
    ]);
    await world.origin.put(scope.path('my-app'), { n: 'app' });
    await world.origin.put(scope.path('my-svc'), { n: 'svc' });
    await world.origin.put(scope.path('fine'), { n: 'fine' });
    await publish(scope);
    for (const expected of [{ add: 1, failed: 2 }, { failed: 2 }]) {
      const run = await scope.destinationOnce({ ...as, code: 3 });
      expect(countsOf(run)).toEqual(expected);
      expect(errorIds(run)).toEqual(['TRANSFORM_COLLISION']);
      expect(pathsOf(run, 'path.error')).toEqual([scope.path('my-app'), scope.path('my-svc')]);
      expect(run.log.find(({ path }) => path === scope.path('my-app'))?.error).toContain(
        scope.path('my-svc'),
      );
    }
    expect(await world.destination.values(scope.mount)).toEqual({ [scope.path('fine')]: { n: 'fine' } });
    await world.origin.softDelete(scope.path('my-svc'));
    await publish(scope);
    expect(countsOf(await scope.destinationOnce(as))).toEqual({ add: 1 });
    expect((await world.destination.get(scope.path('my')))?.data).toEqual({ n: 'app' });
  });

  it('a target that no secret can be written to: that path is reported, the others copied', async () => {
    const scope = await scopeWith('v1/');
    const { id } = scope;
    await world.destination.unmount(`${id}/v1/`);
    await world.destination.mount(`${id}/v1/`, '1');
    const rule = (name: string, to: string) => ({
      name,
      from: `^${id}/src/data/(?P<key>${name}/.*)$`,
      to,
    });
    const as = scope.as([
      rule('no-mount', `${id}/nowhere/data/key`),
      rule('kv1', `${id}/v1/data/key`),
      rule('no-data', `${id}/src/metadata/key`),
      rule('dots', `${id}/src/data/../key`),
    ]);
    for (const name of ['no-mount', 'kv1', 'no-data', 'dots', 'fine'])
      await world.origin.put(scope.path(`${name}/a`), { name });
    await publish(scope);
    const run = await scope.destinationOnce({ ...as, code: 3 });
    expect(countsOf(run)).toEqual({ add: 1, failed: 4 });
    const idOf = (name: string) =>
      run.log.find(({ event, path }) => event === 'path.error' && path === scope.path(`${name}/a`))?.[
        'error.id'
      ];
    expect(
      Object.fromEntries(['no-mount', 'kv1', 'no-data', 'dots'].map((name) => [name, idOf(name)])),
    ).toEqual({
      'no-mount': 'TRANSFORM_BAD_TARGET',
      kv1: 'TRANSFORM_BAD_TARGET',
      'no-data': 'TRANSFORM_BAD_TARGET',
      dots: 'PATH_NOT_ADDRESSABLE',
    });
    expect(await world.destination.values(scope.mount)).toEqual({
      [scope.path('fine/a')]: { name: 'fine' },
    });
    const { status } = await world.destination.call('GET', `${id}/v1/?list=true`);
    expect(status).toBe(404);
  });

  it('a rule that is changed later moves nothing by itself: what differs at the origin goes to the new place', async () => {
    const scope = await scopeWith();
    const to = (folder: string) =>
      scope.as([
        { name: 'move', from: `^${scope.mount}data/(?P<key>.+)$`, to: `${scope.mount}data/${folder}/key` },
      ]);
    await world.origin.put(scope.path('a'), { n: 1 });
    await world.origin.put(scope.path('b'), { n: 1 });
    await publish(scope);
    await scope.destinationOnce(to('before'));
    await world.origin.put(scope.path('a'), { n: 2 });
    await publish(scope);
    await scope.destinationOnce(to('after'));
    expect(await world.destination.values(scope.mount)).toEqual({
      [scope.path('before/a')]: { n: 1 },
      [scope.path('before/b')]: { n: 1 },
      [scope.path('after/a')]: { n: 2 },
    });
  });
});
