import { describe, expect } from 'vitest';
import { runRealServers } from '../servers/real-servers.ts';
import { countsOf, cycleEnd, errorIds, pathsOf } from '../support/log-reading.ts';
import { answers, type FaultAction } from './fault-proxy.ts';
import { it, numbered } from './pair.ts';
import { listOf, metadataOf } from './requests.ts';

/** What an origin cannot read must not look like a delete to anyone (R1, R2, R3). */
describe.runIf(runRealServers).concurrent('an origin that cannot read everything', () => {
  const soon = { block: { vault: { requestTimeout: '400ms' } } };

  /** What passes by itself, when it comes once. */
  const passing: readonly { name: string; action: FaultAction }[] = [
    { name: 'no answer in time', action: { kind: 'blackHole' } },
    { name: 'a cut answer', action: { kind: 'cutAfter', bytes: 20 } },
    { name: 'a reset connection', action: { kind: 'reset' } },
    { name: 'a 500', action: answers.internalError },
    { name: 'a 503', action: answers.sealed },
    { name: 'a 429', action: answers.rateLimited },
    { name: 'a page of a proxy', action: answers.html },
  ];

  it.for([
    { name: 'a 403', action: answers.forbidden, id: 'VAULT_FORBIDDEN' },
    { name: 'a 404 without a body', action: answers.notFoundWithoutBody, id: 'SECRET_UNREADABLE' },
    { name: 'a 404 page of a proxy', action: answers.htmlNotFound, id: 'SECRET_UNREADABLE' },
    { name: 'a 404 of another KV version', action: answers.wrongPath, id: 'SECRET_UNREADABLE' },
    { name: 'a 500 each time', action: answers.internalError, id: 'VAULT_UNAVAILABLE' },
    {
      name: 'an answer that is no metadata',
      action: { kind: 'answer', status: 200, body: '{"data":{}}' } as const,
      id: 'VAULT_BAD_ANSWER',
    },
  ])(
    'R2: a secret that cannot be read ($name) keeps its entry; the others are published',
    async ({ action, id }, { pair }) => {
      const keys = numbered(12);
      await pair.fill(keys);
      await pair.sync();
      await pair.change('k0', 'k1');
      pair.originVault.add({ path: metadataOf('k1'), action });
      const run = await pair.originOnce({ code: 3 });
      expect(pathsOf(run, 'path.error')).toEqual([pair.path('k1')]);
      expect(errorIds(run)).toEqual([id]);
      expect(cycleEnd(run)).toMatchObject({ result: 'partial', paths: 12, failed: 1 });
      expect(await pair.scope.status('origin')).toMatchObject({ health: 'Degraded' });
      expect(await pair.insights('origin')).toMatchObject({ k0: 2, k1: 1, k2: 1 });
      expect(countsOf(await pair.destinationOnce())).toEqual({ update: 1 });
      await pair.expectCopied(keys.slice(1), ['k0']);
      pair.clear();
      expect(countsOf(await pair.sync())).toEqual({ update: 1 });
      await pair.expectCopied(keys.slice(2), ['k0', 'k1']);
    },
  );

  it.for(passing)(
    'R2: a read that fails once ($name) is repeated, and nothing fails',
    async ({ action }, { pair }) => {
      await pair.fill(['a', 'b', 'c']);
      const hit = pair.originVault.add({ path: metadataOf('b'), times: 1, action });
      const run = await pair.originOnce(soon);
      expect(hit.hits()).toBe(1);
      expect(errorIds(run)).toEqual([]);
      expect(await pair.insights('origin')).toEqual({ a: 1, b: 1, c: 1 });
    },
  );

  it.for([
    { name: 'no answer in time', action: { kind: 'blackHole' }, id: 'VAULT_UNREACHABLE' },
    { name: 'a cut answer', action: { kind: 'cutAfter', bytes: 20 }, id: 'VAULT_UNREACHABLE' },
    { name: 'a reset connection', action: { kind: 'reset' }, id: 'VAULT_UNREACHABLE' },
    { name: 'a page of a proxy', action: answers.html, id: 'VAULT_BAD_ANSWER' },
    { name: 'a 503', action: answers.sealed, id: 'VAULT_SEALED' },
  ] as const)(
    'R1: a read that never gets through ($name) fails the cycle; nothing is published',
    async ({ action, id }, { pair }) => {
      await pair.fill(numbered(12));
      await pair.originOnce();
      const before = await pair.info('origin');
      await pair.change('k0', 'k1');
      pair.originVault.add({ path: metadataOf('k1'), action });
      const run = await pair.originOnce({ block: { vault: { requestTimeout: '150ms' } }, code: 69 });
      expect(errorIds(run)).toEqual([id]);
      expect(cycleEnd(run).result).toBe('failed');
      expect(await pair.info('origin')).toEqual(before);
      expect(await pair.scope.status('origin')).toMatchObject({ health: 'Failed', errorCode: id });
    },
  );

  it('R2: up to 10 % of the secrets may be unreadable, more fail the cycle; the entries of all are kept', async ({
    pair,
  }) => {
    const keys = numbered(120);
    await pair.fill(keys);
    await pair.sync();
    const unreadable = (count: number) => {
      pair.clear();
      pair.originVault.add({ path: metadataOf(...keys.slice(0, count)), action: answers.forbidden });
    };
    // 5 %, and just within the limit: all have an entry, and what is new is published.
    for (const [count, key] of [
      [6, 'k100'],
      [12, 'k101'],
    ] as const) {
      await pair.change(key);
      unreadable(count);
      const run = await pair.originOnce({ code: 3 });
      expect(cycleEnd(run)).toMatchObject({ result: 'partial', paths: 120, failed: count });
      expect(Object.keys(await pair.insights('origin'))).toHaveLength(120);
    }
    // 20 %, and just over the limit.
    const before = await pair.info('origin');
    await pair.change('k102');
    for (const count of [24, 13]) {
      unreadable(count);
      const run = await pair.originOnce({ code: 77 });
      expect(errorIds(run)).toEqual(['TOO_MANY_FAILED_PATHS']);
      expect(await pair.info('origin')).toEqual(before);
    }
    expect(countsOf(await pair.destinationOnce())).toEqual({ update: 2 });
    expect(Object.keys(await pair.copied())).toHaveLength(120);
    unreadable(24);
    const loose = { block: { maxFailedPaths: '20%' }, code: 3 };
    expect(cycleEnd(await pair.originOnce(loose))).toMatchObject({ result: 'partial', failed: 24 });
  });

  it('R2: a secret that was never read is left out and reported, and comes as soon as it can be read', async ({
    pair,
  }) => {
    await pair.fill(['a', 'b']);
    pair.originVault.add({ path: metadataOf('b'), action: answers.forbidden });
    const run = await pair.originOnce({ code: 3 });
    expect(pathsOf(run, 'path.error')).toEqual([pair.path('b')]);
    expect(countsOf(await pair.destinationOnce())).toEqual({ add: 1 });
    pair.clear();
    expect(countsOf(await pair.sync())).toEqual({ add: 1 });
    await pair.expectCopied(['a', 'b']);
  });

  it.for([
    { name: 'a 403', action: answers.forbidden, code: 77, id: 'VAULT_LIST_DENIED' },
    { name: 'a 404 without a body', action: answers.notFoundWithoutBody, code: 69, id: 'VAULT_LIST_UNKNOWN' },
    { name: 'a 404 page of a proxy', action: answers.htmlNotFound, code: 69, id: 'VAULT_LIST_UNKNOWN' },
    { name: 'a 404 of a mount that is gone', action: answers.mountGone, code: 69, id: 'VAULT_LIST_UNKNOWN' },
    { name: 'a 404 of another KV version', action: answers.wrongPath, code: 69, id: 'VAULT_LIST_UNKNOWN' },
    { name: 'a 429 each time', action: answers.rateLimited, code: 3, id: 'RATE_LIMITED' },
    { name: 'a 500 each time', action: answers.internalError, code: 69, id: 'VAULT_UNAVAILABLE' },
    { name: 'a 503', action: answers.sealed, code: 69, id: 'VAULT_SEALED' },
    { name: 'no answer in time', action: { kind: 'blackHole' }, code: 69, id: 'VAULT_UNREACHABLE' },
    { name: 'a cut answer', action: { kind: 'cutAfter', bytes: 20 }, code: 69, id: 'VAULT_UNREACHABLE' },
    { name: 'a reset connection', action: { kind: 'reset' }, code: 69, id: 'VAULT_UNREACHABLE' },
    { name: 'a page of a proxy', action: answers.html, code: 69, id: 'VAULT_BAD_ANSWER' },
    {
      name: 'an answer without a list',
      action: { kind: 'answer', status: 200, body: '{"data":{},"warnings":["x"]}' },
      code: 69,
      id: 'VAULT_BAD_ANSWER',
    },
  ] as const)(
    'R3: a folder that cannot be listed ($name): nothing is published, and a destination deletes nothing',
    async ({ action, code, id }, { pair }) => {
      const keys = ['a', 'app/b', 'app/c'];
      await pair.fill(keys);
      await pair.sync();
      const before = await pair.info('origin');
      await pair.change('a');
      pair.originVault.add({ path: listOf('app/'), action });
      const run = await pair.originOnce({ block: { vault: { requestTimeout: '200ms' } }, code });
      expect(errorIds(run)).toEqual([id]);
      expect(cycleEnd(run).result).toBe('failed');
      expect(await pair.info('origin')).toEqual(before);
      expect(await pair.scope.status('origin')).toMatchObject({ health: 'Failed', errorCode: id });
      expect(cycleEnd(await pair.destinationOnce()).result).toBe('noop');
      await pair.expectCopied(keys);
    },
  );

  it.for(passing)(
    'R3: a list that fails once ($name) is repeated, and nothing is missing',
    async ({ action }, { pair }) => {
      await pair.fill(['a', 'app/b', 'app/c']);
      const hit = pair.originVault.add({ path: listOf('app/'), times: 1, action });
      const run = await pair.originOnce(soon);
      expect(hit.hits()).toBe(1);
      expect(errorIds(run)).toEqual([]);
      expect(await pair.insights('origin')).toEqual({ a: 1, 'app/b': 1, 'app/c': 1 });
    },
  );

  it('R4: a list that is silently too short, or falsely empty: the destination asks for each secret and deletes none', async ({
    pair,
  }) => {
    const keys = ['a', 'app/b', 'app/c'];
    await pair.fill(keys);
    await pair.sync();
    pair.originVault.add({ path: listOf('app/'), action: answers.emptyFolder });
    await pair.originOnce();
    expect(await pair.insights('origin')).toEqual({ a: 1 });
    const run = await pair.destinationOnce();
    expect(pathsOf(run, 'path.skip')).toEqual(['app/b', 'app/c'].map((key) => pair.path(key)));
    expect(countsOf(run)).toEqual({});
    await pair.expectCopied(keys);
    pair.clear();
    expect(cycleEnd(await pair.sync()).result).toBe('noop');
  });
});
