import { userInfo } from 'node:os';
import { exitCodes, VsyncError } from '../base/errors.ts';
import { Releasers } from '../base/releasers.ts';
import type { Role } from '../config/config.ts';
import { parseDuration } from '../config/duration.ts';
import { type Approval, approvalKey, type NodeStatus, readStatus, statusKey } from '../consul/node-store.ts';
import { openConsul, retryPolicyOf } from '../roles/connections.ts';
import type { CommandIo } from './command-io.ts';
import type { GlobalOptions } from './global-options.ts';
import { configFor } from './load-config.ts';
import { counted, grouped } from './text-style.ts';

/**
 * `vsync approve [SET]`: releases exactly the set of deletes that the last cycle of this node held; without a set it says what is held.
 * The release is stored in Consul, so it reaches the daemon wherever that runs, and it expires.
 */
export async function approveCommand(
  set: string | undefined,
  options: GlobalOptions & { readonly role: Role; readonly for: string },
  io: CommandIo,
): Promise<number> {
  const validMs = parseDuration(options.for);
  if (typeof validMs !== 'number' || validMs <= 0) {
    throw new VsyncError({
      code: 'USAGE',
      message: `--for ${options.for} is not a duration`,
      hint: 'for example 24h or 90m',
    });
  }
  const loaded = await configFor(options.role, options, { interactive: true }, io);
  if ('exitCode' in loaded) return loaded.exitCode;
  const { config } = loaded;
  const side = config.role === 'origin' ? config.origin : config.destination;
  const releasers = new Releasers();
  try {
    const consul = await openConsul(config.role, side.consul, retryPolicyOf(config));
    releasers.push(() => consul.close());
    const status = await readStatus(consul, statusKey(side.syncPath, config.role, config.name));
    if (set === undefined) return showHeld(status, io);

    const held = status?.held;
    if (held === undefined || !held.set.startsWith(set.toLowerCase()) || set.length < 8) {
      const what =
        held === undefined
          ? 'nothing is held'
          : `what is held now is ${held.set.slice(0, 8)}, ${counted(held.deletes, 'delete')}`;
      throw new VsyncError({
        code: 'USAGE',
        message: `${set} is not the set of deletes that ${config.role} ${config.name} holds`,
        why: what,
        hint: 'vsync approve without a set says what is held; another set is another decision',
      });
    }
    const until = new Date(Date.now() + validMs).toISOString();
    const approval: Approval = { set: held.set, by: userInfo().username, until };
    await consul.put(approvalKey(side.syncPath, config.name), JSON.stringify(approval));
    io.out.write(
      `approved: ${counted(held.deletes, 'delete')} of set ${held.set.slice(0, 8)}, until ${until}\nThe next cycle of ${config.role} ${config.name} makes them; another set is held again.\n`,
    );
    return exitCodes.ok;
  } finally {
    await releasers.release();
  }
}

function showHeld(status: NodeStatus | undefined, io: CommandIo): number {
  if (status?.held === undefined) {
    io.out.write('Nothing is held.\n');
    return exitCodes.ok;
  }
  const { set, deletes, paths, limit } = status.held;
  io.out.write(
    `${status.role} ${status.name} holds ${counted(deletes, 'delete')} of ${counted(paths, 'path')} (limit ${grouped(limit)}) since its cycle of ${status.cycleEndedAt}\n` +
      `  to see them:     vsync ${status.role} --once --dry-run\n` +
      `  to release them: vsync approve ${set.slice(0, 8)}   (valid for this exact set only)\n`,
  );
  return exitCodes.ok;
}
