import type { Role } from '../../config/config.ts';
import { credentialNames, type StarterFile } from './starter-file.ts';

/** A unit for the daemon of one role. */
export function systemdFiles(role: Role): StarterFile[] {
  return [{ name: `vsync-${role}.service`, content: unit(role) }];
}

function unit(role: Role): string {
  const names = credentialNames(role);
  const credential = (name: string) => `LoadCredential=${name}:/etc/vsync/credentials/${name}`;
  return `# /etc/systemd/system/vsync-${role}.service
[Unit]
Description=vsync ${role}
Documentation=man:vsync(1)
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
ExecStart=/usr/local/bin/vsync ${role} --config /etc/vsync/${role}.yaml
# Takes up a changed configuration, if it is a good one: systemctl reload vsync-${role}
ExecReload=/bin/kill -HUP $MAINPID
DynamicUser=yes

# Tokens come as files that this unit alone can read, in /run/credentials/vsync-${role}.service/. systemd copies
# them when the unit starts: after a change, restart it.
${names.map(({ vault }) => credential(vault)).join('\n')}
# With Consul's ACLs on, and token_file in /etc/vsync/${role}.yaml:
${names.map(({ consul }) => `# ${credential(consul)}`).join('\n')}

# What passes is retried inside. Usage (64), corrupt data (65), denied (77) and a wrong configuration (78) wait for a person.
Restart=on-failure
RestartSec=10s
RestartPreventExitStatus=64 65 77 78
# The first SIGTERM finishes and saves what is under way.
TimeoutStopSec=60s

# No MemoryDenyWriteExecute: Node.js compiles at run time.
CapabilityBoundingSet=
LockPersonality=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
UMask=0077

[Install]
WantedBy=multi-user.target
`;
}
