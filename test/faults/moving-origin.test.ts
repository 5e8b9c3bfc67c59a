import { describe, expect } from 'vitest';
import { waitFor } from '../servers/processes.ts';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd, errorIds, pathsOf } from '../support/log-reading.ts';
import type { Json } from '../support/world.ts';
import { passAfter } from './fault-proxy.ts';
import { it, numbered, Pair } from './pair.ts';
import { listOf, metadataOf } from './requests.ts';

/** An origin that changes under the scan: tokens that die, policies that shrink, mounts that go and come back (R1, R3, R4). */
describe.runIf(runRealServers).concurrent('an origin that changes while it is scanned', () => {
  const mayScan = (pair: Pair) => `path "${pair.scope.mount}metadata/*" { capabilities = ["list","read"] }`;

  /** Something happens when four secrets have been read; what is asked from then on is asked afterwards. */
  function inMidWalk(pair: Pair, happen: () => Promise<unknown>): void {
    const { originVault } = pair;
    const from = originVault.seen.length;
    const reads = () => originVault.seen.slice(from).filter(({ path }) => metadataOf().test(path));
    const afterFour = async () => {
      await waitFor(() => reads().filter(({ endedAt }) => endedAt !== undefined).length >= 4);
      await happen();
    };
    originVault.add({ path: metadataOf(), skip: 4, ...passAfter(afterFour) });
  }

  /** Twenty secrets at both ends, of which one then changes; an origin with a token of its own for the next cycle. */
  async function pairWithToken(pair: Pair, token: string): Promise<{ before: Json; as: { block: Json } }> {
    await pair.fill(numbered(20));
    await pair.sync();
    await pair.change('k0');
    return { before: await pair.info('origin'), as: { block: { vault: { token } } } };
  }

  async function expectNothingLost(pair: Pair, before: Json): Promise<void> {
    expect(await pair.info('origin')).toEqual(before);
    expect(cycleEnd(await pair.destinationOnce()).result).toBe('noop');
    await pair.expectCopied(numbered(20));
  }

  it('R1: a token that is revoked in mid-walk: the cycle fails, nothing is published', async ({ pair }) => {
    const { origin } = pair.world;
    const token = await origin.tokenFor(`${pair.scope.id}-scan`, mayScan(pair));
    const { before, as } = await pairWithToken(pair, token);
    inMidWalk(pair, () => origin.call('POST', 'auth/token/revoke', { token }));
    const run = await pair.originOnce({ ...as, code: 77 });
    expect(cycleEnd(run).result).toBe('failed');
    await expectNothingLost(pair, before);
    // What has just been confirmed is not doubted at once; the next process says what is wrong.
    expect(errorIds(await pair.originOnce({ ...as, code: 77 }))).toEqual(['TOKEN_EXPIRED']);
  });

  it('R1: the same for a token that may not look itself up: what it is refused counts as unreadable', async ({
    pair,
  }) => {
    const { origin } = pair.world;
    const lean = { no_default_policy: true };
    const token = await origin.tokenFor(`${pair.scope.id}-lean`, mayScan(pair), lean);
    const { before, as } = await pairWithToken(pair, token);
    inMidWalk(pair, () => origin.call('POST', 'auth/token/revoke', { token }));
    const run = await pair.originOnce({ ...as, code: 77 });
    expect(cycleEnd(run).result).toBe('failed');
    await expectNothingLost(pair, before);
  });

  it('R9: an AppRole whose token is revoked in mid-walk: a daemon logs in again, and a later cycle is whole', async ({
    pair,
  }) => {
    const { origin } = pair.world;
    const approle = await origin.appRoleFor(`${pair.scope.id}-role`, mayScan(pair));
    await pair.fill(numbered(20));
    const daemon = await pair.start('origin', { block: { vault: { approle }, tick: '200ms' } });
    await daemon.untilEntry(({ event }) => event === 'cycle.end');
    await pair.change('k0');
    inMidWalk(pair, () =>
      origin.call('POST', 'auth/token/revoke', { token: pair.originVault.seen.at(-1)?.token }),
    );
    await daemon.untilEntry(({ result }) => result === 'success', daemon.log.length);
    expect(await pair.insights('origin')).toMatchObject({ k0: 2, k19: 1 });
    expect(pair.originVault.requests.filter((line) => line.endsWith('/login'))).toHaveLength(2);
    expect((await daemon.stop()).code).toBe(0);
  });

  it('R3: a policy that loses a folder: nothing is published', async ({ pair }) => {
    const { origin } = pair.world;
    await pair.fill(['app/a', 'app/b', 'c']);
    const policy = `${pair.scope.id}-shrinks`;
    const token = await origin.tokenFor(policy, mayScan(pair));
    const as = { block: { vault: { token } } };
    await pair.originOnce(as);
    await pair.destinationOnce();
    const before = await pair.info('origin');
    // Vault judges a list by the path with its slash, then without.
    const denied = ['app', 'app/*']
      .map((name) => `path "${pair.scope.mount}metadata/${name}" { capabilities = ["deny"] }`)
      .join('\n');
    await origin.call('PUT', `sys/policies/acl/${policy}`, { policy: `${mayScan(pair)}\n${denied}` });
    const run = await pair.originOnce({ ...as, code: 77 });
    expect(errorIds(run)).toEqual(['VAULT_LIST_DENIED']);
    expect(await pair.info('origin')).toEqual(before);
    expect(cycleEnd(await pair.destinationOnce()).result).toBe('noop');
  });

  it('R3: a mount that is unmounted in mid-walk: nothing is published, a destination deletes nothing', async ({
    pair,
  }) => {
    await pair.fill(numbered(20));
    await pair.sync();
    const before = await pair.info('origin');
    inMidWalk(pair, () => pair.world.origin.unmount(pair.scope.mount));
    const run = await pair.originOnce({ code: 69 });
    expect(cycleEnd(run).result).toBe('failed');
    expect(errorIds(run)).toEqual(['SECRET_UNREADABLE']);
    expect(await pair.info('origin')).toEqual(before);
    // And so it stays: the mount is missed by name.
    expect(errorIds(await pair.originOnce({ code: 78 }))).toEqual(['MOUNT_MISSING']);
    expect(await pair.info('origin')).toEqual(before);
    await pair.expectCopied(numbered(20));
  });

  it('R3: a mount that is made anew in mid-walk, with some of its secrets: nothing is published', async ({
    pair,
  }) => {
    const { origin } = pair.world;
    await pair.fill(['a', 'b', 'c', 'd', 'e', 'f']);
    await pair.sync();
    const before = await pair.info('origin');
    inMidWalk(pair, async () => {
      await origin.unmount(pair.scope.mount);
      await origin.mount(pair.scope.mount);
      await pair.fill(['a', 'b']);
    });
    const run = await pair.originOnce({ code: 69 });
    expect(errorIds(run)).toEqual(['VAULT_LIST_UNKNOWN']);
    expect(await pair.info('origin')).toEqual(before);
    // The next cycle takes the mount as it is now, and the guard of the destination decides.
    pair.clear();
    await pair.originOnce();
    expect(await pair.insights('origin')).toEqual({ a: 1, b: 1 });
  });

  it('R4: a mount that was made anew between cycles and is empty: the origin publishes nothing over its info', async ({
    pair,
  }) => {
    const { origin } = pair.world;
    await pair.fill(['a', 'b', 'c']);
    await pair.sync();
    const before = await pair.info('origin');
    await origin.unmount(pair.scope.mount);
    await origin.mount(pair.scope.mount);
    const run = await pair.originOnce({ code: 4 });
    expect(errorIds(run)).toEqual(['ORIGIN_EMPTY']);
    expect(await pair.info('origin')).toEqual(before);
    expect(await pair.scope.status('origin')).toMatchObject({ health: 'Held', errorCode: 'ORIGIN_EMPTY' });
    expect(cycleEnd(await pair.destinationOnce()).result).toBe('noop');
    await pair.expectCopied(['a', 'b', 'c']);
  });

  it('R4: one of two mounts made anew and empty: its secrets are too many deletes, and are held', async ({
    world,
  }) => {
    const pair = await Pair.open(world, ['one/', 'two/']);
    const [one, two] = pair.scope.mounts as [string, string];
    for (let i = 0; i < 8; i += 1) await world.origin.put(`${one}data/k${i}`, { i });
    for (let i = 0; i < 4; i += 1) await world.origin.put(`${two}data/k${i}`, { i });
    await pair.sync();
    await world.origin.unmount(one);
    await world.origin.mount(one);
    await pair.originOnce();
    const run = await pair.destinationOnce({ code: 4 });
    expect(errorIds(run)).toEqual(['DELETES_HELD']);
    expect(countsOf(run)).toEqual({});
    expect(Object.keys(await world.destination.values(one))).toHaveLength(8);
    expect(Object.keys(await world.destination.values(two))).toHaveLength(4);
    await pair.close();
  });

  it('R3: a secret that is deleted between its list and its read is gone, not unreadable', async ({
    pair,
  }) => {
    const { origin } = pair.world;
    await pair.fill(['a', 'b', 'c']);
    let done = () => {};
    const until = new Promise<void>((resolve) => {
      done = resolve;
    });
    const vanish = () => origin.destroyMetadata(pair.path('b')).then(done);
    pair.originVault.add({
      path: metadataOf('b'),
      onHit: () => void vanish(),
      action: { kind: 'hold', until },
    });
    expect(errorIds(await pair.originOnce())).toEqual([]);
    expect(await pair.insights('origin')).toEqual({ a: 1, c: 1 });
  });

  it('R3: a folder whose last secret is deleted before it is listed is empty, not unknown', async ({
    pair,
  }) => {
    const { origin } = pair.world;
    await pair.fill(['a', 'app/b']);
    const vanish = () => origin.destroyMetadata(pair.path('app/b'));
    pair.originVault.add({ path: listOf('app/'), ...passAfter(vanish) });
    expect(errorIds(await pair.originOnce())).toEqual([]);
    expect(await pair.insights('origin')).toEqual({ a: 1 });
  });

  it('R2: a destination whose token may not read one secret at the origin copies the others, and deletes nothing', async ({
    pair,
  }) => {
    const { origin } = pair.world;
    await pair.fill(['a', 'b', 'c']);
    await pair.sync();
    const rules = `path "${pair.scope.mount}data/*" { capabilities = ["read"] }
      path "${pair.scope.mount}data/b" { capabilities = ["deny"] }`;
    const token = await origin.tokenFor(`${pair.scope.id}-some`, rules);
    await pair.change('a', 'b');
    await pair.originOnce();
    const run = await pair.destinationOnce({ origin: { vault: { token } }, code: 3 });
    expect(errorIds(run)).toEqual(['VAULT_FORBIDDEN']);
    expect(pathsOf(run, 'path.error')).toEqual([pair.path('b')]);
    await pair.expectCopied(['b', 'c'], ['a']);
    expect(countsOf(await pair.destinationOnce())).toEqual({ update: 1 });
  });
});
