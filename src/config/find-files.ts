import { readdir, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import type { Problem } from './problem.ts';

/** In this order in each folder: Go vsync's, with `.jsonc`. The formats that are not supported are found to be refused by name. */
const extensions = ['json', 'jsonc', 'toml', 'yaml', 'yml', 'properties', 'props', 'prop', 'hcl'];

export interface Places {
  readonly cwd: string;
  readonly home: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The configuration file that is used when none is named: the first that exists, if any (`operations.md`, section 2.2). */
export async function findDefaultFile({ cwd, home, env }: Places): Promise<string | undefined> {
  const configHome = env.XDG_CONFIG_HOME || (home ? join(home, '.config') : undefined);
  const stems = [
    join(cwd, 'config'),
    join(cwd, 'vsync'),
    '/etc/vsync/config',
    ...(configHome ? [join(configHome, 'vsync', 'config')] : []),
  ];
  const candidates = stems.flatMap((stem) => extensions.map((extension) => `${stem}.${extension}`));
  if (home) candidates.push(join(home, '.vsync.json'));
  for (const candidate of candidates) if (await isThere(candidate, 'file')) return candidate;
  return undefined;
}

/** The files that a `--config` argument stands for: itself, or the configuration files of a directory in lexical order. */
export async function expandConfigArgument(
  argument: string,
  cwd: string,
): Promise<{ readonly files: readonly string[]; readonly problems: readonly Problem[] }> {
  if (argument === '-') return { files: ['-'], problems: [] };
  const path = resolve(cwd, argument);
  if (argument === '' || !(await isThere(path, 'directory'))) {
    return argument === '' ? { files: [], problems: [notNamed()] } : { files: [path], problems: [] };
  }
  try {
    const names = (await readdir(path)).filter(isConfigName).sort();
    const files = names.map((name) => join(path, name));
    return { files, problems: files.length === 0 ? [emptyDirectory(path)] : [] };
  } catch {
    return { files: [], problems: [unreadableDirectory(path)] };
  }
}

/** Hidden files are left out: Kubernetes keeps its own beside mounted ones. */
function isConfigName(name: string): boolean {
  return !name.startsWith('.') && extensions.includes(extname(name).slice(1).toLowerCase());
}

async function isThere(path: string, kind: 'file' | 'directory'): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory() === (kind === 'directory');
  } catch {
    return false;
  }
}

function notNamed(): Problem {
  return {
    severity: 'error',
    code: 'CONFIG_UNREADABLE',
    message: 'a configuration file was given without a name',
  };
}

function emptyDirectory(place: string): Problem {
  const hint = `it needs files that end in ${extensions.filter((each) => !/^(toml|prop)/.test(each)).join(', ')}`;
  return {
    severity: 'error',
    code: 'CONFIG_UNREADABLE',
    place,
    message: 'holds no configuration file',
    hint,
  };
}

function unreadableDirectory(place: string): Problem {
  return {
    severity: 'error',
    code: 'CONFIG_UNREADABLE',
    place,
    message: 'is a directory that cannot be read',
  };
}
