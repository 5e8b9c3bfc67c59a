import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConsulClient } from '../../src/consul/client.ts';
import { agentDatacenter, probeOwnPrefix, probeReadable } from '../../src/consul/probe.ts';
import { runRealServers } from '../servers/real-servers.ts';
import {
  type ConsulKind,
  type ConsulTarget,
  consulClient,
  embeddedConsul,
  freshPrefix,
  realConsul,
} from './consul-client-target.ts';

/** What `src/consul/client.ts` promises, on every Consul. */
function consulClientContract(kind: ConsulKind): void {
  let target: ConsulTarget;
  let consul: ConsulClient;
  beforeAll(async () => {
    target = await kind.start();
    consul = consulClient(target.address);
  });
  afterAll(async () => {
    consul?.close();
    await target?.stop();
  });

  describe('get, put, delete', () => {
    it('give back what was put, with its ModifyIndex', async () => {
      const key = `${freshPrefix()}a`;
      expect(await consul.get(key)).toBeUndefined();
      expect(await consul.put(key, 'first')).toBe(true);
      const first = await consul.get(key);
      expect(first?.value).toBe('first');
      expect(first?.modifyIndex).toBe((await target.api.dump(key)).get(key)?.modifyIndex);
      await consul.put(key, 'second');
      expect((await consul.get(key))?.modifyIndex).toBeGreaterThan(first?.modifyIndex as number);
      await consul.delete(key);
      expect(await consul.get(key)).toBeUndefined();
      await consul.delete(key);
    });

    it.each([
      { name: 'no text', value: '' },
      { name: 'unicode', value: 'ü 日本 🎉 \u2028' },
      { name: 'JSON', value: '{"a":"<b>&"}\n' },
      { name: '"true"', value: 'true' },
      { name: 'a form', value: 'a=b&c=d' },
    ])('keep $name', async ({ value }) => {
      const key = `${freshPrefix()}a`;
      await consul.put(key, value);
      expect((await consul.get(key))?.value).toBe(value);
    });

    it.each(['a b', '100%', 'a#b', 'a?b', 'a+b', 'a\\b', 'ü', 'a&b=c', '"', 'a..b'])(
      'take the key %j',
      async (name) => {
        const key = `${freshPrefix()}${name}`;
        expect(await consul.put(key, name)).toBe(true);
        expect((await consul.get(key))?.value).toBe(name);
        expect((await consul.keys(key)).keys).toEqual([key]);
        await consul.delete(key);
        expect(await consul.get(key)).toBeUndefined();
      },
    );

    it('delete one key, not what begins like it', async () => {
      const prefix = freshPrefix();
      for (const name of ['1', '10', '1/a']) await consul.put(`${prefix}${name}`, '');
      await consul.delete(`${prefix}1`);
      expect((await consul.keys(prefix)).keys).toEqual([`${prefix}1/a`, `${prefix}10`]);
    });

    it('put with a check, and say whether it held', async () => {
      const key = `${freshPrefix()}a`;
      expect(await consul.put(key, 'a', {}, 7), 'a version of nothing').toBe(false);
      expect(await consul.put(key, 'a', {}, 0)).toBe(true);
      expect(await consul.put(key, 'b', {}, 0), 'it is there already').toBe(false);
      const { modifyIndex } = (await consul.get(key)) as { modifyIndex: number };
      expect(await consul.put(key, 'b', {}, modifyIndex)).toBe(true);
      expect(await consul.put(key, 'c', {}, modifyIndex), 'an old index').toBe(false);
      expect((await consul.get(key))?.value).toBe('b');
    });

    it('put up to 524288 bytes, and no more', async () => {
      const key = `${freshPrefix()}a`;
      expect(await consul.put(key, 'x'.repeat(524_288))).toBe(true);
      await expect(consul.put(key, 'y'.repeat(524_289))).rejects.toMatchObject({
        code: 'CONSUL_VALUE_TOO_LARGE',
        status: 413,
      });
      expect((await consul.get(key))?.value.startsWith('x')).toBe(true);
    });
  });

  describe('keys', () => {
    it('are those below a prefix, in the order of bytes; none is no failure', async () => {
      const prefix = freshPrefix();
      expect((await consul.keys(prefix)).keys).toEqual([]);
      for (const name of ['2', '10', '1', 'index']) await consul.put(`${prefix}${name}`, '');
      await consul.put(`${prefix.slice(0, -1)}x`, 'outside');
      expect((await consul.keys(prefix)).keys).toEqual(
        ['1', '10', '2', 'index'].map((name) => prefix + name),
      );
    });
  });

  describe('a transaction', () => {
    it('applies all operations and names the new index of each key', async () => {
      const prefix = freshPrefix();
      await consul.put(`${prefix}old`, 'x');
      const result = await consul.transaction([
        { Verb: 'check-not-exists', Key: `${prefix}index` },
        { Verb: 'set', Key: `${prefix}0`, Value: 'ü{}' },
        { Verb: 'delete', Key: `${prefix}old` },
        { Verb: 'delete', Key: `${prefix}never` },
        { Verb: 'cas', Key: `${prefix}index`, Value: '[]', Index: 0, Flags: 42 },
      ]);
      const stored = await target.api.dump(prefix);
      expect([...stored].map(([key, { value }]) => [key, value])).toEqual([
        [`${prefix}0`, 'ü{}'],
        [`${prefix}index`, '[]'],
      ]);
      const indexes = new Map([...stored].map(([key, { modifyIndex }]) => [key, modifyIndex]));
      expect(result).toEqual({ kind: 'applied', modifyIndexes: indexes });
      expect(new Set(indexes.values()).size, 'one transaction, one index').toBe(1);
    });

    it('refused by one check applies nothing, and says which', async () => {
      const prefix = freshPrefix();
      await consul.put(`${prefix}index`, 'a');
      const result = await consul.transaction([
        { Verb: 'set', Key: `${prefix}0`, Value: 'b' },
        { Verb: 'cas', Key: `${prefix}index`, Value: 'b', Index: 1 },
        { Verb: 'check-not-exists', Key: `${prefix}index` },
      ]);
      expect(result).toMatchObject({
        kind: 'refused',
        operations: [1, 2],
        what: [/./, /./].map((r) => expect.stringMatching(r)),
      });
      expect([...(await target.api.dump(prefix)).keys()]).toEqual([`${prefix}index`]);
    });

    it('has 64 operations, and 400 small ones are refused as too large', async () => {
      const prefix = freshPrefix();
      const sets = (count: number) =>
        Array.from({ length: count }, (_, i) => ({
          Verb: 'set' as const,
          Key: `${prefix}${i}`,
          Value: '{}',
        }));
      expect(await consul.transaction(sets(64))).toMatchObject({ kind: 'applied' });
      await expect(consul.transaction(sets(400))).rejects.toMatchObject({ code: 'CONSUL_VALUE_TOO_LARGE' });
    });

    it('has 512 KiB with base64', async () => {
      const key = `${freshPrefix()}a`;
      expect(await consul.transaction([{ Verb: 'set', Key: key, Value: 'x'.repeat(390_000) }])).toMatchObject(
        { kind: 'applied' },
      );
      await expect(
        consul.transaction([{ Verb: 'set', Key: key, Value: 'x'.repeat(400_000) }]),
      ).rejects.toMatchObject({
        code: 'CONSUL_VALUE_TOO_LARGE',
      });
    });
  });

  describe('a blocking query', () => {
    const never = new AbortController().signal;

    it('answers at once when the index is another one, also for a key that is missing', async () => {
      const key = `${freshPrefix()}a`;
      const missing = await consul.getBlocking(key, '0', 60_000, never);
      expect(missing.entry).toBeUndefined();
      expect(Number(missing.index)).toBeGreaterThan(0);
      await consul.put(key, 'a');
      const found = await consul.getBlocking(key, '1', 60_000, never);
      expect(found.entry?.value).toBe('a');
      expect(found.index).toBe(String(found.entry?.modifyIndex));
    });

    it('answers when the key changes, and when it goes', async () => {
      const key = `${freshPrefix()}a`;
      await consul.put(key, 'a');
      const { index } = await consul.getBlocking(key, '0', 60_000, never);
      const waiting = consul.getBlocking(key, index, 60_000, never);
      await target.dev?.untilBlocked();
      await consul.put(key, 'b');
      const changed = await waiting;
      expect(changed.entry?.value).toBe('b');
      const waitingForMore = consul.getBlocking(key, changed.index, 60_000, never);
      await target.dev?.untilBlocked();
      await consul.delete(key);
      expect((await waitingForMore).entry).toBeUndefined();
    });

    it('is ended by the signal, with its reason', async () => {
      const key = `${freshPrefix()}a`;
      await consul.put(key, 'a');
      const { index } = await consul.getBlocking(key, '0', 60_000, never);
      const stop = new AbortController();
      const waiting = consul.getBlocking(key, index, 60_000, stop.signal);
      await target.dev?.untilBlocked();
      stop.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
    });

    it('takes no place from other requests', async () => {
      const key = `${freshPrefix()}a`;
      await consul.put(key, 'a');
      const { index } = await consul.getBlocking(key, '0', 60_000, never);
      const stop = new AbortController();
      const waiting = Array.from({ length: 8 }, () =>
        consul.getBlocking(key, index, 60_000, stop.signal).catch(() => 'stopped'),
      );
      await Promise.all(Array.from({ length: 200 }, () => consul.get(key)));
      stop.abort(new Error('enough'));
      expect(await Promise.all(waiting)).toEqual(new Array(8).fill('stopped'));
    });
  });

  it('2,000 requests at once all pass: a Consul closes connections beyond 200', async () => {
    const key = `${freshPrefix()}a`;
    await consul.put(key, 'a');
    const all = await Promise.all(Array.from({ length: 2000 }, () => consul.get(key)));
    expect(all.every((entry) => entry?.value === 'a')).toBe(true);
  });

  it('another datacenter that is not there is a failure to be retried', async () => {
    const far = consulClient(target.address, { datacenter: 'elsewhere' });
    await expect(far.get(`${freshPrefix()}a`)).rejects.toMatchObject({
      code: 'CONSUL_UNAVAILABLE',
      retryable: true,
    });
    far.close();
  });

  it('says which datacenter the agent is in', async () => {
    expect(await agentDatacenter(consul)).toBe('dc1');
  });

  describe('the probe of an own prefix', () => {
    it('leaves nothing behind, and clears away what a crash left more than an hour ago', async () => {
      const prefix = freshPrefix();
      const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
      const left = {
        index: '[]',
        'vsyncChecks/00000000-0000-4000-8000-000000000001': ago(61),
        'vsyncChecks/00000000-0000-4000-8000-000000000002': ago(59),
        // A Go node's: whether it was left or is in use cannot be told.
        'vsyncChecks/20240000-0000-4000-8000-000000000003': '20240000-0000-4000-8000-000000000003',
      };
      for (const [name, value] of Object.entries(left)) await consul.put(`${prefix}${name}`, value);
      await probeOwnPrefix(consul, prefix);
      const stayed = Object.keys(left).filter((name) => !name.endsWith('1'));
      expect((await consul.keys(prefix)).keys).toEqual(stayed.map((name) => prefix + name));
    });

    it('does not disturb another one at the same time', async () => {
      const prefix = freshPrefix();
      for (let round = 0; round < 10; round += 1) {
        await Promise.all(Array.from({ length: 4 }, () => probeOwnPrefix(consul, prefix)));
      }
      expect((await consul.keys(prefix)).keys).toEqual([]);
    });
  });

  describe('with ACLs', () => {
    const [all, reader, writer, other] = [
      '11111111-0000-4000-8000-000000000000',
      '22222222-0000-4000-8000-000000000000',
      '33333333-0000-4000-8000-000000000000',
      '44444444-0000-4000-8000-000000000000',
    ];
    let secured: Awaited<ReturnType<ConsulKind['withAcl']>>;
    const as = (token: string) => consulClient(secured.address, { token });
    beforeAll(async () => {
      secured = await kind.withAcl([
        { token: all, rules: [{ prefix: '', policy: 'write' }], agentRead: true },
        { token: reader, rules: [{ prefix: 'vsync/', policy: 'read' }] },
        { token: writer, rules: [{ prefix: 'vsync/origin/', policy: 'write' }] },
        { token: other, rules: [{ prefix: 'other/', policy: 'write' }] },
      ]);
      await as(all).put('vsync/origin/index', '[]');
    });
    afterAll(() => secured?.stop());

    it('a direct read says 403, whether the key is there or not, where lists are silently filtered', async () => {
      for (const key of ['vsync/origin/index', 'vsync/origin/missing']) {
        await expect(as(other).get(key)).rejects.toMatchObject({
          code: 'CONSUL_FORBIDDEN',
          class: 'fatal',
          status: 403,
        });
      }
      expect((await as(other).keys('vsync/origin/')).keys).toEqual([]);
      await expect(probeReadable(as(other), 'vsync/origin/')).rejects.toMatchObject({
        code: 'CONSUL_FORBIDDEN',
      });
    });

    it('an unknown token is refused', async () => {
      const unknown = as('99999999-1111-4000-8000-000000000000');
      await expect(unknown.get('vsync/origin/index')).rejects.toMatchObject({ code: 'CONSUL_FORBIDDEN' });
    });

    it('the probe names the rule that is missing', async () => {
      await expect(probeOwnPrefix(as(reader), 'vsync/origin/')).rejects.toMatchObject({
        code: 'CONSUL_FORBIDDEN',
        hint: expect.stringContaining('{ policy = "write" }'),
      });
      await probeReadable(as(reader), 'vsync/origin/');
      await probeOwnPrefix(as(writer), 'vsync/origin/');
    });

    it('a transaction without rights is refused, and applies nothing', async () => {
      const result = await as(reader).transaction([{ Verb: 'set', Key: 'vsync/origin/0', Value: '{}' }]);
      expect(result).toMatchObject({ kind: 'refused', operations: [0] });
      expect(await as(all).get('vsync/origin/0')).toBeUndefined();
    });

    it('the agent is described to those with agent:read only', async () => {
      expect(await agentDatacenter(as(all))).toBe('dc1');
      expect(await agentDatacenter(as(writer))).toBeUndefined();
    });
  });
}

describe('embedded Consul', () => consulClientContract(embeddedConsul));
describe.runIf(runRealServers)('real Consul', () => consulClientContract(realConsul));
