import type { Role } from '../../config/config.ts';
import { credentialsFolder, type Platform, type StarterFile } from './starter-file.ts';

/** The mounts and the path in Consul that starter files name; a person puts in others. */
export const starterMounts = ['secret/'];
export const starterSyncPath = 'vsync/';

/** A commented configuration for one role: valid as it stands but for its addresses and tokens. */
export function configFile(platform: Platform, role: Role): StarterFile {
  const parts =
    role === 'origin'
      ? [head(role), log(platform), originSide(platform, role), originCycles]
      : [head(role), log(platform), originSide(platform, role), destinationSide(platform), guards];
  return { name: `${role}.yaml`, content: parts.join('') };
}

function head(role: Role): string {
  const what =
    role === 'origin'
      ? 'the origin: reads the metadata of its Vault and publishes sync info in its Consul.'
      : 'a destination: copies what the origin published to its own Vault.';
  return `# vsync, ${what}
# Everything that is commented out shows a default or an alternative. All keys: vsync config schema.
# Check it with: vsync config validate -c ${role}.yaml

# The name of this node in logs and in Consul.
name: ${role}
`;
}

function log(platform: Platform): string {
  const isCollected = platform === 'nomad' || platform === 'kubernetes';
  return `
log:
  level: info # error, warn, info, debug, trace
  type: ${isCollected ? 'json' : 'console'} # console: for people; json: for machines
`;
}

function originSide(platform: Platform, role: Role): string {
  const use = role === 'origin' ? 'policies/origin.hcl' : 'policies/destination-reads-origin.hcl';
  return `
origin:
${vault(platform, role, 'origin', use)}
${consul(platform, role, 'origin')}
  # The KV v2 mounts to sync.
  mounts:
${starterMounts.map((mount) => `    - ${mount}`).join('\n')}
  # Where sync info is kept in Consul; "origin/" is appended.
  syncPath: ${starterSyncPath}
`;
}

const originCycles = `  # Secrets looked at side by side: a number, or auto for as many as bring the most.
  numWorkers: auto
  # A scan starts this often; one that takes longer than the timeout is dropped.
  tick: 1m
  timeout: 5m
  # exclude:
  #   - secret/private/**
`;

function destinationSide(platform: Platform): string {
  return `
destination:
${vault(platform, 'destination', 'destination', 'policies/destination.hcl')}
${consul(platform, 'destination', 'destination')}
  # Several destinations on one Consul need different paths; "destination/" is appended.
  syncPath: ${starterSyncPath}
  # Secrets copied side by side: a number, or auto for as many as bring the most.
  numWorkers: auto
  # A cycle starts when the origin publishes, and this often.
  tick: 1m
  timeout: 5m
  # Other paths at the destination; the first rule that matches decides. Try them: vsync transform test PATH
  # transforms:
  #   - name: team
  #     from: '^secret/data/team/(?P<rest>.+)$'
  #     to: team/data/rest
`;
}

const guards = `
# Deletes beyond the larger of these are held until a person approves them: vsync approve.
guards:
  maxDeletes: 50
  maxDeleteRatio: 0.1
`;

function vault(platform: Platform, role: Role, side: Role, policy: string): string {
  const folder = credentialsFolder(platform, role);
  const isOwn = side === role;
  const token = platform === 'nomad' && isOwn ? 'vault_token' : `${side}-vault-token`;
  return `  vault:
    address: https://vault.${side}.example.net:8200
    # A token that has ${policy} and no other policy. The file is read again when it changes.
    token_file: ${folder}/${token}
    # Instead of a token, AppRole: vsync logs in again by itself.
    # approle:
    #   role_id_file: ${folder}/${side}-role-id
    #   secret_id_file: ${folder}/${side}-secret-id
    # namespace: team-a
    # tls:
    #   ca_cert: /etc/vsync/ca.pem`;
}

function consul(platform: Platform, role: Role, side: Role): string {
  const address =
    platform === 'kubernetes' ? `https://consul.${side}.example.net:8501` : 'http://127.0.0.1:8500';
  const own = side === role ? address : `https://consul.${side}.example.net:8501`;
  return `  consul:
    address: ${own}
    # With Consul's ACLs on: a token with the rules in policies/consul-*.hcl.
    # token_file: ${credentialsFolder(platform, role)}/${side}-consul-token`;
}
