/** Keys that are accepted under another name, accepted and ignored, or known but not built yet. */

export interface Alias {
  /** The old key, dotted, in its usual spelling. */
  readonly from: string;
  /** The keys it stands for; empty = it is ignored. */
  readonly to: readonly string[];
  /** What to do, beside writing the new key. */
  readonly hint: string;
}

function renamed(from: string, ...to: string[]): Alias {
  return { from, to, hint: `write ${to.join(' and ')}` };
}

function onSide(side: 'origin' | 'destination'): Alias[] {
  return [
    renamed(`${side}.dc`, `${side}.consul.dc`),
    renamed(`${side}.timout`, `${side}.timeout`),
    renamed(`${side}.vault.role_id`, `${side}.vault.approle.role_id`),
    renamed(`${side}.vault.secret_id`, `${side}.vault.approle.secret_id`),
  ];
}

/** Old keys of Go vsync, in files and in the environment. */
export const aliases: readonly Alias[] = [
  ...onSide('origin'),
  ...onSide('destination'),
  renamed('syncPath', 'origin.syncPath', 'destination.syncPath'),
  renamed('logLevel', 'log.level'),
  { from: 'dataPaths', to: [], hint: 'it is ignored; write origin.mounts and destination.mounts' },
  { from: 'pprof', to: [], hint: 'it is ignored: this vsync has no profiler port; use node --inspect' },
];

/** Other names of environment variables, without a warning. */
export const environmentAliases: Readonly<Record<string, string>> = {
  VSYNC_ORIGIN_VAULT_ADDR: 'origin.vault.address',
  VSYNC_DESTINATION_VAULT_ADDR: 'destination.vault.address',
};

const byLowerCase = new Map(aliases.map((alias) => [alias.from.toLowerCase(), alias]));

/** The alias of that name in any case. */
export function findAlias(dotted: string): Alias | undefined {
  return byLowerCase.get(dotted.toLowerCase());
}

/** Keys of features that this version does not have; no did-you-mean for them. */
const notYet = [
  /^lock(\.|$)/,
  /^http(\.|$)/,
  /^telemetry(\.|$)/,
  /^heartbeaturl$/,
  /^destination\.(copymetadata|verifyevery|deletemode)$/,
  /^(origin|destination)\.vault\.auth(\.|$)/,
  /^(origin|destination)\.vault\.approle\.secret[._]id[._]wrapped$/,
];

/** Whether a key, in any case, is of a feature to come. */
export function isNotSupportedYet(dotted: string): boolean {
  return notYet.some((pattern) => pattern.test(dotted.toLowerCase()));
}
