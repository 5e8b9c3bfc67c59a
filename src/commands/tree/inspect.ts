import { type Command, InvalidArgumentError, Option } from 'commander';
import { globalOptions } from '../global-options.ts';
import type { TreeContext } from './context.ts';

/** `status`, `doctor`, `sync-info` and `transform`: commands that look and change nothing, but for `sync-info rebucket`. */
export function addInspectCommands(context: TreeContext): void {
  addStatusCommand(context);
  addDoctorCommand(context);
  addSyncInfoCommands(context);
  addTransformCommands(context);
}

/** One file may serve both roles. */
function roleOption(): Option {
  const description = 'whose configuration it is; else as it tells';
  return new Option('--role <role>', description).choices(['origin', 'destination']);
}

function sideOption(): Option {
  return new Option('--side <side>', 'only the sync info of this side').choices(['origin', 'destination']);
}

function addStatusCommand({ program, io, run }: TreeContext): void {
  program
    .command('status')
    .helpGroup('Inspect:')
    .summary('how all nodes are, as they tell in Consul')
    .description(statusDetail)
    .addOption(roleOption())
    .option('--watch', 'again every 2 s, until Ctrl-C')
    .option('--check', 'exit with 2 unless every node is InSync, Progressing or Paused')
    .action((own, self: Command) =>
      run(
        import('../status.ts').then((it) =>
          it.statusCommand(
            {
              ...globalOptions(self),
              role: own.role,
              watch: own.watch === true,
              check: own.check === true,
            },
            io,
          ),
        ),
      ),
    );
}

function addDoctorCommand({ program, io, run }: TreeContext): void {
  program
    .command('doctor')
    .helpGroup('Inspect:')
    .summary('is everything reachable and permitted?')
    .description(doctorDetail)
    .addOption(roleOption())
    .option('--strict', 'exit with 1 also for warnings')
    .option('--write-probe', 'write, read and delete a key below the own sync path')
    .option('--policies', 'print the least policies and ACL rules that this configuration needs')
    .action((own, self: Command) =>
      run(
        import('../doctor.ts').then((it) =>
          it.doctorCommand(
            {
              ...globalOptions(self),
              role: own.role,
              strict: own.strict === true,
              writeProbe: own.writeProbe === true,
              policies: own.policies === true,
            },
            io,
          ),
        ),
      ),
    );
}

function addSyncInfoCommands({ program, io, run }: TreeContext): void {
  const syncInfo = program
    .command('sync-info')
    .helpGroup('Inspect:')
    .summary('what is stored in Consul: show, verify, rebucket, export')
    .description(
      'Looks into the sync info in Consul: the index of paths that origin and destination compare.',
    );
  syncInfo
    .command('show [path...]')
    .summary('buckets, paths and sizes, or what is known of paths')
    .description(showDetail)
    .addOption(roleOption())
    .addOption(sideOption())
    .action((paths: string[], own, self: Command) =>
      run(
        import('../sync-info/show.ts').then((it) =>
          it.syncInfoShow(paths, { ...globalOptions(self), role: own.role, side: own.side }, io),
        ),
      ),
    );
  syncInfo
    .command('verify')
    .summary('compare every bucket with the index')
    .description(
      'Reads every bucket and compares its hash with the index. Exits with 65 and names what is wrong.',
    )
    .addOption(roleOption())
    .addOption(sideOption())
    .action((own, self: Command) =>
      run(
        import('../sync-info/verify.ts').then((it) =>
          it.syncInfoVerify({ ...globalOptions(self), role: own.role, side: own.side }, io),
        ),
      ),
    );
  syncInfo
    .command('rebucket')
    .summary('write the own info in another number of buckets')
    .description(rebucketDetail)
    .addOption(roleOption())
    .requiredOption('--to <n>', 'the number of buckets, 1 to 65535', bucketNumber)
    .option('--yes', 'do not ask')
    .action((own, self: Command) =>
      run(
        import('../sync-info/rebucket.ts').then((it) =>
          it.syncInfoRebucket(
            { ...globalOptions(self), role: own.role, to: own.to, yes: own.yes === true },
            io,
          ),
        ),
      ),
    );
  syncInfo
    .command('export')
    .summary('all insights of one side as JSON')
    .description("Writes every path with its insight, of the process's own side unless --side names one.")
    .addOption(roleOption())
    .addOption(sideOption())
    .option('--out <file>', 'write to this file, which must not exist')
    .action((own, self: Command) =>
      run(
        import('../sync-info/export.ts').then((it) =>
          it.syncInfoExport({ ...globalOptions(self), role: own.role, side: own.side, out: own.out }, io),
        ),
      ),
    );
}

function bucketNumber(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 65_535) return number;
  throw new InvalidArgumentError('It must be a whole number from 1 to 65535.');
}

function addTransformCommands({ program, io, run }: TreeContext): void {
  const transform = program
    .command('transform')
    .helpGroup('Inspect:')
    .summary('try the rules that give paths another place')
    .description('Tries the transforms of a destination. No network is used.');
  transform
    .command('test [path...]')
    .summary('where paths go, and which of them meet')
    .description(transformTestDetail)
    .action((paths: string[], _own, self: Command) =>
      run(import('../transform.ts').then((it) => it.transformTest(paths, globalOptions(self), io))),
    );
  transform
    .command('list')
    .summary('the rules, in the order in which they are tried')
    .description(
      'Prints the transforms in the order in which they are tried; the first that matches decides.',
    )
    .action((_own, self: Command) =>
      run(import('../transform.ts').then((it) => it.transformList(globalOptions(self), io))),
    );
}

const statusDetail = `Shows what the nodes of a configuration told of their last cycles in Consul,
what is held and which command releases it, and how both sync infos compare.`;

const doctorDetail = `Checks configuration, connections, tokens, rights, mounts, Consul and sync info,
with a fix for each failure. Writes nothing, unless --write-probe is given.`;

const showDetail = `Shows how the sync info of each side is stored. With paths (secret/data/app/db)
it shows their version, time and bucket.`;

const rebucketDetail = `Writes the own side's sync info in another number of buckets, if nobody else
writes it meanwhile. No secret is read or written; destinations follow the origin.`;

const transformTestDetail = `Prints the target of each path and the rule that gives it, or "unchanged"; - reads
paths from standard input, one a line. Exits with 3 when paths meet at one target,
or when a target cannot be written.`;
