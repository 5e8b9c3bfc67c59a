import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** Bundles the bench and the programs it starts into a temporary folder, and runs it: `npm run bench -- --help`. */

const root = fileURLToPath(new URL('..', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'vsync-bench-'));
process.once('exit', () => rmSync(dir, { recursive: true, force: true }));

/** Bundled files keep the address of their source: `test/servers` finds its files by it. */
const keepAddresses = {
  name: 'keep-addresses',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/](?:test|bench)[\\/].*\.ts$/ }, ({ path }) => ({
      loader: 'ts',
      contents: readFileSync(path, 'utf8').replaceAll(
        'import.meta.url',
        JSON.stringify(pathToFileURL(path).href),
      ),
    })),
};

/** What the program is built with, too. */
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  mainFields: ['module', 'main'],
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  logLevel: 'warning',
};

await build({
  ...common,
  entryPoints: {
    main: 'bench/main.ts',
    launcher: 'bench/children/launcher.ts',
    raw: 'bench/children/raw.ts',
    simulation: 'bench/sim/simulation.ts',
  },
  outdir: dir,
  outExtension: { '.js': '.mjs' },
  plugins: [keepAddresses],
});
const isProfile = process.argv.some((arg) => arg.startsWith('--profile'));
const program = isProfile ? await buildWithMaps(join(dir, 'with-maps')) : root;
const { main } = await import(pathToFileURL(join(dir, 'main.mjs')).href);
process.exitCode = await main(process.argv.slice(2), { dir, root, program });

/** The program with source maps, which the published build has not: a profile then names the places of `src`. */
async function buildWithMaps(folder) {
  await build({
    ...common,
    entryPoints: { vsync: 'src/cli.ts' },
    outdir: join(folder, 'dist'),
    sourcemap: true,
    define: { VSYNC_COMMIT: '"profile"' },
  });
  for (const part of ['bin', 'package.json'])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  return folder;
}
