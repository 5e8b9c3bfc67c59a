import { writeFile } from 'node:fs/promises';
import { exitCodes, VsyncError } from '../base/errors.ts';
import type { CommandIo } from './command-io.ts';
import { devConfig, type Flavour, startDevServers, untilStopped } from './dev-servers.ts';

/** `vsync dev`: in-memory servers on loopback until Ctrl-C, with what is needed to use them. */
export async function devCommand(
  options: { readonly flavour: Flavour; readonly write?: string },
  io: CommandIo,
): Promise<number> {
  const servers = await startDevServers(options.flavour);
  try {
    const config = devConfig(servers);
    const file = options.write ?? 'vsync-dev.json';
    if (options.write !== undefined) await writeNew(options.write, config);
    const { origin, destination, consul } = servers;
    io.out.write(
      [
        'vsync dev: in-memory servers on loopback; what is in them is gone when this ends',
        '',
        `  origin Vault       ${origin.address}  token ${origin.rootToken}`,
        `  destination Vault  ${destination.address}  token ${destination.rootToken}`,
        `  Consul             ${consul.address}`,
        '',
        options.write === undefined
          ? `A configuration for both roles; save it as ${file} (or use --write ${file}):`
          : `A configuration for both roles is in ${file}:`,
        '',
        config,
        'In other terminals:',
        '',
        `  curl -H 'X-Vault-Token: ${origin.rootToken}' -d '{"data":{"user":"u"}}' ${origin.address}/v1/secret/data/app`,
        `  vsync origin --config ${file}`,
        `  vsync destination --config ${file}`,
        '',
        'Ctrl-C ends the servers.',
        '',
      ].join('\n'),
    );
    await untilStopped(io.signals.draining);
    return exitCodes.ok;
  } finally {
    await servers.close();
  }
}

async function writeNew(file: string, content: string): Promise<void> {
  try {
    await writeFile(file, content, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new VsyncError({
      code: 'USAGE',
      exitCode: exitCodes.failed,
      message: `cannot write ${file}: ${code === 'EEXIST' ? 'it exists already' : code}`,
      hint: 'name a file that does not exist, in a folder that does',
    });
  }
}
