import type { Command } from 'commander';
import { addShortFlags } from '../flag-options.ts';
import { globalOptions } from '../global-options.ts';
import { collect, type TreeContext } from './context.ts';

/** `origin` and `destination`: the daemons, and their one-shots. */
export function addCycleCommands({ program, io, run }: TreeContext): void {
  const roles = [
    ['origin', 'scan the origin Vault and publish what it has', originDetail],
    ['destination', 'copy what the origin published to this Vault', destinationDetail],
  ] as const;
  for (const [role, summary, detail] of roles) {
    const command = program.command(role).helpGroup('Run:').summary(summary).description(detail);
    command
      .option('--once', 'one cycle, then exit with its code')
      .option('--dry-run', 'show what would be done; write nothing anywhere')
      .option('--full', 'with --dry-run: every line, also on a terminal')
      .option('--approve-deletes <set>', 'release exactly this set of held deletes; repeatable', collect);
    addShortFlags(command);
    command.action((_options, self: Command) => {
      const options = globalOptions(self);
      return run(
        import('../cycle-command.ts').then(({ cycleCommand }) =>
          cycleCommand(
            role,
            {
              ...options,
              once: options.once === true,
              dryRun: options.dryRun === true,
              full: options.full === true,
              approveDeletes: (options.approveDeletes ?? []) as readonly string[],
            },
            io,
          ),
        ),
      );
    });
  }
}

const originDetail = `Reads the metadata of every secret on origin.mounts, never a value, and publishes
an index of it in Consul. Runs a cycle at once and then each tick, until SIGTERM.`;

const destinationDetail = `Compares what the origin published with what is here, and copies what differs.
Runs a cycle at once, when the origin publishes, and each tick, until SIGTERM.`;
