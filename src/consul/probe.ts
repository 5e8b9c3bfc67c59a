import { type Clock, systemClock } from '../base/clock.ts';
import { VsyncError } from '../base/errors.ts';
import type { ConsulClient, ConsulScope } from './client.ts';

/**
 * What a process needs of Consul, tried out at its start. Absence is no evidence there: without rights, lists are filtered
 * silently and only a direct read says 403.
 */

/** A probe key that is older was left by a crash; a younger one may be that of a process that starts at the same time. */
const leftAfterMs = 60 * 60_000;

/**
 * Creates, reads, lists and deletes a key below the own prefix, as the Go program does (`vsyncChecks/<uuid>`), and clears away what
 * a crash left of earlier ones. Throws `CONSUL_FORBIDDEN` naming what is missing.
 */
export async function probeOwnPrefix(
  consul: ConsulClient,
  prefix: string,
  scope: ConsulScope = {},
  clock: Clock = systemClock,
): Promise<void> {
  const key = `${prefix}vsyncChecks/${crypto.randomUUID()}`;
  const value = new Date(clock.now()).toISOString();
  await consul.put(key, value, scope);
  try {
    const { keys } = await consul.keys(`${prefix}vsyncChecks/`, scope);
    if (!keys.includes(key)) throw denied(consul, prefix, 'list the keys');
    if ((await consul.get(key, scope))?.value !== value) throw denied(consul, prefix, 'read back a key');
    for (const other of keys) if (other !== key) await deleteIfLeft(consul, other, scope, clock);
  } finally {
    await consul.delete(key, scope);
  }
}

/** What a Go node left holds no time, and stays: it does no harm. */
async function deleteIfLeft(
  consul: ConsulClient,
  key: string,
  scope: ConsulScope,
  clock: Clock,
): Promise<void> {
  const value = (await consul.get(key, scope))?.value ?? '';
  const putAt = /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
  if (putAt < clock.now() - leftAfterMs) await consul.delete(key, scope);
}

/** Reads one key below a prefix directly, present or not. Throws `CONSUL_FORBIDDEN` when the token may not. Writes nothing. */
export async function probeReadable(
  consul: ConsulClient,
  prefix: string,
  scope: ConsulScope = {},
): Promise<void> {
  await consul.get(`${prefix}index`, scope);
}

/** The agent's own datacenter, or `undefined` when the token may not ask (`agent:read`). */
export async function agentDatacenter(
  consul: ConsulClient,
  scope: ConsulScope = {},
): Promise<string | undefined> {
  try {
    const self = (await consul.agentSelf(scope)) as { Config?: { Datacenter?: string } } | undefined;
    return self?.Config?.Datacenter;
  } catch (error) {
    if (error instanceof VsyncError && error.code === 'CONSUL_FORBIDDEN') return undefined;
    throw error;
  }
}

function denied(consul: ConsulClient, prefix: string, what: string): VsyncError {
  return new VsyncError({
    side: consul.side,
    server: 'consul',
    address: consul.address,
    path: prefix,
    code: 'CONSUL_FORBIDDEN',
    message: `the ACL token of the ${consul.side} Consul may write below ${prefix}, but not ${what}`,
    why: 'Consul hides what a token may not read',
    hint: `rule: key_prefix "${prefix}" { policy = "write" }`,
  });
}
