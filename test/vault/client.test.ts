import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VsyncError } from '../../src/base/errors.ts';
import { RetryBudget } from '../../src/base/retry.ts';
import { Secret } from '../../src/base/secret.ts';
import type { TokenProvider, VaultClient, VaultRequest } from '../../src/vault/client.ts';
import { clientWithToken, noRetries, quickRetries, vaultClient } from './clients.ts';
import { answer, type Behaviour, cutInBody, HostileServer, reset, stall } from './hostile-server.ts';
import { expectNoLeak } from './leaks.ts';

const canary = 'canary';
const read: VaultRequest = { method: 'GET', path: '/secret/data/a', about: 'secret/data/a' };
const write: VaultRequest = { ...read, method: 'POST', body: `{"data":{"p":"${canary}"}}`, writes: true };

let server: HostileServer;
let client: VaultClient;
beforeEach(async () => {
  server = await HostileServer.start();
  client = clientWithToken(server.address, `s.${canary}`, { retry: quickRetries });
});
afterEach(async () => {
  await client.close();
  await server.close();
});

/** Answers in this order, and then the last one for ever. */
function inOrder(...behaviours: Behaviour[]): Behaviour {
  return (socket, request) => {
    const next = behaviours.length > 1 ? behaviours.shift() : behaviours[0];
    next?.(socket, request);
  };
}

async function failure(sending: Promise<unknown>): Promise<VsyncError> {
  const error: unknown = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expectNoLeak(error, canary);
  expect(error).toBeInstanceOf(VsyncError);
  return error as VsyncError;
}

describe('headers', () => {
  it('are the token, the namespace, and what an Agent demands', async () => {
    const team = clientWithToken(server.address, 's.token', { namespace: 'team/a' });
    await team.request(read);
    await team.close();
    expect(server.requests[0]?.headers).toMatchObject({
      'x-vault-token': 's.token',
      'x-vault-namespace': 'team/a',
      'x-vault-request': 'true',
    });
  });

  it('have no namespace and no token where there is none', async () => {
    const bare = vaultClient(server.address, { namespace: '' });
    await bare.request({ ...read, authenticated: false });
    await bare.close();
    expect(server.requests[0]?.headers).not.toHaveProperty('x-vault-token');
    expect(server.requests[0]?.headers).not.toHaveProperty('x-vault-namespace');
  });

  it('have the namespace of the call', async () => {
    const team = clientWithToken(server.address, 's.token', { namespace: 'team' });
    await team.request({ ...read, namespace: 'other' });
    await team.request({ ...read, namespace: '' });
    await team.close();
    expect(server.requests[0]?.headers['x-vault-namespace']).toBe('other');
    expect(server.requests[1]?.headers).not.toHaveProperty('x-vault-namespace');
  });

  it('of two clients do not mix: each sends its own token to its own server', async () => {
    const other = await HostileServer.start();
    const second = clientWithToken(other.address, 's.second');
    try {
      await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? client : second).request(read)));
      expect(new Set(server.requests.map(({ headers }) => headers['x-vault-token']))).toEqual(
        new Set([`s.${canary}`]),
      );
      expect(new Set(other.requests.map(({ headers }) => headers['x-vault-token']))).toEqual(
        new Set(['s.second']),
      );
    } finally {
      await second.close();
      await other.close();
    }
  });

  it('of requestWith have the token of the call', async () => {
    await client.requestWith(new Secret('s.other'), read);
    expect(server.requests[0]?.headers['x-vault-token']).toBe('s.other');
  });
});

describe('retries', () => {
  it('go on until there is an answer', async () => {
    server.behave = inOrder(answer(502), cutInBody(), reset, answer(429), answer(200, '{"a":1}'));
    expect(await client.request(read)).toEqual({ a: 1 });
    expect(client.requestsSent).toBe(5);
  });

  it('end with the last failure', async () => {
    server.behave = inOrder(answer(502), answer(503));
    expect(await failure(client.request(read))).toMatchObject({ code: 'VAULT_SEALED' });
    expect(server.requests).toHaveLength(5);
  });

  it.each([
    { name: '500', behave: answer(500) },
    { name: 'a reset', behave: reset },
    { name: 'a cut answer', behave: cutInBody() },
    { name: "a 200 that is not Vault's", behave: answer(200, '<html>') },
  ])('never repeat a write that may have had its effect: $name (R8)', async ({ behave }) => {
    server.behave = behave;
    expect(await failure(client.request(write))).toMatchObject({ ambiguous: true });
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    { name: '429', behave: answer(429) },
    { name: '503', behave: answer(503) },
  ])('repeat a write that had no effect: $name', async ({ behave }) => {
    server.behave = inOrder(behave, behave, answer(204, '', {}));
    expect(await client.request(write)).toBe('');
    expect(server.requests).toHaveLength(3);
  });

  it('are not made for what another try cannot cure', async () => {
    server.behave = answer(405, '{"errors":[]}');
    await failure(client.request(read));
    expect(server.requests).toHaveLength(1);
  });

  it('are taken from the budget of the cycle', async () => {
    server.behave = answer(502);
    const budget = new RetryBudget(3);
    await failure(client.request({ ...read, budget }));
    expect(server.requests, '1 + 3').toHaveLength(4);
    await failure(client.request({ ...read, budget }));
    expect(server.requests).toHaveLength(5);
  });

  it('are heard of', async () => {
    const heard: string[] = [];
    client.onRetry = (error, attempt) => heard.push(`${error.code} ${attempt}`);
    server.behave = inOrder(answer(502), reset, answer(200, '{}'));
    await client.request(read);
    expect(heard).toEqual(['VAULT_UNAVAILABLE 1', 'VAULT_UNREACHABLE 2']);
  });

  it('end when the signal is aborted, with its reason', async () => {
    const patient = clientWithToken(server.address, 's.t', {
      retry: { retries: 9, baseMs: 1e9, maxMs: 1e9 },
    });
    const stop = new AbortController();
    patient.onRetry = () => stop.abort(new Error('the cycle ends'));
    server.behave = answer(502);
    await expect(patient.request({ ...read, signal: stop.signal })).rejects.toThrow('the cycle ends');
    await patient.close();
  });
});

describe('a 403', () => {
  /** A provider that has these tokens one after the other, and judges as it is told. */
  function tokens(
    texts: string[],
    judged: boolean | Error,
  ): TokenProvider & { readonly judgements: string[] } {
    const judgements: string[] = [];
    let current = new Secret(texts.shift() ?? '');
    return {
      judgements,
      token: async () => current,
      refused: async (token) => {
        judgements.push(token.reveal());
        if (judged instanceof Error) throw judged;
        if (judged) current = new Secret(texts.shift() ?? '');
        return judged;
      },
    };
  }
  const only =
    (good: string): Behaviour =>
    (socket, request) =>
      answer(request.headers['x-vault-token'] === good ? 200 : 403, '{}')(socket, request);

  it('of a dead token is followed by one more try with another one', async () => {
    const provider = tokens(['old', 'new'], true);
    client.useTokens(provider);
    server.behave = only('new');
    expect(await client.request(read)).toEqual({});
    expect(server.requests.map(({ headers }) => headers['x-vault-token'])).toEqual(['old', 'new']);
    expect(provider.judgements).toEqual(['old']);
  });

  it('of the other one, too, is final', async () => {
    const provider = tokens(['old', 'new', 'newest'], true);
    client.useTokens(provider);
    server.behave = only('none');
    expect(await failure(client.request(read))).toMatchObject({ code: 'VAULT_FORBIDDEN' });
    expect(server.requests).toHaveLength(2);
  });

  it('by policy is final at once', async () => {
    client.useTokens(tokens(['old', 'new'], false));
    server.behave = only('new');
    expect(await failure(client.request(read))).toMatchObject({ code: 'VAULT_FORBIDDEN', class: 'path' });
    expect(server.requests).toHaveLength(1);
  });

  it('of a token that cannot be replaced is what the judge says', async () => {
    const dead = new VsyncError({ code: 'TOKEN_EXPIRED', message: 'not accepted' });
    client.useTokens(tokens(['old'], dead));
    server.behave = only('none');
    expect(await failure(client.request(read))).toBe(dead);
  });

  it('of a request without a token is not judged', async () => {
    const provider = tokens(['old'], true);
    client.useTokens(provider);
    server.behave = answer(403);
    await failure(client.request({ ...read, authenticated: false }));
    await failure(client.requestWith(new Secret('s.other'), read));
    expect(provider.judgements).toEqual([]);
  });
});

describe('the limit of requests under way', () => {
  it('is kept at the server, and used up', async () => {
    const few = clientWithToken(server.address, 's.t', { maxInFlight: 3 });
    const waiting: (() => void)[] = [];
    const rounds: number[] = [];
    server.behave = (socket, request) => {
      waiting.push(() => answer(200, '{}')(socket, request));
      if (waiting.length < 3) return;
      // Whatever else was sent in the meantime is in by the next turn.
      setImmediate(() => {
        rounds.push(waiting.length);
        for (const reply of waiting.splice(0)) reply();
      });
    };
    await Promise.all(Array.from({ length: 60 }, () => few.request(read)));
    await few.close();
    expect(rounds).toEqual(new Array(20).fill(3));
    expect(server.connections).toBeLessThanOrEqual(3);
  });

  it('is halved by a 429, and by nothing else', async () => {
    server.behave = inOrder(answer(502), answer(503), reset, answer(200, '{}'));
    await client.request(read);
    expect(client.gate.inFlightLimit).toBe(16);
    server.behave = inOrder(answer(429), answer(429), answer(200, '{}'));
    await client.request(read);
    expect(client.gate.inFlightLimit).toBe(4);
  });

  it('does not keep a login from being made: tokens are fetched outside', async () => {
    const one = vaultClient(server.address, { maxInFlight: 1 });
    one.useTokens({
      token: async () => {
        await one.request({ ...read, path: '/auth/approle/login', authenticated: false });
        return new Secret('s.t');
      },
      refused: async () => false,
    });
    await Promise.all([one.request(read), one.request(read), one.request(read)]);
    await one.close();
    expect(server.requests).toHaveLength(6);
  });
});

describe('the end', () => {
  it('of a client fails what is under way', async () => {
    server.behave = stall;
    const single = clientWithToken(server.address, 's.t', { retry: noRetries });
    const failing = failure(single.request(write));
    await server.untilRequests();
    await single.close();
    expect(await failing).toMatchObject({ code: 'VAULT_UNREACHABLE', ambiguous: true });
  });

  it('of a request before it begins sends nothing, and no token is asked for', async () => {
    client.useTokens({
      token: async (signal) => {
        signal?.throwIfAborted();
        throw new Error('asked for');
      },
      refused: async () => false,
    });
    await expect(client.request({ ...read, signal: AbortSignal.abort(new Error('over')) })).rejects.toThrow(
      'over',
    );
    expect(server.connections).toBe(0);
  });
});
