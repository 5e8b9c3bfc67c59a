import { exitCodes, VsyncError } from '../base/errors.ts';
import { Releasers } from '../base/releasers.ts';
import { RetryBudget } from '../base/retry.ts';
import type { Role } from '../config/config.ts';
import { type CommandIo, colorFor, widthOf } from './command-io.ts';
import type { GlobalOptions } from './global-options.ts';
import { inspectScope, openSides } from './inspect-sides.ts';
import { configFor } from './load-config.ts';
import { nearerFile } from './nearer-file.ts';
import { type Fleet, FleetReader, mergedFleets } from './status/fleet.ts';
import { statusJson } from './status/json.ts';
import { statusText } from './status/text.ts';
import { repeatUntilStopped } from './status/watch.ts';
import { isGood } from './status/word.ts';
import { printError } from './terminal/print-error.ts';
import type { TextStyle } from './terminal/text-style.ts';

export interface StatusOptions extends GlobalOptions {
  /** The process whose configuration it is; unset: as the configuration tells. */
  readonly role: Role | undefined;
  /** Again and again, until a signal. */
  readonly watch: boolean;
  /** The exit code tells whether all is well. */
  readonly check: boolean;
}

/** A person waits: one more try, not a daemon's patience. */
const retries = 1;

/**
 * `vsync status`: all nodes that tell of themselves in the Consuls of a configuration, and how the sync infos compare.
 * Returns 69 when a Consul cannot be reached, with `--check` 2 unless every node is InSync, Progressing or Paused.
 */
export async function statusCommand(options: StatusOptions, io: CommandIo): Promise<number> {
  if (options.watch && options.check) {
    throw new VsyncError({
      code: 'USAGE',
      message: '--watch and --check exclude each other',
      hint: 'a watch goes on until Ctrl-C and ends with 0',
    });
  }
  const loaded = await configFor(options.role, options, { interactive: true, several: true }, io);
  if ('exitCode' in loaded) return loaded.exitCode;
  const { configs } = loaded;
  const files = loaded.files.map((file) => nearerFile(file, io.cwd));
  const render = (fleet: Fleet) =>
    options.json
      ? statusJson(fleet, Date.now())
      : statusText(fleet, { configs, files, style: styleOf(options, io), nowMs: Date.now() });
  const releasers = new Releasers();
  try {
    const readers = await Promise.all(
      configs.map(async (config) => new FleetReader(config, await openSides(config, releasers, retries))),
    );
    const { signal } = inspectScope(io);
    const read = async () => {
      const scope = { signal, budget: new RetryBudget() };
      return mergedFleets(await Promise.all(readers.map((reader) => reader.read(scope))));
    };
    if (options.watch) {
      const draw = async () => {
        const fleet = await read();
        return options.json ? render(fleet) : `${render(fleet)}${fleet.errors.map(errorLine).join('')}`;
      };
      await repeatUntilStopped(draw, { inPlace: !options.json }, io);
      return exitCodes.ok;
    }
    const fleet = await read();
    io.out.write(render(fleet));
    for (const error of fleet.errors) printError(error, io, options.json);
    return exitCodeOf(fleet, options);
  } finally {
    await releasers.release();
  }
}

/** A Consul that did not answer counts more than what the other one told; corrupt sync info is an answer. */
function exitCodeOf({ nodes, errors }: Fleet, { check }: StatusOptions): number {
  const unanswered = errors.find(({ code }) => code !== 'SYNC_INFO_CORRUPT');
  if (unanswered !== undefined) return unanswered.exitCode;
  const isWell = errors.length === 0 && isGood(nodes.map(({ word }) => word));
  return check && !isWell ? exitCodes.differences : exitCodes.ok;
}

function errorLine({ code, message }: VsyncError): string {
  return `! ${code}: ${message}\n`;
}

function styleOf({ color }: GlobalOptions, io: CommandIo): TextStyle {
  return { width: widthOf(io.out), color: colorFor(io.out, io.env, color) };
}
