import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import type { Config } from '../../src/config/config.ts';
import { keySpecs } from '../../src/config/keys.ts';
import { type Loaded, loadConfig } from '../../src/config/load.ts';
import type { LoadOptions } from '../../src/config/load-one.ts';
import { type Problem, renderProblem } from '../../src/config/problem.ts';

/** A folder for the files of one test file, removed after it. */
export function temporaryFolder(): {
  path: string;
  write(name: string, content: string | Uint8Array): string;
} {
  const path = mkdtempSync(join(tmpdir(), 'vsync-config-'));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    write(name, content) {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
  };
}

/** The least that an origin needs, as dotted keys. */
export const originKeys = {
  'origin.vault.address': 'https://vault.one:8200',
  'origin.vault.token': 'hvs.canary-one',
  'origin.consul.address': 'https://consul.one:8501',
  'origin.mounts': ['kv/'],
};

/** The least that a destination needs, as dotted keys. */
export const destinationKeys = {
  ...originKeys,
  'destination.vault.address': 'https://vault.two:8200',
  'destination.vault.token': 'hvs.canary-two',
  'destination.consul.address': 'https://consul.two:8501',
};

export interface LoadedText extends Loaded {
  /** `severity place key: message - hint`, one for each problem. */
  readonly lines: readonly string[];
}

/** Loads what is given as objects or text through standard input; nothing of the machine gets in. */
export async function load(
  content: Record<string, unknown> | string | undefined,
  options: Partial<LoadOptions> = {},
): Promise<LoadedText> {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  const loaded = await loadConfig({
    role: 'origin',
    files: content === undefined ? [] : ['-'],
    flags: {},
    env: {},
    cwd: '/nonexistent',
    home: undefined,
    readStdin: async () => Buffer.from(text ?? ''),
    ...options,
  });
  return { ...loaded, lines: loaded.problems.map(lineOf) };
}

export function lineOf(problem: Problem): string {
  return `${problem.severity} ${renderProblem(problem)}`;
}

/** The configuration, or a failure that shows the problems. */
export function configOf({ config, problems }: Loaded): Config {
  if (config === undefined) throw new Error(`no configuration:\n${problems.map(lineOf).join('\n')}`);
  return config;
}

/** The value of a dotted key in a typed configuration, by its name in code. */
export function valueAt(config: unknown, path: readonly string[]): unknown {
  return path.reduce((at, name) => (at as Record<string, unknown> | undefined)?.[name], config);
}

/** The typed value that an origin or a destination gets for one key, or the first problem. */
export async function outcome(key: string, value: unknown, format: 'json' | 'yaml' = 'json') {
  const { [key]: _, ...others } = { ...destinationKeys } as Record<string, unknown>;
  const text =
    format === 'json'
      ? { ...others, [key]: value }
      : `${JSON.stringify(others).slice(1, -1).replace(/,"/g, '\n"').replace(/":/g, '": ')}\n${key}: ${value}\n`;
  const role = key.startsWith('origin.') ? 'origin' : 'destination';
  const loaded = await load(text, { role });
  const spec = keySpecs.find((each) => each.key === key);
  const got = loaded.config && valueAt(loaded.config, spec?.typedPath ?? []);
  return { value: got instanceof Secret ? `secret ${got.reveal()}` : got, lines: loaded.lines };
}
