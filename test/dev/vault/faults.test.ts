import { Pool } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type DevVault, startDevVault } from '../../../src/dev/vault/dev-vault.ts';
import { cannedAnswers, type FaultAction } from '../../../src/dev/vault/faults.ts';

let vault: DevVault;
let pool: Pool;
beforeAll(async () => {
  vault = await startDevVault({ flavour: 'vault' });
  pool = new Pool(vault.address);
});
afterEach(() => vault.faults.clear());
afterAll(async () => {
  await pool.destroy();
  await vault.close();
});

/** `METHOD path`, answered as `status body`, or as the code of the error. */
async function send(line: string, body?: unknown): Promise<string> {
  const [method, path] = line.split(' ');
  try {
    const reply = await pool.request({
      method: method as 'GET',
      path: `/v1/${path}`,
      headers: { 'X-Vault-Token': vault.rootToken },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return `${reply.statusCode} ${await reply.body.text()}`;
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
}

const versionsOf = async (key: string) =>
  Number(/"current_version":(\d+)/.exec(await send(`GET secret/metadata/${key}`))?.[1] ?? 0);

function always(action: FaultAction, pathPattern = /^secret\/data\//) {
  return vault.faults.add({ match: { pathPattern }, action });
}

describe('a fault', () => {
  it.each<{ name: string; action: FaultAction; seen: RegExp; versions: number }>([
    {
      name: 'answer',
      action: { kind: 'answer', answer: cannedAnswers.sealed },
      seen: /^503 .*sealed/,
      versions: 0,
    },
    {
      name: 'answerAfterEffect',
      action: { kind: 'answerAfterEffect', answer: cannedAnswers.internalError },
      seen: /^500 /,
      versions: 1,
    },
    { name: 'delay', action: { kind: 'delay', ms: 1 }, seen: /^200 /, versions: 1 },
    { name: 'reset', action: { kind: 'reset' }, seen: /^ECONNRESET$/, versions: 0 },
    { name: 'dropReply', action: { kind: 'dropReply' }, seen: /^UND_ERR_SOCKET$/, versions: 1 },
    {
      name: 'cutAfterBytes',
      action: { kind: 'cutAfterBytes', bytes: 10 },
      seen: /^UND_ERR_SOCKET$/,
      versions: 1,
    },
  ])(
    '$name: the client sees $seen, the key has $versions versions',
    async ({ name, action, seen, versions }) => {
      always(action);
      expect(await send(`POST secret/data/${name}`, { data: {} })).toMatch(seen);
      vault.faults.clear();
      expect(await versionsOf(name)).toBe(versions);
    },
  );

  it('hang: no answer ever, and no effect', async () => {
    const fault = always({ kind: 'hang' });
    const outcome = send('POST secret/data/hang', { data: {} });
    await expect.poll(() => fault.hits).toBe(1);
    expect(await versionsOf('hang')).toBe(0);
    const other = new Pool(vault.address);
    await other.destroy();
    await pool.destroy();
    expect(await outcome).toBe('UND_ERR_DESTROYED');
    pool = new Pool(vault.address);
  });

  it('cutAfterBytes: status, headers and the first bytes are whole', async () => {
    await send('POST secret/data/cut', { data: { k: 'v' } });
    always({ kind: 'cutAfterBytes', bytes: 15 });
    const reply = await pool.request({
      method: 'GET',
      path: '/v1/secret/data/cut',
      headers: { 'X-Vault-Token': vault.rootToken },
    });
    expect(Number(reply.headers['content-length'])).toBeGreaterThan(15);
    const chunks: Buffer[] = [];
    const cut = (async () => {
      for await (const chunk of reply.body as AsyncIterable<Buffer>) chunks.push(chunk);
    })();
    await expect(cut).rejects.toThrow();
    expect(Buffer.concat(chunks).toString()).toBe('{"request_id":"');
  });

  it('stale: reads see an earlier moment, writes take effect', async () => {
    await send('POST secret/data/stale', { data: { k: 1 } });
    const snapshot = vault.snapshot();
    await send('POST secret/data/stale', { data: { k: 2 } });
    await send('POST secret/data/newer', { data: {} });
    const fault = always({ kind: 'stale', snapshot }, /^secret\//);
    expect(await send('GET secret/data/stale')).toContain('"data":{"k":1}');
    expect(await send('GET secret/metadata/newer')).toMatch(/^404 /);
    expect(await send('LIST secret/metadata/')).not.toContain('newer');
    expect(await send('POST secret/data/stale', { data: { k: 3 } })).toContain('"version":3');
    fault.remove();
    expect(await send('GET secret/data/stale')).toContain('"data":{"k":3}');
  });
});

describe('matching', () => {
  const answer: FaultAction = { kind: 'answer', answer: { status: 418 } };

  it.each([
    { line: 'GET secret/metadata/a', match: { method: 'GET' }, hit: true },
    { line: 'GET secret/metadata/?list=true', match: { method: 'GET' }, hit: false },
    { line: 'GET secret/metadata/?list=true', match: { method: 'LIST' }, hit: true },
    { line: 'LIST secret/metadata/', match: { method: 'LIST' }, hit: true },
    { line: 'POST secret/data/a', match: { method: 'PUT' }, hit: true },
    { line: 'GET secret/data/%61', match: { pathPattern: /data\/a$/g }, hit: true },
    { line: 'GET secret/data/a', match: { method: 'PUT', pathPattern: /a$/ }, hit: false },
    { line: 'GET secret/data/b', match: { pathPattern: /a$/ }, hit: false },
  ])('$line by $match: $hit', async ({ line, match, hit }) => {
    vault.faults.add({ match, action: answer });
    for (let i = 0; i < 2; i++) {
      expect((await send(line, /^P/.test(line) ? {} : undefined)).startsWith('418'), 'hit').toBe(hit);
    }
  });

  it('may be a function of method, path and target', async () => {
    const seen: unknown[] = [];
    vault.faults.add({ match: (request) => seen.push(request) < 0, action: answer });
    await send('GET secret/data/a%2Fb?version=1');
    expect(seen).toEqual([
      { method: 'GET', path: 'secret/data/a/b', target: '/v1/secret/data/a%2Fb?version=1' },
    ]);
  });

  it('stops after "times" hits; of several faults the first hits; hits are counted', async () => {
    const first = vault.faults.add({ match: {}, times: 2, action: answer });
    const second = vault.faults.add({ match: {}, action: { kind: 'answer', answer: { status: 419 } } });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await send('GET sys/health')).slice(0, 3));
    expect(statuses).toEqual(['418', '418', '419']);
    expect([first.hits, second.hits]).toEqual([2, 1]);
    second.remove();
    expect(await send('GET sys/health')).toMatch(/^200 /);
  });
});

describe('canned answers', () => {
  it.each([
    { name: 'sealed', answer: cannedAnswers.sealed, seen: { statusCode: 503 } },
    { name: 'rate limited', answer: cannedAnswers.rateLimited(), seen: { statusCode: 429 } },
    {
      name: 'rate limited, with Retry-After',
      answer: cannedAnswers.rateLimited(7),
      seen: { statusCode: 429, headers: { 'retry-after': '7' } },
    },
    {
      name: 'a redirect of a standby',
      answer: cannedAnswers.standbyRedirect('http://127.0.0.1:1/v1/x'),
      seen: { statusCode: 307, headers: { location: 'http://127.0.0.1:1/v1/x', 'content-length': '0' } },
    },
    { name: 'an upgrade', answer: cannedAnswers.upgradeRunning, seen: { statusCode: 400 } },
    {
      name: 'an empty 404',
      answer: cannedAnswers.emptyNotFound,
      seen: { statusCode: 404, headers: { 'content-length': '0' } },
    },
    {
      name: 'a login page',
      answer: cannedAnswers.htmlPage,
      seen: { statusCode: 200, headers: { 'content-type': 'text/html; charset=utf-8' } },
    },
  ])('$name', async ({ answer, seen }) => {
    always({ kind: 'answer', answer });
    const reply = await pool.request({ method: 'GET', path: '/v1/secret/data/a' });
    await reply.body.dump();
    expect(reply).toMatchObject(seen);
    expect('retry-after' in reply.headers).toBe('headers' in answer && 'Retry-After' in answer.headers);
  });
});
