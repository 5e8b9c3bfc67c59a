import { VsyncError } from '../base/errors.ts';
import type { ConsulClient } from '../consul/client.ts';
import { listStatuses, type NodeStatus } from '../consul/node-store.ts';
import type { CallScope } from '../cycle/ports.ts';

/**
 * What the origin below a sync path last told of itself; of several, the one that worked last. `undefined` when there is none, or the
 * token may not read it: it serves people, and nothing depends on it.
 */
export async function readOriginStatus(
  consul: ConsulClient,
  syncPath: string,
  scope: CallScope,
): Promise<NodeStatus | undefined> {
  try {
    const origins = (await listStatuses(consul, syncPath, scope)).filter(({ role }) => role === 'origin');
    return origins.sort((a, b) => lastSuccess(b) - lastSuccess(a))[0];
  } catch (error) {
    if (error instanceof VsyncError && error.class !== 'abort') return undefined;
    throw error;
  }
}

function lastSuccess({ lastSuccessAt }: NodeStatus): number {
  const at = Date.parse(String(lastSuccessAt));
  return Number.isNaN(at) ? 0 : at;
}
