/**
 * The body of `PUT /v1/session/create`.
 * May import: `answer`, `duration`, types of `sessions`.
 */

import { Refusal } from './answer.ts';
import { parseDuration } from './duration.ts';
import type { SessionRequest } from './sessions.ts';

/** The check that a session hangs on unless it asks for none: the health of its agent. It never fails here. */
const serfHealth = 'serfHealth';
const shortestTtlNs = 10e9;
const longestTtlNs = 86_400e9;
const defaultLockDelayNs = 15e9;
/** A lock delay below this is taken for seconds, else for nanoseconds. */
const secondsBelow = 1_000;

/** A request as it was sent, with defaults filled in. */
export interface SessionFields {
  readonly name: string;
  readonly node: string;
  readonly ttl: string;
  readonly behavior: string;
  readonly lockDelayNs: number;
  readonly nodeChecks: readonly string[];
}

/** Decodes a body; `''` asks for the default session. Unknown fields do not matter. Throws the 400 Refusal for what is no request. */
export function decodeSession(body: string, nodeName: string): SessionFields {
  const fields = fieldsOf(body);
  return {
    name: stringOf(fields, 'Name') ?? '',
    node: stringOf(fields, 'Node') ?? nodeName,
    ttl: stringOf(fields, 'TTL') ?? '',
    behavior: stringOf(fields, 'Behavior') || 'release',
    lockDelayNs: lockDelayOf(fields.get('lockdelay')),
    nodeChecks: nodeChecksOf(fields),
  };
}

/** Checks what a request asks for. Throws the 500 Refusal of what Consul does not grant. */
export function checkSession(fields: SessionFields, nodeName: string): SessionRequest {
  const { name, node, ttl, behavior, lockDelayNs, nodeChecks } = fields;
  if (behavior !== 'release' && behavior !== 'delete') {
    throw new Refusal(500, `Invalid Behavior setting '${behavior}'`);
  }
  const ttlMs = ttlOf(ttl);
  if (node !== nodeName) throw new Refusal(500, 'Missing node registration');
  const missing = nodeChecks.find((check) => check !== serfHealth);
  if (missing !== undefined) throw new Refusal(500, `Missing check '${missing}' registration`);
  return { name, node, lockDelayNs, behavior, ttl, ttlMs, nodeChecks };
}

/** The fields by their names in lower case: Consul takes them in any case. `null` is the same as left out. */
function fieldsOf(body: string): ReadonlyMap<string, unknown> {
  if (body === '') return new Map();
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw undecodable('invalid JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw undecodable('json: cannot unmarshal into Go value of type struct');
  }
  const fields = Object.entries(parsed).filter(([, value]) => value !== null);
  return new Map(fields.map(([name, value]) => [name.toLowerCase(), value]));
}

function undecodable(problem: string): Refusal {
  return new Refusal(400, `Request decode failed: ${problem}`);
}

function stringOf(fields: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = fields.get(name.toLowerCase());
  if (value === undefined || typeof value === 'string') return value;
  throw undecodable(`json: cannot unmarshal ${typeof value} into Go struct field .${name} of type string`);
}

/** `NodeChecks`, or the older `Checks`, of which only an empty list means something: a session that hangs on nothing. */
function nodeChecksOf(fields: ReadonlyMap<string, unknown>): readonly string[] {
  const old = fields.get('checks');
  if (Array.isArray(old) && old.length === 0) return [];
  const checks = fields.get('nodechecks');
  return Array.isArray(checks) ? checks.map(String) : [serfHealth];
}

function lockDelayOf(value: unknown): number {
  if (value === undefined) return defaultLockDelayNs;
  if (typeof value !== 'string' && typeof value !== 'number') return 0;
  const nanoseconds = typeof value === 'string' ? parseDuration(value) : value;
  if (nanoseconds === undefined) throw undecodable(`time: invalid duration ${JSON.stringify(value)}`);
  return nanoseconds < secondsBelow ? nanoseconds * 1e9 : nanoseconds;
}

function ttlOf(ttl: string): number {
  if (ttl === '') return 0;
  const nanoseconds = parseDuration(ttl);
  if (nanoseconds === undefined) {
    const problem = /^\d+$/.test(ttl) ? 'missing unit in duration' : 'invalid duration';
    throw new Refusal(500, `Session TTL '${ttl}' invalid: time: ${problem} ${JSON.stringify(ttl)}`);
  }
  if (nanoseconds !== 0 && (nanoseconds < shortestTtlNs || nanoseconds > longestTtlNs)) {
    throw new Refusal(500, `Invalid Session TTL '${nanoseconds}', must be between [10s=24h0m0s]`);
  }
  return nanoseconds / 1e6;
}
