import { VsyncError } from '../../base/errors.ts';
import { approvalKey, statusKey } from '../../consul/node-store.ts';
import { agentDatacenter, probeOwnPrefix, probeReadable } from '../../consul/probe.ts';
import type { DoctorContext, DoctorSide } from './context.ts';

/** One Consul: does it have a leader, is it the right datacenter, what may the token do below the sync path. */
export async function checkConsul(context: DoctorContext, side: DoctorSide): Promise<void> {
  const { report } = context;
  if (!side.reachable.consul) return report.skip('all', 'it cannot be reached');
  if (!(await checkReading(context, side))) return report.skip('access', 'reading comes first');
  await checkDatacenter(context, side);
  if (side.isOwn) await checkOwnKeys(context, side);
}

/** A read in Consul's default mode is answered by the leader, and a direct one says 403 where a list would just be empty. */
async function checkReading({ report, scope }: DoctorContext, { info, isOwn }: DoctorSide): Promise<boolean> {
  const read = await report.attempt('read', async () => {
    await probeReadable(info.consul, info.prefix, scope);
    return true;
  });
  if (read === undefined) return false;
  report.pass('leader', 'there is one, and it answers');
  report.pass('read', `${info.prefix} may be read${isOwn ? '' : '; more is not needed'}`);
  return true;
}

async function checkDatacenter(
  { report, scope }: DoctorContext,
  { info, settings }: DoctorSide,
): Promise<void> {
  const { dc, remoteDc } = settings.consul;
  const { side, consul } = info;
  const actual = await report.attempt(
    'datacenter',
    async () => (await agentDatacenter(consul, scope)) ?? 'hidden',
  );
  if (actual === undefined) return;
  if (remoteDc !== undefined) {
    return report.pass(
      'datacenter',
      `${remoteDc} answers, through the agent${actual === 'hidden' ? '' : ` in ${actual}`}`,
    );
  }
  if (actual === 'hidden') {
    if (dc === undefined) return;
    return report.skip('datacenter', `${side}.consul.dc is ${dc}; without agent:read it cannot be compared`);
  }
  if (dc === undefined || dc === actual) return report.pass('datacenter', actual);
  report.warn('datacenter', `the agent is in ${actual}, which is used, but ${side}.consul.dc is ${dc}`, {
    fix: `correct ${side}.consul.dc; to reach ${dc} through this agent set ${side}.consul.remoteDc`,
  });
}

async function checkOwnKeys(context: DoctorContext, { info }: DoctorSide): Promise<void> {
  const { report, scope, config, writeProbe } = context;
  const { consul, prefix, syncPath } = info;
  if (writeProbe) {
    const wrote = await report.attempt('write', async () => {
      await probeOwnPrefix(consul, prefix, scope);
      return true;
    });
    if (wrote === true) report.pass('write', `a key below ${prefix} was written, listed, read and deleted`);
  } else {
    report.skip('write', `whether ${prefix} may be written is tried with --write-probe only`);
  }
  const keys = [
    [statusKey(syncPath, config.role, config.name), 'write', 'vsync status does not see this node'],
    [approvalKey(syncPath, config.name), 'read', 'vsync approve has no effect'],
  ] as const;
  for (const [key, policy, effect] of keys) {
    const isHidden = await report.attempt('read', async () => isForbidden(consul.get(key, scope)));
    if (isHidden !== true) continue;
    report.warn('read', `${key} may not be read: ${effect}`, {
      code: 'CONSUL_FORBIDDEN',
      fix: `rule: key "${key}" { policy = "${policy}" }`,
    });
  }
}

async function isForbidden(reading: Promise<unknown>): Promise<boolean> {
  try {
    await reading;
    return false;
  } catch (error) {
    if (error instanceof VsyncError && error.code === 'CONSUL_FORBIDDEN') return true;
    throw error;
  }
}
