import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { generatedFiles } from '../../scripts/docs/generated-files.ts';
import { errorCatalogue } from '../../src/base/error-catalogue.ts';
import { errorCodes } from '../../src/base/errors.ts';
import { runMain } from './run-main.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string) =>
  existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : undefined;
const filesBelow = (folder: string, extension: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension))
    .map((file) => join(folder, file));

describe('what is made from the program', () => {
  it.each(generatedFiles())('$path is up to date (else: npm run docs)', ({ path, content }) => {
    expect(read(path)).toBe(content);
  });

  it('is the JSON Schema that `vsync config schema` prints', async () => {
    const { code, out } = await runMain(['config', 'schema']);
    expect(code).toBe(0);
    expect(out).toBe(read('schema/vsync.schema.json'));
    expect((await runMain(['config', 'schema', 'more'])).code).toBe(64);
  });

  it('has every command of the program, without those that only print help', async () => {
    const { out } = await runMain(['--help']);
    const commands = [
      ...out
        .split('\n\n')
        .slice(3)
        .join('\n')
        .matchAll(/^ {2}([a-z][a-z-]*)/gm),
    ].map(([, name]) => name);
    expect(commands).toContain('config');
    for (const name of commands.filter((each) => each !== 'help')) {
      expect(read('docs/cli.md')).toContain(`\n## vsync ${name}\n`);
      expect(read('man/vsync.1')).toMatch(new RegExp(`^\\.SS vsync ${name?.replace('-', '\\\\-')}`, 'm'));
    }
  });
});

describe('every error code', () => {
  const codes = Object.keys(errorCodes);
  const namedIn = (texts: readonly string[]) =>
    codes.filter((code) => texts.some((text) => text.includes(`'${code}'`)));
  const others = /base\/error(s|-catalogue[a-z-]*)\.ts$|commands\/docs\.test\.ts$/;
  const textsBelow = (folder: string) =>
    filesBelow(folder, '.ts')
      .filter((file) => !others.test(file))
      .map((file) => read(file) ?? '');

  it('is explained', () => {
    expect(Object.keys(errorCatalogue).sort()).toEqual([...codes].sort());
    for (const code of codes) expect(read('docs/errors.md')).toContain(`\n## ${code}\n`);
  });

  it('is used by the program', () => {
    expect(codes.filter((code) => !namedIn(textsBelow('src')).includes(code))).toEqual([]);
  });
});

describe('the pages', () => {
  const pages = ['README.md', 'CHANGELOG.md', ...filesBelow('docs', '.md'), ...filesBelow('examples', '.md')];

  it.each(pages)('%s links to what is there', (page) => {
    const links = [...(read(page) ?? '').matchAll(/\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)/g)].map(
      ([, link = '']) => link,
    );
    expect(links.filter((link) => !existsSync(join(root, dirname(page), link)))).toEqual([]);
  });

  it('name commands that exist', async () => {
    const { out } = await runMain(['--help']);
    const texts = [...pages.map((page) => read(page) ?? ''), JSON.stringify(errorCatalogue)];
    const named = texts.flatMap((text) =>
      [...text.matchAll(/`(?:npx )?vsync ([a-z][a-z-]+)/g)].map(([, name]) => name),
    );
    expect(named).toContain('origin');
    expect([...new Set(named)].filter((name) => !out.includes(`\n  ${name} `))).toEqual([]);
  });
});
