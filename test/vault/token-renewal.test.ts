import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { maxDelayMs } from '../../src/base/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import { cannedAnswers } from '../../src/dev/vault/faults.ts';
import type { VaultAuth } from '../../src/vault/login.ts';
import type { VaultTokens } from '../../src/vault/token.ts';
import { renewTokens, type TokenEvent } from '../../src/vault/token-renewal.ts';
import { allowed, lookUp, renew, rules, type TimedVault, timedVault } from './timed-vault.ts';

let vault: TimedVault;
let stop: AbortController;
let events: TokenEvent[];
let running: Promise<void> | undefined;
let ended: boolean;
beforeEach(async () => {
  vault = await timedVault();
  stop = new AbortController();
  events = [];
  ended = false;
  await vault.api.put('secret/data/allowed', { k: 'v' });
  await vault.api.call('PUT', 'sys/policies/acl/self', { policy: `${rules}\n${lookUp}\n${renew}` });
});
afterEach(async () => {
  stop.abort(new Error('over'));
  await running;
  await vault.close();
});

async function token(options: Record<string, unknown>): Promise<VaultAuth> {
  const { body } = await vault.api.call('POST', 'auth/token/create', {
    policies: ['self'],
    no_default_policy: true,
    ...options,
  });
  return { kind: 'token', token: new Secret((body.auth as { client_token: string }).client_token) };
}
const role = (settings: Record<string, unknown>) =>
  vault.appRole({ token_policies: ['self'], token_no_default_policy: true, ...settings });

/** Begins to keep a token alive; what can be asked of it then. */
async function keep(auth: VaultAuth, renewing = true) {
  const { client, tokens } = vault.open(auth);
  await tokens.check();
  running = renewTokens({
    tokens,
    renew: renewing,
    signal: stop.signal,
    onEvent: (event) => events.push(event),
    clock: vault.clock,
  }).then(() => {
    ended = true;
  });
  return { client, tokens, isGood: () => isGood(tokens) };
}
async function isGood(tokens: VaultTokens): Promise<boolean> {
  const response = await fetch(`${vault.dev.address}/v1/auth/token/lookup-self`, {
    headers: { 'X-Vault-Token': (await tokens.token()).reveal() },
  });
  await response.arrayBuffer();
  return response.ok;
}
/** To five seconds: a look-up says a second less, as the fraction is cut off. */
const rounded = (seconds: number) => Math.round(seconds / 5) * 5;
/** Event and lifetime, as a line each. */
const story = () =>
  events.map((event) => {
    if (event.kind === 'ends') return `ends in ${rounded(event.expiresInSeconds)}`;
    if (event.kind === 'renewal_failed')
      return `${event.error.code}, ends in ${rounded(event.expiresInSeconds)}`;
    return `${event.kind} ${rounded(event.facts.ttlSeconds)}`;
  });
const slept = () => vault.clock.slept.map((ms) => rounded(ms / 1000));

describe('a periodic token', () => {
  it('is renewed at two thirds of what was granted, for ever', async () => {
    const { isGood: good } = await keep(await token({ period: '60s' }));
    for (let i = 0; i < 10; i += 1) await vault.passSleep();
    await vault.clock.untilSleeping();
    expect(story()).toEqual(new Array(10).fill('renewed 60'));
    expect(slept()).toEqual(new Array(11).fill(40));
    expect(await good()).toBe(true);
  });
});

describe('a token with a maximum lifetime', () => {
  it('in an AppRole is replaced by a login when a renewal grants too little', async () => {
    const { isGood: good } = await keep(await role({ token_ttl: '60s', token_max_ttl: '100s' }));
    vault.count('');
    for (let i = 0; i < 4; i += 1) await vault.passSleep();
    await vault.clock.untilSleeping();
    // Renewed at 40 until 100, at 80 until 100 still: 20 s are too few, so there is a new one.
    expect(story()).toEqual(['renewed 60', 'replaced 60', 'renewed 60', 'replaced 60']);
    expect(vault.count('PUT auth/login')).toBe(2);
    expect(await good()).toBe(true);
  });

  it('written down is renewed while that helps, and its end is told in time', async () => {
    await keep(await token({ ttl: '60s', explicit_max_ttl: '100s' }));
    for (let i = 0; i < 2; i += 1) await vault.passSleep();
    await running;
    expect(story()).toEqual(['renewed 60', 'renewed 20', 'ends in 20']);
  });
});

describe('a token that cannot be renewed', () => {
  it('because it is not renewable: its end is told at once', async () => {
    await keep(await token({ ttl: '60s', renewable: false }));
    await running;
    expect(story()).toEqual(['ends in 60']);
  });

  it('because it is a batch token: its end is told at once', async () => {
    await keep(await token({ ttl: '60s', type: 'batch' }));
    await running;
    expect(story()).toEqual(['ends in 60']);
  });

  it('because that is switched off: its end is told at once', async () => {
    await keep(await token({ period: '60s' }), false);
    await running;
    expect(story()).toEqual(['ends in 60']);
  });

  it.each([
    { name: 'a batch token', settings: { token_ttl: '60s', token_type: 'batch' }, renewing: true },
    { name: 'renewing is switched off', settings: { token_ttl: '60s' }, renewing: false },
  ])('is replaced in time with an AppRole: $name', async ({ settings, renewing }) => {
    const { isGood: good } = await keep(await role(settings), renewing);
    for (let i = 0; i < 3; i += 1) await vault.passSleep();
    await vault.clock.untilSleeping();
    expect(story()).toEqual(['replaced 60', 'replaced 60', 'replaced 60']);
    expect(slept()).toEqual([40, 40, 40, 40]);
    expect(await good()).toBe(true);
  });

  it('of root, or one that may not look itself up, is left alone', async () => {
    await keep({ kind: 'token', token: new Secret(vault.dev.rootToken) });
    await running;
    await vault.api.call('PUT', 'sys/policies/acl/blind', { policy: rules });
    const { body } = await vault.api.call('POST', 'auth/token/create', {
      policies: ['blind'],
      no_default_policy: true,
      period: '60s',
    });
    await keep({ kind: 'token', token: new Secret((body.auth as { client_token: string }).client_token) });
    await running;
    expect(events).toEqual([]);
    expect(vault.clock.slept).toEqual([]);
  });
});

describe('a renewal that fails', () => {
  const sealed = () =>
    vault.dev.faults.add({
      match: { pathPattern: /renew-self|login/ },
      action: { kind: 'answer', answer: cannedAnswers.sealed },
    });

  it('is tried again every 15 s, and told each time', async () => {
    await keep(await token({ period: '120s' }));
    sealed();
    for (let i = 0; i < 3; i += 1) await vault.passSleep();
    await vault.clock.untilSleeping();
    expect(story()).toEqual([
      'VAULT_SEALED, ends in 40',
      'VAULT_SEALED, ends in 25',
      'VAULT_SEALED, ends in 10',
    ]);
    expect(slept()).toEqual([80, 15, 15, 15]);
  });

  it('that works again in time goes on as before', async () => {
    const { isGood: good } = await keep(await token({ period: '120s' }));
    const fault = sealed();
    for (let i = 0; i < 2; i += 1) await vault.passSleep();
    await vault.clock.untilSleeping();
    fault.remove();
    for (let i = 0; i < 2; i += 1) await vault.passSleep();
    await vault.clock.untilSleeping();
    expect(story()).toEqual([
      'VAULT_SEALED, ends in 40',
      'VAULT_SEALED, ends in 25',
      'renewed 120',
      'renewed 120',
    ]);
    expect(slept()).toEqual([80, 15, 15, 80, 80]);
    expect(await good()).toBe(true);
  });

  it('until the token has ended is given up, when there is no other', async () => {
    await keep(await token({ period: '60s' }));
    sealed();
    for (let i = 0; i < 3; i += 1) await vault.passSleep();
    await running;
    expect(story()).toEqual([
      'VAULT_SEALED, ends in 20',
      'VAULT_SEALED, ends in 5',
      'VAULT_SEALED, ends in -10',
    ]);
  });

  it('until the token has ended is followed by a login, with an AppRole', async () => {
    const { isGood: good, client } = await keep(await role({ token_ttl: '60s' }));
    const fault = sealed();
    for (let i = 0; i < 5; i += 1) await vault.passSleep();
    await vault.clock.untilSleeping();
    fault.remove();
    await vault.passSleep();
    await vault.clock.untilSleeping();
    // The request that renews is refused, and logs in by itself.
    expect(story().at(-1)).toMatch(/^(renewed|replaced) 60$/);
    expect(await good()).toBe(true);
    await client.request(allowed);
  });

  it('because the token was revoked is followed by a login, with an AppRole', async () => {
    const { isGood: good, tokens } = await keep(await role({ token_ttl: '60s' }));
    await vault.api.call('POST', 'auth/token/revoke', { token: (await tokens.token()).reveal() });
    await vault.passSleep();
    await vault.clock.untilSleeping();
    expect(events.at(-1)?.kind).toMatch(/renewed|replaced/);
    expect(await good()).toBe(true);
  });
});

describe('a long lifetime', () => {
  it('is slept out in one piece that the system clock cuts to what a timer can do', async () => {
    const body = JSON.stringify({ data: { ttl: 10 * maxDelayMs, renewable: true, period: 10 * maxDelayMs } });
    vault.dev.faults.add({
      match: { pathPattern: /lookup-self/ },
      action: { kind: 'answer', answer: { status: 200, body } },
    });
    await keep(await token({ period: '60s' }));
    await vault.clock.untilSleeping();
    expect(vault.clock.slept[0]).toBeGreaterThan(maxDelayMs);
    // What the system clock makes of it: an earlier renewal.
    vault.pass(maxDelayMs / 1000);
    expect(events).toEqual([]);
  });
});

describe('a token in a file', () => {
  let dir: string;
  let changes = 0;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'vsync-renewal-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const file = () => join(dir, 'token');
  function put(auth: VaultAuth): VaultAuth {
    changes += 1;
    if (auth.kind === 'token') writeFileSync(file(), auth.token.reveal());
    utimesSync(file(), 1_700_000_000 + changes, 1_700_000_000 + changes);
    return { kind: 'token_file', file: file() };
  }

  it('is renewed like one that is written down', async () => {
    const { isGood: good } = await keep(put(await token({ period: '60s' })));
    for (let i = 0; i < 3; i += 1) await vault.passSleep();
    await vault.clock.untilSleeping();
    expect(story()).toEqual(['renewed 60', 'renewed 60', 'renewed 60']);
    expect(await good()).toBe(true);
  });

  it('that is replaced by a shorter one is renewed by the time of that one', async () => {
    const { client, isGood: good } = await keep(put(await token({ period: '3000s' })));
    await vault.clock.untilSleeping();
    vault.pass(100);
    put(await token({ period: '60s' }));
    await client.request(allowed);
    for (let i = 0; i < 3; i += 1) await vault.passSleep();
    await vault.clock.untilSleeping();
    expect(slept()).toEqual([2000, 40, 40, 40, 40]);
    expect(story()).toEqual(['renewed 60', 'renewed 60', 'renewed 60']);
    expect(await good()).toBe(true);
  });

  it('that ends is followed by the one that an operator puts there, which is renewed in its turn', async () => {
    const { client, isGood: good } = await keep(put(await token({ ttl: '60s', renewable: false })));
    await vault.clock.untilSleeping();
    expect(story()).toEqual(['ends in 60']);
    put(await token({ period: '300s' }));
    vault.pass(30);
    await client.request(allowed);
    for (let i = 0; i < 5; i += 1) await vault.passSleep();
    await vault.clock.untilSleeping();
    expect(await good()).toBe(true);
    expect(story().slice(1)).toEqual(new Array(5).fill('renewed 300'));
  });
});

describe('the end', () => {
  it('comes with the signal while it sleeps', async () => {
    await keep(await token({ period: '60s' }));
    await vault.clock.untilSleeping();
    expect(ended).toBe(false);
    stop.abort(new Error('over'));
    await running;
    expect(events).toEqual([]);
  });

  it('comes with the signal in the middle of a renewal, without a word', async () => {
    await keep(await token({ period: '60s' }));
    const hanging = vault.dev.faults.add({ match: { pathPattern: /renew-self/ }, action: { kind: 'hang' } });
    await vault.passSleep();
    await expect.poll(() => hanging.hits).toBe(1);
    stop.abort(new Error('over'));
    await running;
    expect(events).toEqual([]);
  });

  it('comes with the signal between two tries', async () => {
    await keep(await token({ period: '60s' }));
    vault.dev.faults.add({ match: { pathPattern: /renew-self/ }, action: { kind: 'reset' } });
    await vault.passSleep();
    await vault.clock.untilSleeping();
    stop.abort(new Error('over'));
    await running;
    expect(story()).toEqual(['VAULT_UNREACHABLE, ends in 20']);
  });
});
