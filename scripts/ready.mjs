import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Runs before `npm start` and `npm test`, so that each works as the only command in a fresh clone: installs the locked dependencies and
 * builds the program where that is missing or stale. What was installed and built is remembered by the hash of what it was made from.
 */

const root = fileURLToPath(new URL('..', import.meta.url));

const minimum = [20, 19];
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < minimum[0] || (major === minimum[0] && minor < minimum[1])) {
  console.error(`vsync needs Node.js ${minimum.join('.')} or later; this is ${process.versions.node}`);
  process.exit(1);
}

step(
  'installing the locked dependencies',
  join(root, 'node_modules', '.vsync-installed'),
  ['package-lock.json'],
  () => run(...npm(), 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'),
);
step(
  'building dist/vsync.js',
  join(root, 'dist', '.vsync-built'),
  ['src', 'package.json', 'package-lock.json', 'scripts/build.mjs'],
  () => run(process.execPath, join(root, 'scripts', 'build.mjs')),
);

/** Does `work` unless `stamp` holds the hash of `sources`. */
function step(what, stamp, sources, work) {
  const hash = hashOf(sources);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  console.error(`vsync: ${what}`);
  work();
  writeFileSync(stamp, hash);
}

function hashOf(sources) {
  const hash = createHash('sha256');
  for (const file of sources.flatMap(filesOf))
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(root, file)))
      .update('\0');
  return hash.digest('hex');
}

function filesOf(path) {
  if (statSync(join(root, path)).isFile()) return [path];
  const entries = readdirSync(join(root, path), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
}

/** The npm that runs this script, so that a version manager's choice is kept. */
function npm() {
  const script = process.env.npm_execpath;
  return script === undefined ? ['npm'] : [process.execPath, script];
}

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined || status !== 0) {
    console.error(
      `vsync: ${command} ${args.join(' ')} failed${error === undefined ? '' : `: ${error.message}`}`,
    );
    process.exit(status ?? 1);
  }
}
