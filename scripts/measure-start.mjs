import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * How long commands take that do next to nothing, as multiples of an empty Node.js program: `node scripts/measure-start.mjs [ROUNDS]`.
 * The runs take turns, so that a busy machine slows all of them; medians. The aim is 2.5 or less.
 */

const rounds = Number(process.argv[2] ?? 15);
const launcher = fileURLToPath(new URL('../bin/vsync.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'vsync-start-'));
const file = (name, content) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const config = {
  origin: {
    vault: { address: 'http://127.0.0.1:8200', token: 'none' },
    consul: { address: 'http://127.0.0.1:8500' },
    mounts: ['secret/'],
  },
};
const json = file('origin.json', JSON.stringify(config));
const yaml = file('origin.yaml', `# The same\n${JSON.stringify(config)}\n`);

const cases = [
  ['empty program', [file('empty.mjs', '')]],
  ['vsync --help', [launcher, '--help']],
  ['vsync version', [launcher, 'version']],
  ['vsync config validate (JSON)', [launcher, 'config', 'validate', '-c', json]],
  ['vsync config validate (YAML)', [launcher, 'config', 'validate', '-c', yaml]],
].map(([name, args]) => ({ name, args, times: [] }));

try {
  for (let round = 0; round < rounds; round++) for (const each of cases) each.times.push(run(each.args));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const [base] = cases.map(({ times }) => median(times));
for (const { name, times } of cases) {
  const ms = median(times);
  console.log(`${name.padEnd(30)} ${ms.toFixed(0).padStart(5)} ms  ${(ms / base).toFixed(2)} x`);
}

function run(args) {
  const started = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}`);
  return performance.now() - started;
}

function median(times) {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
}
