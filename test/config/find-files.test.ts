import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { expandConfigArgument, findDefaultFile } from '../../src/config/find-files.ts';
import { load, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
let root = '';
let run = 0;
beforeEach(() => {
  root = `case${run++}`;
});
const write = (name: string, content = '{}') => folder.write(`${root}/${name}`, content);
const places = (env = {}) => ({
  cwd: join(folder.path, root, 'work'),
  home: join(folder.path, root, 'home'),
  env,
});

describe('without --config', () => {
  it('the first file that exists is used', async () => {
    const names = [
      'home/.vsync.json',
      'home/.config/vsync/config.yaml',
      'work/vsync.hcl',
      'work/vsync.json',
      'work/config.hcl',
      'work/config.yml',
      'work/config.yaml',
      'work/config.toml',
      'work/config.jsonc',
      'work/config.json',
    ];
    expect(await findDefaultFile(places())).toBeUndefined();
    for (const name of names) {
      const file = write(name);
      expect(await findDefaultFile(places())).toBe(file);
    }
  });

  it('XDG_CONFIG_HOME replaces ~/.config', async () => {
    write('home/.config/vsync/config.yaml');
    const file = write('xdg/vsync/config.yml');
    expect(await findDefaultFile(places({ XDG_CONFIG_HOME: join(folder.path, root, 'xdg') }))).toBe(file);
  });

  it('a folder of that name is no file, and no home is no failure', async () => {
    write('work/config.json/x');
    expect(await findDefaultFile({ ...places(), home: undefined })).toBeUndefined();
  });

  it('a broken one is fatal, not passed over', async () => {
    const file = write('work/config.json', '{');
    write('work/config.yaml', 'name: x');
    const { lines, files, config } = await load(undefined, places());
    expect(lines[0]).toBe(`error ${file}:1:2: not valid JSON: a closing } is missing`);
    expect(files).toEqual([file]);
    expect(config).toBeUndefined();
  });

  it('one of a format that is not supported is refused by name, as Go would have read it', async () => {
    const file = write('work/config.toml', 'name = "x"');
    write('work/config.yaml', 'name: x');
    const { lines } = await load(undefined, places());
    expect(lines[0]).toContain(`error ${file}: TOML files are not supported`);
  });
});

describe('a --config argument', () => {
  it('that is a folder stands for its configuration files in lexical order', async () => {
    for (const name of [
      'd/b.json',
      'd/a.yaml',
      'd/10.hcl',
      'd/9.jsonc',
      'd/.hidden.json',
      'd/README.md',
      'd/..data/x.json',
      'd/sub/y.json',
    ])
      write(name);
    const { files, problems } = await expandConfigArgument(`${root}/d`, folder.path);
    expect(files.map((file) => file.slice(folder.path.length))).toEqual(
      ['10.hcl', '9.jsonc', 'a.yaml', 'b.json'].map((name) => `/${root}/d/${name}`),
    );
    expect(problems).toEqual([]);
  });

  it('that is empty is refused', async () => {
    expect((await expandConfigArgument('', folder.path)).problems).toMatchObject([
      { severity: 'error', code: 'CONFIG_UNREADABLE' },
    ]);
  });

  it('is relative to the working directory', async () => {
    const file = write('x.json');
    expect((await expandConfigArgument('x.json', join(folder.path, root))).files).toEqual([file]);
  });
});
