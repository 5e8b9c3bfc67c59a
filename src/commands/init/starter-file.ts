import type { Role } from '../../config/config.ts';

/** What vsync will run on. */
export type Platform = 'systemd' | 'nomad' | 'kubernetes' | 'plain';

/** A file that `vsync init` writes. */
export interface StarterFile {
  /** Relative to the folder, with `/`. */
  readonly name: string;
  readonly content: string;
}

/** The folder in which a process of `role` finds its tokens, on each platform. */
export function credentialsFolder(platform: Platform, role: Role): string {
  switch (platform) {
    case 'systemd':
      return `/run/credentials/vsync-${role}.service`;
    case 'nomad':
      return '/secrets';
    case 'kubernetes':
      return '/var/run/vsync';
    case 'plain':
      return '/etc/vsync/credentials';
  }
}

/** The files with tokens that a process of `role` reads: one for each Vault, one for each Consul. */
export function credentialNames(role: Role): readonly { readonly vault: string; readonly consul: string }[] {
  const sides = role === 'origin' ? (['origin'] as const) : (['origin', 'destination'] as const);
  return sides.map((side) => ({ vault: `${side}-vault-token`, consul: `${side}-consul-token` }));
}
