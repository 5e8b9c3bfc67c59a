import { type Command, Option } from 'commander';
import { addShortFlags } from '../flag-options.ts';
import { globalOptions } from '../global-options.ts';
import { planFlags } from '../plan/flags.ts';
import { collect, type TreeContext } from './context.ts';

/** `plan`, `apply`, `show`, `check`: what would be done, exactly that done, and what is really there. */
export function addPlanCommands(context: TreeContext): void {
  addPlanCommand(context);
  addApplyCommand(context);
  addShowCommand(context);
  addCheckCommand(context);
}

const approveOption = () =>
  new Option('--approve-deletes <set>', 'release exactly this set of held deletes; repeatable').argParser(
    collect,
  );

const fullOption = () => new Option('--full', 'every line, also on a terminal');

function addPlanCommand({ program, io, run }: TreeContext): void {
  const command = program
    .command('plan')
    .helpGroup('Inspect:')
    .summary('what would change at the destination; writes nothing')
    .description(planDetail)
    .option(
      '--out <file>',
      'save it for vsync apply (mode 0600); an earlier plan is replaced, no other file is',
    )
    .option('--detailed-exitcode', '0 nothing to do, 2 differences, 4 deletes held')
    .option('--plain', 'one line a path, columns separated by tabs')
    .option('--paths', 'only the paths that would change')
    .addOption(fullOption())
    .addOption(approveOption());
  addShortFlags(command, ['workers', ...planFlags]);
  command.action((_own, self: Command) => {
    const options = globalOptions(self);
    return run(
      import('../plan.ts').then(({ planCommand }) =>
        planCommand(
          {
            ...options,
            out: options.out as string | undefined,
            detailedExitcode: options.detailedExitcode === true,
            plain: options.plain === true,
            paths: options.paths === true,
            full: options.full === true,
            approveDeletes: (options.approveDeletes ?? []) as readonly string[],
          },
          io,
        ),
      ),
    );
  });
}

function addApplyCommand({ program, io, run }: TreeContext): void {
  const command = program
    .command('apply <plan>')
    .helpGroup('Run:')
    .summary('do exactly what a saved plan says')
    .description(applyDetail)
    .option('--allow-stale', 'apply those of its tasks that are still to be done, whatever has moved')
    .option('--yes', 'do not ask before deletes')
    .addOption(fullOption())
    .addOption(approveOption());
  addShortFlags(command, ['workers', 'timeout', ...planFlags]);
  command.action((file: string, _own, self: Command) => {
    const options = globalOptions(self);
    return run(
      import('../apply.ts').then(({ applyCommand }) =>
        applyCommand(
          file,
          {
            ...options,
            allowStale: options.allowStale === true,
            yes: options.yes === true,
            full: options.full === true,
            approveDeletes: (options.approveDeletes ?? []) as readonly string[],
          },
          io,
        ),
      ),
    );
  });
}

function addShowCommand({ program, io, run }: TreeContext): void {
  program
    .command('show <plan>')
    .helpGroup('Inspect:')
    .summary('a saved plan, or the report of an apply')
    .description('Prints a file that vsync plan --out or vsync apply --json made. No network is used.')
    .addOption(
      new Option('--format <form>', 'how to print it').choices(['text', 'markdown', 'json']).default('text'),
    )
    .addOption(fullOption())
    .action((file: string, own, self: Command) => {
      const options = { ...globalOptions(self), format: own.format, full: own.full === true };
      return run(import('../show.ts').then(({ showCommand }) => showCommand(file, options, io)));
    });
}

function addCheckCommand({ program, io, run }: TreeContext): void {
  const command = program
    .command('check')
    .helpGroup('Inspect:')
    .summary('is the destination really what the origin published?')
    .description(checkDetail)
    .option('--deep', 'compare values, in memory, instead of metadata')
    .option('--repair', 'write what changed or is missing again, from the origin; deletes nothing')
    .option('--no-extras', 'do not look for secrets that the origin does not have')
    .addOption(fullOption());
  addShortFlags(command, ['workers', 'include', 'exclude']);
  command.action((_own, self: Command) => {
    const options = globalOptions(self);
    return run(
      import('../check.ts').then(({ checkCommand }) =>
        checkCommand(
          {
            ...options,
            deep: options.deep === true,
            repair: options.repair === true,
            extras: options.extras !== false,
            full: options.full === true,
          },
          io,
        ),
      ),
    );
  });
}

const planDetail = `Compares what the origin published with what was copied, and prints each
change with its reason: + add, ~ update, - delete, ! left alone. Exits 0 also
when there are changes, unless --detailed-exitcode is given.`;

const applyDetail = `Applies the changes of a plan that vsync plan --out saved, and no others.
Values are read at the origin now. Refuses with 65 when sync info or
configuration are not what the plan was made from. Asks before deletes on a
terminal.`;

const checkDetail = `Compares the metadata of every secret at the destination with what was copied:
~ changed by someone else, + missing, - not the origin's, ? to be copied by the
next cycle. Exits 0 in sync, 2 drift, 3 when some could not be compared.`;
