import type { Side } from '../../base/errors.ts';
import type { Config, ConsulConfig, VaultConfig } from '../../config/config.ts';
import { approvalKey, statusKey } from '../../consul/node-store.ts';
import { ownPrefix } from '../../roles/shared.ts';
import type { Mount } from '../../sync/mount-path.ts';
import { pathFilter } from '../../sync/path-filter.ts';

/** The least that the process of a configuration has to be allowed, as text that Vault and Consul take. Pure. */

/** Rules for one server, and the commands that put them in place. */
export interface PolicyDocument {
  /** `origin Vault`, with its address. */
  readonly title: string;
  readonly side: Side;
  readonly server: 'vault' | 'consul';
  /** The name that the commands give the policy: `vsync-origin`. */
  readonly name: string;
  /** The file that the commands read, named as in `examples/policies`. */
  readonly file: string;
  readonly rules: readonly string[];
  readonly commands: readonly string[];
}

export function policyDocuments(config: Config): PolicyDocument[] {
  const { origin } = config;
  if (config.role === 'origin') {
    return [
      vaultDocument('origin', 'origin', origin.vault, scanRules(config)),
      consulDocument('origin', 'origin', origin.consul, ownKeyRules(config, origin.syncPath)),
    ];
  }
  const { destination } = config;
  const prefix = ownPrefix(origin.syncPath, 'origin');
  return [
    vaultDocument('origin', 'destination-reads-origin', origin.vault, readRules(config)),
    vaultDocument('destination', 'destination', destination.vault, writeRules(config)),
    consulDocument('origin', 'destination-reads-origin', origin.consul, [
      keyPrefix(prefix, 'read'),
      ...forPeople(origin.syncPath),
    ]),
    consulDocument(
      'destination',
      'destination',
      destination.consul,
      ownKeyRules(config, destination.syncPath),
    ),
  ];
}

export function policiesText(config: Config): string {
  const blocks = policyDocuments(config).map(({ title, file, rules, commands }) =>
    [`# ${title}: ${file}`, ...rules, '', ...commands.map((command) => `# ${command}`)].join('\n'),
  );
  return `${blocks.join('\n\n')}\n`;
}

export function policiesJson(config: Config): Readonly<Record<string, unknown>> {
  const policies = policyDocuments(config).map(({ side, server, name, file, rules, commands }) => ({
    side,
    server,
    name,
    file,
    rules: `${rules.join('\n')}\n`,
    commands,
  }));
  return { role: config.role, name: config.name, policies };
}

/** A token without the `default` policy, which makes each request 2.6 times dearer for Vault, has to be allowed these by its own. */
const selfRules = [
  '# for its own token, which goes without the default policy',
  'path "auth/token/lookup-self"  { capabilities = ["read"] }',
  'path "auth/token/renew-self"   { capabilities = ["update"] }',
  'path "sys/capabilities-self"   { capabilities = ["update"] }',
];

function scanRules({ origin }: Config): string[] {
  const filter = pathFilter(origin.include, origin.exclude);
  const folders = (origin.mounts ?? []).flatMap((mount) => filter.roots(mount).map((root) => [mount, root]));
  return [
    '# metadata only, never a value',
    ...folders.map(([mount, root]) => vaultPath(`${mount}metadata/${root}*`, ['list', 'read'])),
    '# OpenBao only: keys and metadata in one request for each folder',
    ...folders.map(([mount, root]) => `# ${vaultPath(`${mount}detailed-metadata/${root}*`, ['list'])}`),
  ];
}

function readRules({ origin }: Config): string[] {
  if (origin.mounts === undefined)
    return [
      '# origin.mounts is not set: one line for each mount that the origin publishes',
      `# ${vaultPath('<mount>/data/*', ['read'])}`,
    ];
  const filter = pathFilter(origin.include, origin.exclude);
  return origin.mounts.flatMap((mount) =>
    filter.roots(mount).map((root) => vaultPath(`${mount}data/${root}*`, ['read'])),
  );
}

function writeRules(config: Extract<Config, { role: 'destination' }>): string[] {
  const { mounts, isKnown } = targetMounts(config);
  const capabilities = ['create', 'update', 'read', ...(config.ignoreDeletes ? [] : ['delete'])];
  return [
    ...(isKnown ? [] : ['# and one such line for each other mount that destination.transforms lead to']),
    ...(config.ignoreDeletes ? ['# no delete: ignoreDeletes is on'] : []),
    ...mounts.map((mount) => vaultPath(`${mount}data/*`, capabilities)),
  ];
}

/** The mounts that are written: those configured; else those of the origin, and those that transforms name word by word. */
function targetMounts({ origin, destination }: Extract<Config, { role: 'destination' }>): {
  readonly mounts: readonly (Mount | string)[];
  readonly isKnown: boolean;
} {
  if (destination.mounts !== undefined) return { mounts: destination.mounts, isKnown: true };
  const named = destination.transforms.map(({ from, to }) => {
    const at = to.indexOf('/data/');
    const mount = at < 0 ? undefined : to.slice(0, at + 1);
    const isWord = (piece: string) => !from.includes(`<${piece}>`);
    return mount?.split('/').slice(0, -1).every(isWord) === true ? mount : undefined;
  });
  const found = [...(origin.mounts ?? []), ...named.filter((mount) => mount !== undefined)];
  const isKnown = origin.mounts !== undefined && !named.includes(undefined);
  return { mounts: [...new Set(found)], isKnown };
}

/** Below its own sync path a process writes its sync info and its status, and reads what operators approve. */
function ownKeyRules({ role, name }: Config, syncPath: string): string[] {
  return [
    keyPrefix(ownPrefix(syncPath, role), 'write'),
    `key ${JSON.stringify(statusKey(syncPath, role, name))} { policy = "write" }`,
    `key ${JSON.stringify(approvalKey(syncPath, name))} { policy = "read" }`,
    ...forPeople(syncPath),
    '# for an operator who runs vsync approve:',
    `# key ${JSON.stringify(approvalKey(syncPath, name))} { policy = "write" }`,
  ];
}

/** What commands read for people; the daemons do without. */
function forPeople(syncPath: string): string[] {
  return ['# for people who run vsync status and vsync plan:', `# ${keyPrefix(`${syncPath}nodes/`, 'read')}`];
}

function keyPrefix(prefix: string, policy: 'read' | 'write'): string {
  return `key_prefix ${JSON.stringify(prefix)} { policy = "${policy}" }`;
}

function vaultPath(path: string, capabilities: readonly string[]): string {
  const list = capabilities.map((name) => `"${name}"`).join(', ');
  return `path ${JSON.stringify(path)} { capabilities = [${list}] }`;
}

function vaultDocument(
  side: Side,
  who: string,
  vault: VaultConfig,
  rules: readonly string[],
): PolicyDocument {
  const { address, namespace, approle } = vault;
  const flag = namespace === undefined || namespace === '' ? '' : ` -namespace=${namespace}`;
  const path = approle.path.replace(/^\/+|\/+$/g, '');
  const [name, file] = [`vsync-${who}`, `${who}.hcl`];
  return {
    title: `${side} Vault ${address}${flag}`,
    side,
    server: 'vault',
    name,
    file,
    rules: [...rules, ...selfRules],
    commands: [
      `vault policy write${flag} ${name} ${file}`,
      'then either an AppRole:',
      `vault write${flag} auth/${path}/role/${name} token_policies=${name} token_no_default_policy=true token_period=24h`,
      'or a token:',
      `vault token create${flag} -orphan -period=24h -no-default-policy -policy=${name}`,
    ],
  };
}

function consulDocument(
  side: Side,
  who: string,
  { address, namespace, partition, dc, remoteDc }: ConsulConfig,
  rules: readonly string[],
): PolicyDocument {
  const flags = [
    ...(namespace ? [`-namespace=${namespace}`] : []),
    ...(partition ? [`-partition=${partition}`] : []),
  ];
  const flag = flags.map((each) => ` ${each}`).join('');
  const compare =
    dc === undefined || remoteDc !== undefined
      ? []
      : [
          `# only to compare ${side}.consul.dc with the agent's own:`,
          '# agent_prefix "" { policy = "read" }',
        ];
  const [name, file] = [`vsync-${who}`, `consul-${who}.hcl`];
  return {
    title: `${side} Consul ${address}`,
    side,
    server: 'consul',
    name,
    file,
    rules: [...rules, ...compare],
    commands: [
      `consul acl policy create${flag} -name ${name} -rules @${file}`,
      `consul acl token create${flag} -description ${name} -policy-name ${name}`,
    ],
  };
}
