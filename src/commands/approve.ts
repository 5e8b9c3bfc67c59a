import { hostname, userInfo } from 'node:os';
import { exitCodes, VsyncError } from '../base/errors.ts';
import { Releasers } from '../base/releasers.ts';
import type { Config, Role } from '../config/config.ts';
import { parseDuration } from '../config/duration.ts';
import {
  type Approval,
  approvalKey,
  type NodeStatus,
  readApproval,
  readStatus,
  statusKey,
} from '../consul/node-store.ts';
import { shortSet } from '../sync/delete-guard.ts';
import type { CommandIo } from './command-io.ts';
import type { GlobalOptions } from './global-options.ts';
import { writeJson } from './inspect-json.ts';
import { type InfoSide, inspectScope, openSides, ownSide } from './inspect-sides.ts';
import { configFor } from './load-config.ts';
import { nodeName } from './node-name.ts';
import { ago, inFuture } from './terminal/relative-time.ts';
import { counted, grouped, shownPath } from './terminal/text-style.ts';

/**
 * `vsync approve [SET]`: releases exactly the set of deletes that the last cycle of this node held; without a set it says what is held.
 * The release is stored in Consul, so it reaches the daemon wherever that runs, and it expires.
 */
export async function approveCommand(
  set: string | undefined,
  options: GlobalOptions & { readonly role: Role; readonly for: string },
  io: CommandIo,
): Promise<number> {
  const validMs = validityOf(options.for);
  const loaded = await configFor(options.role, options, { interactive: true }, io);
  if ('exitCode' in loaded) return loaded.exitCode;
  const { config } = loaded;
  const releasers = new Releasers();
  try {
    const side = ownSide(config, await openSides(config, releasers));
    const node = await readNode(side, config, io);
    if (set !== undefined) {
      await approve(heldSet(set, node), validMs);
    } else if (options.json) {
      writeJson(io, 'held', nodeJson(node));
    } else {
      io.out.write(heldText(node));
    }
    return exitCodes.ok;

    async function approve(held: Held, forMs: number): Promise<void> {
      const until = new Date(Date.now() + forMs).toISOString();
      const approval: Approval = { set: held.set, by: whoAmI(io), until };
      await side.consul.put(
        approvalKey(side.syncPath, config.name),
        JSON.stringify(approval),
        inspectScope(io),
      );
      if (options.json) writeJson(io, 'approval', nodeJson({ ...node, approval }));
      else io.out.write(approvedText(node, held, approval));
    }
  } finally {
    await releasers.release();
  }
}

type Held = NonNullable<NodeStatus['held']>;

/** The node whose deletes are decided on. */
interface Node {
  readonly role: Role;
  readonly name: string;
  /** `undefined`: it has never told anything, so it is not known what it holds. */
  readonly status: NodeStatus | undefined;
  /** What is approved already and has not expired. */
  readonly approval: Approval | undefined;
}

async function readNode(
  { consul, syncPath }: InfoSide,
  { role, name }: Config,
  io: CommandIo,
): Promise<Node> {
  const scope = inspectScope(io);
  const [status, approval] = await Promise.all([
    readStatus(consul, statusKey(syncPath, role, name), scope),
    readApproval(consul, approvalKey(syncPath, name), Date.now(), scope),
  ]);
  return { role, name, status, approval };
}

function validityOf(text: string): number {
  const validMs = parseDuration(text);
  if (validMs !== undefined && validMs > 0) return validMs;
  throw new VsyncError({
    code: 'USAGE',
    message: `--for ${text} is not a duration`,
    hint: 'for example 24h or 90m',
  });
}

/** What the node holds, if that is the set named. Throws `USAGE` for any other: it is another decision. */
function heldSet(set: string, node: Node): Held {
  const { status } = node;
  const held = status?.held;
  const isNamed = set.length >= 8 && held?.set.startsWith(set.toLowerCase()) === true;
  if (held !== undefined && isNamed) return held;
  const why =
    status === undefined
      ? 'it has told nothing of itself under this name and sync path'
      : held === undefined
        ? 'nothing is held'
        : set.length < 8
          ? 'a set is named by at least 8 characters of its hash'
          : `what is held now is ${shortSet(held.set)}, ${counted(held.deletes, 'delete')}`;
  throw new VsyncError({
    code: 'USAGE',
    message: `${set} is not the set of deletes that ${nodeName(node)} holds`,
    why,
    hint: 'vsync approve without a set says what is held; another set is another decision',
    note: 'Nothing was approved.',
  });
}

/** Who approves, for whoever asks later: `alice@host`. */
function whoAmI({ env }: CommandIo): string {
  return `${env.SUDO_USER || userName() || env.USER || 'unknown'}@${hostname()}`;
}

/** In a container the user may have no name at all. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

function approvedText(node: Node, held: Held, { by, until }: Approval): string {
  return (
    `approved: ${counted(held.deletes, 'delete')} of set ${shortSet(held.set)}, by ${by}, until ${until}\n` +
    `The next cycle of ${nodeName(node)} makes them; another set is held again.\n`
  );
}

function heldText(of: Node): string {
  const { role, status, approval } = of;
  const node = nodeName(of);
  if (status === undefined) return `Nothing is known of ${node}: it has told nothing of itself yet.\n`;
  if (status.held === undefined)
    return `Nothing is held by ${node}; its last cycle ended ${ago(status.cycleEndedAt)}.\n`;
  const { set, deletes, paths, limit } = status.held;
  const head = [
    `${node} holds ${counted(deletes, 'delete')} of ${counted(paths, 'path')} (limit ${grouped(limit)})`,
    `  as of its last cycle, ${ago(status.cycleEndedAt)} (${status.cycleEndedAt})`,
    `  to see them:     vsync ${role} --once --dry-run`,
  ];
  const next =
    approval?.set === set
      ? `  approved by ${shownPath(approval.by)} until ${approval.until} (${inFuture(approval.until)}): the next cycle makes them`
      : `  to release them: vsync approve ${shortSet(set)}${role === 'origin' ? ' --role origin' : ''}   (valid for this exact set only)`;
  return `${[...head, next].join('\n')}\n`;
}

function nodeJson({ role, name, status, approval }: Node): Readonly<Record<string, unknown>> {
  return {
    role,
    name,
    cycle_ended_at: status?.cycleEndedAt ?? null,
    held: status?.held ?? null,
    approval: approval ?? null,
  };
}
