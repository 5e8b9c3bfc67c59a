import type { Side } from '../base/errors.ts';
import type { ConsulClient, ConsulScope } from './client.ts';

/**
 * What nodes tell of themselves and what operators decided, beside the sync info trees: `<syncPath>nodes/<role>-<name>` and
 * `<syncPath>approvals/<name>`.
 */

/** Status of one node, rewritten each cycle. */
export interface NodeStatus {
  readonly role: Side;
  readonly name: string;
  readonly vsyncVersion: string;
  /** `Healthy`, `Progressing`, `Degraded`, `Held`, `Failed`. */
  readonly health: string;
  readonly sync: 'InSync' | 'OutOfSync' | 'Unknown';
  /** RFC 3339. */
  readonly cycleEndedAt: string;
  /** When a cycle that is still running told of itself last. */
  readonly aliveAt?: string | undefined;
  readonly lastSuccessAt?: string | undefined;
  readonly nextCycleAt?: string | undefined;
  readonly result: string;
  readonly trigger: string;
  readonly durationMs: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly errorCode?: string | undefined;
  readonly errorMessage?: string | undefined;
  readonly held?:
    | { readonly set: string; readonly deletes: number; readonly limit: number; readonly paths: number }
    | undefined;
}

/** An operator's release of exactly one set of held deletes. */
export interface Approval {
  /** SHA-256 of the set, in hex, or its first 8 characters or more. */
  readonly set: string;
  readonly by: string;
  /** RFC 3339; afterwards it counts no more. */
  readonly until: string;
}

export function statusKey(syncPath: string, role: Side, name: string): string {
  return `${syncPath}nodes/${role}-${encodeName(name)}`;
}

export function approvalKey(syncPath: string, name: string): string {
  return `${syncPath}approvals/${encodeName(name)}`;
}

export async function writeStatus(
  consul: ConsulClient,
  key: string,
  status: NodeStatus,
  scope: ConsulScope = {},
): Promise<void> {
  await consul.put(key, JSON.stringify(status), scope);
}

/** The status of a node as it wrote it last, or `undefined`. */
export async function readStatus(
  consul: ConsulClient,
  key: string,
  scope: ConsulScope = {},
): Promise<NodeStatus | undefined> {
  const entry = await consul.get(key, scope);
  return entry === undefined ? undefined : parseStatus(entry.value);
}

/**
 * What all nodes below a sync path told of themselves, origins first, then by name. What cannot be read as a status is left out.
 * Throws `CONSUL_FORBIDDEN` when the token may not read there: a list would just be empty.
 */
export async function listStatuses(
  consul: ConsulClient,
  syncPath: string,
  scope: ConsulScope = {},
): Promise<NodeStatus[]> {
  const folder = `${syncPath}nodes/`;
  const { keys } = await consul.keys(folder, scope);
  if (keys.length === 0) await consul.get(`${folder}origin`, scope);
  const found = await Promise.all(keys.map((key) => readStatus(consul, key, scope)));
  return found
    .filter((status) => status !== undefined)
    .sort((a, b) => order(a).localeCompare(order(b), 'en', { numeric: true }));
}

function order({ role, name }: NodeStatus): string {
  return `${role === 'origin' ? 0 : 1} ${name}`;
}

/** A status as it was written, by any version of vsync or by hand; `undefined` for what is none. */
function parseStatus(json: string): NodeStatus | undefined {
  try {
    const status = JSON.parse(json) as Partial<NodeStatus> | null;
    const texts = [status?.name, status?.vsyncVersion, status?.health, status?.sync, status?.result];
    const isStatus =
      (status?.role === 'origin' || status?.role === 'destination') &&
      texts.every((text) => typeof text === 'string') &&
      !Number.isNaN(Date.parse(String(status.cycleEndedAt)));
    return isStatus ? { ...(status as NodeStatus), counts: status.counts ?? {} } : undefined;
  } catch {
    return undefined;
  }
}

/** The approval that is stored and has not expired, or `undefined`. Anything unreadable is no approval. */
export async function readApproval(
  consul: ConsulClient,
  key: string,
  nowMs: number,
  scope: ConsulScope = {},
): Promise<Approval | undefined> {
  const entry = await consul.get(key, scope);
  if (entry === undefined) return undefined;
  try {
    const { set, by, until } = JSON.parse(entry.value) as Partial<Approval>;
    if (typeof set !== 'string' || !(Date.parse(String(until)) > nowMs)) return undefined;
    return { set, by: String(by), until: String(until) };
  } catch {
    return undefined;
  }
}

/** Keys stay inside `[A-Za-z0-9,_./-]`: newer Consul versions refuse many other characters. */
function encodeName(name: string): string {
  return name.replace(/[^A-Za-z0-9_.-]/g, (char) => `_${char.codePointAt(0)?.toString(16)}_`);
}
