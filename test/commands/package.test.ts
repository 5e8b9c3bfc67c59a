import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

/** What a user gets of the package, from `npm pack` to a first run in an empty folder. `npm test` has built `dist`. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const kilobyte = 1024;

describe('the package', () => {
  let folder: string;
  let installed: string;

  const run = (command: string, args: readonly string[], cwd: string) => {
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd,
      encoding: 'utf8',
      // Not the settings of the npm that runs the tests.
      env: { PATH: process.env.PATH, HOME: folder, npm_config_update_notifier: 'false' },
    });
    if (status !== 0)
      throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`);
    return stdout;
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'vsync-package-'));
    const consumer = join(folder, 'consumer');
    mkdirSync(consumer);
    // Without scripts: another build would take `dist` away from the tests beside this one.
    const [packed] = JSON.parse(
      run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root),
    );
    expect(packed.size).toBeLessThan(1200 * kilobyte);
    run(
      'npm',
      ['install', '--offline', '--ignore-scripts', '--no-audit', join(folder, packed.filename)],
      consumer,
    );
    installed = join(consumer, 'node_modules', 'vsync');
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const files = () =>
    readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1))
      .sort();

  it('holds what is needed and no more', () => {
    const parts = /^dist\/parts\/[\w-]+\.js$/;
    expect(files().filter((file) => parts.test(file)).length).toBeGreaterThan(0);
    expect(files().filter((file) => !parts.test(file))).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin/vsync.js',
      'dist/THIRD-PARTY-LICENSES.txt',
      'dist/vsync.js',
      'man/vsync.1',
      'package.json',
      ...readdirSync(join(root, 'schema'))
        .map((name) => `schema/${name}`)
        .sort(),
    ]);
  });

  it('needs no other package', () => {
    expect(readdirSync(dirname(installed)).filter((name) => !name.startsWith('.'))).toEqual(['vsync']);
  });

  it('names nothing of the machine it was made on', () => {
    const telling = files().filter((file) => readFileSync(join(installed, file), 'utf8').includes(root));
    expect(telling).toEqual([]);
  });

  it('names every package that it contains, with its licence', () => {
    const licences = readFileSync(join(installed, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of ['commander', 'consul', 'node-vault', 'p-limit', 'p-queue', 'winston'] as const) {
      expect(licences).toContain(`\n${name} ${packageJson.devDependencies[name]} (`);
    }
  });

  it('runs: the version, and the whole job on in-memory servers', () => {
    const consumer = dirname(dirname(installed));
    const version = JSON.parse(run('npx', ['--offline', 'vsync', 'version', '--json'], consumer));
    expect(version).toMatchObject({ version: packageJson.version });
    expect(run('npx', ['--offline', 'vsync', 'demo'], consumer)).toMatch(
      /Done in .* Nothing is left behind\.\n$/,
    );
  }, 60_000);

  it('reads at a start only what every command needs', () => {
    const closure = new Set<string>();
    const follow = (file: string): void => {
      if (closure.has(file)) return;
      closure.add(file);
      const text = readFileSync(file, 'utf8');
      for (const [, path = ''] of text.matchAll(/(?:from|import)"(\.{1,2}\/[\w./-]+\.js)"/g))
        follow(join(dirname(file), path));
    };
    follow(join(installed, 'dist/vsync.js'));
    const bytes = [...closure].reduce((sum, file) => sum + statSync(file).size, 0);
    expect(bytes).toBeLessThan(320 * kilobyte);
  });
});
