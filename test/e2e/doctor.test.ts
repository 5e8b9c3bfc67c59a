import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../servers/processes.ts';
import { type RealConsul, runRealServers, startConsul } from '../servers/real-servers.ts';
import type { VaultApi } from '../support/vault-api.ts';
import { runVsync } from '../support/vsync-process.ts';
import { expectCode, type Json, type Role, type Scope, World } from '../support/world.ts';

/** `vsync doctor` on real servers. What it prints as the least policies is enough, and not more than that. */
describe.runIf(runRealServers)('vsync doctor', () => {
  const master = 'master-token-of-the-test';
  let world: World;
  let consul: RealConsul;
  beforeAll(async () => {
    world = await World.start();
    consul = await startConsul({
      acl: { enabled: true, default_policy: 'deny', tokens: { master } },
    });
  });
  afterAll(async () => {
    await consul?.stop();
    await world?.stop();
  });

  interface Policy {
    readonly side: Role;
    readonly server: 'vault' | 'consul';
    readonly name: string;
    readonly rules: string;
  }

  interface Check {
    readonly status: string;
    readonly topic: string;
    readonly message: string;
  }

  async function run(args: readonly string[], code = 0): Promise<Json> {
    return JSON.parse(expectCode(await runVsync([...args, '--json']), code).stdout);
  }

  async function putAcl(path: string, body: Json): Promise<Json> {
    let answer: Json | undefined;
    // The leader sets ACLs up a moment after it was elected.
    await waitFor(async () => {
      const response = await fetch(`${consul.address}/v1/acl/${path}`, {
        method: 'PUT',
        headers: { 'X-Consul-Token': master },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      if (response.ok) answer = JSON.parse(text);
      return response.ok;
    });
    return answer as Json;
  }

  async function consulToken(scope: Scope, { name, rules }: Policy): Promise<string> {
    const policy = `${name}-${scope.id}`;
    await putAcl('policy', { Name: policy, Rules: rules });
    return String((await putAcl('token', { Policies: [{ Name: policy }] })).SecretID);
  }

  const vaultToken = (vault: VaultApi, scope: Scope, { name, rules }: Policy) =>
    vault.tokenFor(`${name}_${scope.id}`, rules, { no_default_policy: true, period: '24h' });

  /** The configuration of a role with tokens of exactly the policies that doctor prints for it. */
  async function leanConfig(scope: Scope, role: Role): Promise<string> {
    const common = (block: Json): Json => ({ ...block, consul: { address: consul.address } });
    const blocks = {
      origin: common(scope.originBlock()),
      ...(role === 'destination' && { destination: common(scope.destinationBlock()) }),
    };
    const asked = await scope.config(`${role}-asked`, blocks);
    const { policies } = (await run(['doctor', '--policies', '-c', asked])) as unknown as {
      policies: readonly Policy[];
    };
    const lean: Record<string, Json> = {};
    for (const [side, block] of Object.entries(blocks)) {
      const vault = side === 'origin' ? world.origin : world.destination;
      const policyOf = (server: Policy['server']) =>
        policies.find((each) => each.side === side && each.server === server) as Policy;
      lean[side] = {
        ...(block as Json),
        vault: { address: vault.address, token: await vaultToken(vault, scope, policyOf('vault')) },
        consul: { address: consul.address, token: await consulToken(scope, policyOf('consul')) },
      };
    }
    return scope.config(role, { ...lean, retry: { base: '10ms' } });
  }

  it('the policies that it prints are enough for both processes, and it finds nothing to warn of', async () => {
    const scope = await world.scope();
    for (const key of ['a', 'b', 'folder/c'])
      await world.origin.put(scope.path(key), { value: 'canary-value' });
    const [origin, destination] = [await leanConfig(scope, 'origin'), await leanConfig(scope, 'destination')];

    expectCode(await runVsync(['doctor', '--strict', '--write-probe', '-c', origin]), 0);
    expectCode(await runVsync(['origin', '--once', '-c', origin]), 0);
    const checked = expectCode(await runVsync(['doctor', '--strict', '--write-probe', '-c', destination]), 0);
    expect(checked.stdout).not.toMatch(/WARN|FAIL|canary/);
    expectCode(await runVsync(['destination', '--once', '-c', destination]), 0);
    await world.origin.put(scope.path('a'), { value: 'updated' });
    await world.origin.softDelete(scope.path('b'));
    expectCode(await runVsync(['origin', '--once', '-c', origin]), 0);
    expectCode(await runVsync(['destination', '--once', '-c', destination]), 0);
    expect(await world.destination.values(scope.mount)).toEqual({
      [scope.path('a')]: { value: 'updated' },
      [scope.path('folder/c')]: { value: 'canary-value' },
    });
  });

  it('and they are the least: each right that is taken away is missed', async () => {
    const scope = await world.scope();
    await world.origin.put(scope.path('a'), {});
    const config = await leanConfig(scope, 'destination');
    expectCode(await runVsync(['origin', '--once', '-c', await leanConfig(scope, 'origin')]), 0);
    expectCode(await runVsync(['destination', '--once', '-c', config]), 0);
    const name = `vsync-destination_${scope.id}`;
    const { body } = await world.destination.call('GET', `sys/policies/acl/${name}`);
    const rules = (body.data as { policy: string }).policy;
    for (const [right, topic] of [
      ['"create", ', 'rights'],
      ['"update", "read", ', 'rights'],
      [', "delete"', 'rights'],
      ['path "auth/token/lookup-self"  { capabilities = ["read"] }', 'token'],
      ['path "auth/token/renew-self"   { capabilities = ["update"] }', 'self'],
      ['path "sys/capabilities-self"   { capabilities = ["update"] }', 'self'],
    ] as const) {
      expect(rules).toContain(right);
      await world.destination.call('PUT', `sys/policies/acl/${name}`, { policy: rules.replace(right, '') });
      const found = await run(['doctor', '--strict', '-c', config], 1);
      const sections = found.sections as readonly { readonly checks: readonly Check[] }[];
      const missed = sections
        .flatMap(({ checks }) => checks)
        .filter(({ status }) => /warn|fail/.test(status));
      expect(
        missed.map((check) => check.topic),
        right,
      ).toEqual([topic]);
    }
  });

  it('the usual token: the `default` policy is a warning with the command that fixes it', async () => {
    const scope = await world.scope();
    const token = await world.origin.tokenFor(
      `heavy_${scope.id}`,
      `path "${scope.mount}metadata/*" { capabilities = ["list", "read"] }`,
      { period: '1h' },
    );
    const block = { vault: { address: world.origin.address, token } };
    const file = await scope.originConfig(block);
    const { stdout } = expectCode(await runVsync(['doctor', '-c', file]), 0);
    expect(stdout).toContain('about 2.6 times as much');
    expect(stdout).toContain(
      `vault token create -orphan -period=24h -no-default-policy -policy=heavy_${scope.id}\n`,
    );
    expect(stdout).not.toContain(token);
  });

  it('nothing is there: each connection is named, and it ends with 1', async () => {
    const scope = await world.scope();
    const file = await scope.originConfig({
      vault: { address: 'http://127.0.0.1:1', token: 't' },
      consul: { address: 'http://127.0.0.1:1' },
    });
    const { stdout } = expectCode(await runVsync(['doctor', '-c', file]), 1);
    expect(stdout.match(/FAIL .* cannot be reached/g)).toHaveLength(2);
    expect(stdout).toMatch(/\nNot ready: 2 failed, /);
  });
});
