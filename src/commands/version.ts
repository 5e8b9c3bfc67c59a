import { exitCodes } from '../base/errors.ts';
import { commit, version } from '../version.ts';
import type { CommandIo } from './command-io.ts';

/** `vsync version`: what a report of a defect needs to say. */
export async function versionCommand(options: { readonly json: boolean }, io: CommandIo): Promise<number> {
  const facts = {
    version,
    commit: commit ?? null,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
  };
  const built = commit === undefined ? '' : `commit ${commit}, `;
  io.out.write(
    options.json
      ? `${JSON.stringify(facts)}\n`
      : `vsync ${version} (${built}Node.js ${facts.node}, ${facts.platform})\n`,
  );
  return exitCodes.ok;
}
