import { type Command, Option } from 'commander';
import { globalOptions } from '../global-options.ts';
import type { TreeContext } from './context.ts';

/** `approve`: what an operator decides. */
export function addSafetyCommands({ program, io, run }: TreeContext): void {
  program
    .command('approve [set]')
    .helpGroup('Safety:')
    .summary('release exactly one set of held deletes')
    .description(approveDetail)
    .addOption(
      new Option('--role <role>', 'whose deletes').choices(['origin', 'destination']).default('destination'),
    )
    .option('--for <duration>', 'how long the approval is valid', '24h')
    .action((set: string | undefined, own, self: Command) =>
      run(
        import('../approve.ts').then(({ approveCommand }) =>
          approveCommand(set, { ...globalOptions(self), role: own.role, for: own.for }, io),
        ),
      ),
    );
}

const approveDetail = `Releases the deletes that the last cycle held, named by the set it printed; the node makes
them in its next cycle. Without a set it says what is held. Any other set is held again.`;
