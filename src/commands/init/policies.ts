import type { Role } from '../../config/config.ts';
import type { StarterFile } from './starter-file.ts';

/** What a token without Vault's `default` policy needs for itself. */
const forItself = [
  '',
  '# What a token without the `default` policy needs for itself.',
  ...aligned([
    ['path "auth/token/lookup-self"', '{ capabilities = ["read"] }'],
    ['path "auth/token/renew-self"', '{ capabilities = ["update"] }'],
    ['path "sys/capabilities-self"', '{ capabilities = ["update"] }'],
  ]),
];

/**
 * The least that a process of `role` has to be allowed: Vault policies and Consul ACL rules, as in `examples/policies`, where tests
 * show that they are enough.
 */
export function policyFiles(role: Role, mounts: readonly string[], syncPath: string): StarterFile[] {
  return role === 'origin'
    ? [
        file('origin.hcl', [
          '# The process of an origin: lists and metadata, never a value.',
          ...onMounts(mounts, 'metadata', '["list", "read"]'),
          ...forItself,
        ]),
        file('consul-origin.hcl', [
          '# The process of an origin, in its Consul.',
          ...onKeys(syncPath, ['origin', 'write'], ['nodes', 'write'], ['approvals', 'read']),
        ]),
      ]
    : [
        file('destination-reads-origin.hcl', [
          '# The process of a destination, at the origin: values, read only.',
          ...onMounts(mounts, 'data', '["read"]'),
          ...forItself,
        ]),
        file('destination.hcl', [
          '# The process of a destination, at its own Vault. Without "delete" set ignoreDeletes.',
          ...onMounts(mounts, 'data', '["create", "update", "read", "delete"]'),
          ...forItself,
        ]),
        file('consul-destination-reads-origin.hcl', [
          '# The process of a destination, in the Consul of the origin.',
          ...onKeys(syncPath, ['origin', 'read']),
        ]),
        file('consul-destination.hcl', [
          '# The process of a destination, in its own Consul.',
          ...onKeys(syncPath, ['destination', 'write'], ['nodes', 'write'], ['approvals', 'read']),
        ]),
      ];
}

function file(name: string, lines: readonly string[]): StarterFile {
  return { name: `policies/${name}`, content: `${lines.join('\n')}\n` };
}

function onMounts(mounts: readonly string[], part: 'data' | 'metadata', capabilities: string): string[] {
  return aligned(
    mounts.map((mount) => [`path "${mount}${part}/*"`, `{ capabilities = ${capabilities} }`] as const),
  );
}

function onKeys(
  syncPath: string,
  ...rules: readonly (readonly [folder: string, policy: string])[]
): string[] {
  return aligned(
    rules.map(([folder, policy]) => [`key_prefix "${syncPath}${folder}/"`, `{ policy = "${policy}" }`]),
  );
}

function aligned(lines: readonly (readonly [left: string, right: string])[]): string[] {
  const width = Math.max(...lines.map(([left]) => left.length));
  return lines.map(([left, right]) => `${left.padEnd(width)} ${right}`);
}
