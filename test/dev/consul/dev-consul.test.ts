import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/dev/consul/clock.ts';
import { type DevConsul, startDevConsul } from '../../../src/dev/consul/dev-consul.ts';
import { send } from './client.ts';

const clock = new ManualClock();
let consul: DevConsul;
beforeEach(async () => {
  consul = await startDevConsul({ clock });
});
afterEach(() => consul.close());

const indexOf = async (key: string) => (await send(consul, `GET kv/${key}`)).index;

describe('closing', () => {
  it('ends blocked queries, sessions and whatever else waits', async () => {
    await send(consul, 'PUT session/create', '{"TTL":"10s"}');
    await send(consul, 'PUT kv/a', '1');
    const blocked = send(consul, `GET kv/a?index=${await indexOf('a')}`);
    await consul.untilBlocked();
    const ended = expect(blocked).rejects.toThrow('fetch failed');
    await consul.close();
    await ended;
    expect(clock.pending, 'timers').toBe(0);
    await expect(send(consul, 'GET kv/a')).rejects.toThrow('fetch failed');
  });

  it('can be done twice', async () => {
    await consul.close();
    await expect(consul.close()).resolves.toBeUndefined();
  });

  it('leaves nothing that keeps a process alive', async () => {
    const program = `
      import { startDevConsul } from './dev-consul.ts';
      const consul = await startDevConsul();
      const url = (path) => consul.address + '/v1/' + path;
      await fetch(url('session/create'), { method: 'PUT', body: '{"TTL":"1h"}' });
      await fetch(url('kv/a'), { method: 'PUT', body: '1' });
      const blocked = fetch(url('kv/a?index=1000000')).catch(() => console.log('query ended'));
      await consul.untilBlocked();
      await consul.close();
      await blocked;
    `;
    const resolveDir = fileURLToPath(new URL('../../../src/dev/consul', import.meta.url));
    const { outputFiles } = await build({
      stdin: { contents: program, resolveDir },
      bundle: true,
      platform: 'node',
      format: 'esm',
      write: false,
    });
    const run = promisify(execFile);
    const args = ['--input-type=module', '--eval', outputFiles[0]?.text ?? ''];
    const { stdout } = await run(process.execPath, args, { timeout: 15_000 });
    expect(stdout).toBe('query ended\n');
  });
});

describe('starting', () => {
  it('takes the port that it is given, again and empty after it was closed', async () => {
    await send(consul, 'PUT kv/a', '1');
    const port = Number(new URL(consul.address).port);
    await consul.close();
    const again = await startDevConsul({ port });
    expect(again.address).toBe(consul.address);
    expect(await send(again, 'GET kv/a')).toMatchObject({ status: 404, index: '1' });
    await again.close();
  });

  it('fails if the port is taken', async () => {
    const port = Number(new URL(consul.address).port);
    await expect(startDevConsul({ port })).rejects.toThrow('EADDRINUSE');
  });

  it('listens on loopback only', () => {
    expect(consul.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('has the datacenter that it is given', async () => {
    const other = await startDevConsul({ datacenter: 'dc2' });
    expect((await send(other, 'GET catalog/datacenters')).text).toBe('["dc2"]');
    expect((await send(other, 'GET kv/a?dc=dc2')).status).toBe(404);
    expect((await send(other, 'GET kv/a?dc=dc1')).text).toBe('No path to datacenter');
    await other.close();
  });

  it('can allow by default what no rule denies', async () => {
    const rules = [{ prefix: 'no/', policy: 'deny' as const }];
    const acl = { defaultPolicy: 'allow' as const, tokens: [{ token: 't', rules }] };
    const lenient = await startDevConsul({ acl });
    expect((await send(lenient, 'PUT kv/a?token=t', '1')).text).toBe('true');
    expect((await send(lenient, 'PUT kv/no/a?token=t', '1')).status).toBe(403);
    expect((await send(lenient, 'DELETE kv/?recurse&token=t')).status).toBe(403);
    expect((await send(lenient, 'PUT session/create?token=t')).status).toBe(200);
    expect((await send(lenient, 'GET agent/self')).status).toBe(200);
    await lenient.close();
  });
});

describe('snapshot', () => {
  it('shows all keys with bytes, flags, index and holder', async () => {
    expect(consul.snapshot().size).toBe(0);
    const { ID: session } = JSON.parse((await send(consul, 'PUT session/create')).text);
    await send(consul, 'PUT kv/b?flags=18446744073709551615', 'é');
    await send(consul, `PUT kv/a%C3%A9?acquire=${session}`, '');
    expect([...consul.snapshot().keys()]).toEqual(['aé', 'b']);
    expect(consul.snapshot().get('b')).toEqual({
      value: Buffer.from('é'),
      flags: 2n ** 64n - 1n,
      modifyIndex: Number(await indexOf('b')),
      session: '',
    });
    expect(consul.snapshot().get('aé')).toMatchObject({ session, value: Buffer.alloc(0) });
  });

  it('is not touched by later writes', async () => {
    await send(consul, 'PUT kv/a', '1');
    const before = consul.snapshot();
    await send(consul, 'PUT kv/a', '2');
    expect(before.get('a')?.value.toString()).toBe('1');
  });
});

describe('an injected clock', () => {
  it('ends a session after exactly twice its TTL, counted from its last renewal', async () => {
    const { ID: session } = JSON.parse((await send(consul, 'PUT session/create', '{"TTL":"10s"}')).text);
    await send(consul, `PUT kv/lock?acquire=${session}`, '1');
    clock.advance(19_999);
    await send(consul, `PUT session/renew/${session}`);
    clock.advance(19_999);
    expect(consul.snapshot().get('lock')?.session).toBe(session);
    clock.advance(1);
    expect(consul.snapshot().get('lock')?.session).toBe('');
    expect((await send(consul, `PUT session/renew/${session}`)).status).toBe(404);
  });

  it('ends a lock delay, which is never longer than a minute', async () => {
    const create = async (body: string) =>
      JSON.parse((await send(consul, 'PUT session/create', body)).text).ID;
    const [first, second] = [await create('{"LockDelay":"999s"}'), await create('{}')];
    await send(consul, `PUT kv/lock?acquire=${first}`, '1');
    await send(consul, `PUT session/destroy/${first}`);
    clock.advance(59_999);
    expect((await send(consul, `PUT kv/lock?acquire=${second}`, '2')).text).toBe('false');
    clock.advance(1);
    expect((await send(consul, `PUT kv/lock?acquire=${second}`, '2')).text).toBe('true');
  });

  it.each([
    { name: 'as long as it asks for, and at most a sixteenth more', query: 'wait=160s', seconds: 160 },
    { name: 'five minutes if it does not say', query: '', seconds: 300 },
    { name: 'five minutes for no time at all', query: 'wait=0s', seconds: 300 },
    { name: 'ten minutes at most', query: 'wait=24h', seconds: 600 },
  ])('lets a query block $name', async ({ query, seconds }) => {
    await send(consul, 'PUT kv/a', '1');
    const index = await indexOf('a');
    let ended = false;
    const blocked = send(consul, `GET kv/a?index=${index}&${query}`).finally(() => {
      ended = true;
    });
    await consul.untilBlocked();
    clock.advance(seconds * 1_000 - 1);
    await send(consul, 'GET kv/a');
    expect(ended, 'ended early').toBe(false);
    clock.advance(1 + (seconds * 1_000) / 16);
    expect((await blocked).index).toBe(index);
    expect(clock.pending).toBe(0);
  });
});

describe('a client that goes away', () => {
  it('takes its blocked query with it', async () => {
    const client = new AbortController();
    const blocked = fetch(`${consul.address}/v1/kv/a?index=5`, { signal: client.signal });
    await consul.untilBlocked();
    client.abort();
    await expect(blocked).rejects.toThrow('aborted');
    while (clock.pending > 0) await send(consul, 'GET kv/b');
    await send(consul, 'PUT kv/a', '1');
    expect(consul.snapshot().size).toBe(1);
  });
});
