import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** Writes what is made from the program: pages of `docs/`, the man page, the JSON Schema. Says which of them changed. */

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'vsync-docs-'));
const bundle = join(folder, 'generated-files.mjs');
try {
  await build({
    absWorkingDir: root,
    entryPoints: ['scripts/docs/generated-files.ts'],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    plugins: [treeOnly()],
    logLevel: 'warning',
  });
  const { generatedFiles } = await import(pathToFileURL(bundle).href);
  for (const { path, content } of generatedFiles()) write(path, content);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** What commands do is loaded when they are called, and none is called here. */
function treeOnly() {
  return {
    name: 'tree-only',
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ kind, path }) =>
        kind === 'dynamic-import' ? { path, external: true } : undefined,
      );
    },
  };
}

function write(path, content) {
  const file = join(root, path);
  if (read(file) === content) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  console.log(path);
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
