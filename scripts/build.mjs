import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Bundles the program and its packages into `dist/`: `vsync.js` is what every start reads, `parts/` what a command loads when it is
 * called. Why in parts, and with which options: docs/decisions/0001-one-bundle-in-parts.md.
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const fresh = join(root, 'dist.new');

rmSync(fresh, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { vsync: 'src/cli.ts' },
  outdir: fresh,
  chunkNames: 'parts/[name]-[hash]',
  splitting: true,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  // jsonc-parser's `main` is UMD, which no bundler can follow.
  mainFields: ['module', 'main'],
  // node-vault's own transport, which vsync replaces (see docs/decisions/0003), and what is not used of undici.
  alias: { axios: './scripts/without-axios.cjs', undici: './scripts/undici-pool.cjs' },
  // CommonJS packages in an ESM bundle call `require`.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  define: { VSYNC_COMMIT: JSON.stringify(commit()) },
  // Names stay: they cost 3 % of the packed size, and a stack trace can be read without a source map.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
writeFileSync(join(fresh, 'THIRD-PARTY-LICENSES.txt'), licences(Object.keys(metafile.inputs)));
rmSync(join(root, 'dist'), { recursive: true, force: true });
renameSync(fresh, join(root, 'dist'));

/** The commit that is built, with `-dirty` when files differ from it; empty outside of a clone. */
function commit() {
  try {
    const describe = ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'];
    return execFileSync('git', describe, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
}

/** What the licences of the bundled packages ask for: their names and texts. */
function licences(inputs) {
  const folders = inputs.map((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]);
  const texts = [...new Set(folders)].filter((folder) => folder !== undefined).map(licenceOf);
  return `vsync contains these packages.\n\n${texts.sort().join('\n')}`;
}

function licenceOf(folder) {
  const path = join(root, folder);
  const { name, version, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  const file = readdirSync(path).find((each) => /^licen[cs]e/i.test(each));
  const text = file === undefined ? '' : `\n${readFileSync(join(path, file), 'utf8').trim()}\n`;
  return `${name} ${version} (${typeof license === 'string' ? license : 'see its text'})\n${text}\n${'-'.repeat(80)}\n`;
}
