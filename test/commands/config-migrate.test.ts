import { chmodSync, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../config/support.ts';
import { runMain } from './run-main.ts';

const folder = temporaryFolder();
const old = '# Frankfurt\nlogLevel: debug # loud\norigin:\n  timout: 2m\n';
const today = '# Frankfurt\norigin:\n  timeout: 2m\nlog:\n  level: debug # loud\n';
const changes = 'logLevel -> log.level\norigin.timout -> origin.timeout\n';
const migrate = (...args: string[]) => runMain(['config', 'migrate', ...args], { cwd: folder.path });
const read = (name: string) => readFileSync(join(folder.path, name), 'utf8');

describe('vsync config migrate', () => {
  it('prints the new text, and what changed on standard error', async () => {
    folder.write('a.yaml', old);
    expect(await migrate('a.yaml')).toEqual({ code: 0, out: today, err: changes });
    expect(await migrate('a.yaml', '--quiet')).toEqual({ code: 0, out: today, err: '' });
    expect(read('a.yaml')).toBe(old);
  });

  it('prints a text of today as it is', async () => {
    folder.write('today.yaml', today);
    expect(await migrate('today.yaml')).toEqual({ code: 0, out: today, err: 'nothing to change\n' });
    expect((await migrate('today.yaml', '--write')).err).toBe('nothing to change\n');
    expect(existsSync(join(folder.path, 'today.yaml.bak'))).toBe(false);
  });

  it('is one document with --json', async () => {
    const file = folder.write('json.yaml', old);
    const { out, err } = await migrate('json.yaml', '--json');
    expect(JSON.parse(out)).toEqual({
      file,
      format: 'yaml',
      changes: changes.trimEnd().split('\n'),
      problems: [],
      text: today,
    });
    expect(err).toBe('');
  });

  it('replaces the file with --write, keeps its permissions, and the old text as .bak', async () => {
    chmodSync(folder.write('w.yaml', old), 0o640);
    const { code, out, err } = await migrate('w.yaml', '--write');
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toContain('wrote ');
    expect([read('w.yaml'), read('w.yaml.bak')]).toEqual([today, old]);
    expect(statSync(join(folder.path, 'w.yaml')).mode & 0o777).toBe(0o640);
  });

  it('replaces what a symbolic link leads to, not the link', async () => {
    folder.write('real/v1.yaml', old);
    symlinkSync('real/v1.yaml', join(folder.path, 'link.yaml'));
    expect((await migrate('link.yaml', '--write')).code).toBe(0);
    expect([read('real/v1.yaml'), read('real/v1.yaml.bak'), read('link.yaml')]).toEqual([today, old, today]);
  });

  it('makes YAML of HCL; the old file is no configuration file any more', async () => {
    folder.write('h.hcl', 'logLevel = "debug"\norigin { timout = "2m" }\n');
    expect((await migrate('h.hcl')).err).toMatch(/^HCL -> YAML\n/);
    expect((await migrate('h.hcl', '--write')).code).toBe(0);
    expect(read('h.yaml')).toBe('origin:\n  timeout: 2m\nlog:\n  level: debug\n');
    expect(existsSync(join(folder.path, 'h.hcl'))).toBe(false);
    expect(read('h.hcl.bak')).toContain('timout');
  });

  it.each([
    {
      name: 'an older .bak',
      files: { 'b1.yaml': old, 'b1.yaml.bak': 'older' },
      file: 'b1.yaml',
      in: 'b1.yaml.bak',
    },
    {
      name: 'a YAML file of that name',
      files: { 'b2.hcl': 'logLevel = "debug"', 'b2.yaml': 'x' },
      file: 'b2.hcl',
      in: 'b2.yaml',
    },
    {
      name: 'what an interrupted run left',
      files: { 'b3.yaml': old, 'b3.yaml.new': 'half' },
      file: 'b3.yaml',
      in: 'b3.yaml.new',
    },
  ])('does not overwrite $name', async ({ files, file, in: existing }) => {
    for (const [name, content] of Object.entries(files)) folder.write(name, content as string);
    const { code, out, err } = await migrate(file, '--write');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(`cannot write ${join(folder.path, existing)}: it exists already`);
    for (const [name, content] of Object.entries(files)) expect(read(name)).toBe(content);
    expect(existsSync(join(folder.path, `${file}.bak`))).toBe(`${file}.bak` in files);
  });

  it('tells of what a person has to do', async () => {
    folder.write('anchor.yaml', 'base: &b {dc: fra}\norigin: *b\n');
    const { code, err } = await migrate('anchor.yaml');
    expect(code).toBe(0);
    expect(err).toMatch(/^warning: .*the key is part of an anchor or a merge - change it by hand$/m);
  });

  it.each([
    { name: 'a file that does not exist', args: ['none.yaml'], code: 78, says: 'does not exist' },
    { name: 'a file that cannot be parsed', args: ['broken.json'], code: 78, says: 'broken.json:1:2' },
    { name: 'no file', args: [], code: 64, says: "missing required argument 'file'" },
    { name: '--write and standard input', args: ['-', '--write'], code: 64, says: '--write needs a file' },
  ])('refuses $name', async ({ args, code, says }) => {
    folder.write('broken.json', '{');
    const ran = await migrate(...args);
    expect(ran).toMatchObject({ code, out: '' });
    expect(ran.err).toContain(says);
    const json = await migrate(...args, '--json');
    expect(JSON.parse(json.err.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'exit_error',
      code,
    });
  });
});
