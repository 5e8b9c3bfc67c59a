import { lstat, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { exitCodes, VsyncError } from '../base/errors.ts';
import type { Role } from '../config/config.ts';
import type { CommandIo } from './command-io.ts';
import type { GlobalOptions } from './global-options.ts';
import { configFile, starterMounts, starterSyncPath } from './init/config-text.ts';
import { kubernetesFiles } from './init/kubernetes.ts';
import { nomadFiles } from './init/nomad.ts';
import { policyFiles } from './init/policies.ts';
import type { Platform, StarterFile } from './init/starter-file.ts';
import { systemdFiles } from './init/systemd.ts';
import { counted } from './terminal/text-style.ts';

export interface InitOptions extends GlobalOptions {
  readonly platform: Platform;
  readonly role: Role | 'both';
  readonly dir: string;
  readonly print: boolean;
}

/** `vsync init`: what one needs to set vsync up, as files to edit. Writes all of them or none. */
export async function initCommand(options: InitOptions, io: CommandIo): Promise<number> {
  const { platform, role, json } = options;
  const files = starterFiles(platform, role === 'both' ? ['origin', 'destination'] : [role]);
  if (options.print) {
    const text = files.map(({ name, content }) => `# ==> ${name}\n${content}`).join('\n');
    io.out.write(json ? `${JSON.stringify({ files })}\n` : text);
    return exitCodes.ok;
  }
  const dir = resolve(io.cwd, options.dir);
  await writeAll(files, dir);
  const names = files.map(({ name }) => name);
  if (json) io.out.write(`${JSON.stringify({ dir, files: names })}\n`);
  else io.out.write(`${summary(dir, names)}${nextSteps(platform, role)}`);
  return exitCodes.ok;
}

/** The files for some roles on one platform: configurations, policies, and what starts the processes. */
export function starterFiles(platform: Platform, roles: readonly Role[]): StarterFile[] {
  const starters: Readonly<Record<Platform, () => StarterFile[]>> = {
    systemd: () => roles.flatMap(systemdFiles),
    nomad: () => roles.flatMap(nomadFiles),
    kubernetes: () => kubernetesFiles(roles),
    plain: () => [],
  };
  return [
    ...roles.map((role) => configFile(platform, role)),
    ...roles.flatMap((role) => policyFiles(role, starterMounts, starterSyncPath)),
    ...starters[platform](),
  ];
}

async function writeAll(files: readonly StarterFile[], dir: string): Promise<void> {
  const paths = files.map(({ name }) => join(dir, name));
  const isThere = await Promise.all(
    paths.map((path) =>
      lstat(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  const existing = files.filter((_, i) => isThere[i]).map(({ name }) => name);
  if (existing.length > 0) {
    throw cannotWrite(
      `${existing.join(', ')} in ${dir} ${existing.length === 1 ? 'exists' : 'exist'} already`,
    );
  }
  try {
    for (const [i, path] of paths.entries()) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, files[i]?.content ?? '', { flag: 'wx' });
    }
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    throw cannotWrite(`cannot write ${path ?? dir}: ${code}`);
  }
}

function cannotWrite(message: string): VsyncError {
  return new VsyncError({
    code: 'USAGE',
    exitCode: exitCodes.failed,
    message,
    hint: 'name another folder with --dir, or move the files away; --print shows the new ones',
    note: 'Nothing was overwritten.',
  });
}

function summary(dir: string, names: readonly string[]): string {
  return `wrote ${counted(names.length, 'file')} to ${dir}\n${names.map((name) => `  ${name}\n`).join('')}\n`;
}

function nextSteps(platform: Platform, role: Role | 'both'): string {
  const first = role === 'both' ? 'origin' : role;
  const start: Readonly<Record<Platform, string>> = {
    systemd: `systemctl enable --now vsync-${first}`,
    nomad: `nomad job run vsync-${first}.nomad.hcl`,
    kubernetes: 'kubectl apply -k .',
    plain: `vsync ${first} -c ${first}.yaml`,
  };
  return `Next:
  1. put addresses, mounts and tokens in:  vsync config validate -c ${first}.yaml
  2. policies for the tokens:              vault policy write vsync-${first} policies/${first}.hcl
  3. what would happen, nothing written:   vsync ${first} -c ${first}.yaml --once --dry-run
  4. start it:                             ${start[platform]}
`;
}
