import { Option } from 'commander';
import type { TreeContext } from './context.ts';

/** `dev` and `demo`: vsync with nothing installed. */
export function addTryCommands({ program, io, run }: TreeContext): void {
  const flavour = () =>
    new Option('--flavour <name>', 'what the Vaults behave like')
      .choices(['vault', 'openbao'])
      .default('vault');
  program
    .command('demo')
    .helpGroup('Try:')
    .summary('run the whole job on in-memory servers')
    .description(demoDetail)
    .addOption(flavour())
    .option('--keep', 'leave the servers running afterwards, until Ctrl-C')
    .action((options) =>
      run(
        import('../demo.ts').then(({ demoCommand }) =>
          demoCommand({ ...options, keep: options.keep === true }, io),
        ),
      ),
    );
  program
    .command('dev')
    .helpGroup('Try:')
    .summary('in-memory Vaults and Consul to try vsync with')
    .description(devDetail)
    .addOption(flavour())
    .option('--write <file>', 'write the configuration to this file, which must not exist')
    .action((options) => run(import('../dev.ts').then(({ devCommand }) => devCommand(options, io))));
}

const devDetail = `Starts two Vault-compatible servers and a Consul-compatible one in memory, on loopback,
and prints their addresses, tokens and a configuration for them. Ends with Ctrl-C.`;

const demoDetail = `Starts in-memory servers, fills the origin, shows a dry run, copies, changes a few secrets,
copies again, and compares every value. Takes a few seconds and leaves nothing behind.`;
