import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/**
 * The structure of `src`, as `docs/architecture.md` describes it: which folder may import which, no import cycles, no barrels, one
 * place that ends the process. A new folder has to be given its place here.
 */

const src = fileURLToPath(new URL('../src/', import.meta.url));

/** Folder (or file at the top of `src`) -> what it may import besides itself. `types:` = its types only. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  sync: ['base'],
  cycle: ['base', 'sync'],
  vault: ['base', 'sync', 'types:cycle'],
  consul: ['base', 'sync', 'types:cycle'],
  config: ['base', 'sync'],
  dev: ['base'],
  roles: ['base', 'sync', 'cycle', 'vault', 'consul', 'config', 'version.ts'],
  'daemon.ts': ['base', 'sync', 'cycle', 'vault', 'consul', 'config', 'roles'],
  'fleet.ts': ['base', 'config', 'roles', 'daemon.ts'],
  commands: [
    'base',
    'sync',
    'cycle',
    'vault',
    'consul',
    'config',
    'dev',
    'roles',
    'daemon.ts',
    'fleet.ts',
    'version.ts',
  ],
  'cli.ts': ['base', 'commands', 'config', 'types:cycle', 'cycle/signal-channel.ts', 'version.ts'],
  'version.ts': [],
};

/** Packages that only one folder may use: the rest of the code knows them through it. */
const packageHomes: Readonly<Record<string, readonly string[]>> = {
  'node-vault': ['vault'],
  undici: ['vault'],
  consul: ['consul'],
  winston: ['base'],
  'p-queue': ['base', 'cycle'],
  'p-limit': ['cycle'],
  'p-retry': ['base'],
  croner: ['cycle', 'config'],
  re2js: ['sync'],
  picomatch: ['sync', 'config'],
  commander: ['cli.ts', 'commands'],
  zod: ['config'],
  yaml: ['config'],
  'jsonc-parser': ['config'],
  'hcl-parser': ['config'],
};

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort();
const texts = new Map(files.map((file) => [file, readFileSync(join(src, file), 'utf8')]));

const imports: Import[] = files.flatMap((file) => {
  const found = (texts.get(file) as string).matchAll(
    /^(?:import|export)\s+(type\s+)?(?:([^'";]*?)\s+from\s+)?'([^']+)'|import\('([^']+)'\)/gm,
  );
  return [...found].map(([, type, names, from, dynamic]) => {
    const specifier = (from ?? dynamic) as string;
    const named = /^\{([^}]*)\}$/s.exec(names ?? '')?.[1];
    const allTypes = named
      ?.split(',')
      .filter((name) => name.trim() !== '')
      .every((name) => name.trim().startsWith('type '));
    return {
      from: file,
      to: specifier.startsWith('.') ? relative(src, join(src, dirname(file), specifier)) : specifier,
      typeOnly: type !== undefined || allTypes === true,
    };
  });
});
const internal = imports.filter(({ to }) => texts.has(to));

const placeOf = (file: string) => file.split('/')[0] as string;

describe('the structure of src', () => {
  it('has a place for every file', () => {
    expect([...new Set(files.map(placeOf))].filter((place) => !(place in mayImport))).toEqual([]);
  });

  it('is found by this test: every import of a file of src leads to one', () => {
    const dangling = imports.filter(({ to }) => /\.ts$/.test(to) && !texts.has(to));
    expect(dangling).toEqual([]);
    expect(internal.length).toBeGreaterThan(files.length);
  });

  it('imports only what its place allows', () => {
    const wrong = internal.filter(({ from, to, typeOnly }) => {
      const [home, target] = [placeOf(from), placeOf(to)];
      const allowed = mayImport[home] ?? [];
      if (home === target || allowed.includes(target) || allowed.includes(to)) return false;
      return !(typeOnly && allowed.includes(`types:${target}`));
    });
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  it('uses each package in its own folder only', () => {
    const wrong = imports.filter(({ from, to }) => {
      if (texts.has(to) || to.startsWith('node:') || to.endsWith('package.json')) return false;
      return packageHomes[to]?.includes(placeOf(from)) !== true;
    });
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  it('has no import cycles, types included', () => {
    const edges = grouped(internal);
    const cycles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, trail: readonly string[]): void => {
      if (trail.includes(file)) {
        cycles.push([...trail.slice(trail.indexOf(file)), file].join(' -> '));
        return;
      }
      if (done.has(file)) return;
      for (const { to } of edges.get(file) ?? []) visit(to, [...trail, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('has no barrels, no drawers, no default exports', () => {
    expect(files.filter((file) => /(^|\/)(index|utils?|helpers?|lib|common|misc)\.ts$/.test(file))).toEqual(
      [],
    );
    expect(files.filter((file) => /^export \* from/m.test(texts.get(file) as string))).toEqual([]);
    expect(files.filter((file) => /^export default/m.test(texts.get(file) as string))).toEqual([]);
  });

  it('has no file over 300 lines', () => {
    const long = files.map((file) => [file, (texts.get(file) as string).split('\n').length - 1] as const);
    expect(long.filter(([, lines]) => lines > 300)).toEqual([]);
  });

  it('ends the process in src/cli.ts only', () => {
    const ending = files.filter((file) =>
      /process\.(exit|abort|kill|reallyExit)\(/.test(texts.get(file) as string),
    );
    expect(ending).toEqual(['cli.ts']);
  });

  it('reads the environment where it is handed in only', () => {
    const reading = files.filter((file) => /process\.env/.test(texts.get(file) as string));
    expect(reading).toEqual(['cli.ts']);
  });
});

function grouped(all: readonly Import[]): Map<string, Import[]> {
  const edges = new Map<string, Import[]>();
  for (const each of all) edges.set(each.from, [...(edges.get(each.from) ?? []), each]);
  return edges;
}
