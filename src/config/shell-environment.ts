import type { Side } from '../base/errors.ts';
import { type Assignment, ranks } from './assign.ts';
import { textNode } from './document.ts';
import { isValue } from './effective.ts';
import type { Environment } from './environment.ts';
import type { Problem } from './problem.ts';

/**
 * The variables of other programs (`VAULT_*`, `BAO_*`, `CONSUL_*`), which do not say which of two Vaults they mean: the last resort, and
 * only for the side that the process lives on. Go vsync used them for both sides.
 */

export interface ShellVariable {
  /** Those read first come first. */
  readonly names: readonly string[];
  /** Below the side. */
  readonly key: string;
  /** To the text that the key takes. */
  readonly convert?: (text: string) => string;
}

const vault = (name: string, key: string, convert?: ShellVariable['convert']): ShellVariable => ({
  names: [`BAO_${name}`, `VAULT_${name}`],
  key: `vault.${key}`,
  ...(convert && { convert }),
});
const consul = (name: string, key: string, convert?: ShellVariable['convert']): ShellVariable => ({
  names: [`CONSUL_${name}`],
  key: `consul.${key}`,
  ...(convert && { convert }),
});

/** Go's clients take bare seconds for a timeout, and `rate:burst` for a rate. */
const secondsOrDuration = (text: string): string => (/^\d+$/.test(text) ? `${text}s` : text);
const withoutBurst = (text: string): string => text.split(':')[0] ?? text;
const opposites = new Map([
  ['1', 'false'],
  ['t', 'false'],
  ['true', 'false'],
  ['0', 'true'],
  ['f', 'true'],
  ['false', 'true'],
]);
const negated = (text: string): string => opposites.get(text.toLowerCase()) ?? text;

/** Of two that set one key the first wins. */
export const shellVariables: readonly ShellVariable[] = [
  vault('ADDR', 'address'),
  vault('TOKEN', 'token'),
  vault('NAMESPACE', 'namespace'),
  vault('CACERT_BYTES', 'tls.ca_cert'),
  vault('CACERT', 'tls.ca_cert'),
  vault('CAPATH', 'tls.ca_path'),
  vault('CLIENT_CERT', 'tls.client_cert'),
  vault('CLIENT_KEY', 'tls.client_key'),
  vault('TLS_SERVER_NAME', 'tls.server_name'),
  vault('SKIP_VERIFY', 'tls.skip_verify'),
  vault('CLIENT_TIMEOUT', 'requestTimeout', secondsOrDuration),
  vault('MAX_RETRIES', 'maxRetries'),
  vault('RATE_LIMIT', 'rateLimit', withoutBurst),
  consul('HTTP_ADDR', 'address'),
  consul('HTTP_TOKEN_FILE', 'token_file'),
  consul('HTTP_TOKEN', 'token'),
  consul('NAMESPACE', 'namespace'),
  consul('PARTITION', 'partition'),
  consul('CACERT', 'tls.ca_cert'),
  consul('CAPATH', 'tls.ca_path'),
  consul('CLIENT_CERT', 'tls.client_cert'),
  consul('CLIENT_KEY', 'tls.client_key'),
  consul('TLS_SERVER_NAME', 'tls.server_name'),
  consul('HTTP_SSL_VERIFY', 'tls.skip_verify', negated),
];

/** Keys of which one excludes the other: set in a better place, the shell's is not used. */
const rivals: Readonly<Record<string, readonly string[]>> = {
  'vault.token': ['vault.token_file', 'vault.approle.role_id', 'vault.approle.role_id_file'],
  'consul.token': ['consul.token_file'],
  'consul.token_file': ['consul.token'],
};

/** The keys of `side` that the shell's variables set; `assigned` = what better sources set. */
export function shellAssignments(
  side: Side,
  env: Environment,
  assigned: ReadonlyMap<string, Assignment>,
): { assignments: Assignment[]; problems: Problem[] } {
  const found = new Map<string, Assignment>();
  const problems = unusableVariables(env);
  const isSet = (key: string): boolean => isValue(assigned.get(key)) || found.has(key);
  for (const { names, key: name, convert = String } of shellVariables) {
    const key = `${side}.${name}`;
    const variable = names.find((each) => (env[each] ?? '') !== '');
    if (variable === undefined || assigned.has(key) || found.has(key)) continue;
    const rival = rivals[name]?.map((each) => `${side}.${each}`).find(isSet);
    if (rival !== undefined) {
      problems.push(info(variable, key, `is not used, since ${rival} is set`));
      continue;
    }
    const node = textNode(convert(env[variable] ?? ''));
    found.set(key, { key, node, format: 'text', source: { kind: 'env', name: variable }, rank: ranks.shell });
  }
  return { assignments: [...found.values()], problems };
}

/** A Consul address without a scheme is https when `CONSUL_HTTP_SSL` says so, as for Consul's own programs. */
export function withConsulScheme(assignment: Assignment, env: Environment): Assignment {
  const { node } = assignment;
  const secure = ['1', 't', 'true'].includes((env.CONSUL_HTTP_SSL ?? '').toLowerCase());
  if (!secure || node.kind !== 'scalar' || node.text === '' || node.text.includes('://')) return assignment;
  return { ...assignment, node: textNode(`https://${node.text}`) };
}

/** The variable of the shell that would set `key`, were its side the one the process lives on. */
export function shellVariableFor(key: string, side: Side, env: Environment): string | undefined {
  const names = shellVariables.filter((each) => `${side}.${each.key}` === key).flatMap((each) => each.names);
  return names.find((name) => (env[name] ?? '') !== '');
}

/** Keys whose variables Go vsync used for both sides, so that a deployment may count on them for the other one. */
const sharedInGo = [
  'vault.namespace',
  'vault.tls.ca_cert',
  'vault.tls.ca_path',
  'vault.tls.client_cert',
  'consul.token',
  'consul.token_file',
  'consul.tls.ca_cert',
  'consul.tls.ca_path',
  'consul.tls.client_cert',
];

/** Notes on variables that Go vsync would have used for the origin of a destination, too. */
export function otherSideNotes(
  role: Side,
  env: Environment,
  assigned: ReadonlyMap<string, Assignment>,
): Problem[] {
  if (role === 'origin') return [];
  return sharedInGo.flatMap((name) => {
    const key = `origin.${name}`;
    const variable = shellVariableFor(key, 'origin', env);
    if (variable === undefined || assigned.has(key)) return [];
    return [
      info(variable, key, `is not set by it: it counts for the destination only (Go vsync used it for both)`),
    ];
  });
}

const ignored: readonly [name: string, message: string, hint: string][] = [
  [
    'VAULT_AGENT_ADDR',
    'is ignored: Go vsync used it for both Vaults',
    'set origin.vault.address and destination.vault.address',
  ],
  ['BAO_AGENT_ADDR', 'is ignored', 'set origin.vault.address and destination.vault.address'],
  ['VAULT_PROXY_ADDR', 'is not supported yet; it is ignored', 'requests go to Vault directly'],
  ['BAO_PROXY_ADDR', 'is not supported yet; it is ignored', 'requests go to Vault directly'],
  ['CONSUL_HTTP_AUTH', 'is not supported yet; it is ignored', 'use an ACL token: consul.token_file'],
];

function unusableVariables(env: Environment): Problem[] {
  return ignored
    .filter(([name]) => (env[name] ?? '') !== '')
    .map(([name, message, hint]) => ({
      severity: 'warning',
      code: 'CONFIG_CONFLICT',
      place: `env ${name}`,
      message,
      hint,
    }));
}

function info(variable: string, key: string, message: string): Problem {
  return { severity: 'info', code: 'CONFIG_CONFLICT', place: `env ${variable}`, key, message };
}
