import { commandModel } from '../../src/commands/command-model.ts';
import { configSchemaText } from '../../src/commands/config/schema.ts';
import { commandTree } from '../../src/commands/tree/program.ts';
import { SignalChannel } from '../../src/cycle/signal-channel.ts';
import { cliPage } from './cli-page.ts';
import { configurationPage } from './configuration-page.ts';
import { errorsPage } from './errors-page.ts';
import { manPage } from './man-page.ts';

/** A file of the repository that is made from the program, by its path from the root. */
export interface GeneratedFile {
  readonly path: string;
  readonly content: string;
}

/** All of them. `npm run docs` writes them; `test/commands/docs.test.ts` compares them. */
export function generatedFiles(): GeneratedFile[] {
  const io = { out: process.stdout, err: process.stderr, env: {}, cwd: '.', signals: new SignalChannel() };
  const program = commandModel(commandTree(io, async () => {}));
  return [
    { path: 'docs/cli.md', content: cliPage(program) },
    { path: 'docs/configuration.md', content: configurationPage() },
    { path: 'docs/errors.md', content: errorsPage() },
    { path: 'man/vsync.1', content: manPage(program) },
    { path: 'schema/vsync.schema.json', content: configSchemaText() },
  ];
}
