import { Argument, type Command, Option } from 'commander';
import type { Shell } from '../completion.ts';
import { globalOptions } from '../global-options.ts';
import type { TreeContext } from './context.ts';

/** `config`, `init`, `completion`, `version`: what is done before and beside running vsync. */
export function addSetupCommands(context: TreeContext): void {
  addConfigCommands(context);
  addInitCommand(context);
  const { program, io, run } = context;
  program
    .command('completion')
    .helpGroup('Setup:')
    .summary('completion script for a shell')
    .description(completionDetail)
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .action((shell: Shell) =>
      run(import('../completion.ts').then(({ completionCommand }) => completionCommand(shell, program, io))),
    );
  program
    .command('version')
    .helpGroup('Setup:')
    .summary('version, commit, Node.js and platform')
    .description('Prints what a report of a defect needs to say; with --json as one document.')
    .action((_options, self: Command) =>
      run(import('../version.ts').then(({ versionCommand }) => versionCommand(globalOptions(self), io))),
    );
}

function addConfigCommands({ program, io, run }: TreeContext): void {
  const role = () =>
    new Option('--role <role>', 'whose configuration it is; else as it tells').choices([
      'origin',
      'destination',
    ]);
  const config = program
    .command('config')
    .helpGroup('Setup:')
    .summary('validate, show, describe and migrate configurations')
    .description('Works on configurations without a connection to anything.');
  config
    .command('validate')
    .summary('find every problem')
    .description(validateDetail)
    .addOption(role())
    .action((own, self: Command) =>
      run(
        import('../config/validate.ts').then(({ configValidateCommand }) =>
          configValidateCommand({ ...globalOptions(self), role: own.role }, io),
        ),
      ),
    );
  config
    .command('show')
    .summary('the effective values and where each comes from')
    .description(showDetail)
    .addOption(role())
    .option('--all', 'also the keys that nothing sets')
    .action((own, self: Command) =>
      run(
        import('../config/show.ts').then(({ configShowCommand }) =>
          configShowCommand({ ...globalOptions(self), role: own.role, all: own.all === true }, io),
        ),
      ),
    );
  config
    .command('schema')
    .summary('JSON Schema of configuration files')
    .description('Prints the JSON Schema, for editors and checks; the package has it in schema/.')
    .action(() =>
      run(import('../config/schema.ts').then(({ configSchemaCommand }) => configSchemaCommand(io))),
    );
  config
    .command('migrate <file>')
    .summary("old keys and HCL in today's form")
    .description(migrateDetail)
    .option('--write', 'replace the file; the old text stays as FILE.bak, which must not exist')
    .action((file: string, own, self: Command) =>
      run(
        import('../config/migrate.ts').then(({ configMigrateCommand }) =>
          configMigrateCommand(file, { ...globalOptions(self), write: own.write === true }, io),
        ),
      ),
    );
}

function addInitCommand({ program, io, run }: TreeContext): void {
  program
    .command('init')
    .helpGroup('Setup:')
    .summary('starter configuration, policies and unit files')
    .description(initDetail)
    .addOption(
      new Option('--for <platform>', 'what vsync will run on')
        .choices(['systemd', 'nomad', 'kubernetes', 'plain'])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--role <role>', 'which files').choices(['origin', 'destination', 'both']).default('both'),
    )
    .option('--dir <dir>', 'folder to write into; it is made if need be', '.')
    .option('--print', 'print the files instead of writing them')
    .action((own, self: Command) =>
      run(
        import('../init.ts').then(({ initCommand }) =>
          initCommand(
            {
              ...globalOptions(self),
              platform: own.for,
              role: own.role,
              dir: own.dir,
              print: own.print === true,
            },
            io,
          ),
        ),
      ),
    );
}

const initDetail = `Writes a commented configuration, Vault policies, Consul ACL rules, and unit, job or manifest
files to start from. Refuses to overwrite: if one of the files exists, none is written.`;

const completionDetail = `Prints a script that lets the shell complete commands, flags and their values. Its first
line says where to put it.`;

const validateDetail = `Reads files, environment and flags as a start would and prints every problem. Unknown keys
are errors here. A token or TLS file that does not exist on this machine is a warning.`;

const showDetail = `Prints the values in effect and where each comes from: a flag, a variable, a place in a
file, a default. Of a secret it shows a fingerprint: hvs.****(sha256:ab12).`;

const migrateDetail = `Prints a configuration file with the keys of today on standard output, and what changed on
standard error. JSON keeps its formatting, YAML its comments; HCL becomes YAML.`;
