import { describe, expect, it } from 'vitest';
import {
  type PolicyDocument,
  policiesJson,
  policiesText,
  policyDocuments,
} from '../../src/commands/doctor/policies.ts';
import type { Config, Role } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';

/** The least policies for exactly a configuration. That they are enough is shown on real servers: `test/e2e/doctor.test.ts`. */

type Json = Readonly<Record<string, unknown>>;

async function config(
  role: Role,
  { origin, destination, top }: { origin?: Json; destination?: Json; top?: Json } = {},
) {
  const side = {
    vault: { address: 'https://vault.test:8200', token: 'canary' },
    consul: { address: 'http://consul.test:8500' },
    mounts: ['secret/'],
  };
  const content = {
    name: 'n1',
    ...top,
    origin: { ...side, ...origin },
    destination: { ...side, ...destination },
  };
  const loaded = await loadConfig({
    role,
    files: ['-'],
    flags: {},
    env: {},
    cwd: '/',
    home: undefined,
    readStdin: async () => Buffer.from(JSON.stringify(content)),
  });
  if (loaded.config === undefined) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config as Config;
}

/** The rules that are in force, without comments. */
async function rules(role: Role, file: string, blocks?: Parameters<typeof config>[1]): Promise<string[]> {
  const documents = policyDocuments(await config(role, blocks));
  const found = documents.find((each) => each.file === file) as PolicyDocument;
  return found.rules.filter((line) => !line.startsWith('#'));
}

const selfRules = [
  'path "auth/token/lookup-self"  { capabilities = ["read"] }',
  'path "auth/token/renew-self"   { capabilities = ["update"] }',
  'path "sys/capabilities-self"   { capabilities = ["update"] }',
];

describe('least policies', () => {
  it('of an origin: metadata, never a value, and its own part of Consul', async () => {
    expect(await rules('origin', 'origin.hcl')).toEqual([
      'path "secret/metadata/*" { capabilities = ["list", "read"] }',
      ...selfRules,
    ]);
    expect(await rules('origin', 'consul-origin.hcl')).toEqual([
      'key_prefix "vsync/origin/" { policy = "write" }',
      'key "vsync/nodes/origin-n1" { policy = "write" }',
      'key "vsync/approvals/n1" { policy = "read" }',
    ]);
  });

  it('of an origin that takes a part of a mount: that part only', async () => {
    const origin = { mounts: ['secret/', 'team/kv/'], include: ['secret/app/**', 'team/kv/*/db'] };
    expect((await rules('origin', 'origin.hcl', { origin })).slice(0, 2)).toEqual([
      'path "secret/metadata/app/*" { capabilities = ["list", "read"] }',
      'path "team/kv/metadata/*" { capabilities = ["list", "read"] }',
    ]);
  });

  it('of a destination: values at the origin, writes here, and each Consul as it needs it', async () => {
    expect(await rules('destination', 'destination-reads-origin.hcl')).toEqual([
      'path "secret/data/*" { capabilities = ["read"] }',
      ...selfRules,
    ]);
    expect((await rules('destination', 'destination.hcl'))[0]).toBe(
      'path "secret/data/*" { capabilities = ["create", "update", "read", "delete"] }',
    );
    expect(await rules('destination', 'consul-destination-reads-origin.hcl')).toEqual([
      'key_prefix "vsync/origin/" { policy = "read" }',
    ]);
    const destination = { syncPath: 'other/path' };
    expect(await rules('destination', 'consul-destination.hcl', { destination })).toEqual([
      'key_prefix "other/path/destination/" { policy = "write" }',
      'key "other/path/nodes/destination-n1" { policy = "write" }',
      'key "other/path/approvals/n1" { policy = "read" }',
    ]);
  });

  it('without delete where ignoreDeletes is on', async () => {
    expect((await rules('destination', 'destination.hcl', { top: { ignoreDeletes: true } }))[0]).toBe(
      'path "secret/data/*" { capabilities = ["create", "update", "read"] }',
    );
  });

  it('mounts that are not configured: those of the origin, and those that transforms name', async () => {
    const transforms = [
      { name: 'named', from: '^secret/data/(?P<app>\\w+)$', to: 'runner/team/data/app' },
      { name: 'by group', from: '^(?P<mount>\\w+)/data/(?P<app>\\w+)$', to: 'mount/data/app' },
    ];
    const text = policiesText(
      await config('destination', { destination: { mounts: undefined, transforms } }),
    );
    expect(text).toContain('path "secret/data/*"');
    expect(text).toContain('path "runner/team/data/*"');
    expect(text).not.toContain('path "mount/data/*"');
    expect(text).toContain('# and one such line for each other mount');
  });

  it('the commands name namespace, partition and the mount of AppRole, and go without the default policy', async () => {
    const destination = {
      vault: {
        address: 'https://vault.test:8200',
        token: 'canary',
        namespace: 'team-a',
        approle: { path: 'machines' },
      },
      consul: { address: 'http://consul.test:8500', namespace: 'ns', partition: 'part', dc: 'dc2' },
    };
    const text = policiesText(await config('destination', { destination }));
    expect(text).toContain(
      '# vault write -namespace=team-a auth/machines/role/vsync-destination token_policies=vsync-destination token_no_default_policy=true',
    );
    expect(text).toContain(
      '# vault token create -namespace=team-a -orphan -period=24h -no-default-policy -policy=vsync-destination',
    );
    expect(text).toContain(
      '# consul acl policy create -namespace=ns -partition=part -name vsync-destination',
    );
    expect(text).toContain('# agent_prefix "" { policy = "read" }');
    expect(text).not.toContain('canary');
  });

  it('--json has the same for scripts', async () => {
    const { policies } = policiesJson(await config('origin')) as { policies: readonly Json[] };
    expect(policies.map(({ server, name }) => `${server} ${name}`)).toEqual([
      'vault vsync-origin',
      'consul vsync-origin',
    ]);
  });
});
